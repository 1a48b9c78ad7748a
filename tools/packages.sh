#!/bin/sh
# Installs from Debian what a target needs and the machine lacks: packages.sh build|demo|test|check|bench.
# Without root it says in one line what to install.
set -eu

build="gcc libc6-dev meson ninja-build pkg-config make libdw-dev"
http="node-llhttp libnghttp2-dev liburiparser-dev libjwt-dev libpsl-dev zlib1g-dev libbrotli-dev libzstd-dev"
demo="$build libssl-dev $http libsqlite3-dev"
libraries="libjansson-dev libuv1-dev libc-ares-dev libglib2.0-dev libcurl4-openssl-dev"
clients="nghttp2-client curl chromium wrk python3-h2 python3-httpx python3-aiohttp"
others="nginx-light nghttp2-server golang-go nodejs python3-uvicorn tinyproxy-bin microsocks"
tools="openssl iproute2 g++ cmake git python3 python3-jsonschema python3-websockets procps gdb"
test="$demo $libraries $tools $clients $others"
cross="qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
check="$test $cross clang libclang-rt-14-dev clang-tidy afl++ abigail-tools valgrind cppcheck nftables iproute2"
peers="golang-go rustc cargo librust-tokio-dev librust-libc-dev libboost-dev python3-uvloop"
servers="nginx-light h2o python3-fastapi python3-uvicorn python3-sqlalchemy python3-jwt"
bench="$test $peers $servers liburing-dev util-linux"

case "${1:-}" in
build) wanted=$build ;;
demo) wanted=$demo ;;
test) wanted=$test ;;
check) wanted=$check ;;
bench) wanted=$bench ;;
*) echo "usage: packages.sh build|demo|test|check|bench" >&2; exit 2 ;;
esac

command -v dpkg-query >/dev/null || exit 0    # not a Debian: the build says what it misses

missing=""
for package in $wanted; do
    state=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    # shellcheck disable=SC2086
    echo "weft: please install, as root: apt-get install$missing" >&2
    exit 1
fi
echo "weft: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
