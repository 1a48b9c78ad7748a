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
        meson setup "$directory" -Dwerror=true -Dtools=false -Ddefault_library=static "$@" || return
    ninja -C "$directory" --quiet
}

# The one that everybody has.
build_default() {
    [ -f build/build.ninja ] || meson setup build --libdir=lib
    ninja -C build --quiet
}

suites() { # directory, command prefix...
    directory=$1
    shift
    for test in "$directory"/tests/*_test; do
        "$@" "$test" >"$directory/said" 2>&1 || { echo "$test:"; cat "$directory/said"; return 1; }
    done
}

both_drivers() { # directory, command prefix...
    WEFT_DRIVER=uring suites "$@" && WEFT_DRIVER=epoll suites "$@"
}

# The kept inputs of every fuzz target.
kept_inputs() { # directory, command prefix...
    directory=$1
    shift
    for target in $(fuzz/run.sh targets); do
        "$@" "$directory/fuzz/${target}_fuzz" "fuzz/corpus/$target" >"$directory/said" 2>&1 ||
            { echo "fuzz/corpus/$target:"; cat "$directory/said"; return 1; }
    done
}

seeds() { # directory
    for seed in $(seq 2 40); do
        WEFT_DRIVER=sim WEFT_SEED=$seed suites "$1" || { echo "WEFT_DRIVER=sim WEFT_SEED=$seed"; return 1; }
    done
}

memory_checked() { # command and its arguments
    valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite "$@"
}

# On io_uring only the suites without threads: valgrind lets no other thread run while one waits in io_uring_enter.
without_threads() { # directory
    for name in base_arena core_cancel core_deadline core_scope core_timer net_stream sync_sync; do
        WEFT_DRIVER=uring memory_checked "$1/tests/${name}_test" >"$1/said" 2>&1 || { cat "$1/said"; return 1; }
    done
}

fuzz_all() { # engine, seconds
    for target in $(fuzz/run.sh targets); do
        echo "fuzz/run.sh $1 $target $2"
        fuzz/run.sh "$1" "$target" "$2" || return
    done
}
