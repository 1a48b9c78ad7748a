#!/bin/sh
# make test: build with warnings as errors, then every suite on both drivers, plain and under sanitizers, and tidy.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}

[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" --libdir=lib >/dev/null
meson configure "$BUILD" -Dwerror=true
ninja -C "$BUILD" --quiet
[ -f build-asan/build.ninja ] || meson setup build-asan -Dwerror=true -Dtools=false -Ddefault_library=static \
    -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
ninja -C build-asan --quiet
tools/custody.sh "$BUILD" -Dwerror=true
tools/custody.sh build-asan -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false

python3 tools/run_tests.py "$BUILD" build-asan
