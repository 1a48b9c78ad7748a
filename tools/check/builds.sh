# What the steps of tools/check.sh are made of; read by it, from the root of the tree.

NOT_HERE=77 # a step's status when the machine lacks something

# Is the program there? Says what to install otherwise.
has() { # program, package
    command -v "$1" >/dev/null || { echo "there is no $1 (package $2)"; return 1; }
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

# The one that everybody has.
build_default() {
    [ -f build/build.ninja ] || meson setup build --libdir=lib >build.log 2>&1 || { cat build.log; return 1; }
    ninja -C build --quiet
}

# The suites of a build and the kept inputs of its fuzz targets; options of tools/run_tests.py.
suites() { # directory, options...
    python3 tools/run_tests.py "$@" --suites
}

real_drivers() { # directory, options...
    suites "$@" --driver uring --driver epoll
}

# Where everything is slow: sweeps, and a world of a thousand clients, are seen elsewhere.
BRIEFLY="--no-sweep --but driver/sim"

MEMORY_CHECKED="valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
    --errors-for-leak-kinds=definite"

# On io_uring only the suites without threads: valgrind lets no other thread run while one waits in io_uring_enter.
without_threads() { # directory, command
    set -- suites "$1" --driver uring $BRIEFLY --under "$2"
    for name in base/arena core/cancel core/deadline core/scope core/timer net/stream sync/sync; do
        set -- "$@" --only "$name ["
    done
    "$@"
}

fuzz_all() { # engine, seconds
    for target in $(fuzz/run.sh targets); do
        fuzz/run.sh "$1" "$target" "$2" || return
        echo "1 passed, 0 failed"
    done
}
