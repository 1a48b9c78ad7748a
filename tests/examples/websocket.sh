#!/usr/bin/env bash
# The WebSocket examples against python3-websockets, on each driver: websocket.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: websocket.sh BUILD" >&2; exit 2; }
programs=$(realpath "$1")/examples
here=$(dirname "$0")
work=$(mktemp -d)
servers=()
trap '[ ${#servers[@]} = 0 ] || kill -9 "${servers[@]}" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0

python=""
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c "import websockets" 2>/dev/null && python=$candidate
done
if ! [ -x "$programs/ws_echo" ] || [ -z "$python" ]; then
    echo "skip: weft-http was not built, or there is no python3-websockets"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

start() {  # PROGRAM; gives its port in $port
    "$programs/$1" --port 0 >"$work/$1" 2>"$work/$1.err" &
    servers+=($!)
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening at .*:\([0-9]*\)$/\1/p' "$work/$1")
        [ -n "$port" ] && return 0
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    start ws_echo && echo_port=$port
    start ws_chat && chat_port=$port
    timeout 90 "$python" "$here/websocket.py" "$echo_port" "$chat_port" >"$work/out" 2>&1
    status=$?
    kill -TERM "${servers[@]}"
    for server in "${servers[@]}"; do
        wait "$server" || status=1  # everything was closed: it drains, and ends well
    done
    servers=()
    if [ $status = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER"
        tail -n 12 "$work"/* | sed 's/^/    /'
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
