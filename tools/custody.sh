#!/bin/sh
# Builds the custody service and its SDK, a project of its own, against the weft of a build directory, in BUILD/custody:
# custody.sh BUILD [MESON-OPTION...]
set -eu
[ $# -ge 1 ] || { echo "usage: custody.sh BUILD [MESON-OPTION...]" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
shift

if [ ! -f "$build/meson-uninstalled/weft-http-uninstalled.pc" ]; then
    echo "custody: $build has no weft-http, which it stands on: not built" >&2
    exit 0
fi
if [ ! -f "$build/custody/build.ninja" ]; then
    PKG_CONFIG_PATH="$build/meson-uninstalled${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}" \
        meson setup "$build/custody" "$root/apps/custody" "$@" >"$build/custody.log" ||
        { cat "$build/custody.log"; exit 1; }
fi
# An archive of weft that changed is not among what ninja knows of.
linked=$build/custody/linked
if [ -f "$linked" ] && [ -n "$(find "$build/src" -name '*.a' -newer "$linked")" ]; then
    ninja -C "$build/custody" -t clean >/dev/null
fi
ninja -C "$build/custody" --quiet
touch "$linked"
