#!/usr/bin/env bash
# The documentation page, WebSockets and events in headless Chromium: browser.sh BUILD [SCREENSHOTS]
set -u
[ $# -ge 1 ] || { echo "usage: browser.sh BUILD [SCREENSHOTS]" >&2; exit 2; }
build=$(realpath "$1")
here=$(dirname "$0")

python=""
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c "import websockets" 2>/dev/null && python=$candidate
done
if ! [ -x "$build/examples/http_crud" ] || [ -z "$python" ] || ! command -v chromium >/dev/null; then
    echo "skip: weft-http was not built, or there is no chromium or no python3-websockets"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout 240 "$python" -W ignore "$here/browser.py" "$build" "$work" "${2:-$work}" 2>&1
status=$?
[ $status != 124 ] || echo "0 passed, 1 failed: it took longer than 240 s"
exit $status
