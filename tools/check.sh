#!/bin/sh
# make check: everything that make test leaves out because it takes long: a second compiler, ThreadSanitizer, valgrind,
# aarch64 by emulation, the portable context switch, unwinding, guards switched off, static analysis. The last line
# counts.
set -u
cd "$(dirname "$0")/.."
passed=0 failed=0

verdict() { # name, exit status
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok   $1"; else failed=$((failed + 1)); echo "FAILED $1"; fi
}

# A build directory of its own for each way of building; warnings are errors in all of them.
build() { # directory, meson arguments...
    directory=$1
    shift
    [ -f "$directory/build.ninja" ] ||
        meson setup "$directory" -Dwerror=true -Dtools=false -Ddefault_library=static "$@" >"$directory.log" 2>&1 ||
        { cat "$directory.log"; return 1; }
    ninja -C "$directory" --quiet
}

suites() { # directory, command prefix...
    directory=$1
    shift
    for test in "$directory"/tests/*_test; do
        "$@" "$test" >"$directory/said" 2>&1 || { echo "$test:"; tail -n 40 "$directory/said"; return 1; }
    done
}

both_drivers() { # directory, command prefix...
    WEFT_DRIVER=uring suites "$@" && WEFT_DRIVER=epoll suites "$@"
}

CC=clang build build-clang && both_drivers build-clang
verdict "clang" $?

tests/faults/netns.sh build-clang --strict; verdict "faults of a real network" $?

build build-tsan -Db_sanitize=thread -Db_lundef=false && both_drivers build-tsan
verdict "ThreadSanitizer" $?

seeds() { # directory
    for seed in $(seq 2 40); do
        WEFT_DRIVER=sim WEFT_SEED=$seed suites "$1" || { echo "WEFT_DRIVER=sim WEFT_SEED=$seed"; return 1; }
    done
}

build build-clang && seeds build-clang
verdict "the simulated world, 39 more seeds" $?

build build-ucontext -Dswitch=ucontext && both_drivers build-ucontext
verdict "context switch by ucontext" $?

build build-aarch64 --cross-file tools/cross/aarch64.ini &&
    suites build-aarch64 qemu-aarch64-static -L /usr/aarch64-linux-gnu
verdict "aarch64 under qemu" $?

memory_checked() { # command and its arguments
    valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite "$@"
}

# On io_uring only the suites without threads: valgrind lets no other thread run while one waits in io_uring_enter.
without_threads() { # directory
    for name in base_arena core_cancel core_deadline core_scope core_timer net_stream sync_sync; do
        WEFT_DRIVER=uring memory_checked "$1/tests/${name}_test" >"$1/said" 2>&1 || { cat "$1/said"; return 1; }
    done
}

build build-valgrind && WEFT_DRIVER=epoll suites build-valgrind memory_checked && without_threads build-valgrind
verdict "valgrind" $?

tests/fiber/unwind.sh build-clang
verdict "unwinding of running and parked tasks" $?

python3 tests/planted/guards.py
verdict "every guard that is switched off is noticed" $?

# autoVariables: records of waiting tasks lie on their stacks, which is the design. The other two see an array and a
# struct that are filled member by member as unfilled.
cppcheck --quiet --std=c11 --enable=warning,portability -D__x86_64__ -I include -I src --error-exitcode=1 \
    --suppress=autoVariables --suppress=ctuuninitvar --suppress=uninitvar:src/core/errors.c src
verdict "cppcheck" $?

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
