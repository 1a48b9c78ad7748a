/* What handlers depend on: opened once, closed after the answer, replaced in tests. */
#include <stdio.h>
#include <string.h>
#include <weft/depend.h>
#include <weft/security.h>
#include <weft/stream.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static const char *body_of(const struct exchange_log *log)
{
    const char *body = log->size > 0 ? strstr(log->bytes, "\r\n\r\n") : NULL;
    return body != NULL ? body + 4 : "";
}

static void get(struct wf_app *app, struct exchange_log *log, const char *target)
{
    char text[256];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: test\r\n\r\n", target);
    ask(log, app, text);
}

/* ---- Opening and closing ---- */

static int note_open(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)request;
    wf_test_note("open %s", self->name);
    *value = (void *)(uintptr_t)self->name;
    return 0;
}

static int note_close(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    WF_EXPECT_TEXT(value, self->name);
    wf_test_note("close %s %d after %d", self->name, outcome, wf_request_status(request));
    return wf_sleep(1);
}

static const struct wf_dependency base = {.name = "base", .open = note_open, .close = note_close},
                                  left = {.name = "left", .open = note_open, .close = note_close, .needs = {&base}},
                                  right = {.name = "right", .open = note_open, .close = note_close, .needs = {&base}};

static int note_later(const char *what)
{
    wf_test_note("%s", what);
    return 0;
}

/* Both, one of them twice. */
static int ask_for_both(struct wf_request *request)
{
    const char *first = "", *second = "", *again = "";
    int rc = wf_depend(request, &left, &first);
    if (rc == 0) rc = wf_depend(request, &right, &second);
    if (rc == 0) rc = wf_depend(request, &left, &again);
    if (rc == 0) rc = wf_after_reply(request, note_later, "deferred");
    if (rc < 0) return rc;
    WF_EXPECT_TEXT(second, "right");
    WF_EXPECT(first == again);
    wf_test_note("handler");
    const char *fails = wf_query_text(request, "fails");
    if (fails != NULL) return fails[0] == 'e' ? wf_http_error(request, 404, "not that") : -EIO;
    return wf_reply_text(request, 200, first);
}

static const struct {
    const char *name, *target, *statuses, *outcome;
} ends[] = {
    {"an answer", "/", "200 ", "0 after 200"},
    {"an error that is answered", "/?fails=e", "404 ", "-2 after 404"},
    {"an error", "/?fails=x", "500 ", "-5 after 500"},
};

WF_TEST_EACH(a_dependency_is_opened_once_and_closed_after_the_answer_the_last_first, ends, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    char notes[300];
    wf_route(&app, WF_GET, "/", ask_for_both);
    get(&app, &log, row->target);
    snprintf(notes, sizeof notes,
             "open base open left open right handler deferred close right %s close left %s close base %s", row->outcome,
             row->outcome, row->outcome);
    WF_EXPECT_TEXT(wf_test_notes(), notes);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    wf_app_finish(&app);
}

WF_TEST(each_request_has_its_own, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", ask_for_both, .needs = {&base});
    ask(&log, &app, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /?fails=e HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "200 404 ");
    WF_EXPECT_TEXT(wf_test_notes(), "open base open left open right handler deferred close right 0 after 200 "
                                    "close left 0 after 200 close base 0 after 200 "
                                    "open base open left open right handler deferred close right -2 after 404 "
                                    "close left -2 after 404 close base -2 after 404");
    wf_app_finish(&app);
}

/* The client hears the answer before anything is closed. */
struct watched {
    struct wf_app app;
    struct wf_stream *client, *server;
    bool heard;
};

static int close_when_heard(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    struct watched *watched = wf_request_state(request);
    (void)self, (void)value, (void)outcome;
    int rc = 0;
    while (rc == 0 && !watched->heard) rc = wf_sleep(WF_MILLISECONDS(1));
    return rc;
}

static const struct wf_dependency patient = {.name = "patient", .close = close_when_heard};

static int say_fine(struct wf_request *request)
{
    return wf_reply_text(request, 200, "fine");
}

static int serve_watched(struct watched *watched)
{
    int rc = wf_app_serve_stream(&watched->app, watched->server);
    wf_stream_close(watched->server);
    return rc;
}

static int hear(struct watched *watched)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char answer[256];
    int rc = wf_stream_write_all(watched->client, request, sizeof request - 1, NULL);
    ssize_t got = rc < 0 ? rc : wf_stream_read(watched->client, answer, sizeof answer);
    watched->heard = true;
    return got < 0 ? (int)got : wf_stream_shutdown(watched->client);
}

WF_TEST(the_answer_is_out_before_anything_is_closed)
{
    struct watched watched = {.app = {.title = "test", .state = &watched}};
    int rc = wf_stream_pair(4096, &watched.client, &watched.server);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    wf_route(&watched.app, WF_GET, "/", say_fine, .needs = {&patient});
    WF_SCOPE(scope, .timeout = WF_SECONDS(3));
    if (wf_spawn(&scope, serve_watched, &watched) < 0) wf_stream_close(watched.server);
    else wf_spawn(&scope, hear, &watched);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(watched.heard);
    wf_stream_close(watched.client);
    wf_app_finish(&watched.app);
}

/* ---- Failing ---- */

static int cannot_open(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)request, (void)value;
    wf_test_note("try %s", self->name);
    return wf_fail(-EBUSY, "no %s", self->name);
}

static int refuse(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)self, (void)value;
    return wf_http_error(request, 402, "first the money");
}

static const struct wf_dependency shut = {.name = "shut", .open = cannot_open, .close = note_close},
                                  above_shut = {.name = "above", .open = note_open, .needs = {&base, &shut}},
                                  paid = {.name = "paid", .open = refuse, .close = note_close};

static int never(struct wf_request *request)
{
    wf_test_note("handler");
    return wf_reply_text(request, 200, "never");
}

static int ask_again(struct wf_request *request)
{
    const char *text;
    WF_EXPECT_CODE(wf_depend(request, &shut, &text), -EBUSY);
    return wf_depend(request, &shut, &text);
}

WF_TEST(what_cannot_be_opened_is_the_answer_and_what_was_opened_is_closed, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/above", never, .needs = {&above_shut});
    wf_route(&app, WF_GET, "/paid", never, .needs = {&paid});
    wf_route(&app, WF_GET, "/again", ask_again);
    get(&app, &log, "/above");
    WF_EXPECT_TEXT(log.statuses, "503 ");
    get(&app, &log, "/paid");
    WF_EXPECT_TEXT(log.statuses, "402 ");
    WF_EXPECT_TEXT(body_of(&log), "{\"detail\":\"first the money\"}");
    get(&app, &log, "/again");
    WF_EXPECT_TEXT(log.statuses, "503 ");
    WF_EXPECT_TEXT(wf_test_notes(), "open base try shut close base -16 after 503 try shut");
    wf_app_finish(&app);
}

static int open_circle(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    return wf_depend_(request, self->arg, value);
}

static const struct wf_dependency circle_b;
static const struct wf_dependency circle_a = {.name = "a", .open = open_circle, .arg = (void *)(uintptr_t)&circle_b};
static const struct wf_dependency circle_b = {.name = "b", .open = open_circle, .needs = {&circle_a}};

WF_TEST(what_depends_on_itself_is_an_error_and_not_a_hang)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", never, .needs = {&circle_a});
    get(&app, &log, "/");
    WF_EXPECT_TEXT(log.statuses, "500 ");
    WF_EXPECT_PART(wf_test_log(), "the dependency \\\"a\\\" depends on itself, by \\\"b\\\"");
    wf_app_finish(&app);
}

static int ask_for_many(struct wf_request *request)
{
    static struct wf_dependency many[33];
    void *value;
    int rc = 0;
    for (unsigned i = 0; i < WF_COUNT(many) && rc == 0; i++) {
        many[i] = (struct wf_dependency){.name = "one of many"};
        rc = wf_depend(request, &many[i], &value);
        if (rc == 0) WF_EXPECT(i < 32);
    }
    return rc;
}

WF_TEST(a_request_has_a_bounded_number_of_them)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", ask_for_many);
    get(&app, &log, "/");
    WF_EXPECT_TEXT(log.statuses, "500 ");
    WF_EXPECT_PART(wf_test_log(), "more than 32");
    wf_app_finish(&app);
}

/* ---- Several tasks ---- */

static int open_slowly(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    int *opened = wf_request_state(request);
    int rc = wf_sleep(WF_MILLISECONDS(10));
    *value = (void *)(uintptr_t)self->name;
    if (rc == 0) ++*opened;
    return rc;
}

static const struct wf_dependency slow = {.name = "slow", .open = open_slowly};

static int ask_in_task(struct wf_request *request)
{
    const char *name = "";
    int rc = wf_depend(request, &slow, &name);
    if (rc == 0) WF_EXPECT_TEXT(name, "slow");
    return rc;
}

static int ask_in_three_tasks(struct wf_request *request)
{
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, ask_in_task, request);
    int rc = wf_scope_join(&scope);
    return rc < 0 ? rc : wf_reply_text(request, 200, "fine");
}

/* The first is cancelled while it opens; who waited for it opens it then. */
static int cancel_the_first(struct wf_request *request)
{
    WF_SCOPE(scope);
    WF_SCOPE(first);
    wf_spawn(&first, ask_in_task, request);
    int rc = wf_sleep(WF_MILLISECONDS(1));
    wf_spawn(&scope, ask_in_task, request);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(1));
    wf_scope_cancel(&first, "not needed");
    wf_scope_join(&first);
    rc = wf_scope_end(&scope, rc);
    return rc < 0 ? rc : wf_reply_text(request, 200, "fine");
}

static const struct {
    const char *name;
    wf_handler *handler;
} several[] = {{"at once", ask_in_three_tasks}, {"the first is cancelled", cancel_the_first}};

WF_TEST_EACH(tasks_of_a_handler_share_what_one_of_them_opens, several)
{
    int opened = 0;
    struct wf_app app = {.title = "test", .state = &opened};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", row->handler);
    get(&app, &log, "/");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    WF_EXPECT_INT(opened, 1);
    wf_app_finish(&app);
}

/* ---- A client that goes away ---- */

static int note_kept_close(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    (void)request, (void)value;
    int rc = wf_sleep(WF_MILLISECONDS(3));
    wf_test_note("closed %s %d, sleeping gave %d", self->name, outcome, rc);
    return rc;
}

static int hang_in_close(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    (void)request, (void)value, (void)self, (void)outcome;
    return wf_sleep(WF_FOREVER);
}

static const struct wf_dependency kept = {.name = "kept", .close = note_kept_close},
                                  hanging = {.name = "hanging",
                                             .close = hang_in_close,
                                             .close_time = WF_MILLISECONDS(20)};

static int wait_for_ever(struct wf_request *request)
{
    (void)request;
    return wf_sleep(WF_FOREVER);
}

WF_TEST(what_is_open_is_closed_when_the_request_is_cancelled_too_and_not_for_ever, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log = {0};
    wf_route(&app, WF_GET, "/", wait_for_ever, .needs = {&kept, &hanging});
    wf_ignore(wf_within(WF_MILLISECONDS(50), (get(&app, &log, "/"), 0)));
    char notes[80];
    snprintf(notes, sizeof notes, "closed kept %d, sleeping gave 0", -ECANCELED);
    WF_EXPECT_TEXT(wf_test_notes(), notes);
    WF_EXPECT_PART(wf_test_log(), "closing \\\"hanging\\\" failed");
    wf_app_finish(&app);
}

static int ask_too_late(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    const char *name;
    (void)self, (void)value, (void)outcome;
    WF_EXPECT_CODE(wf_depend(request, &base, &name), 0);
    WF_EXPECT_CODE(wf_depend(request, &slow, &name), -ESHUTDOWN);
    return 0;
}

static const struct wf_dependency late = {.name = "late", .close = ask_too_late, .needs = {&base}};

WF_TEST(what_is_closed_may_use_what_it_needed_and_nothing_new, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_fine, .needs = {&late});
    get(&app, &log, "/");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

/* ---- In another's place, and below ---- */

static int say_base(struct wf_request *request)
{
    const char *name = "?";
    int rc = wf_depend(request, &base, &name);
    return rc < 0 ? rc : wf_reply_text(request, 200, name);
}

static int open_plainly(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)request;
    *value = self->arg;
    return 0;
}

static const struct wf_dependency replaced = {.name = "r", .open = open_plainly, .arg = (void *)(uintptr_t) "replaced"},
                                  other = {.name = "o", .open = open_plainly, .arg = (void *)(uintptr_t) "other"};

WF_TEST(a_test_puts_another_in_its_place)
{
    struct wf_app app = {.title = "outer"}, inner = {.title = "inner"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_base);
    wf_route(&inner, WF_GET, "/", say_base);
    wf_mount(&app, "/inner", &inner);
    wf_app_override(&inner, &base, &other);
    get(&app, &log, "/inner");
    WF_EXPECT_TEXT(body_of(&log), "other");
    wf_app_override(&app, &base, &replaced);
    get(&app, &log, "/");
    WF_EXPECT_TEXT(body_of(&log), "replaced");
    get(&app, &log, "/inner");
    WF_EXPECT_TEXT(body_of(&log), "replaced");
    wf_app_override(&app, &base, NULL);
    get(&app, &log, "/");
    WF_EXPECT_TEXT(body_of(&log), "base");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

static int say_state(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    (void)value, (void)outcome;
    wf_test_note("%s in %s", self->name, (const char *)wf_request_state(request));
    return 0;
}

static const struct wf_dependency of_outer = {.name = "of outer", .close = say_state},
                                  of_inner = {.name = "of inner", .close = say_state},
                                  of_route = {.name = "of route", .close = say_state};

WF_TEST(needs_of_an_app_are_those_of_its_routes_and_of_apps_below, .unswept = "notes")
{
    struct wf_app app = {.title = "outer", .needs = {&of_outer}, .state = (void *)(uintptr_t) "outer"};
    struct wf_app inner = {.title = "inner", .needs = {&of_inner}, .state = (void *)(uintptr_t) "inner"};
    struct exchange_log log;
    wf_route(&inner, WF_GET, "/", say_fine, .needs = {&of_route});
    wf_mount(&app, "/inner", &inner);
    get(&app, &log, "/inner");
    WF_EXPECT_TEXT(wf_test_notes(), "of route in inner of inner in inner of outer in outer");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

/* ---- Logins, tokens and keys ---- */

static const struct wf_security_scheme
    in_header = {.name = "h", .kind = WF_SECURITY_KEY, .key = "X-Key"},
    in_query = {.name = "q", .kind = WF_SECURITY_KEY, .place = WF_KEY_IN_QUERY, .key = "key"},
    in_cookie = {.name = "c", .kind = WF_SECURITY_KEY, .place = WF_KEY_IN_COOKIE, .key = "key"};
static const struct wf_dependency basic = WF_BASIC("test"), bearer = WF_BEARER("test"),
                                  header_key = WF_API_KEY(&in_header), query_key = WF_API_KEY(&in_query),
                                  cookie_key = WF_API_KEY(&in_cookie), no_scheme = WF_API_KEY(NULL);

static int show_proof(struct wf_request *request)
{
    const struct wf_dependency *asked = wf_request_arg(request);
    const char *text = "?";
    const struct wf_login *login = NULL;
    if (asked != &basic) {
        int rc = wf_depend(request, asked, &text);
        return rc < 0 ? rc : wf_reply_text(request, 200, text);
    }
    int rc = wf_depend(request, asked, &login);
    return rc < 0 ? rc : wf_reply_text(request, 200, login->password);
}

static const struct {
    const char *name;
    const struct wf_dependency *dependency;
    const char *target, *field, *statuses, *part;
} proofs[] = {
    {"a login", &basic, "/", "Authorization: Basic YTpi", "200 ", "\r\n\r\nb"},
    {"no login", &basic, "/", "X: y", "401 ", "WWW-Authenticate: Basic realm=\"test\""},
    {"a token", &bearer, "/", "Authorization: Bearer abc", "200 ", "\r\n\r\nabc"},
    {"no token", &bearer, "/", "X: y", "401 ", "WWW-Authenticate: Bearer realm=\"test\""},
    {"a key in a field", &header_key, "/", "X-Key: abc", "200 ", "\r\n\r\nabc"},
    {"no key in a field", &header_key, "/?key=abc", "Cookie: key=abc", "401 ", "a key is needed: X-Key"},
    {"a key in the query", &query_key, "/?key=a%62c", "X: y", "200 ", "\r\n\r\nabc"},
    {"no key in the query", &query_key, "/?key=", "X-Key: abc", "401 ", "a key is needed"},
    {"a key in a cookie", &cookie_key, "/", "Cookie: a=b; key=abc", "200 ", "\r\n\r\nabc"},
    {"no key in a cookie", &cookie_key, "/", "Cookie: a=b", "401 ", "a key is needed"},
    {"a key without a scheme", &no_scheme, "/", "X: y", "500 ", ""},
};

WF_TEST_EACH(proofs_are_dependencies, proofs)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    char text[256];
    wf_route(&app, WF_GET, "/", show_proof, .arg = (void *)(uintptr_t)row->dependency);
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", row->target, row->field);
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_PART(log.size > 0 ? log.bytes : "", row->part);
    wf_app_finish(&app);
}

WF_TEST_MAIN
