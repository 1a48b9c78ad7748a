#!/bin/sh
# make test: build with warnings as errors, tidy, then every suite on both drivers, plain and under sanitizers.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}

[ -f "$BUILD/build.ninja" ] || meson setup "$BUILD" >/dev/null
meson configure "$BUILD" -Dwerror=true >/dev/null
ninja -C "$BUILD" --quiet
if [ ! -f build-asan/build.ninja ]; then
    meson setup build-asan -Db_sanitize=address,undefined -Ddefault_library=static -Db_lundef=false -Dwerror=true >/dev/null
fi
ninja -C build-asan --quiet

python3 tools/run_tests.py "$BUILD" build-asan
