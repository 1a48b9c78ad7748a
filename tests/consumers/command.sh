# shellcheck shell=bash disable=SC2154,SC2016
# The weft command itself; run.sh reads this once for each place that $weft may be in.

case $weft in
"$build"/*) place=built ;;
*) place=installed ;;
esac
scripts=$work/$place
mkdir -p "$scripts/sub"

# The command, told to be --verbose, ends well and compiled something; or found it in the cache.
compiles() {
    "$@" 2>&1 | tee "$work/error"
    [ "${PIPESTATUS[0]}" = 0 ] && grep -q -- '-MD' "$work/error"
}

finds() {
    "$@" 2>&1 | tee "$work/error"
    [ "${PIPESTATUS[0]}" = 0 ] && ! grep -q -- '-MD' "$work/error"
}

cat >"$scripts/answer.h" <<'END'
enum { ANSWER = 42 };
END
cat >"$scripts/hello.c" <<'END'
#!/usr/bin/env -S weft run
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>
#include "answer.h"
static int hello(char **argv)
{
    printf("%s %d %s\n", argv[1], ANSWER, __FILE__);
    return wf_yield();
}
int main(int argc, char **argv)
{
    if (argc > 2) return raise(atoi(argv[2]));
    if (argc == 1) return ANSWER;
    return wf_main(hello, argv);
}
END
chmod +x "$scripts/hello.c"
pushd "$scripts" >/dev/null || exit 1

check "$place: run passes arguments on" prints "hi 42 hello.c" "$weft" run hello.c hi
check "$place: run passes options of the program on" prints "--asan 42 hello.c" "$weft" run hello.c --asan
check "$place: the exit status is the program's" ends_with 42 "$weft" run hello.c
check "$place: a signal is the program's" ends_with 143 bash -c '"$0" run hello.c hi 15' "$weft"
check "$place: nothing is compiled twice" finds "$weft" run --verbose hello.c hi
check "$place: other flags are another program" compiles "$weft" run --verbose --cc "${CC:-cc} -DOTHER" hello.c hi
check "$place: a program from elsewhere has its includes" prints "hi 42 ../hello.c" \
    bash -c 'cd sub && "$0" run ../hello.c hi' "$weft"
check "$place: a script starts itself" prints "hi 42 ./hello.c" env PATH="$(dirname "$weft"):$PATH" ./hello.c hi
echo 'enum { ANSWER = 43 };' >answer.new && touch -d '2020-01-01' answer.new && mv answer.new answer.h
check "$place: an include that changed is seen, whatever its date" prints "hi 43 hello.c" "$weft" run hello.c hi
echo '// more' >>hello.c
check "$place: a source that changed is seen" compiles "$weft" run --verbose hello.c hi
check "$place: both compile at once" bash -c 'for i in 1 2 3; do "$0" run --cc "cc -DN" hello.c hi & done; wait' "$weft"
check "$place: and the program runs" prints "hi 43 hello.c" "$weft" run --cc "cc -DN" hello.c hi

printf 'int main(void)\n{\n    int unused;\n    return 0;\n}\n' >warning.c
check "$place: warnings are shown, with their line" says 0 "warning.c:3:9: warning:" "$weft" run warning.c
printf '#!/usr/bin/weft run\nint main(void)\n{\n    return nothing;\n}\n' >wrong.c
check "$place: errors have the line of the file" says 1 "wrong.c:4:12: error:" "$weft" run wrong.c
check "$place: and the command says so" says 1 "weft: wrong.c does not compile" "$weft" run wrong.c
check "$place: a missing file" says 1 "weft: missing.c: No such file" "$weft" run missing.c
check "$place: a directory" says 1 "weft: sub: Is a directory" "$weft" run sub
check "$place: a missing compiler" says 1 "there is no compiler 'nothing'" "$weft" run --cc nothing hello.c
check "$place: no compiler at all" says 1 "no C compiler found" env -u CC PATH="$scripts" "$weft" run hello.c
check "$place: no cache" says 1 "set HOME or XDG_CACHE_HOME" env -u HOME -u XDG_CACHE_HOME "$weft" run hello.c
mkdir -p shared/weft && chmod 777 shared/weft
check "$place: a cache that others can write" says 1 "written by" \
    env XDG_CACHE_HOME="$scripts/shared" "$weft" run hello.c
check "$place: an option that is not there" says 2 "no option --nothing" "$weft" run --nothing hello.c
check "$place: no file" says 2 "no file" "$weft" run --verbose
check "$place: a command that is not there" says 2 "no command 'nothing'" "$weft" nothing
check "$place: help" ends_with 0 "$weft" --help
check "$place: help of run" ends_with 0 "$weft" run --help
check "$place: help of new" ends_with 0 "$weft" new --help

printf '// weft: pkg-config nothing-of-that-name\nint main(void) { return 0; }\n' >packages.c
check "$place: a missing package" says 1 "nothing-of-that-name" "$weft" run packages.c
printf '// weft: packages zlib\nint main(void) { return 0; }\n' >packages.c
check "$place: an unknown directive" says 1 "packages.c:1: after" "$weft" run packages.c
printf 'Name: one\nDescription: one\nVersion: 1\nCflags: -DONE="\\"o ne\\""\n' >one.pc
printf '#include <stdio.h>\n// weft: pkg-config one\nint main(void) { return puts(ONE) < 0; }\n' >packages.c
check "$place: packages add their flags" prints "o ne" env PKG_CONFIG_PATH="$scripts" "$weft" run packages.c

if [ -e "$libraries/pkgconfig/weft-http.pc" ]; then
    cat >http.c <<'END'
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>
static int answer(struct wf_request *request) { return wf_reply_text(request, 200, "one weft for both"); }
static int ask(struct wf_app *app)
{
    struct wf_response response = {0};
    WF_CLIENT(client, .app = app);
    int rc = wf_get(&client, wf_task_arena(), "http://example.org/", &response);
    if (rc == 0) printf("%.*s\n", (int)response.size, (const char *)response.body);
    return rc;
}
int main(void)
{
    struct wf_app app = {.title = "Answer"};
    wf_route(&app, WF_GET, "/", answer);
    int status = wf_main(ask, &app);
    wf_app_finish(&app);
    return status;
}
END
    alone=(env)
    [ "$place" = installed ] || alone=(env -u PKG_CONFIG_PATH -u PKG_CONFIG_SYSROOT_DIR -u LD_LIBRARY_PATH)
    check "$place: weft-http is found and linked" prints "one weft for both" "${alone[@]}" "$weft" run http.c
    check "$place: with --asan too" prints "one weft for both" "${alone[@]}" "$weft" run --asan http.c
fi

cat >overrun.c <<'END'
#include <stdlib.h>
#include <weft/weft.h>
static int overrun(void *unused)
{
    (void)unused;
    volatile char *bytes = malloc(4);
    int rc = wf_yield();
    bytes[4] = 1;
    free((void *)bytes);
    return rc;
}
int main(void) { return wf_main(overrun, NULL); }
END
check "$place: --asan finds an overrun in a task" says 1 "heap-buffer-overflow" "$weft" run --asan overrun.c

# Old programs make room for new ones.
for i in $(seq 1000 1300); do mkdir -p "$XDG_CACHE_HOME/weft/000000000000$i"; done
find "$XDG_CACHE_HOME/weft" -name '0000*' -exec touch -d '2020-01-01' {} +
check "$place: the cache has a bound" compiles "$weft" run --verbose --cc "cc -DBOUND=$place" hello.c hi
check "$place: and keeps to it" test "$(find "$XDG_CACHE_HOME/weft" -mindepth 1 -maxdepth 1 | wc -l)" = 200

# ---- weft new ----

# From a build tree, the project has to find the build tree.
outside=(env)
[ "$place" = installed ] || outside=(env -u PKG_CONFIG_PATH -u PKG_CONFIG_SYSROOT_DIR -u LD_LIBRARY_PATH)
check "$place: new makes a project" "${outside[@]}" "$weft" new first-steps
check "$place: which tests itself with one command" "${outside[@]}" make -C first-steps test CFLAGS="-Werror $flags"
check "$place: and runs" prints "Hello, Ada!" "${outside[@]}" first-steps/build/first-steps Ada
check "$place: new refuses a directory with something in it" says 1 "is not empty" "$weft" new first-steps
check "$place: new refuses a name that is none" says 1 "cannot name a project" "$weft" new "sub/no name"
check "$place: new refuses a name of the build's own" says 1 "the build uses that word" "$weft" new test
mkdir empty
check "$place: new takes an empty directory" "$weft" new empty/
check "$place: new needs a directory" says 2 "name one directory" "$weft" new

popd >/dev/null || exit 1
