#!/bin/sh
# The example of logins and tokens against curl, on each driver: http_tokens.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: http_tokens.sh BUILD" >&2; exit 2; }
program=$(realpath "$1")/examples/http_tokens
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0

if ! [ -x "$program" ] || ! command -v curl >/dev/null; then
    echo "skip: weft-http was not built, or there is no curl"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

start() {
    "$program" --port 0 >"$work/out" 2>"$work/err" &
    server=$!
    for _ in $(seq 200); do
        at=$(sed -n 's/^listening at //p' "$work/out")
        [ -n "$at" ] && return 0
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

# What curl gets, with the status at its end, has to have that in it.
check() {  # CLAIM WANTED CURL-ARGUMENT...
    claim=$1 wanted=$2
    shift 2
    got=$(curl -s -m 20 -i -w '\nstatus %{http_code}\n' "$@" 2>&1)
    case $got in
    *"$wanted"*) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $claim: wanted $wanted"
        echo "$got" | sed 's/^/    /'
        ;;
    esac
}

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    start || { echo "FAILED $WEFT_DRIVER: the server does not listen"; failed=$((failed + 1)); continue; }
    ada=$(curl -s -m 20 -u ada:lovelace -X POST "$at/token")
    bob=$(curl -s -m 20 -u bob:builder -X POST "$at/token")
    check "a wrong password gets no token" "status 401" -u ada:byron -X POST "$at/token"
    check "a token shows who asks" "ada" -H "Authorization: Bearer $ada" "$at/me"
    check "without one it is asked for" "WWW-Authenticate: Bearer" "$at/me"
    check "another one is none" 'error="invalid_token"' -H "Authorization: Bearer ${ada}x" "$at/me"
    check "errors are problem details" "application/problem+json" "$at/me"
    check "a scope opens" "status 200" -H "Authorization: Bearer $ada" -X POST "$at/notes"
    check "without it nothing is" 'error="insufficient_scope"' -H "Authorization: Bearer $bob" -X POST "$at/notes"
    check "an identity comes back" "X-Request-Id: abc" -H "X-Request-Id: abc" "$at/me"
    check "it is ready" '{"status":"ok"}' "$at/ready"
    check "requests are counted" 'method="GET",route="/me",status="4xx"' "$at/metrics"
    kill -TERM "$server"
    wait "$server"
    [ $? = 0 ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED $WEFT_DRIVER: the exit status"; }
    server=""
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
