#!/usr/bin/env bash
# The servers of docs/tutorial-http.md, on each driver: tutorial.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: tutorial.sh BUILD" >&2; exit 2; }
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
if ! [ -x "$programs/http_board" ] || [ -z "$python" ] || ! command -v curl >/dev/null; then
    echo "skip: weft-http was not built, or there is no curl or no python3-websockets"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

start() {  # PROGRAM; gives where it listens in $url
    "$programs/$1" --port 0 >"$work/$1" 2>"$work/$1.err" &
    servers+=($!)
    for _ in $(seq 200); do
        url=$(sed -n 's/^listening at //p' "$work/$1")
        [ -n "$url" ] && return 0
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

verdict() {  # STATUS WHAT
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $2"
        tail -n 12 "$work"/* | sed 's/^/    /'
    fi
}

answers() {  # PATH STATUS BODY
    got=$(curl -s --max-time 20 -w ' %{http_code}' "$url$1")
    [ "$got" = "$3 $2" ]
    verdict $? "$1: $got"
}

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    start http_greet
    answers "/greet/Ada" 200 '{"lines":["Hello, Ada."]}'
    answers "/greet/B%C3%A4r?times=2&mood=glad" 200 '{"lines":["Hello, Bär!","Hello, Bär!"]}'
    missing='{"loc":["query","times"],"msg":"Input should be less than or equal to 3","type":"less_than_equal"}'
    wrong='{"loc":["query","mood"],"msg":"Input should be '"'plain' or 'glad'"'","type":"enum"}'
    answers "/greet/Ada?times=4&mood=bad" 422 "{\"detail\":[$missing,$wrong]}"
    start http_board
    timeout 60 "$python" "$here/tutorial.py" "$url" >"$work/out" 2>&1
    verdict $? "http_board"
    kill -TERM "${servers[@]}"
    for server in "${servers[@]}"; do
        wait "$server"
        verdict $? "the server drains and ends well"
    done
    servers=()
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
