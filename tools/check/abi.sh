#!/bin/sh
# Compares the ABI of the shared library with the committed one, abi/weft.abi, and says what changed. A difference does
# not fail: until 1.0 the ABI is not promised. What changed on purpose is committed by
#
#     tools/check/abi.sh --renew [BUILD]
set -eu
cd "$(dirname "$0")/../.."
baseline=abi/weft.abi

# What the public headers show, and nothing of the machine that built it.
describe() { # library, file
    abidw --headers-dir include --drop-private-types --exported-interfaces-only --drop-undefined-syms --no-elf-needed \
        --no-architecture --no-corpus-path --no-show-locs --no-comp-dir-path --no-write-default-sizes \
        --type-id-style hash --out-file "$2" "$1"
}

renew=false
[ "${1:-}" = --renew ] && { renew=true; shift; }
library=${1:-build}/src/libweft.so
command -v abidw >/dev/null || { echo "there is no abidw (package abigail-tools)" >&2; exit 1; }
[ -f "$library" ] || { echo "there is no $library: build it first" >&2; exit 1; }
if $renew; then
    describe "$library" "$baseline"
    exit
fi

now=$(mktemp)
trap 'rm -f "$now"' EXIT
describe "$library" "$now"
status=0
abidiff --drop-private-types "$baseline" "$now" || status=$?
[ $((status & 3)) = 0 ] || exit 1 # it could not compare; the other bits are differences
[ $status = 0 ] || echo "the ABI changed; if that is meant: tools/check/abi.sh --renew"
