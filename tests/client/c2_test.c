/* Calls over HTTP/2: many on one connection, each on its own. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/generator.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "c2_server.h"

enum { MANY = 64, LARGE = 3 << 20 };

/* ---- The app ---- */

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int slow(struct wf_request *request)
{
    int rc = wf_sleep(WF_SECONDS(5));
    return rc < 0 ? rc : wf_reply_text(request, 200, "at last");
}

/* As many bytes as the query says. */
static int large(struct wf_request *request)
{
    char piece[2000];
    int64_t left;
    int rc = wf_query_int(request, "size", LARGE, &left);
    memset(piece, 'x', sizeof piece);
    if (rc == 0) rc = wf_reply_begin(request, 200, "text/plain", left);
    for (; rc == 0 && left > 0; left -= (int64_t)sizeof piece)
        rc = wf_reply_write(request, piece, left < (int64_t)sizeof piece ? (size_t)left : sizeof piece);
    return rc;
}

/* How many bytes came. */
static int count(struct wf_request *request)
{
    char piece[2000];
    ssize_t got;
    int64_t sum = 0;
    while ((got = wf_request_read(request, piece, sizeof piece)) > 0) sum += got;
    if (got < 0) return (int)got;
    const char *text = wf_arena_printf(wf_request_arena(request), "%" PRId64, sum);
    return text == NULL ? -ENOMEM : wf_reply_text(request, 200, text);
}

static int refuse(struct wf_request *request)
{
    return wf_http_error(request, 403, "not you");
}

static int fields(struct wf_request *request)
{
    static const char *const names[] = {"connection", "upgrade", "te", "x-own", "cookie", "host"};
    const char *text = wf_request_host(request);
    for (size_t i = 0; i < WF_COUNT(names) && text != NULL; i++) {
        const char *value = wf_request_header(request, names[i]);
        if (value != NULL) text = wf_arena_printf(wf_request_arena(request), "%s|%s=%s", text, names[i], value);
    }
    return text == NULL ? -ENOMEM : wf_reply_text(request, 200, text);
}

static void declare_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/hello", hello);
    wf_route(app, WF_GET, "/slow", slow);
    wf_route(app, WF_GET, "/large", large);
    wf_route(app, WF_GET, "/fields", fields);
    wf_route(app, WF_POST, "/count", count);
    wf_route(app, WF_POST, "/refuse", refuse);
}

/* ---- The rig ---- */

struct rig {
    struct wf_app app;
    struct wf_client *client;
    struct wf_response response;
};

static const char *said(const struct rig *rig)
{
    return rig->response.body != NULL ? rig->response.body : "";
}

#define RIG(rig, ...)                                                                                                  \
    struct rig rig __attribute__((cleanup(finish_rig))) = {.app = {.title = "t", .limits = {.body_max = 2 * LARGE}}};  \
    declare_routes(&rig.app);                                                                                          \
    WF_CLIENT(rig##_client, .base_url = "http://server", .app = &rig.app, .version = WF_HTTP_2, __VA_ARGS__);          \
    rig.client = &rig##_client

static void finish_rig(struct rig *rig)
{
    wf_app_finish(&rig->app);
}

#define GET(rig, url, ...) wf_get((rig).client, wf_task_arena(), (url), &(rig).response, __VA_ARGS__)
#define POST(rig, url, ...) wf_post((rig).client, wf_task_arena(), (url), &(rig).response, __VA_ARGS__)

static struct wf_client_statistics statistics_of(const struct wf_client *client)
{
    struct wf_client_statistics statistics;
    wf_client_statistics(client, &statistics);
    return statistics;
}

struct one {
    struct wf_client *client;
    const char *url;
    int64_t time; /* 0: as long as it takes */
    struct wf_response response;
};

static int get_one(struct one *one)
{
    return wf_within(one->time > 0 ? one->time : WF_SECONDS(1000),
                     wf_get(one->client, wf_task_arena(), one->url, &one->response));
}

static struct one *calls_to(struct wf_client *client, const char *url, size_t count)
{
    struct one *calls = wf_arena_array(wf_task_arena(), count, sizeof *calls);
    for (size_t i = 0; calls != NULL && i < count; i++) calls[i] = (struct one){.client = client, .url = url};
    return calls;
}

/* ---- Many ---- */

WF_TEST(many_calls_share_one_connection, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig);
    struct one *calls = calls_to(rig.client, "/slow", MANY);
    int64_t began = wf_now();
    if (calls == NULL || !WF_EXPECT_CODE(wf_gather(calls, MANY, get_one), 0)) return;
    WF_EXPECT_INT(wf_now() - began < WF_SECONDS(6), 1);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
    WF_EXPECT_INT(statistics_of(rig.client).idle, 1);
    WF_EXPECT_INT(statistics_of(rig.client).busy, 0);
}

WF_TEST(no_more_streams_than_allowed, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, .limits = {.streams = 4, .per_host = 2});
    struct one *calls = calls_to(rig.client, "/slow", 16);
    int64_t began = wf_now();
    if (calls == NULL || !WF_EXPECT_CODE(wf_gather(calls, 16, get_one), 0)) return;
    WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(5), 2);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 2);
}

WF_TEST(a_server_may_allow_fewer_streams, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, .limits = {.per_host = 1});
    rig.app.limits.streams = 3;
    struct one *calls = calls_to(rig.client, "/slow", 9);
    if (!WF_EXPECT_CODE(GET(rig, "/hello"), 0) || calls == NULL) return; /* its settings are known then */
    int64_t began = wf_now();
    if (!WF_EXPECT_CODE(wf_gather(calls, 9, get_one), 0)) return;
    WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(5), 3);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

WF_TEST(a_call_that_is_cut_ends_its_stream_alone, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig);
    struct one *calls = calls_to(rig.client, "/slow", 9);
    int codes[9];
    if (calls == NULL) return;
    for (int i = 1; i < 9; i += 3) calls[i].time = WF_SECONDS(1);
    wf_ignore(wf_gather(calls, 9, get_one, .collect = codes));
    for (int i = 0; i < 9; i++) WF_EXPECT_CODE(codes[i], i % 3 == 1 ? -ETIME : 0);
    WF_EXPECT_CODE(GET(rig, "/hello"), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

WF_TEST(an_answer_that_is_left_ends_its_stream_alone)
{
    RIG(rig);
    char buffer[100];
    for (int i = 0; i < 3; i++) {
        if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, wf_task_arena(), WF_GET, "/large", &rig.response), 0)) return;
        WF_EXPECT_INT(wf_response_read(&rig.response, buffer, sizeof buffer) > 0, 1);
        wf_response_close(&rig.response);
    }
    if (WF_EXPECT_CODE(GET(rig, "/hello"), 0)) WF_EXPECT_TEXT(said(&rig), "hello");
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

/* ---- Bodies ---- */

WF_TEST(large_bodies_go_both_ways, .timeout = WF_SECONDS(60))
{
    RIG(rig);
    char *bytes = wf_arena_zero(wf_task_arena(), LARGE);
    if (bytes == NULL || !WF_EXPECT_CODE(GET(rig, "/large"), 0)) return;
    WF_EXPECT_INT((int64_t)rig.response.size, LARGE);
    if (WF_EXPECT_CODE(POST(rig, "/count", .bytes = bytes, .bytes_size = LARGE), 0))
        WF_EXPECT_TEXT(said(&rig), "3145728");
}

static ssize_t read_all(struct wf_response *response)
{
    char buffer[2000];
    ssize_t got, sum = 0;
    while ((got = wf_response_read(response, buffer, sizeof buffer)) > 0) sum += got;
    return got < 0 ? got : sum;
}

static int open_large(struct wf_client *client, struct wf_response *response)
{
    return wf_fetch_open(client, wf_task_arena(), WF_GET, "/large", response);
}

WF_TEST(a_call_that_does_not_read_stops_nobody, .timeout = WF_SECONDS(60))
{
    RIG(rig);
    struct wf_response *idle = wf_arena_array(wf_task_arena(), 6, sizeof *idle);
    if (idle == NULL) return;
    for (int i = 0; i < 6; i++)
        if (!WF_EXPECT_CODE(open_large(rig.client, &idle[i]), 0)) return;
    if (!WF_EXPECT_CODE(GET(rig, "/large?size=9000000"), 0)) return;
    WF_EXPECT_INT((int64_t)rig.response.size, 9000000);
    for (int i = 0; i < 6; i += 5) WF_EXPECT_INT(read_all(&idle[i]), LARGE);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
    for (int i = 0; i < 6; i++) wf_response_close(&idle[i]);
}

static int pieces_without_end(struct wf_generator *out, int *given)
{
    static char bytes[1000];
    struct iovec piece = {bytes, sizeof bytes};
    int rc = 0;
    for (*given = 0; rc == 0; (*given)++) rc = wf_emit(out, &piece);
    return rc;
}

WF_TEST(a_server_that_says_no_is_not_told_more)
{
    RIG(rig);
    int given = 0;
    WF_GENERATOR(pieces, pieces_without_end, &given, struct iovec);
    if (!WF_EXPECT_CODE(POST(rig, "/refuse", .items = &pieces.iterator), 0)) return;
    WF_EXPECT_INT(rig.response.status, 403);
    WF_EXPECT_INT(given < 2000, 1);
    WF_EXPECT_CODE(GET(rig, "/hello"), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

static int one_piece_and_then_nothing(struct wf_generator *out, int *unused)
{
    (void)unused;
    struct iovec piece = {(char[]){"abc"}, 3};
    int rc = wf_emit(out, &piece);
    return rc < 0 ? rc : wf_sleep(WF_SECONDS(1000));
}

WF_TEST(nor_does_it_wait_for_a_body_that_dawdles, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig);
    int unused = 0;
    WF_GENERATOR(pieces, one_piece_and_then_nothing, &unused, struct iovec);
    if (WF_EXPECT_CODE(POST(rig, "/refuse", .items = &pieces.iterator), 0)) WF_EXPECT_INT(rig.response.status, 403);
}

static int three_pieces(struct wf_generator *out, int *unused)
{
    (void)unused;
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        struct iovec piece = {(char[]){"abc"}, 3};
        rc = wf_emit(out, &piece);
    }
    return rc;
}

WF_TEST(a_body_must_be_as_long_as_it_was_said_to_be)
{
    RIG(rig);
    int unused = 0;
    static const int codes[] = {-EMSGSIZE, 0, -EBADMSG};
    for (int i = 0; i < 3; i++) {
        WF_GENERATOR(pieces, three_pieces, &unused, struct iovec);
        WF_EXPECT_CODE(POST(rig, "/count", .items = &pieces.iterator, .length = 8 + i), codes[i]);
        if (i == 1) WF_EXPECT_TEXT(said(&rig), "9");
    }
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

/* ---- Fields ---- */

WF_TEST(fields_of_a_connection_are_left_out)
{
    RIG(rig);
    const struct wf_named *given = WF_NAMED({"Connection", "x"}, {"Upgrade", "y"}, {"TE", "gzip"}, {"X-Own", "z"},
                                            {"Cookie", "a=b; c=d"}, {"Host", "other"});
    if (WF_EXPECT_CODE(GET(rig, "/fields", .headers = given), 0))
        WF_EXPECT_TEXT(said(&rig), "other|x-own=z|cookie=a=b; c=d");
    if (WF_EXPECT_CODE(GET(rig, "/fields", .headers = WF_NAMED({"TE", "trailers"})), 0))
        WF_EXPECT_TEXT(said(&rig), "server|te=trailers");
}

WF_TEST(a_request_has_its_limit)
{
    RIG(rig);
    char *text = wf_arena_alloc(wf_task_arena(), 70001);
    if (text == NULL) return;
    memset(text, 'x', 70000);
    text[70000] = '\0';
    WF_EXPECT_CODE(GET(rig, "/hello", .headers = WF_NAMED({"X-Own", text})), -EMSGSIZE);
    WF_EXPECT_PART(wf_failure(), "the fields of the request are too long");
    WF_EXPECT_CODE(GET(rig, "/hello"), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

/* ---- Connections that end ---- */

/* A call to a server that plays these scripts, one connection after the other. */
#define SERVER(server, url, ...)                                                                                       \
    struct c2_server server = {.scripts = {__VA_ARGS__}};                                                              \
    char url[64];                                                                                                      \
    WF_SCOPE(scope);                                                                                                   \
    bool started = c2_server_start(&server, &scope) == 0;                                                              \
    c2_server_url(&server, url)

WF_TEST(a_server_that_leaves_hands_on_what_it_did_not_look_at, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A5; G 3 0; H1eh :status=201; H3eh :status=202; E", "A1; H1eh :status=203");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2);
        struct one *calls = calls_to(&client, url, 3);
        if (calls != NULL && WF_EXPECT_CODE(wf_gather(calls, 3, get_one), 0))
            for (int i = 0; i < 3; i++) WF_EXPECT_INT(calls[i].response.status, 201 + i);
        WF_EXPECT_INT(server.connections, 2);
        WF_EXPECT_INT((int64_t)statistics_of(&client).retries, 1);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(what_is_not_used_any_more_says_goodbye, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A1; H1eh :status=200");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2, .limits = {.idle_time = WF_SECONDS(5)});
        struct one call = {.client = &client, .url = url};
        WF_EXPECT_CODE(get_one(&call), 0);
        WF_EXPECT_INT(statistics_of(&client).idle, 1);
        wf_ignore(wf_sleep(WF_SECONDS(6)));
        WF_EXPECT_INT(statistics_of(&client).idle, 0);
        WF_EXPECT_TEXT(server.said, "1:head. ack goaway=NO_ERROR end");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_stream_that_is_cut_is_reset, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A3; H1h :status=200; H3h :status=200; D3 abc; T 9000; D1e abc");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2);
        struct one calls[2] = {{.client = &client, .url = url}, {.client = &client, .url = url, .time = WF_SECONDS(1)}};
        int codes[2];
        wf_ignore(wf_gather(calls, 2, get_one, .collect = codes));
        WF_EXPECT_CODE(codes[0], 0);
        WF_EXPECT_CODE(codes[1], -ETIME);
        WF_EXPECT_PART(server.said, "1:head. 3:head. ack 3:reset=CANCEL");
        WF_EXPECT_INT(server.connections, 1);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(more_than_the_window_breaks_the_connection, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A1; H1h :status=200; T 1; 70 D1 *16384");
    if (started) {
        struct wf_response response;
        WF_CLIENT(client, .version = WF_HTTP_2);
        if (WF_EXPECT_CODE(wf_fetch_open(&client, wf_task_arena(), WF_GET, url, &response), 0)) {
            wf_ignore(wf_sleep(WF_SECONDS(1)));
            WF_EXPECT_CODE((int)read_all(&response), -EPROTO);
            WF_EXPECT_PART(wf_failure(), "rules of HTTP/2");
        }
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_connection_that_was_lost_is_left, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A1; H1eh :status=201; T 90000", "A1; H1eh :status=202");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2);
        static const int codes[] = {0, -ETIME, -ETIME, 0};
        struct one call = {.client = &client, .url = url, .time = WF_SECONDS(6)};
        for (int i = 0; i < 4; i++) WF_EXPECT_CODE(get_one(&call), codes[i]);
        WF_EXPECT_INT(call.response.status, 202);
        WF_EXPECT_PART(server.said, "1:head. ack 3:head. ping 3:reset=CANCEL 5:head.");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_slow_answer_is_no_reason_to_leave, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url,
           "A3; T 9000; P e; T 9000; P e; T 9000; H1eh :status=201; H3eh :status=202; A5; H5eh :status=203");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2);
        struct one calls[2] = {{.client = &client, .url = url}, {.client = &client, .url = url}};
        WF_EXPECT_CODE(wf_gather(calls, 2, get_one), 0);
        WF_EXPECT_CODE(get_one(&calls[0]), 0);
        WF_EXPECT_INT(server.connections, 1);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(a_connection_lives_so_long, .simulated = true, .timeout = WF_SECONDS(100))
{
    RIG(rig, .limits = {.lifetime = WF_SECONDS(3)});
    WF_EXPECT_CODE(GET(rig, "/slow"), 0);
    WF_EXPECT_CODE(GET(rig, "/slow"), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 2);
    WF_EXPECT_INT(statistics_of(rig.client).idle, 1);
}

WF_TEST(one_connection_is_warm_enough)
{
    RIG(rig);
    WF_EXPECT_CODE(wf_client_warm(rig.client, "", 5), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
    WF_EXPECT_INT(statistics_of(rig.client).idle, 1);
    WF_EXPECT_CODE(GET(rig, "/hello"), 0);
    WF_EXPECT_INT((int64_t)statistics_of(rig.client).opened, 1);
}

WF_TEST(an_idle_connection_ends_when_tasks_are_to_end, .simulated = true)
{
    SERVER(server, url, "A1; H1eh :status=200");
    if (started) {
        struct wf_client client = {.private_ = NULL};
        WF_BACKGROUND(tasks);
        if (WF_EXPECT_CODE(wf_client_open(&client, &tasks, .version = WF_HTTP_2), 0)) {
            struct one call = {.client = &client, .url = url};
            WF_EXPECT_CODE(get_one(&call), 0);
            int64_t began = wf_now();
            WF_EXPECT_CODE(wf_background_shutdown(&tasks), 0);
            WF_EXPECT_INT(wf_now() - began < WF_SECONDS(1), 1);
            wf_client_close(&client);
        }
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

/* ---- Time ---- */

WF_TEST(a_server_that_takes_nothing_is_waited_for_so_long, .simulated = true, .timeout = WF_SECONDS(100))
{
    SERVER(server, url, "A1; T 90000");
    char *bytes = wf_arena_zero(wf_task_arena(), 1 << 20);
    if (started && bytes != NULL) {
        WF_CLIENT(client, .version = WF_HTTP_2, .times = {.write = WF_SECONDS(3)});
        struct wf_response response;
        int64_t began = wf_now();
        WF_EXPECT_CODE(wf_post(&client, wf_task_arena(), url, &response, .bytes = bytes, .bytes_size = 1 << 20),
                       -ETIME);
        WF_EXPECT_PART(wf_failure(), "cut while sending the request");
        WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(1), 3);
        wf_ignore(wf_sleep(WF_SECONDS(1)));
        WF_EXPECT_PART(server.said, "1:reset=CANCEL");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

/* ---- Trailers ---- */

WF_TEST(trailers_are_there_at_the_end, .simulated = true)
{
    SERVER(server, url, "A1; H1h :status=103 x-early=1; H1h :status=200 x-late=1; D1 abc; H1eh x-sum=5");
    if (started) {
        WF_CLIENT(client, .version = WF_HTTP_2);
        struct one call = {.client = &client, .url = url};
        if (WF_EXPECT_CODE(get_one(&call), 0)) {
            WF_EXPECT_TEXT(wf_headers_find(&call.response.trailers, "x-sum"), "5");
            WF_EXPECT_TEXT(wf_response_header(&call.response, "x-late"), "1");
            WF_EXPECT(wf_response_header(&call.response, "x-early") == NULL);
        }
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST_MAIN
