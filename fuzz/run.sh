#!/bin/sh
# Fuzzes a target, and keeps what was found; --help says how.
set -eu
cd "$(dirname "$0")/.."

usage() {
    cat <<END
usage: fuzz/run.sh libfuzzer TARGET SECONDS   fuzz with libFuzzer (clang)
       fuzz/run.sh afl TARGET SECONDS         fuzz with AFL++ (afl-clang-fast)
       fuzz/run.sh shrink TARGET FILE         make a finding as small as it goes: FILE.small
       fuzz/run.sh keep TARGET                renew fuzz/corpus/TARGET: the fewest inputs, of those kept and those that
                                              both fuzzers found, that reach everything that all of them reach; an
                                              input with a name of its own stays
       fuzz/run.sh targets                    name the targets

Fuzzers start from fuzz/corpus/TARGET, and say at the end how many inputs they tried. What they add stays in
build-libfuzzer/corpus and build-afl/out; findings are named where they are made, and the status is then 1. A finding is
looked at with build/fuzz/TARGET_fuzz FILE.
END
}

BYTES_MAX=500 # an input takes a byte for each step: longer ones only take longer

targets() {
    for directory in fuzz/corpus/*/; do basename "$directory"; done
}

# A build directory for each engine, with everything instrumented.
build() { # directory, compiler, target, meson arguments...
    directory=$1 compiler=$2 target=$3
    shift 3
    command -v "$compiler" >/dev/null || { echo "there is no $compiler; see tools/packages.sh" >&2; exit 1; }
    export AFL_QUIET=1
    [ -f "$directory/build.ninja" ] ||
        CC=$compiler meson setup "$directory" -Dfuzzer=true -Dtools=false -Ddefault_library=static -Db_lundef=false \
            -Db_sanitize=address,undefined "$@" >"$directory.log" 2>&1 || { cat "$directory.log"; exit 1; }
    ninja -C "$directory" --quiet "fuzz/${target}_fuzz"
}

build_libfuzzer() { # target
    build build-libfuzzer clang "$1" -Dc_args="-fno-sanitize-recover=all -fsanitize=fuzzer-no-link"
    mkdir -p "build-libfuzzer/corpus/$1" build-libfuzzer/found
}

# Fuzzing that tried nothing has failed.
say_tried() { # target, inputs
    echo "$1: ${2:-0} inputs were tried"
    [ "${2:-0}" -gt 0 ]
}

libfuzzer() { # target, seconds
    build_libfuzzer "$1"
    log=build-libfuzzer/$1.log
    "build-libfuzzer/fuzz/$1_fuzz" -max_total_time="$2" -max_len=$BYTES_MAX -timeout=20 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="build-libfuzzer/found/$1-" "build-libfuzzer/corpus/$1" "fuzz/corpus/$1" \
        >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
    say_tried "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
}

afl() { # target, seconds
    build build-afl afl-clang-fast "$1" -Dc_args=-fno-sanitize-recover=all
    mkdir -p build-afl/out
    # Where a core dump goes to a program, and how fast the processor is, are not ours to change.
    AFL_NO_UI=1 AFL_AUTORESUME=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        afl-fuzz -V "$2" -t 5000 -G $BYTES_MAX -i "fuzz/corpus/$1" -o "build-afl/out/$1" \
        "build-afl/fuzz/$1_fuzz" >"build-afl/out/$1.log" 2>&1 || { tail -n 30 "build-afl/out/$1.log"; exit 1; }
    found=$(find "build-afl/out/$1/default/crashes" "build-afl/out/$1/default/hangs" -name 'id:*')
    [ -z "$found" ] || { echo "$found"; exit 1; }
    say_tried "$1" "$(sed -n 's/^execs_done *: *//p' "build-afl/out/$1/default/fuzzer_stats")"
}

shrink() { # target, file
    build_libfuzzer "$1"
    "build-libfuzzer/fuzz/$1_fuzz" -minimize_crash=1 -max_total_time=60 -exact_artifact_path="$2.small" "$2"
}

keep() { # target
    build_libfuzzer "$1"
    fresh=build-libfuzzer/kept
    rm -rf "$fresh"
    mkdir -p "$fresh" "build-afl/out/$1/default/queue"
    find "fuzz/corpus/$1" -type f ! -name "$(printf '%040d' 0 | tr 0 '?')" -exec cp {} "$fresh" \;
    "build-libfuzzer/fuzz/$1_fuzz" -set_cover_merge=1 -use_counters=0 -max_len=$BYTES_MAX -verbosity=0 \
        -artifact_prefix="build-libfuzzer/found/$1-" "$fresh" \
        "fuzz/corpus/$1" "build-libfuzzer/corpus/$1" "build-afl/out/$1/default/queue"
    rm -rf "fuzz/corpus/$1"
    mv "$fresh" "fuzz/corpus/$1"
    echo "$(find "fuzz/corpus/$1" -type f | wc -l) inputs, $(cat "fuzz/corpus/$1"/* | wc -c) bytes"
}

case "${1:-}:$#" in
libfuzzer:3 | afl:3 | shrink:3 | keep:2) "$@" ;;
targets:1) targets ;;
--help:1) usage ;;
*) usage >&2; exit 2 ;;
esac
