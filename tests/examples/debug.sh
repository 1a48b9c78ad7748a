#!/bin/sh
# What the examples of docs/debugging.md say: debug.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: debug.sh BUILD" >&2; exit 2; }
programs=$1/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

verdict() {  # NAME; what is wrong is in $work/problems
    if [ ! -s "$work/problems" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $WEFT_DRIVER $1"
        sed 's/^/    /' "$work/problems" "$work/out"
    fi
}

# Each line of standard input is a pattern that a line of what it says, on either output, must match.
check() {  # STATUS NAME
    : >"$work/problems"
    WEFT_RECORD_DIR=$work timeout 60 "$programs/$2" >"$work/out" 2>&1
    status=$?
    [ $status = "$1" ] || echo "exit status $status, wanted $1" >>"$work/problems"
    while IFS= read -r pattern; do
        grep -q -- "$pattern" "$work/out" || echo "not said: $pattern" >>"$work/problems"
    done
    verdict "$2"
}

# The crash and the signal each left a record, which is JSON.
check_records() {  # COUNT
    : >"$work/problems"
    : >"$work/out"
    set -- "$1" "$work"/weft-*.trace.json
    [ $# = $(($1 + 1)) ] || echo "$(($# - 1)) records, wanted $1" >>"$work/problems"
    shift
    for record in "$@"; do
        python3 -m json.tool "$record" /dev/null 2>>"$work/problems"
    done
    rm -f "$work"/weft-*.trace.json
    verdict records
}

ulimit -c 0
unset WEFT_WATCHDOG
for WEFT_DRIVER in uring epoll; do
    export WEFT_DRIVER
    if "$programs/hello" 2>&1 | grep -qE "Operation not permitted|Function not implemented"; then
        echo "$WEFT_DRIVER: this kernel refuses it; not run"
        continue
    fi
    check 0 debug_hang <<'END'
a dump, by signal:
scope 'orders' at .*: 3 children
handle_order #2  waits: read (descriptor [0-9]*), for [0-9]* ms
handle_order x 2, #3 ... #4  waits: a mutex (held by 'handle_order' #2)
(debug_hang+0x
END
    check 0 debug_leak <<'END'
3 descriptors (the last: [0-9]*) were not closed before the loop ended. Opened at:
(debug_leak+0x
served: Success
END
    check 0 debug_blocked <<'END'
task 'upload' (#3, spawned at .*) has held its loop for [1-4][0-9][0-9] ms
nanosleep
a tick of 10 ms took half a second
END
    check 139 debug_core <<'END'
weft: SIGSEGV at 0x8
request-17 #3  running
keep_time #2  waits: sleep
the calls again, by the unwinder:
END
    check_records 2
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
