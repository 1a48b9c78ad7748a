#!/usr/bin/env bash
# Installs weft from a build into a temporary place and builds programs against it as outsiders do: run.sh BUILD.
set -u
here=$(realpath "$(dirname "$0")")
repository=$(realpath "$here/../..")
build=$(realpath "${1:?usage: run.sh BUILD}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache LC_ALL=C
passed=0 failed=0

check() {  # check CLAIM COMMAND...: what it says is shown when it fails
    local claim=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED $claim"
        sed 's/^/    /' "$work/said"
    fi
}

prints() {  # prints TEXT COMMAND...: the command ends well and its standard output is the text
    local wanted=$1 got status
    shift
    got=$("$@")
    status=$?
    [ "$status" = 0 ] && [ "$got" = "$wanted" ] && return
    printf 'status %s, and it printed: %s\n' "$status" "$got"
    return 1
}

ends_with() {  # ends_with STATUS COMMAND...
    local wanted=$1 status
    shift
    "$@"
    status=$?
    [ "$status" = "$wanted" ] || echo "status $status, wanted $wanted"
    [ "$status" = "$wanted" ]
}

says() {  # says STATUS TEXT COMMAND...: ends so, with the text on standard error
    local wanted=$1 text=$2
    shift 2
    ends_with "$wanted" "$@" 2>"$work/error"
    local good=$?
    cat "$work/error"
    [ "$good" = 0 ] && grep -qF -- "$text" "$work/error"
}

# ---- Installing ----

# What a user sees: the prefix as configured, under a directory of ours.
option() {
    meson introspect "$build" --buildoptions | python3 -c '
import json, sys
print(next(option["value"] for option in json.load(sys.stdin) if option["name"] == sys.argv[1]))' "$1"
}

root=$work/root
check "meson install takes a destination" env DESTDIR="$root" meson install -C "$build" --no-rebuild --quiet
prefix=$root$(option prefix)
libraries=$prefix/$(option libdir)
export PKG_CONFIG_PATH=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root LD_LIBRARY_PATH=$libraries
if [ "$failed" != 0 ]; then
    echo "$passed passed, $failed failed"
    exit 1
fi
sanitizers=$(option b_sanitize)
flags=
[ "$sanitizers" = none ] || flags=-fsanitize=$sanitizers
installed=$prefix/$(option bindir)/weft

check "the command is installed" test -x "$installed"
check "its manual is installed" test -f "$prefix/$(option mandir)/man1/weft-run.1"

# ---- Consumers ----

cp -r "$here"/pkg-config "$here"/tls "$here"/models "$here"/cmake "$here"/meson-subproject "$here"/cplusplus \
    "$here"/cplusplus_http "$work"

check "pkg-config: builds" make -C "$work/pkg-config" EXTRA="$flags"
check "pkg-config: runs" prints "two naps at once" "$work/pkg-config/consumer"
check "pkg-config --static: builds" make -B -C "$work/pkg-config" EXTRA="$flags" STATIC=--static
check "pkg-config --static: runs" prints "two naps at once" "$work/pkg-config/consumer"
check "pkg-config knows the version" prints "$("$installed" --version)" echo "weft $(pkg-config --modversion weft)"

who_links() {  # who_links PROGRAM LIBRARY
    ldd "$1" | grep -q "$2"
}

check "weft alone needs no OpenSSL" ends_with 1 who_links "$work/pkg-config/consumer" "libssl\|libcrypto"
if [ -e "$libraries/pkgconfig/weft-tls.pc" ]; then
    not_tls='1: TLS with example.com: what the peer sends is not TLS'
    check "weft-tls: builds" make -C "$work/tls" EXTRA="$flags"
    check "weft-tls: runs" prints "$not_tls" "$work/tls/consumer"
    check "weft-tls --static: builds" make -B -C "$work/tls" EXTRA="$flags" STATIC=--static
    check "weft-tls --static: runs" prints "$not_tls" "$work/tls/consumer"
    check "weft-tls, cmake: configures" cmake -S "$work/tls" -B "$work/tls/build" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_C_FLAGS="-Wall -Wextra -Werror $flags"
    check "weft-tls, cmake: builds" cmake --build "$work/tls/build"
    check "weft-tls, cmake: runs" prints "$not_tls" "$work/tls/build/consumer"
    if command -v c++ >/dev/null; then
        # shellcheck disable=SC2046,SC2086
        check "weft-tls in C++: builds" c++ -Wall -Wextra -Werror $flags -o "$work/tls/in_cxx" "$work/tls/main.cc" \
            $(pkg-config --cflags --libs weft-tls)
        check "weft-tls in C++: runs" prints "/nowhere/ca.pem: No such file or directory" "$work/tls/in_cxx"
    fi
fi

build_http() {  # routes with a model that C defines, in C++
    local strict="-Wall -Wextra -Werror $flags" needed
    needed=$(pkg-config --cflags --libs weft-http) || return
    # shellcheck disable=SC2086
    cc $strict $needed -c -o "$work/cplusplus_http/order.o" "$work/cplusplus_http/order.c" &&
        c++ $strict -o "$work/cplusplus_http/consumer" "$work/cplusplus_http/main.cc" \
            "$work/cplusplus_http/order.o" $needed
}

build_models() {  # models that C defines and C++ uses
    local strict="-Wall -Wextra -Werror $flags" needed
    needed=$(pkg-config --cflags --libs weft-http) || return
    # shellcheck disable=SC2086
    cc $strict $needed -c -o "$work/models/order.o" "$work/models/order.c" &&
        c++ $strict -o "$work/models/in_cxx" "$work/models/main.cc" "$work/models/order.o" $needed
}

if [ -e "$libraries/pkgconfig/weft-http.pc" ] && command -v c++ >/dev/null; then
    line='{"kind":"line","sku":"x","count":2}'
    check "models in C++: builds" build_models
    check "models in C++: runs" prints "$line" "$work/models/in_cxx" "$line"
    check "HTTP in C++: builds" build_http
    check "HTTP in C++: runs" prints "1 order taken by C++" "$work/cplusplus_http/consumer"
fi

check "cmake: configures" cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_FLAGS="-Wall -Wextra -Werror $flags"
check "cmake: builds" cmake --build "$work/cmake/build"
check "cmake: runs" prints "cut short in time" "$work/cmake/build/consumer"
[ ! -e "$libraries/libweft.a" ] ||
    check "cmake: runs with the archive" prints "cut short in time" "$work/cmake/build/consumer_static"
sed -i 's/weft 0\.1/weft 0.2/' "$work/cmake/CMakeLists.txt"
check "cmake: a later version is refused" says 1 "not accepted" \
    cmake -S "$work/cmake" -B "$work/cmake/later" -DCMAKE_PREFIX_PATH="$prefix"

mkdir "$work/meson-subproject/subprojects"
ln -s "$repository" "$work/meson-subproject/subprojects/weft"
check "subproject: configures" env -u PKG_CONFIG_PATH meson setup "$work/meson-subproject/build" \
    "$work/meson-subproject" --wrap-mode=forcefallback -Db_sanitize="$sanitizers" -Db_lundef=false
check "subproject: builds" ninja -C "$work/meson-subproject/build"
check "subproject: runs" prints "4 9 16" "$work/meson-subproject/build/consumer"
check "subproject: neither tests nor tools are built" test ! -e "$work/meson-subproject/build/subprojects/weft/weft"

if command -v c++ >/dev/null; then
    # shellcheck disable=SC2046,SC2086
    check "C++: builds" c++ -Wall -Wextra -Werror $flags -o "$work/cplusplus/consumer" "$work/cplusplus/main.cc" \
        $(pkg-config --cflags --libs weft)
    check "C++: runs" prints "called from C++" "$work/cplusplus/consumer"
fi

# ---- The command, from the build tree and installed ----

# shellcheck disable=SC1091,SC2034
for weft in "$build/weft" "$installed"; do . "$here/command.sh"; done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
