#!/bin/sh
# Runs the examples of tests, in the simulated world and out of it: testing.sh BUILD
set -u
[ $# = 1 ] || { echo "usage: testing.sh BUILD" >&2; exit 2; }
programs=$1/examples
unset WEFT_SEED
said=$(mktemp)
trap 'rm -f "$said"' EXIT
passed=0
failed=0

verdict() {  # STATUS NAME
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $2"
        sed 's/^/    /' "$said"
    fi
}

# All its tests pass, and there are so many.
check() {  # DRIVER NAME COUNT
    timeout 60 "$programs/$2" --driver "$1" >"$said" 2>&1 && [ "$(tail -n 1 "$said")" = "$3 passed, 0 failed" ]
    verdict $? "$2 [$1]"
}

# The bad form fails, alone, and where its connection was made is said.
check_cleanup() {  # DRIVER
    timeout 60 "$programs/testing_cleanup" --driver "$1" >"$said" 2>&1
    [ $? = 1 ] && [ "$(tail -n 1 "$said")" = "2 passed, 1 failed" ] &&
        grep -q "left behind: 1 heap block" "$said" && grep -q " at testing_cleanup[.]c:19$" "$said" &&
        grep -q "^FAILED bad_cleanup_leaves_a_connection_behind" "$said"
    verdict $? "testing_cleanup [$1]"
}

for driver in uring epoll sim; do
    if WEFT_DRIVER=$driver "$programs/hello" 2>&1 | grep -qE "Operation not permitted|Function not implemented"; then
        echo "$driver: this kernel refuses it; not run"
        continue
    fi
    check "$driver" testing_batch 1
    [ ! -x "$programs/testing_client" ] || check "$driver" testing_client 4
    check "$driver" testing_errors 4
    check "$driver" testing_fixtures 3
    check "$driver" testing_group 1
    check "$driver" testing_handler 3
    check "$driver" testing_programs 5
    check "$driver" testing_timeout 3
    check_cleanup "$driver"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
