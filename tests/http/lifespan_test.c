/* What surrounds the serving: before the first request, after the last, and when something fails. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/app.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct served {
    struct wf_app *app;
    struct wf_scope *scope;
    uint16_t port;
    int result;
};

/* The last request: while it is answered, the server is told to stop. */
static int drain(struct wf_request *request)
{
    const struct served *served = wf_request_arg(request);
    wf_test_note("request with %s", (const char *)wf_request_state(request));
    wf_scope_drain(served->scope);
    return wf_reply_text(request, 200, "hello");
}

static char opened[] = "what was opened";

static int open_and_close(struct wf_app *app)
{
    wf_test_note("open");
    app->state = opened;
    int rc = wf_app_run(app);
    wf_test_note("close %d", rc);
    return rc;
}

static void note_listening(struct wf_app *app, uint16_t port, void *where)
{
    (void)app;
    wf_test_note("listen");
    *(uint16_t *)where = port;
}

static int serve_until_drained(struct served *served)
{
    served->result =
        wf_serve(served->app, .host = "127.0.0.1", .listening = note_listening, .listening_arg = &served->port);
    return served->result;
}

static int ask_once(struct served *served)
{
    struct wf_stream *conn;
    char text[512];
    size_t size = 0;
    while (served->port == 0) {
        int waited = wf_sleep(WF_MILLISECONDS(1));
        if (waited < 0) return waited;
    }
    int rc = wf_tcp_connect("127.0.0.1", served->port, &conn);
    if (rc < 0) return rc;
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    rc = wf_stream_write_all(conn, request, sizeof request - 1, NULL);
    ssize_t got = 1;
    while (rc == 0 && got > 0 && size < sizeof text - 1) {
        got = wf_stream_read(conn, text + size, sizeof text - 1 - size);
        if (got > 0) size += (size_t)got;
    }
    text[size] = '\0';
    if (got == 0) WF_EXPECT_PART(text, "connection: close");
    wf_stream_close(conn);
    return rc < 0 ? rc : (int)got;
}

WF_TEST(what_surrounds_the_serving_is_before_the_first_request_and_after_the_last, .simulated = true,
        .unswept = "notes")
{
    struct wf_app app = {.title = "test", .lifespan = open_and_close};
    struct served served = {.app = &app};
    wf_route(&app, WF_GET, "/", drain, .arg = &served);
    WF_SCOPE(outer);
    WF_SCOPE(scope);
    served.scope = &scope;
    wf_spawn(&scope, serve_until_drained, &served);
    wf_spawn(&outer, ask_once, &served);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT_CODE(served.result, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "open listen request with what was opened close 0");
    wf_app_finish(&app);
}

static int cannot_open(struct wf_app *app)
{
    (void)app;
    return wf_fail(-ENOTCONN, "the database is not there");
}

WF_TEST(what_cannot_be_opened_is_never_served)
{
    struct wf_app app = {.title = "test", .lifespan = cannot_open};
    struct served served = {.app = &app};
    wf_route(&app, WF_GET, "/", drain);
    WF_EXPECT_CODE(serve_until_drained(&served), -ENOTCONN);
    WF_EXPECT_INT(served.port, 0);
    wf_app_finish(&app);
}

static int serve_nowhere(struct wf_app *app)
{
    return wf_serve(app, .host = "no address");
}

static int serve_for_ever(struct wf_app *app)
{
    return wf_serve(app, .host = "127.0.0.1");
}

static int serve_and_be_cancelled(struct wf_app *app)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, serve_for_ever, app);
    int rc = wf_sleep(WF_MILLISECONDS(10));
    wf_scope_cancel(&scope, "enough");
    wf_scope_join(&scope);
    return rc < 0 ? rc : -ECANCELED;
}

static const struct {
    const char *name;
    int (*serve)(struct wf_app *app);
    int code;
} errors[] = {{"cannot listen", serve_nowhere, -ENOENT}, {"cancelled", serve_and_be_cancelled, -ECANCELED}};

WF_TEST_EACH(what_was_opened_is_closed_after_an_error_too, errors, .simulated = true, .unswept = "notes")
{
    struct wf_app app = {.title = "test", .lifespan = open_and_close};
    char notes[60];
    wf_route(&app, WF_GET, "/", drain);
    WF_EXPECT_CODE(row->serve(&app), row->code);
    snprintf(notes, sizeof notes, "open close %d", row->code);
    WF_EXPECT_TEXT(wf_test_notes(), notes);
    wf_app_finish(&app);
}

/* ---- As a program ---- */

/* The program's exit status, and what it says to standard output and error. */
static int run_program(int (*lifespan)(struct wf_app *app), char *said, size_t room)
{
    int ends[2], status;
    size_t size = 0;
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        struct wf_app app = {.title = "test", .lifespan = lifespan};
        char *argv[] = {(char *)(uintptr_t) "program", (char *)(uintptr_t) "--port=0", NULL};
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        wf_route(&app, WF_GET, "/", drain);
        status = wf_serve_main(&app, 2, argv);
        fflush(NULL);
        _exit(status);
    }
    close(ends[1]);
    for (ssize_t got = 1; got > 0 && size<room - 1; size += got> 0 ? (size_t)got : 0)
        got = read(ends[0], said + size, room - 1 - size);
    said[size] = '\0';
    close(ends[0]);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int stop_at_once(struct wf_app *app)
{
    return wf_within(WF_MILLISECONDS(1), wf_app_run(app)) == -ETIME ? wf_fail(-EIO, "the log could not be closed") : 0;
}

WF_TEST(a_program_whose_surroundings_fail_never_listens_and_its_exit_status_says_so, .plain = true)
{
    char said[500];
    WF_EXPECT_INT(run_program(cannot_open, said, sizeof said), 1);
    WF_EXPECT_PART(said, "the database is not there");
    WF_EXPECT(strstr(said, "listening") == NULL);
    WF_EXPECT_INT(run_program(stop_at_once, said, sizeof said), 1);
    WF_EXPECT_PART(said, "listening at http://127.0.0.1:");
    WF_EXPECT_PART(said, "the log could not be closed");
}

WF_TEST_MAIN
