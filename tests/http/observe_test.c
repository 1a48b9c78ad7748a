/* What is told of requests, and errors in the form of RFC 9457. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/depend.h>
#include <weft/health.h>
#include <weft/log.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static const char *text_of(const struct exchange_log *log)
{
    return log->size > 0 ? log->bytes : "";
}

static const char *body_of(const struct exchange_log *log)
{
    const char *body = strstr(text_of(log), "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

static __attribute__((noinline)) void get(struct wf_app *app, struct exchange_log *log, const char *target,
                                          const char *fields)
{
    char text[1024];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n", target, fields);
    ask(log, app, text);
}

/* ---- Identities ---- */

static int say_id(struct wf_request *request)
{
    const char *id = wf_request_id(request);
    wf_log(WF_INFO, "handling");
    return wf_reply_text(request, 200, id != NULL ? id : "none");
}

static int note_in_log(const char *what)
{
    wf_logf(WF_INFO, "%s", what);
    return wf_fail(-EPROTO, "the mail was not sent");
}

static int defer(struct wf_request *request)
{
    int rc = wf_after_reply(request, note_in_log, "deferred");
    return rc < 0 ? rc : -EIO;
}

static const struct {
    const char *name, *fields;
    bool kept;
} identities[] = {
    {"none", "", false},
    {"one", "X-Request-Id: Abc-09._~+/=:@\r\n", true},
    {"empty", "X-Request-Id: \r\n", false},
    {"with a space", "X-Request-Id: a b\r\n", false},
    {"with a quote", "X-Request-Id: a\"b\r\n", false},
    {"too long",
     "X-Request-Id: "
     "0123456789012345678901234567890123456789012345678901234567890123"
     "01234567890123456789012345678901234567890123456789012345678901234\r\n",
     false},
};

WF_TEST_EACH(each_request_has_an_identity_in_its_answer_and_in_its_lines, identities)
{
    struct wf_app app = {.title = "test", .request_ids = true, .access_log = true};
    struct exchange_log log;
    char line[100];
    wf_route(&app, WF_GET, "/", say_id);
    get(&app, &log, "/", row->fields);
    WF_EXPECT_TEXT(log.statuses, "200 ");
    const char *id = body_of(&log);
    if (row->kept) WF_EXPECT_TEXT(id, "Abc-09._~+/=:@");
    else WF_EXPECT_INT((int64_t)strlen(id), 32);
    snprintf(line, sizeof line, "\r\nX-Request-Id: %.40s\r\n", id);
    WF_EXPECT_PART(text_of(&log), line);
    snprintf(line, sizeof line, "msg=handling request_id=%.40s", id);
    if (!row->kept) WF_EXPECT_PART(wf_test_log(), line);
    snprintf(line, sizeof line, "request_id=%.40s", id);
    if (!row->kept) WF_EXPECT_PART(strstr(wf_test_log(), "msg=request "), line);
    wf_app_finish(&app);
}

WF_TEST(identities_differ_and_what_comes_after_the_answer_has_one_too)
{
    struct wf_app app = {.title = "test", .request_ids = true};
    struct exchange_log log;
    char first[40] = "", line[100];
    wf_route(&app, WF_GET, "/", say_id);
    wf_route(&app, WF_GET, "/defer", defer);
    get(&app, &log, "/", "");
    snprintf(first, sizeof first, "%.39s", body_of(&log));
    get(&app, &log, "/", "");
    WF_EXPECT(strcmp(first, body_of(&log)) != 0);
    get(&app, &log, "/defer", "X-Request-Id: r17\r\n");
    WF_EXPECT_PART(text_of(&log), "\r\nX-Request-Id: r17\r\n");
    WF_EXPECT_TEXT(log.statuses, "500 ");
    snprintf(line, sizeof line, "msg=deferred request_id=%s", "r17");
    WF_EXPECT_PART(wf_test_log(), line);
    WF_EXPECT_PART(wf_test_log(), "GET /defer failed: the mail was not sent\" request_id=r17");
    wf_app_finish(&app);
}

WF_TEST(an_app_says_of_which_letters_an_identity_consists)
{
    struct wf_app app = {.title = "test", .request_ids = true, .request_id_letters = "abc"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_id);
    get(&app, &log, "/", "X-Request-Id: cab\r\n");
    WF_EXPECT_TEXT(body_of(&log), "cab");
    get(&app, &log, "/", "X-Request-Id: cabd\r\n");
    WF_EXPECT_INT((int64_t)strlen(body_of(&log)), 32);
    wf_app_finish(&app);
}

WF_TEST(what_is_no_request_is_answered_with_an_identity_too)
{
    struct wf_app app = {.title = "test", .request_ids = true};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_id);
    ask(&log, &app, "GET / HTTP/1.1\r\nHost: test\r\nNo colon\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "400 ");
    WF_EXPECT_PART(text_of(&log), "\r\nX-Request-Id: ");
    wf_app_finish(&app);
}

WF_TEST(without_the_option_there_is_none)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", say_id);
    get(&app, &log, "/", "X-Request-Id: abc\r\n");
    WF_EXPECT_TEXT(body_of(&log), "none");
    WF_EXPECT(strstr(text_of(&log), "X-Request-Id") == NULL);
    wf_app_finish(&app);
}

/* ---- Traces ---- */

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define TRACE "00-" TRACE_ID "-b7ad6b7169203331-01"

struct sent {
    struct wf_headers headers;
    struct wf_arena *arena;
};

static int add_trace(struct sent *sent)
{
    return wf_headers_add_trace(&sent->headers, sent->arena);
}

/* What a task of the handler would send on. */
static int send_on(struct wf_request *request)
{
    struct sent sent = {.arena = wf_request_arena(request)};
    WF_SCOPE(scope);
    wf_spawn(&scope, add_trace, &sent);
    int rc = wf_scope_join(&scope);
    const char *parent = wf_headers_find(&sent.headers, "traceparent");
    const char *state = wf_headers_find(&sent.headers, "tracestate");
    char text[200];
    snprintf(text, sizeof text, "%s %s", parent != NULL ? parent : "-", state != NULL ? state : "-");
    if (rc == 0) wf_log(WF_INFO, "handling");
    return rc < 0 ? rc : wf_reply_text(request, 200, text);
}

static const struct {
    const char *name, *fields;
    bool same;
    const char *state;
} traces[] = {
    {"a trace", "traceparent: " TRACE "\r\n", true, "-"},
    {"with a state", "traceparent: " TRACE "\r\ntracestate: a=1,b=2\r\n", true, "a=1,b=2"},
    {"a state in two fields", "Traceparent: " TRACE "\r\nTracestate: a=1\r\ntracestate: b=2\r\n", true, "a=1,b=2"},
    {"none", "", false, "-"},
    {"a state of nothing", "tracestate: a=1\r\n", false, "-"},
    {"a malformed one", "traceparent: 00-" TRACE_ID "-0000000000000000-01\r\ntracestate: a=1\r\n", false, "-"},
};

WF_TEST_EACH(a_request_is_part_of_a_trace_and_hands_it_on, traces)
{
    struct wf_app app = {.title = "test", .traces = true};
    struct wf_app inner = {.title = "inner"};
    struct exchange_log log;
    char trace_id[33] = "", line[120];
    wf_route(&inner, WF_GET, "/{id}", send_on);
    wf_mount(&app, "/in", &inner);
    get(&app, &log, "/in/17", row->fields);
    WF_EXPECT_TEXT(log.statuses, "200 ");
    const char *body = body_of(&log), *state = strchr(body, ' ');
    if (state != NULL && strlen(body) > 56) {
        snprintf(trace_id, sizeof trace_id, "%.32s", body + 3);
        WF_EXPECT_INT(strcmp(trace_id, TRACE_ID) == 0, row->same);
        WF_EXPECT(memcmp(body + 36, "b7ad6b7169203331", 16) != 0); /* a span of its own */
        WF_EXPECT_TEXT(state + 1, row->state);
        snprintf(line, sizeof line, "msg=handling request=\"GET /in/{id}\" trace_id=%s", trace_id);
        WF_EXPECT_PART(wf_test_log(), line);
    }
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

WF_TEST(without_the_option_nothing_is_handed_on)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/", send_on);
    get(&app, &log, "/", "traceparent: " TRACE "\r\n");
    WF_EXPECT_TEXT(body_of(&log), "- -");
    wf_app_finish(&app);
}

WF_TEST(a_state_that_is_too_long_is_not_handed_on)
{
    struct wf_app app = {.title = "test", .traces = true};
    struct exchange_log log;
    char fields[800];
    snprintf(fields, sizeof fields, "traceparent: " TRACE "\r\ntracestate: a=%0511d\r\n", 0);
    wf_route(&app, WF_GET, "/", send_on);
    get(&app, &log, "/", fields);
    if (log.size > 0) WF_EXPECT_PART(body_of(&log), " -");
    wf_app_finish(&app);
}

/* ---- Numbers ---- */

static int wait_a_little(struct wf_request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(2));
    return rc < 0 ? rc : wf_reply_empty(request, 204);
}

static int gone(struct wf_request *request)
{
    (void)request;
    return -ECANCELED;
}

WF_TEST(requests_are_counted_by_method_route_and_status, .simulated = true, .unswept = "numbers of the whole program")
{
    struct wf_app app = {.title = "test", .metrics = true}, inner = {.title = "inner"};
    struct exchange_log log;
    wf_route(&inner, WF_GET, "/things/{id}", wait_a_little);
    wf_route(&app, WF_GET, "/gone", gone);
    wf_route(&app, WF_GET, "/metrics", wf_metrics_handler);
    wf_mount(&app, "/in", &inner);
    get(&app, &log, "/in/things/1", "");
    get(&app, &log, "/in/things/2", "");
    get(&app, &log, "/in/nothing", "");
    get(&app, &log, "/gone", "");
    ask(&log, &app, "NONE / HTTP/1.1\r\nHost: a\r\n\r\n");
    get(&app, &log, "/metrics", "");
    const char *body = body_of(&log);
    WF_EXPECT_PART(text_of(&log), "content-type: text/plain; version=0.0.4");
    WF_EXPECT_PART(body, "\nweft_http_requests_total{method=\"GET\",route=\"/in/things/{id}\",status=\"2xx\"} 2\n");
    WF_EXPECT_PART(body, "\nweft_http_requests_total{method=\"GET\",route=\"none\",status=\"4xx\"} 1\n");
    WF_EXPECT_PART(body, "\nweft_http_requests_total{method=\"GET\",route=\"/gone\",status=\"none\"} 1\n");
    WF_EXPECT_PART(body, "\nweft_http_requests_total{method=\"none\",route=\"none\",status=\"5xx\"} 1\n");
    WF_EXPECT_PART(body, "\nweft_http_request_duration_seconds_count{method=\"GET\",route=\"/in/things/{id}\"} 2\n");
    WF_EXPECT_PART(body, "_bucket{method=\"GET\",route=\"/in/things/{id}\",le=\"0.0016\"} 0\n");
    WF_EXPECT_PART(body, "\nweft_http_requests_in_flight 1\n");
    WF_EXPECT(strstr(body, "route=\"/metrics\"") == NULL);
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

/* ---- Alive and ready ---- */

static int good(void *arg)
{
    (void)arg;
    return wf_sleep(WF_MILLISECONDS(100));
}

static int bad(void *arg)
{
    (void)arg;
    return wf_fail(-ECONNREFUSED, "nobody listens at the secret place");
}

static int slow(void *arg)
{
    (void)arg;
    return wf_sleep(WF_FOREVER);
}

static int drain(void *scope)
{
    wf_scope_drain(*(struct wf_scope **)scope);
    return 0;
}

static struct wf_scope *drained;

static const struct {
    const char *name, *path;
    struct wf_health health;
    const char *statuses, *body;
} health[] = {
    {"alive", "/alive", {.time = 1}, "200 ", "{\"status\":\"ok\"}"},
    {"nothing to check", "/ready", {.time = 1}, "200 ", "{\"status\":\"ok\"}"},
    {"good",
     "/ready",
     {.checks = {{"one", good, NULL}, {"two", good, NULL}}},
     "200 ",
     "{\"status\":\"ok\",\"checks\":{\"one\":\"ok\",\"two\":\"ok\"}}"},
    {"all kinds",
     "/ready",
     {.checks = {{"good", good, NULL}, {"bad", bad, NULL}, {"slow", slow, NULL}}, .time = WF_MILLISECONDS(150)},
     "503 ",
     "{\"status\":\"failing\",\"checks\":{\"good\":\"ok\",\"bad\":\"failed\",\"slow\":\"timeout\"}}"},
    {"draining",
     "/ready",
     {.checks = {{"one", drain, &drained}}},
     "503 ",
     "{\"status\":\"draining\",\"checks\":{\"one\":\"ok\"}}"},
};

WF_TEST_EACH(a_server_says_whether_it_is_alive_and_ready, health)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    WF_SCOPE(scope);
    drained = &scope;
    wf_route(&app, WF_GET, "/alive", wf_health_alive);
    wf_route(&app, WF_GET, "/ready", wf_health_ready, .arg = (void *)(uintptr_t)&row->health);
    int64_t began = wf_now();
    get(&app, &log, row->path, "");
    WF_EXPECT(wf_now() - began < WF_MILLISECONDS(190));
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_TEXT(body_of(&log), row->body);
    WF_EXPECT_PART(text_of(&log), "\r\nCache-Control: no-store\r\n");
    if (strcmp(row->name, "all kinds") == 0)
        WF_EXPECT_PART(wf_test_log(), "the check \\\"bad\\\" failed: nobody listens at the secret place");
    wf_app_finish(&app);
    wf_scope_end(&scope, 0);
}

/* ---- Problem details ---- */

#define POINT_MEMBERS(F) F(INT32, x, .max = 9) F(INT32, y)
WF_MODEL(point, POINT_MEMBERS)

static int take_point(struct wf_request *request)
{
    return wf_reply(request, 200, &point_model, wf_body_value(request));
}

static int fail(struct wf_request *request)
{
    (void)request;
    return wf_fail(-EIO, "a secret");
}

static int conflict(struct wf_request *request)
{
    return wf_http_error(request, 409, "taken by \"%s\"", "ada");
}

static int own_kind(struct wf_request *request)
{
    return wf_reply_problem(request, 403, .type = "https://example.com/credit", .title = "Not enough credit",
                            .detail = "30 are there, 50 are needed", .instance = "/account/12");
}

#define PROBLEM(title, status, rest) "{\"type\":\"about:blank\",\"title\":\"" title "\",\"status\":" status "," rest "}"

static const struct {
    const char *name, *request, *body;
} problems[] = {
    {"no route", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
     PROBLEM("Not Found", "404", "\"detail\":\"there is nothing at this path\",\"instance\":\"/nothing\"")},
    {"an error", "GET /conflict HTTP/1.1\r\nHost: a\r\n\r\n",
     PROBLEM("Conflict", "409", "\"detail\":\"taken by \\\"ada\\\"\",\"instance\":\"/conflict\"")},
    {"a failure", "GET /fail HTTP/1.1\r\nHost: a\r\n\r\n",
     PROBLEM("Internal Server Error", "500", "\"detail\":\"Internal Server Error\",\"instance\":\"/fail\"")},
    {"a kind of its own", "GET /own HTTP/1.1\r\nHost: a\r\n\r\n",
     "{\"type\":\"https://example.com/credit\",\"title\":\"Not enough credit\",\"status\":403,"
     "\"detail\":\"30 are there, 50 are needed\",\"instance\":\"/account/12\"}"},
    {"inputs", "POST /in/point HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n{\"x\":10}",
     "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
     "\"detail\":\"the input is not what is expected\",\"instance\":\"/in/point\",\"errors\":["
     "{\"loc\":[\"body\",\"x\"],\"msg\":\"Input should be less than or equal to 9\",\"type\":\"less_than_equal\"},"
     "{\"loc\":[\"body\",\"y\"],\"msg\":\"Field required\",\"type\":\"missing\"}]}"},
    {"no request", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "{\"type\":\"about:blank\",\"title\":\"Bad Request\""},
};

WF_TEST_EACH(errors_are_problem_details_where_that_is_wanted, problems)
{
    struct wf_app app = {.title = "test", .problem_details = true}, inner = {.title = "inner"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/fail", fail);
    wf_route(&app, WF_GET, "/conflict", conflict);
    wf_route(&app, WF_GET, "/own", own_kind);
    wf_route(&inner, WF_POST, "/point", take_point, .body = &point_model);
    wf_mount(&app, "/in", &inner);
    ask(&log, &app, row->request);
    WF_EXPECT_PART(body_of(&log), row->body);
    WF_EXPECT_PART(text_of(&log), "\r\ncontent-type: application/problem+json\r\n");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

/* ---- Errors in a form of the app's own ---- */

static int write_own_error(struct wf_request *request, const struct wf_error_answer *error,
                           struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    wf_json_write_key(writer, "at");
    wf_json_write_string(writer, wf_request_path(request));
    wf_json_write_key(writer, error->problems != NULL ? error->problems->first->type : "why");
    wf_json_write_string(writer, error->problems != NULL ? error->problems->first->message : error->detail);
    return wf_json_close_object(writer);
}

static const struct {
    const char *name, *request, *body;
} own_errors[] = {
    {"a handler's", "GET /in/conflict HTTP/1.1\r\nHost: a\r\n\r\n", "{\"at\":\"/in/conflict\",\"why\":\""},
    {"what is not there", "GET /in/nothing HTTP/1.1\r\nHost: a\r\n\r\n",
     "{\"at\":\"/in/nothing\",\"why\":\"there is nothing at this path\"}"},
    {"another method", "PUT /in/point HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "PUT is not for this path"},
    {"inputs", "POST /in/point HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n{\"x\":10}",
     "{\"at\":\"/in/point\",\"less_than_equal\":\"Input should be less than or equal to 9\"}"},
    {"no words of what is inside", "GET /in/fail HTTP/1.1\r\nHost: a\r\n\r\n",
     "{\"at\":\"/in/fail\",\"why\":\"Internal Server Error\"}"},
    {"not those of the app around it", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
     "{\"detail\":\"there is nothing at this path\"}"},
};

WF_TEST_EACH(errors_have_the_form_that_an_app_has_for_them, own_errors)
{
    struct wf_app app = {.title = "test"}, inner = {.title = "inner", .write_error = write_own_error};
    struct exchange_log log;
    wf_route(&inner, WF_GET, "/fail", fail);
    wf_route(&inner, WF_GET, "/conflict", conflict);
    wf_route(&inner, WF_POST, "/point", take_point, .body = &point_model);
    wf_mount(&app, "/in", &inner);
    ask(&log, &app, row->request);
    WF_EXPECT_PART(body_of(&log), row->body);
    WF_EXPECT_PART(text_of(&log), "\r\ncontent-type: application/json\r\n");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

WF_TEST_MAIN
