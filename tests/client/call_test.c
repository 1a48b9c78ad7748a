/* Calls of a client to an app in memory: what goes out, what comes back, and how calls fail. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/generator.h>
#include <weft/model.h>

#include "rig.h"

/* ---- The app ---- */

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

/* Everything of a request that matters here, as text. */
static int mirror(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    const char *type = wf_request_header(request, "content-type"), *who = wf_request_header(request, "authorization");
    const char *own = wf_request_header(request, "x-own"), *query = wf_request_query(request);
    const char *text =
        wf_arena_printf(wf_request_arena(request), "%s %s%s%s|%s|%s|%s|%" PRId64 "|%s",
                        wf_method_name(wf_request_method(request)), wf_request_path(request), query != NULL ? "?" : "",
                        query != NULL ? query : "", type != NULL ? type : "-", who != NULL ? who : "-",
                        own != NULL ? own : "-", wf_request_length(request), body);
    return text == NULL ? -ENOMEM : wf_reply_text(request, 200, text);
}

static int slow(struct wf_request *request)
{
    int rc = wf_sleep(WF_SECONDS(5));
    return rc < 0 ? rc : wf_reply_text(request, 200, "at last");
}

static int dribble(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    for (int i = 0; rc == 0 && i < 100; i++) {
        rc = wf_reply_write(request, "x", 1);
        if (rc == 0) rc = wf_reply_flush(request);
        if (rc == 0) rc = wf_sleep(WF_SECONDS(1));
    }
    return rc;
}

static int redirect(struct wf_request *request)
{
    int64_t status;
    int rc = wf_query_int(request, "status", 302, &status);
    const char *to = wf_query_text(request, "to");
    return rc < 0 ? rc : wf_reply_redirect(request, (int)status, to != NULL ? to : "/mirror");
}

static int teapot(struct wf_request *request)
{
    return wf_http_error(request, 418, "short and stout");
}

static void declare_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/hello", hello);
    for (int method = 0; method < WF_METHODS; method++)
        if (method != WF_HEAD && method != WF_CONNECT && method != WF_OPTIONS)
            wf_route(app, (enum wf_method)method, "/mirror", mirror);
    wf_route(app, WF_GET, "/slow", slow);
    wf_route(app, WF_GET, "/dribble", dribble);
    wf_route(app, WF_GET, "/redirect", redirect);
    wf_route(app, WF_POST, "/redirect", redirect);
    wf_route(app, WF_GET, "/teapot", teapot);
}

/* ---- Requests ---- */

WF_TEST(a_call_brings_the_whole_answer)
{
    RIG(rig, declare_routes);
    if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0)) return;
    WF_EXPECT_INT(rig.response.status, 200);
    WF_EXPECT_TEXT(said(&rig), "hello");
    WF_EXPECT_INT((int64_t)rig.response.size, 5);
    WF_EXPECT_TEXT(rig.response.url, "http://server/hello");
    WF_EXPECT_TEXT(rig.response.version, "HTTP/1.1");
    WF_EXPECT_TEXT(wf_response_header(&rig.response, "Content-Type"), "text/plain; charset=utf-8");
}

WF_TEST(parameters_are_encoded_and_added)
{
    RIG(rig, declare_routes, .params = WF_NAMED({"key", "1"}));
    if (WF_EXPECT_CODE(GET(rig, "/mirror?a=b", .params = WF_NAMED({"q", "a b&c"}, {"none", NULL}, {"\303\274", "/"})),
                       0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror?a=b&key=1&q=a%20b%26c&%C3%BC=%2F|-|-|-|0|");
}

WF_TEST(fields_of_a_call_replace_those_of_the_client)
{
    RIG(rig, declare_routes, .headers = WF_NAMED({"X-Own", "client"}), .bearer = "secret");
    if (WF_EXPECT_CODE(GET(rig, "/mirror"), 0)) WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Bearer secret|client|0|");
    if (WF_EXPECT_CODE(GET(rig, "/mirror", .headers = WF_NAMED({"x-own", "call"}), .bearer = "other"), 0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Bearer other|call|0|");
    if (WF_EXPECT_CODE(GET(rig, "/mirror", .headers = WF_NAMED({"X-OWN", NULL})), 0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Bearer secret|-|0|");
    if (WF_EXPECT_CODE(GET(rig, "/mirror", .basic = {"ada", "l"}), 0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Basic YWRhOmw=|client|0|");
}

WF_TEST(what_cannot_be_sent_is_refused)
{
    RIG(rig, declare_routes);
    WF_EXPECT_CODE(GET(rig, "/mirror", .headers = WF_NAMED({"X-Own", "a\r\nb: c"})), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "the field \"X-Own\" cannot be sent");
    WF_EXPECT_CODE(GET(rig, "/mirror", .headers = WF_NAMED({"Content-Length", "5"})), -EINVAL);
    WF_EXPECT_CODE(POST(rig, "/mirror", .text = "a", .json = "1"), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "a request has one body");
    WF_EXPECT_CODE(GET(rig, "ftp://server/"), -EINVAL);
    WF_EXPECT_CODE(GET(rig, "http://"), -EINVAL);
    WF_EXPECT_CODE(GET(rig, "/a\nb"), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "control character");
}

#define POINT_MEMBERS(M) M(INT32, x) M(INT32, y, .optional = true)
WF_MODEL(point, POINT_MEMBERS)

static int two_pieces(struct wf_generator *out, int *unused)
{
    (void)unused;
    struct iovec piece = {(char[]){"one "}, 4};
    int rc = wf_emit(out, &piece);
    piece = (struct iovec){(char[]){"two"}, 3};
    return rc < 0 ? rc : wf_emit(out, &piece);
}

WF_TEST(bodies_of_every_kind_arrive)
{
    RIG(rig, declare_routes);
    struct point point = {.x = 3};
    int unused = 0;
    WF_GENERATOR(pieces, two_pieces, &unused, struct iovec);
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .text = "hi"), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|text/plain; charset=utf-8|-|-|2|hi");
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .json = "[1]"), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|application/json|-|-|3|[1]");
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .model = &point_model, .value = &point), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|application/json|-|-|7|{\"x\":3}");
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .form = WF_NAMED({"a", "b c"}, {"d", "&"})), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|application/x-www-form-urlencoded|-|-|13|a=b%20c&d=%26");
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .items = &pieces.iterator, .content_type = "text/x"), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|text/x|-|-|-1|one two");
    if (WF_EXPECT_CODE(POST(rig, "/mirror"), 0)) WF_EXPECT_TEXT(said(&rig), "POST /mirror|-|-|-|0|");
}

WF_TEST(a_long_body_goes_out_while_the_answer_is_waited_for)
{
    RIG(rig, declare_routes);
    size_t size = 300000;
    char *bytes = wf_arena_alloc(wf_task_arena(), size + 1);
    if (bytes == NULL) return;
    memset(bytes, 'x', size);
    bytes[size] = '\0';
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .bytes = bytes, .bytes_size = size), 0)) {
        WF_EXPECT_PART(said(&rig), "|300000|xxx");
        WF_EXPECT_INT(rig.response.size > size, 1);
    }
    if (WF_EXPECT_CODE(POST(rig, "/teapot", .bytes = bytes, .bytes_size = size), 0))
        WF_EXPECT_INT(rig.response.status, 405);
}

/* ---- Answers ---- */

WF_TEST(an_answer_can_be_checked)
{
    RIG(rig, declare_routes);
    if (!WF_EXPECT_CODE(GET(rig, "/teapot"), 0)) return;
    WF_EXPECT_INT(rig.response.status, 418);
    WF_EXPECT_CODE(wf_response_check(&rig.response), WF_ESTATUS);
    WF_EXPECT_TEXT(wf_failure(), "GET http://server/teapot: 418 : {\"detail\":\"short and stout\"}");
    WF_EXPECT_CODE(GET(rig, "/teapot", .check_status = true), WF_ESTATUS);
    WF_EXPECT_PART(wf_failure(), "short and stout");
    WF_EXPECT_INT(rig.response.status, 418);
}

WF_TEST(an_answer_is_read_by_a_model)
{
    RIG(rig, declare_routes);
    struct point point = {.x = 0};
    if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0)) return;
    WF_EXPECT_CODE(wf_response_model(&rig.response, &point_model, &point), -EBADMSG);
    WF_EXPECT_PART(wf_failure(), "http://server/hello: 200, whose body is no JSON");
}

WF_TEST(an_answer_is_read_in_pieces)
{
    RIG(rig, declare_routes);
    char buffer[3];
    if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, wf_task_arena(), WF_GET, "/hello", &rig.response), 0)) return;
    WF_EXPECT_INT(wf_response_read(&rig.response, buffer, 3), 3);
    WF_EXPECT_INT(wf_response_read(&rig.response, buffer, 3), 2);
    WF_EXPECT_INT(wf_response_read(&rig.response, buffer, 3), 0);
    WF_EXPECT_INT(wf_response_read(&rig.response, buffer, 3), 0);
    wf_response_close(&rig.response);
    wf_response_close(&rig.response);
}

WF_TEST(the_pieces_of_an_answer_are_the_body_of_a_request)
{
    RIG(rig, declare_routes);
    struct wf_response from;
    if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, wf_task_arena(), WF_GET, "/hello", &from), 0)) return;
    WF_RESPONSE_PIECES(pieces, &from);
    if (WF_EXPECT_CODE(POST(rig, "/mirror", .items = &pieces.iterator), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|application/octet-stream|-|-|-1|hello");
}

WF_TEST(an_answer_that_is_left_ends_its_connection, .simulated = true)
{
    RIG(rig, declare_routes);
    struct wf_client_statistics statistics;
    if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, wf_task_arena(), WF_GET, "/dribble", &rig.response), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.busy, 1);
    wf_response_close(&rig.response);
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.busy, 0);
    WF_EXPECT_INT(statistics.idle, 0);
    WF_EXPECT_INT((int64_t)statistics.closed, 1);
}

WF_TEST(an_answer_that_is_too_long_is_refused)
{
    RIG(rig, declare_routes);
    WF_EXPECT_CODE(GET(rig, "/hello", .body_max = 4), -EMSGSIZE);
    WF_EXPECT_PART(wf_failure(), "the body is longer than 4 bytes");
    WF_EXPECT_CODE(GET(rig, "/hello", .body_max = 5), 0);
}

/* ---- Connections ---- */

WF_TEST(one_call_after_the_other_uses_one_connection)
{
    RIG(rig, declare_routes);
    struct wf_client_statistics statistics;
    for (int i = 0; i < 10; i++)
        if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 1);
    WF_EXPECT_INT((int64_t)statistics.calls, 10);
    WF_EXPECT_INT((int64_t)statistics.reused, 9);
}

struct many {
    struct rig *rig;
    struct wf_response response;
    int number;
    int *order, *count;
};

static int get_slowly(struct many *many)
{
    int rc = wf_get(many->rig->client, wf_task_arena(), "/slow", &many->response);
    if (rc == 0) many->order[(*many->count)++] = many->number;
    return rc;
}

static int get_at_once(struct rig *rig, int how_many, int *order)
{
    struct many many[9];
    int count = 0;
    for (int i = 0; i < how_many; i++)
        many[i] = (struct many){.rig = rig, .number = i, .order = order, .count = &count};
    return wf_gather(many, (size_t)how_many, get_slowly);
}

WF_TEST(no_more_connections_than_allowed, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, declare_routes, .limits = {.per_host = 3});
    struct wf_client_statistics statistics;
    int order[9];
    if (!WF_EXPECT_CODE(get_at_once(&rig, 9, order), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 3);
    WF_EXPECT_INT(statistics.open_peak, 3);
    WF_EXPECT_INT(statistics.waiting_peak, 6);
    WF_EXPECT_INT(statistics.waiting, 0);
}

WF_TEST(nobody_who_waits_is_passed_by, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, declare_routes, .limits = {.per_host = 1});
    int order[5];
    if (!WF_EXPECT_CODE(get_at_once(&rig, 5, order), 0)) return;
    for (int i = 0; i < 5; i++) WF_EXPECT_INT(order[i], i);
}

WF_TEST(what_is_idle_for_too_long_is_closed, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, declare_routes, .limits = {.idle_time = WF_SECONDS(5)});
    struct wf_client_statistics statistics;
    if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0)) return;
    if (!WF_EXPECT_CODE(wf_sleep(WF_SECONDS(4)), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.idle, 1);
    if (!WF_EXPECT_CODE(wf_sleep(WF_SECONDS(2)), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.idle, 0);
}

/* ---- Time ---- */

WF_TEST(a_deadline_says_where_it_struck, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, declare_routes);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(2), GET(rig, "/slow")), -ETIME);
    WF_EXPECT_TEXT(wf_failure(), "GET http://server/slow: cut while waiting for the answer");
    WF_EXPECT_CODE(wf_within(WF_SECONDS(10), GET(rig, "/dribble")), -ETIME);
    WF_EXPECT_PART(wf_failure(), "cut while reading the body");
    WF_EXPECT_CODE(GET(rig, "/slow", .times = &(struct wf_client_times){.total = WF_SECONDS(1)}), -ETIME);
    WF_EXPECT_PART(wf_failure(), "cut while waiting for the answer");
    WF_EXPECT_CODE(GET(rig, "/slow", .times = &(struct wf_client_times){.head = WF_SECONDS(1)}), -ETIME);
    WF_EXPECT_CODE(GET(rig, "/dribble", .times = &(struct wf_client_times){.body = WF_MILLISECONDS(500)}), -ETIME);
    struct wf_client_statistics statistics;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.busy, 0);
}

/* ---- Redirects ---- */

WF_TEST(redirects_are_followed)
{
    RIG(rig, declare_routes, .bearer = "secret");
    if (WF_EXPECT_CODE(GET(rig, "/redirect"), 0)) {
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Bearer secret|-|0|");
        WF_EXPECT_INT(rig.response.redirects, 1);
        WF_EXPECT_TEXT(rig.response.url, "http://server/mirror");
    }
    if (WF_EXPECT_CODE(POST(rig, "/redirect?status=302", .text = "a"), 0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|Bearer secret|-|0|");
    if (WF_EXPECT_CODE(POST(rig, "/redirect?status=307", .text = "a"), 0))
        WF_EXPECT_TEXT(said(&rig), "POST /mirror|text/plain; charset=utf-8|Bearer secret|-|1|a");
    if (WF_EXPECT_CODE(GET(rig, "/redirect?to=http://other/mirror"), 0))
        WF_EXPECT_TEXT(said(&rig), "GET /mirror|-|-|-|0|");
    if (WF_EXPECT_CODE(GET(rig, "/redirect", .redirects = -1), 0)) WF_EXPECT_INT(rig.response.status, 302);
    WF_EXPECT_CODE(GET(rig, "/redirect?to=/redirect%3Fto=/redirect", .redirects = 3), 0);
    WF_EXPECT_CODE(GET(rig, "/redirect?to=/redirect%3Fto=/redirect", .redirects = 2), -ELOOP);
    WF_EXPECT_PART(wf_failure(), "more than 2 redirects");
    WF_EXPECT_CODE(GET(rig, "/redirect?to=ftp://x/"), -EPROTO);
}

/* ---- The end ---- */

WF_TEST(a_client_that_is_not_open_says_so)
{
    struct wf_client client = {.private_ = NULL};
    struct wf_response response;
    WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "http://server/", &response), -EBADF);
    WF_EXPECT_TEXT(wf_failure(), "the client is not open");
    wf_client_close(&client);
}

static int close_later(struct rig *rig)
{
    int rc = wf_sleep(WF_SECONDS(1));
    wf_client_close(rig->client);
    return rc;
}

WF_TEST(closing_ends_the_calls_under_way, .simulated = true)
{
    RIG(rig, declare_routes, .limits = {.per_host = 1});
    struct many many[2];
    int order[2], count = 0, codes[2];
    for (int i = 0; i < 2; i++) many[i] = (struct many){.rig = &rig, .number = i, .order = order, .count = &count};
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, close_later, &rig);
    if (rc == 0) wf_ignore(wf_gather(many, 2, get_slowly, .collect = codes));
    if (rc == 0) WF_EXPECT_CODE(codes[0], -ESHUTDOWN);
    if (rc == 0) WF_EXPECT_CODE(codes[1], -ESHUTDOWN);
    wf_ignore(wf_scope_end(&scope, rc));
    WF_EXPECT_CODE(GET(rig, "/hello"), -EBADF);
}

WF_TEST_MAIN
