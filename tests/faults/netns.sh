#!/bin/sh
# tests/faults/netns.sh BUILD [--strict] [DRIVER...]: faults of a real network, made by the kernel's packet filter
# (network.c), on uring and epoll or on these drivers. Each runs in a network namespace of its own, whose loopback is
# all there is. Without root, nft or namespaces it is skipped; with --strict only without root (its status is 77 then),
# and as root what is missing is a failure.
set -u
program=$1/tests/faults_network
shift
strict=no
[ "${1:-}" != --strict ] || { strict=yes; shift; }
[ $# != 0 ] || set -- uring epoll
tests=$("$program" --list | wc -l)
count=$((tests * $#))

leave() { # why
    echo "skip: $1"
    if [ $strict = yes ] && [ "$(id -u)" = 0 ]; then
        echo "0 passed, $count failed"
        exit 1
    fi
    [ $strict = no ] || exit 77
    echo "0 passed, 0 failed, $count skipped"
    exit 0
}

[ "$(id -u)" = 0 ] || leave "network namespaces and nftables need root"
for tool in unshare ip nft; do
    command -v "$tool" >/dev/null || leave "there is no $tool (packages util-linux, iproute2, nftables)"
done
said=$(unshare --net nft add table inet probe 2>&1) || leave "no namespace with a packet filter can be had: $said"

WEFT_OUTER_NETWORK=$(readlink /proc/self/ns/net)
export WEFT_OUTER_NETWORK
passed=0 failed=0
for driver; do
    # shellcheck disable=SC2016
    said=$(WEFT_DRIVER=$driver unshare --net sh -c 'ip link set lo mtu 1500 up && exec "$0"' "$program" 2>&1)
    counts=$(echo "$said" | sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
    [ "${counts:-0 $tests}" = "$tests 0" ] || echo "$driver: $said"
    counts=${counts:-0 $tests}
    passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
