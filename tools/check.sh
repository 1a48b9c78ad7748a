#!/bin/sh
# make check: everything that make test leaves out because it takes long. --help says how to run a part of it.
set -u
cd "$(dirname "$0")/.."
. tools/check/builds.sh
exec 3>&1 # for what is worth saying though nothing is wrong

case "${1:-}" in
--list) list=true part='' ;;
--help) list=false part='' ;;
*) list=false part=${1:-} ;;
esac
if [ "${1:-}" = --help ] || [ $# -gt 1 ]; then
    cat <<END
usage: tools/check.sh [PART]
       tools/check.sh --list      name the steps

Runs the steps whose names contain PART, or all of them, the quick ones first, and says how much each ran and how long
it took. A step in which nothing ran has failed. One that needs what the machine lacks is skipped, with the reason;
tools/packages.sh check installs all of it on Debian. Each way of building has a directory of its own, build-*, which is
kept. The last line counts.
END
    [ "${1:-}" = --help ]
    exit
fi
SAID=build-said # what the running step says, shown when it fails
passed=0 failed=0 skipped=0

# What a step ran, by the lines in which its parts counted that.
ran() {
    awk '/^[0-9]+ passed, 0 failed/ { sum += $1 } END { print sum + 0 }' $SAID
}

check() { # name, command and its arguments...
    step=$1
    shift
    case $step in *"$part"*) ;; *) return ;; esac
    $list && { echo "$step"; return; }
    started=$(date +%s)
    "$@" >$SAID 2>&1
    status=$?
    took="$(($(date +%s) - started)) s"
    [ $status != 0 ] || [ "$(ran)" != 0 ] || { echo "nothing ran" >>$SAID; status=1; }
    case $status in
    0) passed=$((passed + 1)); echo "ok     $step ($(ran) passed, $took)" ;;
    "$NOT_HERE") skipped=$((skipped + 1)); echo "skip   $step: $(tail -n 1 $SAID)" ;;
    *) failed=$((failed + 1)); grep -v '^ok  ' $SAID | tail -n 100; echo "FAILED $step ($took)" ;;
    esac
}

style() {
    python3 tools/tidy/tidy.py && python3 tools/tidy/tidy_test.py
}

documents() {
    build_default && python3 tools/tidy/docs.py build
}

abi() {
    has abidw abigail-tools || return $NOT_HERE
    build_default && tools/check/abi.sh build >&3 && echo "1 passed, 0 failed"
}

with_cppcheck() {
    has cppcheck cppcheck || return $NOT_HERE
    # shellcheck disable=SC2046
    set -- $(find src -name '*.c')
    cppcheck --quiet --std=c11 --enable=warning,portability -D__x86_64__ -I include -I src --error-exitcode=1 \
        --library=tools/check/cppcheck.cfg --suppressions-list=tools/check/cppcheck.suppressions "$@" &&
        echo "$# passed, 0 failed"
}

with_clang_tidy() {
    has clang-tidy clang-tidy || return $NOT_HERE
    build_default && tools/check/clang_tidy.py build
}

with_clang() {
    has clang clang || return $NOT_HERE
    CC=clang build build-clang && CC=clang tools/custody.sh build-clang -Dwerror=true && real_drivers build-clang
}

unwinding() {
    has clang clang && has gdb gdb || return $NOT_HERE
    CC=clang build build-clang && tests/fiber/unwind.sh build-clang
}

# The tests of fixtures count how often they run in a process; a world of a thousand clients takes its time.
more_seeds() {
    build_default && suites build --driver sim --seeds 39 --but testing/fixture --but driver/sim &&
        suites build --driver sim --seeds 5 --only driver/sim
}

# And what else is there for who lacks something: stacks of other processes without libdw.
with_ucontext() {
    build build-portable -Dswitch=ucontext -Dtools=true -Dlibdw=disabled && real_drivers build-portable &&
        tests/inspect/run.py build-portable stacks
}

with_tsan() {
    build build-tsan -Db_sanitize=thread -Db_lundef=false &&
        tools/custody.sh build-tsan -Dwerror=true -Db_sanitize=thread -Db_lundef=false &&
        real_drivers build-tsan $BRIEFLY
}

on_aarch64() {
    has qemu-aarch64-static qemu-user-static && has aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu || return $NOT_HERE
    build build-aarch64 --cross-file tools/cross/aarch64.ini &&
        suites build-aarch64 --driver epoll $BRIEFLY --under "qemu-aarch64-static -L /usr/aarch64-linux-gnu"
}

under_valgrind() {
    has valgrind valgrind || return $NOT_HERE
    build build-valgrind && suites build-valgrind --driver epoll $BRIEFLY --under "$MEMORY_CHECKED" &&
        without_threads build-valgrind "$MEMORY_CHECKED"
}

# The rules of docs/semantics.md, cut everywhere. It is meant to take 20 s on two cores that have nothing else to do.
swept_rules() {
    build_default && suites build --driver sim --injected-min 10000 --only core/ --only sync/ --only net/ --only os/ \
        --only flow/
}

guards_off() {
    python3 tests/planted/guards.py
}

real_network() {
    build_default && tests/faults/netns.sh build --strict
}

with_libfuzzer() {
    has clang clang || return $NOT_HERE
    fuzz_all libfuzzer 20
}

with_afl() {
    has afl-clang-fast afl++ || return $NOT_HERE
    fuzz_all afl 10
}

under_fire() {
    build_default && tools/custody.sh build && tools/check/custody_fire.py build 60
}

check "cppcheck" with_cppcheck
check "abidiff, advisory" abi
check "documents" documents
check "style" style
check "aarch64 under qemu" on_aarch64
check "the rules swept, 10,000 injected runs" swept_rules
check "faults of a real network" real_network
check "clang" with_clang
check "unwinding of running and parked tasks" unwinding
check "context switch by ucontext" with_ucontext
check "ThreadSanitizer" with_tsan
check "the custody service under fire, 60 s" under_fire
check "clang-tidy" with_clang_tidy
check "valgrind" under_valgrind
check "every guard that is switched off is noticed" guards_off
check "AFL++, 10 s a target" with_afl
check "the simulated world, more seeds" more_seeds
check "libFuzzer, 20 s a target" with_libfuzzer

$list && exit
skips=''
[ $skipped = 0 ] || skips=", $skipped skipped"
echo "$passed passed, $failed failed$skips"
[ $failed = 0 ] && [ $passed -gt 0 ]
