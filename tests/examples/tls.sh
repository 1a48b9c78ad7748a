#!/usr/bin/env bash
# The TLS examples against openssl's own client and server, on each driver: tls.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: tls.sh BUILD" >&2; exit 2; }
programs=$(realpath "$1")/examples
work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0

if ! [ -x "$programs/tls_echo" ] || ! command -v openssl >/dev/null; then
    echo "skip: weft-tls was not built, or there is no openssl"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

# A bare system may have no /etc/hosts.
host=localhost
getent ahostsv4 $host >/dev/null || { host=127.0.0.1; echo "localhost is not known here: asked for by its address"; }

# ---- Who is who ----

new_key() {  # NAME KIND
    case $2 in
    rsa) openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/$1.key" ;;
    *) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key" ;;
    esac
}

certify() {  # NAME KIND SUBJECT NAMES [OPTION...]: signed by the authority
    new_key "$1" "$2"
    openssl req -new -key "$work/$1.key" -subj "/CN=$3" -out "$work/$1.csr"
    printf 'subjectAltName=%s\n' "$4" >"$work/$1.ext"
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial \
        -extfile "$work/$1.ext" -out "$work/$1.pem" "${@:5}"
}

{
    new_key ca ec
    openssl req -x509 -new -key "$work/ca.key" -subj "/CN=test authority" -days 30 -out "$work/ca.pem"
    certify rsa rsa localhost DNS:localhost,IP:127.0.0.1 -days 30
    certify ec ec localhost DNS:localhost,IP:127.0.0.1 -days 30
    certify other ec elsewhere DNS:elsewhere.test -days 30
    certify ada ec ada DNS:ada.test -days 30
} >"$work/made" 2>&1 || { cat "$work/made"; echo "0 passed, 1 failed"; exit 1; }

# ---- Starting and ending ----

wait_for() {  # PATTERN FILE: gives what the pattern's group matched
    for _ in $(seq 200); do
        found=$(sed -n "s/.*$1.*/\1/p" "$2" | head -1)
        [ -n "$found" ] && { echo "$found"; return 0; }
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

start_ours() {  # CERTIFICATE [CLIENT-CA]
    : >"$work/server"
    "$programs/tls_echo" "$work/$1.pem" "$work/$1.key" ${2:+"$work/$2.pem"} >"$work/server" 2>&1 &
    server=$!
    port=$(wait_for 'listening on port \([0-9]*\)' "$work/server")
}

start_theirs() {  # CERTIFICATE [OPTION...]
    : >"$work/server"
    openssl s_server -accept 127.0.0.1:0 -cert "$work/$1.pem" -key "$work/$1.key" -quiet -naccept 20 \
        -alpn http/1.1 "${@:2}" </dev/null >"$work/server" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        port=$(ss -ltnpH 2>/dev/null | sed -n "s/.*127\.0\.0\.1:\([0-9]*\) .*pid=$server,.*/\1/p" | head -1)
        [ -n "$port" ] && return 0
        sleep 0.05  # real time: the server is another process
    done
    return 1
}

end_server() {
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=""
}

ask_ours() {  # [OPTION...]: a line through openssl's client
    { echo hello; sleep 0.3; } |  # real time: the client ends with its input
        timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca.pem" -verify_return_error -quiet \
            -no_ign_eof "$@" >"$work/out" 2>"$work/err"
}

check() {  # CLAIM STATUS
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $1"
        tail -n 8 "$work/out" "$work/err" "$work/server" | sed 's/^/    /'
    fi
}

says() {  # TEXT FILE
    grep -qF -- "$1" "$work/$2"
}

# ---- Openssl's client against our server ----

our_server() {
    for kind in rsa ec; do
        start_ours $kind
        for version in tls1_2 tls1_3; do
            ask_ours -$version -verify_hostname localhost && says hello out
            check "openssl's client is served: $kind, $version" $?
        done
        ask_ours -alpn echo && says hello out
        check "the protocol that both know is agreed on: $kind" $?
        if ask_ours -alpn nothing; then false; else says "no application protocol" err; fi
        check "a protocol that is not known is refused: $kind" $?
        ask_ours -tls1_1 -cipher ALL:@SECLEVEL=0
        wait_for '\(versions of TLS are not among ours\)' "$work/server" >/dev/null
        check "TLS 1.1 is refused: $kind" $?
        end_server
    done
    start_ours ec ca
    ask_ours -cert "$work/ada.pem" -key "$work/ada.key" && says hello out
    check "a client with its certificate is served" $?
    ask_ours
    wait_for '\(the peer showed no certificate\)' "$work/server" >/dev/null
    check "a client without one is refused" $?
    end_server
    start_ours rsa
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 20 bash -c "cat >/dev/tcp/127.0.0.1/$port"
    wait_for '\(the peer speaks plain HTTP\)' "$work/server" >/dev/null
    check "a client that speaks HTTP is told apart" $?
    end_server
}

# A key update that asks for an answer, and again a line.
key_update() {
    start_ours ec
    { echo one; sleep 0.2; echo K; sleep 0.2; echo two; sleep 0.3; } |  # real time: commands of the client's
        timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca.pem" -tls1_3 >"$work/out" 2>"$work/err"
    says one out && says two out && says KEYUPDATE err
    check "keys that are updated on the way change nothing" $?
    end_server
}

resumption() {
    start_ours ec
    for version in tls1_2 tls1_3; do
        ask_ours -$version -sess_out "$work/ticket" && ask_ours -$version -sess_in "$work/ticket" && says hello out &&
            echo | timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca.pem" -$version \
                -sess_in "$work/ticket" >"$work/out" 2>"$work/err"
        says "Reused, " out
        check "openssl's client resumes: $version" $?
    done
    end_server
}

# ---- Our client against openssl's server ----

inspect() {
    timeout 20 "$programs/certificate" "$@" "$port" >"$work/out" 2>"$work/err"
}

their_server() {
    for version in tls1_2 tls1_3; do
        start_theirs rsa -$version
        inspect --ca "$work/ca.pem" $host && says "protocol: http/1.1" out && says "for localhost" out &&
            says "key RSA 2048" out
        check "the inspector reads openssl's server: $version" $?
        if inspect $host; then false; else says 'unknown issuer "CN = test authority"' err; fi
        check "a stranger is refused: $version" $?
        inspect --anybody $host && says "not to be trusted: TLS with $host: unknown issuer" out &&
            says "0: CN = localhost" out
        check "a stranger is shown where anybody may be: $version" $?
        end_server
    done
    start_theirs other
    if inspect --ca "$work/ca.pem" 127.0.0.1; then false; else
        says 'the certificate is not for "127.0.0.1"; its names are: "elsewhere.test"' err
    fi
    check "a wrong name is refused" $?
    end_server
    start_theirs ec -tls1_1 -cipher ALL:@SECLEVEL=0
    if inspect --ca "$work/ca.pem" $host; then false; else says "TLS with $host: " err; fi
    check "a server of TLS 1.1 is refused" $?
    end_server
}

for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    if "$programs/hello" 2>&1 | grep -qE "Operation not permitted|Function not implemented"; then
        echo "$WEFT_DRIVER: this kernel refuses it; not run"
        continue
    fi
    our_server
    key_update
    resumption
    their_server
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
