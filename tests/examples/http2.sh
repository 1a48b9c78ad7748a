#!/usr/bin/env bash
# http_hello over HTTP/2 and TLS against curl, nghttp, h2load, openssl, python3-h2 and httpx: http2.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: http2.sh BUILD" >&2; exit 2; }
program=$(realpath "$1")/examples/http_hello
here=$(dirname "$0")
work=$(mktemp -d)
servers=()
trap '[ ${#servers[@]} = 0 ] || kill -9 "${servers[@]}" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0
skipped=0

[ -x "$program" ] || { echo "skip: weft-http was not built"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }

make_certificate() {  # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.pem" \
        -days 30 -subj "/CN=$1" -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
}

start() {  # [OPTION...]; gives its port in $port
    : >"$work/server"
    "$program" --port 0 "$@" >"$work/server" 2>"$work/server.err" &
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
    if ! command -v "$1" >/dev/null; then
        echo "skip: $claim: there is no $1"
        skipped=$((skipped + 1))
        return
    fi
    got=$(timeout 60 "$@" 2>&1 </dev/null | tr -d '\0')
    if [[ $got =~ $wanted ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $claim"
        echo "$got" | tail -n 5 | sed 's/^/    /'
    fi
}

shake_hands() {  # ARGUMENT...: a connection of openssl that ends as soon as it stands
    { sleep 0.3; echo Q; } | openssl s_client -connect "127.0.0.1:$tls" -CAfile "$work/localhost.pem" "$@"  # real time
}
export -f shake_hands

head -c 200000 /dev/zero >"$work/body"
make_certificate localhost
make_certificate other
python=""
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c "import h2, httpx" 2>/dev/null && python=$candidate
done

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    cp "$work/localhost.pem" "$work/used.pem"
    cp "$work/localhost.key" "$work/used.key"
    start && plain=$port
    start --tls "$work/used.pem" --key "$work/used.key" && tls=$port
    tls_server=${servers[1]}
    start --proxy-protocol && proxied=$port
    export tls work
    version='%{http_version} %{http_code} %{size_download}'
    check "HTTP/2 with prior knowledge" '^2 200 13$' \
        curl -sS -o /dev/null -w "$version" --http2-prior-knowledge "http://127.0.0.1:$plain/"
    check "HTTP/2 by ALPN" '^2 200 13$' \
        curl -sS -o /dev/null -w "$version" --cacert "$work/localhost.pem" "https://localhost:$tls/"
    check "HTTP/1.1 by ALPN" '^1.1 200 13$' \
        curl -sS -o /dev/null -w "$version" --http1.1 --cacert "$work/localhost.pem" "https://localhost:$tls/"
    check "TLS 1.2" '^2 200 13$' \
        curl -sS -o /dev/null -w "$version" --tls-max 1.2 --cacert "$work/localhost.pem" "https://localhost:$tls/"
    check "a body that nobody reads" '^2 200 13$' \
        curl -sS -o /dev/null -w "$version" --http2-prior-knowledge --data-binary @"$work/body" \
        "http://127.0.0.1:$plain/"
    check "a proxy's header" '^2 200 13$' \
        curl -sS -o /dev/null -w "$version" --haproxy-protocol --http2-prior-knowledge "http://127.0.0.1:$proxied/"
    check "no proxy's header" 'Empty reply|reset' curl -sS "http://127.0.0.1:$proxied/"
    check "nghttp" 'Hello, World!$' nghttp "http://127.0.0.1:$plain/"
    check "32 streams on 8 connections" '20000 succeeded, 0 failed' \
        h2load -n 20000 -c 8 -m 32 "http://127.0.0.1:$plain/"
    check "32 streams on 8 connections over TLS" '20000 succeeded, 0 failed' \
        h2load -n 20000 -c 8 -m 32 "https://127.0.0.1:$tls/"
    if command -v openssl >/dev/null; then
        shake_hands -tls1_2 -sess_out "$work/resume" >/dev/null 2>&1
        check "a TLS session is resumed" 'Reused, TLSv1.2' \
            bash -c 'shake_hands -tls1_2 -sess_in "$work/resume" 2>/dev/null'
        check "h2 is agreed on" 'ALPN protocol: h2' bash -c 'shake_hands -alpn h2,http/1.1 2>/dev/null'
        cp "$work/other.pem" "$work/used.pem"
        cp "$work/other.key" "$work/used.key"
        kill -HUP "$tls_server"
        sleep 0.3  # real time: the server is another process
        check "SIGHUP reads the certificate again" 'CN = other' bash -c 'shake_hands 2>/dev/null'
        check "the old certificate is not there any more" '^curl: .*(self-signed|self signed|verif)' \
            curl -sS --cacert "$work/localhost.pem" "https://localhost:$tls/"
        cp "$work/localhost.pem" "$work/used.pem"
        cp "$work/localhost.key" "$work/used.key"
        kill -HUP "$tls_server"
        sleep 0.3  # real time: the server is another process
    fi
    if [ -n "$python" ]; then
        check "python3-h2 and httpx" 'as it should be$' "$python" "$here/http2.py" "$plain" "$tls" \
            "$work/localhost.pem"
    else
        echo "skip: there is no python3-h2 and httpx"
        skipped=$((skipped + 1))
    fi
    kill -TERM "${servers[@]}"
    for server in "${servers[@]}"; do
        wait "$server" || { failed=$((failed + 1)); echo "FAILED $WEFT_DRIVER: a server did not end well"; }
    done
    servers=()
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
