#!/bin/sh
# Shows that the kit catches what users of weft do wrong: tests/planted/run.sh BUILD [SANITIZED_BUILD]
#
# Each file holds one mistake and is compiled twice: as it is, and with -DCORRECTED. On every driver the one with the
# mistake must fail and say what the file expects (`// caught: part of what it says`), and the corrected one must pass:
# so it is the mistake that is caught. What needs AddressSanitizer (`// needs: address`) is linked to the sanitized
# build, and skipped where there is none. The last line counts.
set -u
[ $# -ge 1 ] || { echo "usage: run.sh BUILD [SANITIZED_BUILD]" >&2; exit 2; }
plain=$(realpath "$1")
sanitized=$(realpath "${2:-$1}")
cd "$(dirname "$0")" || exit 2
export LC_ALL=C ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

fail() { # what, why
    failed=$((failed + 1))
    echo "FAILED $1: $2"
    sed 's/^/    /' "$work/said"
}

# The texts of one kind of direction in a file.
directions() { # file, kind
    sed -n "s|^// $2: ||p" "$1"
}

sanitizers() { # build
    meson introspect "$1" --buildoptions | python3 -c '
import json, sys
print(next(option["value"] for option in json.load(sys.stdin) if option["name"] == "b_sanitize"))'
}

has_uring() {
    PYTHONPATH=../../tools PYTHONDONTWRITEBYTECODE=1 python3 -c '
import sys, run_tests
sys.exit(run_tests.uring_refusal() != "")'
}

compile() { # file, program, flags...
    source=$1 program=$2
    shift 2
    ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror "$@" -I../../include "$source" \
        "$build/src/libweft.a" -lpthread -o "$program" >"$work/said" 2>&1
}

check_caught() { # file, driver
    if WEFT_DRIVER=$2 timeout 60 "$work/broken" >"$work/said" 2>&1; then
        fail "$1 [$2]" "nothing was caught"
        return
    fi
    missing=""
    directions "$1" caught >"$work/parts"
    while IFS= read -r part; do
        grep -qF -e "$part" "$work/said" || missing=$part
    done <"$work/parts"
    [ -s "$work/parts" ] || missing="(nothing is expected)"
    if [ -z "$missing" ]; then passed=$((passed + 1)); else fail "$1 [$2]" "it was not said: $missing"; fi
}

check_corrected() { # file, driver
    if WEFT_DRIVER=$2 timeout 60 "$work/corrected" >"$work/said" 2>&1; then
        passed=$((passed + 1))
    else
        fail "$1, corrected [$2]" "it did not pass"
    fi
}

drivers="sim epoll"
if has_uring; then drivers="$drivers uring"; fi
[ "$(sanitizers "$plain")" = none ] && plain_flags="" || plain_flags=-fsanitize=$(sanitizers "$plain")
[ "$(sanitizers "$sanitized")" = none ] && sanitized_flags="" || sanitized_flags=-fsanitize=$(sanitizers "$sanitized")

for file in *.c; do
    build=$plain flags=$plain_flags
    if [ "$(directions "$file" needs)" = address ]; then
        build=$sanitized flags=$sanitized_flags
        case $flags in *address*) ;; *) skipped=$((skipped + 1)); continue ;; esac
    fi
    # shellcheck disable=SC2086
    if ! compile "$file" "$work/broken" $flags || ! compile "$file" "$work/corrected" $flags -DCORRECTED; then
        fail "$file" "it did not compile"
        continue
    fi
    for driver in $drivers; do
        check_caught "$file" "$driver"
        check_corrected "$file" "$driver"
    done
done

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
