#!/usr/bin/env bash
# A server that starts its successor under load, on each driver, with no request lost: restart.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: restart.sh BUILD" >&2; exit 2; }
program=$(realpath "$1")/examples/http_hello
here=$(dirname "$0")
passed=0
failed=0
[ -x "$program" ] || { echo "skip: weft-http was not built"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    if said=$(timeout 120 python3 "$here/restart.py" "$program" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER"
        echo "$said" | tail -n 12 | sed 's/^/    /'
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
