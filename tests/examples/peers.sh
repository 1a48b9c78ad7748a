#!/usr/bin/env bash
# A server against curl, wrk, h2load, httpx, aiohttp, websockets, Go and behind nginx: peers.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: peers.sh BUILD" >&2; exit 2; }
program=$(realpath "$1")/tests/http_peer_server
here=$(dirname "$0")
work=$(mktemp -d)
chmod 711 "$work"  # nginx works as another user
servers=()
trap '[ ${#servers[@]} = 0 ] || kill -9 "${servers[@]}" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0
skipped=0

[ -x "$program" ] || { echo "skip: weft-http was not built"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

skip() {  # CLAIM WHY
    echo "skip: $1: $2"
    skipped=$((skipped + 1))
}

start() {  # [OPTION...]; gives its port in $port
    : >"$work/server"
    "$program" --port 0 "$@" >"$work/server" 2>>"$work/server.err" &
    servers+=($!)
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening at .*:\([0-9]*\)$/\1/p' "$work/server")
        [ -n "$port" ] && return 0
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

# What the command prints has to match as a whole.
check() {  # CLAIM PATTERN COMMAND...
    claim=$1
    wanted=$2
    shift 2
    command -v "$1" >/dev/null || { skip "$claim" "there is no $1"; return; }
    got=$(timeout 60 "$@" 2>&1 </dev/null | tr -d '\0')
    if [[ $got =~ $wanted ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $claim"
        echo "$got" | tail -n 5 | sed 's/^/    /'
    fi
}

find_python() {  # MODULE; gives the interpreter that has it in $python
    python=""
    for candidate in python3 /usr/bin/python3; do
        "$candidate" -c "import $1" 2>/dev/null && python=$candidate
    done
    [ -n "$python" ]
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_nginx() {  # gives its port in $front
    command -v nginx >/dev/null || return 1
    front=$(free_port)
    sed -e "s|FRONT|$front|; s|BACK|$plain|; s|WORK|$work|g" "$here/peers/nginx.conf" >"$work/nginx.conf"
    nginx -c "$work/nginx.conf" -e "$work/nginx.err" -p "$work" -g 'daemon off;' &
    servers+=($!)
    for _ in $(seq 100); do
        curl -s -o /dev/null "http://127.0.0.1:$front/" && return 0
        sleep 0.05  # real time: nginx is another process
    done
    return 1
}

by_curl() {
    local base=http://127.0.0.1:$plain
    status='%{http_version} %{http_code} %{size_download}'
    for version in --http1.0 --http1.1 --http2 --http2-prior-knowledge; do
        check "curl $version" '^Hello, World! (1|1.0|1.1|2) 200$' \
            curl -sS $version -w ' %{http_version} %{http_code}' "$base/"
        check "curl $version sends a body" '^200000 9600000 200$' \
            curl -sS $version -T "$work/digits" -w ' %{http_code}' "$base/count"
    done
    for version in --http1.1 --http2-prior-knowledge; do
        check "curl $version sends a body whose length it does not know" '^200000 9600000 200$' \
            bash -c "curl -sS $version -T - -w ' %{http_code}' '$base/count' <'$work/digits'"
    done
    check "HTTP/2 over TLS" '^2 200 13$' \
        curl -sS -o "$work/unused" -w "$status" --cacert "$work/cert.pem" "https://localhost:$tls/"
    check "a connection is kept" '^1\.1 200 13 1 1\.1 200 13 0 $' \
        curl -sS -o "$work/unused" -o "$work/unused" -w "$status %{num_connects} " "$base/" "$base/"
    check "100-continue" 'HTTP/1.1 100 Continue.*HTTP/1.1 200 OK' \
        curl -sS -i -H 'Expect: 100-continue' -X POST --data-binary @"$work/digits" "$base/echo" -o -
    check "no continue for a body that is too large" '^HTTP/1.1 413 ' \
        curl -sS -i -H 'Expect: 100-continue' -X POST --data-binary @"$work/large" "$base/echo"
    check "a range" '^0000000000 206$' curl -sS -r 10-19 -w ' %{http_code}' "$base/files/digits"
    check "the last bytes" '^00000 206$' curl -sS -r -5 -w ' %{http_code}' "$base/files/digits"
    check "a range behind the end" '^416 bytes \*/200000$' \
        curl -sS -r 300000- -o "$work/unused" -w '%{http_code} %header{content-range}' "$base/files/digits"
    check "a download goes on" '^200000 $' bash -c "head -c 777 '$work/digits' >'$work/part' &&
        curl -sS -C - -o '$work/part' '$base/files/digits' && cmp '$work/part' '$work/digits' &&
        stat -c '%s ' '$work/part'"
    for encoding in gzip br zstd; do
        check "an answer in $encoding" "Content-Encoding: $encoding" \
            curl -sS -o "$work/unused" -D - -H "Accept-Encoding: $encoding" "$base/pieces"
    done
    check "curl decompresses" 'line 999$' curl -sS --compressed "$base/pieces"
    check "an URL that is too long" '^414$' \
        curl -sS -o "$work/unused" -w '%{http_code}' "$base/$(head -c 9000 /dev/zero | tr '\0' a)"
    check "a field that is too long" '^431$' \
        curl -sS -o "$work/unused" -w '%{http_code}' -H "X: $(head -c 70000 /dev/zero | tr '\0' a)" "$base/"
}

behind_nginx() {
    if ! start_nginx; then
        skip "behind nginx" "it does not start"
        return
    fi
    local base=http://127.0.0.1:$front
    check "nginx passes requests on" '^Hello, World! 200$' curl -sS -w ' %{http_code}' "$base/"
    check "who asks nginx is known" '^192.0.2.7:0 https example.com HTTP/1.1$' \
        curl -sS -H 'X-Forwarded-For: 192.0.2.7' -H 'X-Forwarded-Proto: https' -H 'Host: example.com' "$base/who"
    check "an upload through nginx" '^200000 9600000$' curl -sS -T "$work/digits" "$base/count"
    check "a download through nginx" '^200000$' curl -sS -o "$work/unused" -w '%{size_download}' "$base/files/digits"
    check "many through connections that are kept" 'requests in' \
        wrk -t 1 -c 16 -d 1 "$base/"
    check "none of them failed" '^0$' grep -c '" 5[0-9][0-9] ' "$work/nginx.log"
    if find_python websockets; then
        check "a WebSocket through nginx" 'as it should be$' \
            "$python" "$here/peers.py" websockets "ws://127.0.0.1:$front/ws"
    else
        skip "a WebSocket through nginx" "there is no python3-websockets"
    fi
}

by_libraries() {
    if find_python httpx; then
        check "httpx" 'as it should be$' "$python" "$here/peers.py" httpx "$plain" "$tls" "$work/cert.pem"
    else
        skip httpx "there is no python3-httpx"
    fi
    if find_python aiohttp; then
        check "aiohttp" 'as it should be$' "$python" "$here/peers.py" aiohttp "$plain"
    else
        skip aiohttp "there is no python3-aiohttp"
    fi
    if find_python websockets; then
        check "websockets" 'as it should be$' "$python" "$here/peers.py" websockets "ws://127.0.0.1:$plain/ws"
    else
        skip websockets "there is no python3-websockets"
    fi
    if [ -x "$work/go_client" ]; then
        check "Go" 'as it should be$' "$work/go_client" "$plain" "$tls" "$work/cert.pem"
    else
        skip Go "there is no go, or it cannot build"
    fi
}

head -c 200000 /dev/zero | tr '\0' 0 >"$work/digits"
cp "$work/digits" "$work/body"
head -c 3000000 /dev/zero >"$work/large"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/cert.key" -out "$work/cert.pem" \
    -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
export PEER_FILES=$work PEER_TRUSTS=127.0.0.1
if command -v go >/dev/null; then
    GOCACHE=${GOCACHE:-$work/gocache} GO111MODULE=off go build -o "$work/go_client" "$here/peers/main.go" 2>&1 |
        tail -n 3
fi

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    start --threads 2 && plain=$port
    start --tls "$work/cert.pem" --key "$work/cert.key" && tls=$port
    by_curl
    check "wrk" 'requests in' wrk -t 1 -c 32 -d 1 "http://127.0.0.1:$plain/"
    check "wrk saw no errors" '^$' bash -c "wrk -t 1 -c 32 -d 1 'http://127.0.0.1:$plain/' | grep -E 'Socket|Non-2xx'"
    check "h2load" '5000 succeeded, 0 failed, 0 errored' h2load -n 5000 -c 10 -m 10 "http://127.0.0.1:$plain/"
    check "nghttp gets several" ' 200 +13 /' nghttp -nas "http://127.0.0.1:$plain/"
    by_libraries
    behind_nginx
    kill -TERM "${servers[@]}"
    for server in "${servers[@]}"; do
        wait "$server" || { failed=$((failed + 1)); echo "FAILED $WEFT_DRIVER: a server did not end well"; }
    done
    servers=()
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
