#!/usr/bin/env bash
# examples/tree_digest.c against sha256sum, and its end on Ctrl-C: tree_digest.sh BUILD. WEFT_DRIVER chooses the driver.
set -u
build=$(realpath "${1:?usage: tree_digest.sh BUILD}")
source=${2:-$(realpath "$(dirname "$0")/../../examples/tree_digest.c")}
work=$(mktemp -d)
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache LC_ALL=C
passed=0 failed=0

check() {  # check CLAIM COMMAND...
    local claim=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $claim"
    fi
}

tree_digest() {
    "$build/weft" run "$source" "$@"
}

make_tree() {
    mkdir -p "$1/deep/er/still" "$1/empty directory" "$1/a"
    printf 'x' >"$1/plain"
    : >"$1/empty"
    printf 'same' >"$1/a.b"
    printf 'same' >"$1/a/b"
    printf '1' >"$1/with space"
    printf '2' >"$1/"$'new\nline'
    printf '3' >"$1/"$'carriage\rreturn'
    printf '4' >"$1/back\\slash"
    printf '5' >"$1/"$'not utf-8 \xff\xfe'
    printf '6' >"$1/-dash"
    printf '7' >"$1/deep/er/still/quote'\"\$"
    head -c 65536 /dev/urandom >"$1/deep/one chunk"
    head -c 1048577 /dev/urandom >"$1/deep/one piece and a byte"
    head -c 50000000 /dev/urandom >"$1/deep/big"
    ln -s plain "$1/link"
    ln -s nowhere "$1/dangling"
    mkfifo "$1/fifo"
    for i in $(seq 300); do echo "$i" >"$1/a/many-$i"; done
}

expected_list() {
    find "$1" -type f -readable -print0 2>/dev/null | sort -z | xargs -0 sha256sum
}

# ---- Digests ----

tree=$work/tree
make_tree "$tree"
expected_list "$tree" >"$work/expected"
tree_digest --once --list "$tree" >"$work/list" 2>"$work/said"
check "the program ends well" test $? = 0
check "every digest and name is as sha256sum prints it" cmp "$work/expected" "$work/list"
check "sha256sum --check takes the list" sha256sum --check --status "$work/list"
tree_digest "$tree" >"$work/out" 2>"$work/said"
check "the comparison ends well" test $? = 0
check "nothing is drawn where no terminal is" test ! -s "$work/said"
check "the digest of all is that of the list" grep -q "^$(sha256sum <"$work/expected" | cut -d' ' -f1)  " "$work/out"
check "the comparison is printed" grep -q 'times as fast$' "$work/out"
check "every file is counted" grep -q "^$(find "$tree" -type f -printf . | wc -c) files" "$work/out"
mkdir "$work/nothing"
check "an empty tree has no files" grep -q '^0 files' <(tree_digest --once "$work/nothing" 2>&1)
tree_digest "$work/missing" >/dev/null 2>"$work/said"
check "a tree that is not there is an error" test $? = 1
check "and is named" grep -q "missing: No such file" "$work/said"

# ---- What cannot be read ----

if [ "$(id -u)" != 0 ]; then
    mkdir "$tree/closed"
    echo secret >"$tree/closed/file"
    echo secret >"$tree/unreadable"
    chmod 000 "$tree/closed" "$tree/unreadable"
    tree_digest --once --list "$tree" >"$work/list" 2>"$work/said"
    check "what cannot be read is not fatal" test $? = 0
    check "the others are hashed" cmp "$work/expected" "$work/list"
    check "an unreadable directory is named" grep -q 'closed: Permission denied' "$work/said"
    check "an unreadable file is named" grep -q 'unreadable: Permission denied' "$work/said"
    check "both are counted" grep -q ' 2 unreadable' "$work/said"
    chmod 700 "$tree/closed" "$tree/unreadable"
fi

# ---- Ctrl-C ----

# Sparse files: hours of hashing, and no disk.
endless=$work/endless
mkdir "$endless"
for i in $(seq 100); do truncate -s 100G "$endless/$i"; done

is_hashing() {
    find "/proc/$1/fd" -lname "$endless/*" -printf . 2>/dev/null | grep -q .
}

interrupt() {  # interrupt SIGNAL STATUS ARGS...: milliseconds from the signal to the end go to $took
    local signal=$1 wanted=$2 started status
    shift 2
    env --default-signal=INT "$build/weft" run "$source" "$@" "$endless" >"$work/out" 2>"$work/said" &
    local program=$!
    until is_hashing "$program"; do [ -d "/proc/$program" ] || break; done
    started=$(date +%s%N)
    kill "-$signal" "$program"
    wait "$program"
    status=$?
    took=$((($(date +%s%N) - started) / 1000000))
    [ "$status" = "$wanted" ] || echo "status $status, wanted $wanted"
    [ "$status" = "$wanted" ]
}

# On a busy machine one run in a few is late: the fastest of up to five counts.
ends_soon() {  # ends_soon SIGNAL STATUS ARGS...
    local fastest=1000000
    for _ in 1 2 3 4 5; do
        interrupt "$@" || return 1
        [ "$took" -ge "$fastest" ] || fastest=$took
        [ "$fastest" -ge 100 ] || break
    done
    [ "$fastest" -lt 100 ] || echo "not within 100 ms: $fastest ms at best"
    [ "$fastest" -lt 100 ]
}

for arguments in --once ""; do
    # shellcheck disable=SC2086
    check "SIGINT ends it with 130 within 100 ms (${arguments:-all passes})" ends_soon INT 130 $arguments
    check "and without a word" test ! -s "$work/said"
done
check "SIGTERM ends it with 143 within 100 ms" ends_soon TERM 143 --once

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
