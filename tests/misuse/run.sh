#!/bin/sh
# What the compiler says to misuse of the macros: tests/misuse/run.sh [PART].
#
# Each file of refused/ must not compile the way a user with warnings as errors compiles, and the compiler must say what
# the file expects (`// expect: part of the message`; `// expect gcc: ...` for one compiler; `// flags gcc: ...` adds
# flags). Each file of accepted/ must compile without a word under stricter warnings.
set -eu
cd "$(dirname "$0")"
part=${1:-}
export LC_ALL=C    # plain quotes in messages
refused="-std=c11 -Wall -Wextra -Werror"
accepted="-O2 -std=c11 -pedantic -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Werror"
passed=0 failed=0 skipped=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT

fail() {
    failed=$((failed + 1))
    echo "FAILED $1: $2"
    sed 's/^/    /' "$said"
}

# The texts of one kind of direction, for every compiler and for this one.
directions() {
    sed -n "s|^// $2: ||p; s|^// $2 $3: ||p" "$1"
}

# The compiler must stop, and every expected part must be in what it says.
check_refused() {
    # shellcheck disable=SC2046,SC2086
    if $2 $refused $(directions "$1" flags "$2") -I../../include -c "$1" -o /dev/null 2>"$said"; then
        fail "$1 [$2]" "it compiled"
        return
    fi
    directions "$1" expect "$2" >"$said.parts"
    missing=""
    while IFS= read -r expected; do
        grep -qF -e "$expected" "$said" || missing="$expected"
    done <"$said.parts"
    [ -s "$said.parts" ] || missing="(nothing is expected of $2)"
    rm -f "$said.parts"
    if [ -n "$missing" ]; then
        fail "$1 [$2]" "it was not said: $missing"
    else
        passed=$((passed + 1))
    fi
}

check_accepted() {
    # shellcheck disable=SC2086
    if $2 $accepted -I../../include -c "$1" -o /dev/null 2>"$said" && [ ! -s "$said" ]; then
        passed=$((passed + 1))
    else
        fail "$1 [$2]" "it did not compile without a word"
    fi
}

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        echo "$compiler is not installed: its half is skipped"
        skipped=$((skipped + $(find refused accepted -name '*.c' | wc -l)))
        continue
    fi
    for file in refused/*"$part"*.c; do [ ! -f "$file" ] || check_refused "$file" "$compiler"; done
    for file in accepted/*"$part"*.c; do [ ! -f "$file" ] || check_accepted "$file" "$compiler"; done
done

if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
