#!/bin/sh
# Installs what bench/run.py needs to build every peer: Debian's packages, nothing else. Run it as root.
# What is there already is left as it is.
set -eu

packages="gcc g++ libc6-dev liburing-dev libuv1-dev libboost-dev golang-go rustc cargo librust-tokio-dev
    librust-libc-dev libssl-dev python3 python3-uvloop"

missing=""
for package in $packages; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
        missing="$missing $package"
done

if [ -z "$missing" ]; then
    echo "bench: every package is there"
    exit 0
fi
echo "bench: installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
# shellcheck disable=SC2086 # a list of words is wanted
apt-get install --yes --quiet --no-install-recommends $missing
