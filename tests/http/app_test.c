/* Routes, handlers and answers: what an app does with a request. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static int say_path(struct wf_request *request)
{
    const char *id = wf_path_text(request, "id"), *rest = wf_path_text(request, "rest");
    char text[256];
    snprintf(text, sizeof text, "%s id=%s rest=%s arg=%s", wf_request_path(request), id != NULL ? id : "-",
             rest != NULL ? rest : "-", (const char *)wf_request_arg(request));
    return wf_reply_text(request, 200, text);
}

static int number(struct wf_request *request)
{
    int64_t id, limit;
    int rc = wf_path_int(request, "id", &id);
    if (rc == 0) rc = wf_query_int(request, "limit", 20, &limit);
    if (rc < 0) return rc;
    char text[64];
    snprintf(text, sizeof text, "%lld of %lld", (long long)id, (long long)limit);
    return wf_reply_text(request, 200, text);
}

static int outcome(struct wf_request *request)
{
    int64_t code;
    int rc = wf_path_int(request, "code", &code);
    return rc < 0 ? rc : wf_fail(-(int)code, "the secret of %lld", (long long)code);
}

/* The body of the only answer. */
static const char *body_of(const struct exchange_log *log)
{
    const char *body = strstr(log->bytes, "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

static const char *get(struct wf_app *app, struct exchange_log *log, const char *method, const char *target)
{
    char text[512];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: test\r\n\r\n", method, target);
    ask(log, app, text);
    return body_of(log);
}

static __attribute__((noinline)) void add_orders(struct wf_app *app)
{
    wf_route(app, WF_POST, "/orders/{id}:cancel", say_path, .arg = (void *)(uintptr_t) "cancel");
    wf_route(app, WF_POST, "/orders/{id}:cancel/{rest}", say_path, .arg = (void *)(uintptr_t) "below");
    wf_route(app, WF_GET, "/orders/{id}", say_path, .arg = (void *)(uintptr_t) "order");
}

#define ROUTED(app)                                                                                                    \
    struct wf_app app = {.title = "test"};                                                                             \
    wf_route(&app, WF_GET, "/", say_path, .arg = (void *)(uintptr_t) "root");                                          \
    wf_route(&app, WF_GET, "/users", say_path, .arg = (void *)(uintptr_t) "list");                                     \
    wf_route(&app, WF_POST, "/users", say_path, .arg = (void *)(uintptr_t) "create");                                  \
    wf_route(&app, WF_GET, "/users/me", say_path, .arg = (void *)(uintptr_t) "me");                                    \
    wf_route(&app, WF_GET, "/users/{id}", say_path, .arg = (void *)(uintptr_t) "one");                                 \
    wf_route(&app, WF_GET, "/users/{id}/orders/", say_path, .arg = (void *)(uintptr_t) "orders");                      \
    wf_route(&app, WF_GET, "/files/{rest:rest}", say_path, .arg = (void *)(uintptr_t) "files");                        \
    add_orders(&app);                                                                                                  \
    wf_route(&app, WF_GET, "/numbers/{id}", number);                                                                   \
    wf_route(&app, WF_GET, "/outcome/{code}", outcome)

static const struct {
    const char *name, *method, *target, *statuses, *body;
} paths[] = {
    {"root", "GET", "/", "200 ", "/ id=- rest=- arg=root"},
    {"fixed", "GET", "/users", "200 ", "/users id=- rest=- arg=list"},
    {"by method", "POST", "/users", "200 ", "/users id=- rest=- arg=create"},
    {"fixed wins over a name", "GET", "/users/me", "200 ", "/users/me id=- rest=- arg=me"},
    {"a name", "GET", "/users/17", "200 ", "/users/17 id=17 rest=- arg=one"},
    {"a name, decoded", "GET", "/users/a%2Fb%20c", "200 ", "/users/a%2Fb%20c id=a/b c rest=- arg=one"},
    {"a fixed segment, encoded", "GET", "/%75sers", "200 ", "/%75sers id=- rest=- arg=list"},
    {"not a name: nothing", "GET", "/users//orders/", "404 ", "{\"detail\":\"there is nothing at this path\"}"},
    {"a rest", "GET", "/files/a/b%20c/d", "200 ", "/files/a/b%20c/d id=- rest=a/b c/d arg=files"},
    {"a name with an ending", "POST", "/orders/17:cancel", "200 ", "/orders/17:cancel id=17 rest=- arg=cancel"},
    {"an ending in the name", "POST", "/orders/a:cancel:cancel", "200 ",
     "/orders/a:cancel:cancel id=a:cancel rest=- arg=cancel"},
    {"below an ending", "POST", "/orders/17:cancel/now", "200 ", "/orders/17:cancel/now id=17 rest=now arg=below"},
    {"an ending without a name", "POST", "/orders/:cancel", "405 ", "{\"detail\":\"POST is not for this path\"}"},
    {"another ending", "GET", "/orders/17:pay", "200 ", "/orders/17:pay id=17:pay rest=- arg=order"},
    {"an ending, by another method", "GET", "/orders/17:cancel", "200 ",
     "/orders/17:cancel id=17:cancel rest=- arg=order"},
    {"an empty rest", "GET", "/files/", "200 ", "/files/ id=- rest= arg=files"},
    {"half an escape", "GET", "/users/%4", "404 ", "{\"detail\":\"there is nothing at this path\"}"},
    {"a zero in a path", "GET", "/users/%00", "404 ", "{\"detail\":\"there is nothing at this path\"}"},
    {"nothing", "GET", "/nothing", "404 ", "{\"detail\":\"there is nothing at this path\"}"},
    {"another method", "DELETE", "/users", "405 ", "{\"detail\":\"DELETE is not for this path\"}"},
    {"the slash too much", "GET", "/users/", "307 ", ""},
    {"the slash too few", "GET", "/users/1/orders", "307 ", ""},
    {"a head", "HEAD", "/users", "200 ", ""},
    {"options", "OPTIONS", "/users", "204 ", ""},
    {"a number", "GET", "/numbers/42?limit=7", "200 ", "42 of 7"},
    {"a number that is not there", "GET", "/numbers/-42", "200 ", "-42 of 20"},
    {"no number", "GET", "/numbers/4x", "422 ",
     "{\"detail\":\"the path's parameter \\\"id\\\" is not a whole number\"}"},
    {"too large", "GET", "/numbers/99999999999999999999", "422 ",
     "{\"detail\":\"the path's parameter \\\"id\\\" is not a whole number\"}"},
    {"ENOENT", "GET", "/outcome/2", "404 ", "{\"detail\":\"the secret of 2\"}"},
    {"EACCES", "GET", "/outcome/13", "403 ", "{\"detail\":\"the secret of 13\"}"},
    {"EEXIST", "GET", "/outcome/17", "409 ", "{\"detail\":\"the secret of 17\"}"},
    {"EINVAL", "GET", "/outcome/22", "422 ", "{\"detail\":\"the secret of 22\"}"},
    {"ETIME", "GET", "/outcome/62", "504 ", "{\"detail\":\"Gateway Timeout\"}"},
    {"EBUSY", "GET", "/outcome/16", "503 ", "{\"detail\":\"Service Unavailable\"}"},
    {"EIO", "GET", "/outcome/5", "500 ", "{\"detail\":\"Internal Server Error\"}"},
    {"success without an answer", "GET", "/outcome/0", "204 ", ""},
};

WF_TEST_EACH(a_request_goes_where_its_path_and_method_say, paths)
{
    ROUTED(app);
    struct exchange_log log;
    const char *body = get(&app, &log, row->method, row->target);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_TEXT(body, row->body);
    wf_app_finish(&app);
}

static int refuse_without_a_word(struct wf_request *request)
{
    (void)request;
    return -EINVAL;
}

WF_TEST(what_one_request_failed_with_is_not_told_to_the_next_of_its_connection)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/outcome/{code}", outcome);
    wf_route(&app, WF_GET, "/", refuse_without_a_word);
    ask(&log, &app, "GET /outcome/2 HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "404 422 ");
    const char *second = strstr(log.bytes, "HTTP/1.1 422");
    WF_EXPECT_PART(second != NULL ? second : "", "Unprocessable");
    WF_EXPECT(second == NULL || strstr(second, "secret") == NULL);
    wf_app_finish(&app);
}

WF_TEST(methods_of_a_path_are_told)
{
    ROUTED(app);
    struct exchange_log log;
    get(&app, &log, "PUT", "/users");
    WF_EXPECT_PART(log.bytes, "\r\nallow: GET, HEAD, POST, OPTIONS\r\n");
    get(&app, &log, "OPTIONS", "*");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

WF_TEST(a_redirect_keeps_the_query_and_the_host)
{
    ROUTED(app);
    struct exchange_log log;
    get(&app, &log, "GET", "/users/?a=1&b=2");
    WF_EXPECT_PART(log.bytes, "\r\nlocation: /users?a=1&b=2\r\n");
    wf_app_finish(&app);
}

static const struct {
    const char *name, *pattern, *says;
} mistakes[] = {
    {"no slash", "users", "does not begin with /"},
    {"half a name", "/users/{id", "a name is {name}, {name}:ending or {name:rest}"},
    {"part of a segment", "/users/x{id}", "a name begins a segment"},
    {"an ending without a colon", "/users/{id}x", "a name is {name}, {name}:ending or {name:rest}"},
    {"an empty ending", "/users/{id}:", "a name is {name}, {name}:ending or {name:rest}"},
    {"a second name in a segment", "/users/{id}:{verb}", "a name is {name}, {name}:ending or {name:rest}"},
    {"an unknown kind", "/users/{id:int}", "a name is {name}, {name}:ending or {name:rest}"},
    {"a rest in the middle", "/{all:rest}/users", "comes last"},
    {"no name", "/{}", "a name is {name}, {name}:ending or {name:rest}"},
    {"twice", "/twice", "is declared twice"},
};

WF_TEST_EACH(a_wrong_route_surfaces_when_serving_begins, mistakes)
{
    struct wf_app app = {.title = "test"};
    wf_route(&app, WF_GET, "/twice", say_path);
    wf_route(&app, WF_GET, row->pattern, say_path);
    int rc = wf_app_serve_stream(&app, NULL);
    WF_EXPECT(rc == -EINVAL || rc == -EEXIST);
    WF_EXPECT_PART(wf_failure(), row->says);
    wf_app_finish(&app);
}

/* ---- Around handlers ---- */

static int outer(struct wf_request *request, const char *name)
{
    wf_test_note("%s in", name);
    int rc = wf_continue(request);
    wf_test_note("%s out %d", name, wf_request_status(request));
    return rc;
}

static int note_after(const char *what)
{
    wf_test_note("after %s", what);
    return 0;
}

static int noting(struct wf_request *request)
{
    wf_test_note("handler");
    int rc = wf_after_reply(request, note_after, "one");
    if (rc == 0) rc = wf_after_reply(request, note_after, "two");
    return rc < 0 ? rc : wf_reply_empty(request, 200);
}

WF_TEST(middleware_goes_around_a_handler_and_what_was_deferred_comes_after_the_answer, .unswept = "notes")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_app_use(&app, outer, "a");
    wf_app_use(&app, outer, "b");
    wf_route(&app, WF_GET, "/", noting);
    get(&app, &log, "GET", "/");
    WF_EXPECT_TEXT(wf_test_notes(), "a in b in handler b out 200 a out 200 after one after two");
    wf_app_finish(&app);
}

static int refusing(struct wf_request *request, void *unused)
{
    (void)unused;
    return wf_http_error(request, 401, "who are you, \"%s\"?", "x\ty");
}

WF_TEST(middleware_may_answer_itself)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_app_use(&app, refusing, (void *)NULL);
    wf_route(&app, WF_GET, "/", noting);
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/"), "{\"detail\":\"who are you, \\\"x\\ty\\\"?\"}");
    WF_EXPECT_TEXT(log.statuses, "401 ");
    wf_app_finish(&app);
}

WF_TEST(an_app_below_a_path_of_another_has_its_own_routes)
{
    ROUTED(inner);
    struct wf_app app = {.title = "outer"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_path, .arg = (void *)(uintptr_t) "outer");
    wf_mount(&app, "/inner", &inner);
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/inner/users/3"), "/inner/users/3 id=3 rest=- arg=one");
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/inner"), "/inner id=- rest=- arg=root");
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/"), "/ id=- rest=- arg=outer");
    get(&app, &log, "GET", "/innermost");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

static int say_state(struct wf_request *request)
{
    wf_test_note("handler");
    return wf_reply_text(request, 200, wf_request_state(request));
}

static int with_state(struct wf_request *request, const char *name)
{
    wf_test_note("%s in %s", name, (const char *)wf_request_state(request));
    int rc = wf_continue(request);
    wf_test_note("%s out %s %d", name, (const char *)wf_request_state(request), wf_request_status(request));
    return rc;
}

WF_TEST(what_is_around_an_app_is_around_those_below_it_each_with_its_own_state, .unswept = "notes")
{
    struct wf_app app = {.title = "outer", .state = (void *)(uintptr_t) "A"},
                  inner = {.title = "inner", .state = (void *)(uintptr_t) "B"},
                  innermost = {.title = "innermost", .state = (void *)(uintptr_t) "C"};
    struct exchange_log log;
    wf_app_use(&app, with_state, "a");
    wf_app_use(&inner, with_state, "b");
    wf_route(&app, WF_GET, "/", say_state);
    wf_route(&innermost, WF_GET, "/x", say_state);
    wf_mount(&app, "/in", &inner);
    wf_mount(&inner, "/more", &innermost);
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/in/more/x"), "C");
    get(&app, &log, "GET", "/in/nothing");
    WF_EXPECT_TEXT(get(&app, &log, "GET", "/"), "A");
    WF_EXPECT_TEXT(wf_test_notes(), "a in A b in B handler b out B 200 a out A 200 "
                                    "a in A b in B b out B 404 a out A 404 "
                                    "a in A handler a out A 200");
    wf_app_finish(&app);
    wf_app_finish(&inner);
    wf_app_finish(&innermost);
}

WF_TEST(the_other_ending_of_a_path_is_found_below_a_mount_too)
{
    struct wf_app app = {.title = "outer"}, inner = {.title = "inner"};
    struct exchange_log log;
    wf_route(&inner, WF_GET, "/users", say_path);
    wf_mount(&app, "/in", &inner);
    get(&app, &log, "GET", "/in/users/?a=1");
    WF_EXPECT_TEXT(log.statuses, "307 ");
    WF_EXPECT_PART(log.bytes, "\r\nlocation: /in/users?a=1\r\n");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

static int twice(struct wf_request *request)
{
    wf_reply_text(request, 200, "one");
    return wf_reply_text(request, 200, "two");
}

WF_TEST(two_answers_are_a_mistake_of_the_program, .dies = "was answered twice")
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", twice);
    get(&app, &log, "GET", "/");
}

WF_TEST(each_request_is_a_line_of_the_log_where_that_is_wanted)
{
    ROUTED(app);
    struct exchange_log log;
    app.access_log = true;
    get(&app, &log, "GET", "/users/17");
    get(&app, &log, "GET", "/nothing");
    WF_EXPECT_PART(wf_test_log(), "msg=request method=GET path=/users/17 status=200 bytes=30 took");
    WF_EXPECT_PART(wf_test_log(), "msg=request method=GET path=/nothing status=404 bytes=");
    wf_app_finish(&app);
}

/* ---- In pieces ---- */

static int in_pieces(struct wf_request *request)
{
    bool known = wf_query_text(request, "known") != NULL;
    int rc = wf_reply_begin(request, 200, "text/plain", known ? 6 : -1);
    if (rc == 0) rc = wf_reply_trailer(request, "x-sum", "21");
    if (rc == 0) rc = wf_reply_write(request, "abc", 3);
    if (rc == 0 && wf_query_text(request, "short") != NULL) return 0;
    if (rc == 0 && wf_query_text(request, "fail") != NULL) return -EIO;
    if (rc == 0) rc = wf_reply_write(request, "def", 3);
    if (rc == 0 && wf_query_text(request, "long") != NULL) rc = wf_reply_write(request, "g", 1);
    return rc;
}

static const struct {
    const char *name, *target, *body;
} pieces[] = {
    {"chunked", "/?", "3\r\nabc\r\n3\r\ndef\r\n0\r\nx-sum: 21\r\n\r\n"},
    {"counted", "/?known", "abcdef"},
    {"too short: the connection ends", "/?known&short", "abc"},
    {"too long: what is too much is not sent", "/?known&long", "abcdef"},
    {"failed: no end", "/?fail", "3\r\nabc\r\n"},
};

WF_TEST_EACH(an_answer_in_pieces_is_framed_and_what_breaks_off_is_seen_to, pieces)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", in_pieces);
    WF_EXPECT_TEXT(get(&app, &log, "GET", row->target), row->body);
    wf_app_finish(&app);
}

WF_TEST(to_http_1_0_pieces_go_without_frames)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", in_pieces);
    ask(&log, &app, "GET / HTTP/1.0\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "abcdef");
    WF_EXPECT_PART(log.bytes, "connection: close");
    wf_app_finish(&app);
}

/* ---- Inputs by models ---- */

#define PAGE_MEMBERS(F)                                                                                                \
    F(INT32, limit, .min = 1, .max = 100, .preset = "20")                                                              \
    F(STRING, sort, .optional = true)
WF_MODEL(page, PAGE_MEMBERS)

#define ORDER_MEMBERS(F)                                                                                               \
    F(STRING, email, .format = WF_EMAIL)                                                                               \
    F(INT64, quantity, .min = 1, .max = 1000)
WF_MODEL(order, ORDER_MEMBERS)

#define WHICH_MEMBERS(F) F(INT64, id, .min = 1)
WF_MODEL(which, WHICH_MEMBERS)

static int take_order(struct wf_request *request)
{
    const struct page *page = wf_query_value(request);
    const struct which *which = wf_path_value(request);
    struct order *order = wf_body_value(request);
    order->quantity += which->id + page->limit;
    return wf_reply(request, 201, &order_model, order);
}

static const struct {
    const char *name, *target, *type, *body, *statuses, *answer;
} inputs[] = {
    {"all is well", "/7?limit=3", "application/json", "{\"email\":\"a@b.c\",\"quantity\":5}", "201 ",
     "{\"email\":\"a@b.c\",\"quantity\":15}"},
    {"all that is wrong is told at once", "/0?limit=x", "application/json", "{\"quantity\":0}", "422 ",
     "{\"detail\":[{\"loc\":[\"path\",\"id\"],\"msg\":\"Input should be greater than or equal to 1\",\"type\":"
     "\"greater_than_equal\"},{\"loc\":[\"query\",\"limit\"],\"msg\":\"Input should be a valid integer, unable to "
     "parse "
     "string as an integer\",\"type\":\"int_parsing\"},{\"loc\":[\"body\",\"quantity\"],\"msg\":\"Input should be "
     "greater "
     "than or equal to 1\",\"type\":\"greater_than_equal\"},{\"loc\":[\"body\",\"email\"],\"msg\":\"Field "
     "required\",\"type\":\"missing\"}]}"},
    {"another type", "/7", "text/plain", "{}", "415 ", "{\"detail\":\"the body has to be application/json\"}"},
};

WF_TEST_EACH(inputs_are_parsed_and_checked_before_the_handler_is_called, inputs)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    char text[512];
    wf_route(&app, WF_POST, "/{id}", take_order, .path = &which_model, .query = &page_model, .body = &order_model);
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
             row->target, row->type, strlen(row->body), row->body);
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_TEXT(body_of(&log), row->answer);
    wf_app_finish(&app);
}

static int compare_head(struct wf_request *request)
{
    const char *header = wf_request_header(request, "x-long"), *path = wf_request_path(request);
    char before[64], *body;
    size_t size;
    snprintf(before, sizeof before, "%.50s", header);
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    WF_EXPECT(header == wf_request_header(request, "x-long") && strncmp(header, before, 50) == 0);
    WF_EXPECT_TEXT(path, "/");
    return wf_reply_text(request, size == 30000 ? 200 : 500, "");
}

WF_TEST(a_head_stays_where_it_is_while_a_body_is_read)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/", compare_head);
    for (size_t pad = 7000; pad < 8400; pad += 100) { /* heads that just fit, and just do not */
        char *text = wf_arena_alloc(wf_task_arena(), 80000);
        if (!WF_EXPECT(text != NULL)) break;
        int at =
            sprintf(text,
                    "GET /none HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n");
        at += sprintf(text + at, "X-Long: %0*d\r\n\r\n", (int)pad, 7);
        sprintf(text + at, "%030000d", 8);
        ask(&log, &app, text);
        WF_EXPECT_TEXT(log.statuses, "404 200 ");
    }
    wf_app_finish(&app);
}

static int sum_body(struct wf_request *request)
{
    enum { ROOM = 20000 };
    char *bytes = wf_arena_alloc(wf_request_arena(request), ROOM), text[40];
    unsigned long sum = 0, count = 0;
    ssize_t got = bytes != NULL ? 0 : -ENOMEM;
    while (bytes != NULL && (got = wf_request_read(request, bytes, ROOM)) > 0) {
        for (ssize_t i = 0; i < got; i++) sum += (sum + 1) * (unsigned char)bytes[i];
        count += (unsigned long)got;
    }
    snprintf(text, sizeof text, "%lu %lu", count, sum % 1000003);
    return got < 0 ? (int)got : wf_reply_text(request, 200, text);
}

static const struct long_body {
    const char *name;
    size_t size, chunk; /* 0: counted */
} long_bodies[] = {
    {"fits beside its head", 600, 0},     {"fits just not", 1000, 0},           {"counted", 100000, 0},
    {"in small chunks", 100000, 100},     {"in chunks of a room", 60000, 8192}, {"in one chunk", 100000, 100000},
    {"in chunks as asked", 60000, 20000},
};

static size_t put_body(char *text, const struct long_body *row)
{
    size_t at = (size_t)sprintf(text, "POST / HTTP/1.1\r\nHost: a\r\n");
    if (row->chunk == 0) at += (size_t)sprintf(text + at, "Content-Length: %zu\r\n\r\n", row->size);
    else at += (size_t)sprintf(text + at, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t done = 0; done < row->size;) {
        size_t part = row->chunk == 0 || row->size - done < row->chunk ? row->size - done : row->chunk;
        if (row->chunk > 0) at += (size_t)sprintf(text + at, "%zx\r\n", part);
        for (size_t i = 0; i < part; i++, done++) text[at++] = (char)('a' + done * 7 % 26);
        if (row->chunk > 0) at += (size_t)sprintf(text + at, "\r\n");
    }
    return at + (size_t)sprintf(text + at, "%s", row->chunk > 0 ? "0\r\n\r\n" : "");
}

WF_TEST_EACH(a_long_body_is_read_whole_and_not_beyond, long_bodies)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    char expected[40], *text = wf_arena_alloc(wf_task_arena(), 300000);
    unsigned long sum = 0;
    if (!WF_EXPECT(text != NULL)) return;
    wf_route(&app, WF_POST, "/", sum_body);
    size_t size = put_body(text, row);
    sprintf(text + size, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t i = 0; i < row->size; i++) sum += (sum + 1) * (unsigned char)('a' + i * 7 % 26);
    snprintf(expected, sizeof expected, "%zu %lu", row->size, sum % 1000003);
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, "200 404 ");
    WF_EXPECT_PART(log.bytes != NULL ? log.bytes : "", expected);
    wf_app_finish(&app);
}

WF_TEST(malformed_json_is_400_with_the_place)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/{id}", take_order, .path = &which_model, .query = &page_model, .body = &order_model);
    ask(&log, &app, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{\"email\" ");
    WF_EXPECT_TEXT(log.statuses, "400 ");
    WF_EXPECT_PART(body_of(&log), "json_invalid");
    wf_app_finish(&app);
}

static int take_form(struct wf_request *request)
{
    return wf_reply(request, 200, &order_model, wf_body_value(request));
}

WF_TEST(a_form_that_is_none_is_400_and_says_why)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    static char text[4000];
    char *at = text;
    wf_route(&app, WF_POST, "/", take_form, .form = &order_model);
    ask(&log, &app, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\nemail=%");
    WF_EXPECT_TEXT(log.statuses, "400 ");
    WF_EXPECT_PART(body_of(&log), "\"type\":\"value_error\"");
    at += sprintf(at, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", 2 * (WF_PAIRS_MAX + 1));
    for (int i = 0; i < WF_PAIRS_MAX + 1; i++) at += sprintf(at, "a&");
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, "400 ");
    WF_EXPECT_PART(body_of(&log), "more than 1000 pairs");
    wf_app_finish(&app);
}

WF_TEST_MAIN
