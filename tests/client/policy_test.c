/* Calls that take more than one request: logins, retries; and what is told about them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/compress.h>
#include <weft/context.h>
#include <weft/pipeline.h>
#include <weft/security.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- The app ---- */

struct world {
    struct wf_app app;
    int asked, tokens; /* requests that came; tokens that were made */
    int fail_first;    /* so many requests are answered with 503 */
    const char *retry_after;
    struct wf_call_report report;
    char reported_url[100];
    uint64_t progress;
    struct wf_response response;
};

static struct world *world_of(struct wf_request *request)
{
    return wf_request_state(request);
}

/* The second token is the good one. */
static int guarded(struct wf_request *request)
{
    world_of(request)->asked++;
    const char *login = wf_request_header(request, "authorization");
    bool good = login != NULL && strcmp(login, "Bearer token-2") == 0;
    return good ? wf_reply_text(request, 200, "in") : wf_http_error(request, 401, "who are you?");
}

static int flaky(struct wf_request *request)
{
    struct world *world = world_of(request);
    world->asked++;
    if (world->asked > world->fail_first) return wf_reply_text(request, 200, "up");
    if (world->retry_after != NULL) wf_reply_header(request, "Retry-After", world->retry_after);
    return wf_http_error(request, 503, "not now");
}

static int long_text(struct wf_request *request)
{
    char *text = wf_arena_alloc(wf_request_arena(request), 50001);
    if (text == NULL) return -ENOMEM;
    for (int i = 0; i < 50000; i++) text[i] = (char)('a' + i % 7);
    text[50000] = '\0';
    return wf_reply_text(request, 200, text);
}

static int show_trace(struct wf_request *request)
{
    const char *trace = wf_request_header(request, "traceparent");
    return wf_reply_text(request, 200, trace != NULL ? trace : "none");
}

static void begin(struct world *world)
{
    world->app.title = "t";
    world->app.state = world;
    wf_app_use(&world->app, wf_compress, (struct wf_compress_options *)NULL);
    wf_route(&world->app, WF_GET, "/guarded", guarded);
    wf_route(&world->app, WF_POST, "/guarded", guarded);
    wf_route(&world->app, WF_GET, "/flaky", flaky);
    wf_route(&world->app, WF_POST, "/flaky", flaky);
    wf_route(&world->app, WF_GET, "/long", long_text);
    wf_route(&world->app, WF_GET, "/trace", show_trace);
}

static void finish(struct world *world)
{
    wf_app_finish(&world->app);
}

#define WORLD(world)                                                                                                   \
    struct world world __attribute__((cleanup(finish))) = {.asked = 0};                                                \
    begin(&world)
#define CLIENT(world, ...) WF_CLIENT(client, .base_url = "http://server", .app = &(world).app, __VA_ARGS__)
#define GET(world, url, ...) wf_get(&client, wf_task_arena(), (url), &(world).response, __VA_ARGS__)
#define POST(world, url, ...) wf_post(&client, wf_task_arena(), (url), &(world).response, __VA_ARGS__)

/* ---- Tokens ---- */

static int make_token(void *argument, bool refresh, struct wf_arena *arena, const char **token)
{
    struct world *world = argument;
    (void)refresh;
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    *token = wf_arena_printf(arena, "token-%d", ++world->tokens);
    return *token != NULL ? 0 : -ENOMEM;
}

WF_TEST(a_token_is_asked_for_once_and_again_when_it_is_refused)
{
    WORLD(world);
    CLIENT(world, .token = make_token, .token_arg = &world);
    if (WF_EXPECT_CODE(GET(world, "/guarded"), 0)) WF_EXPECT_INT(world.response.status, 200);
    WF_EXPECT_INT(world.tokens, 2);
    WF_EXPECT_INT(world.asked, 2);
    if (WF_EXPECT_CODE(POST(world, "/guarded", .text = "x"), 0)) WF_EXPECT_INT(world.response.status, 200);
    WF_EXPECT_INT(world.tokens, 2);
    WF_EXPECT_INT(world.asked, 3);
}

struct asking {
    struct world *world;
    struct wf_client *client;
    struct wf_response response;
};

static int ask(struct asking *asking)
{
    return wf_get(asking->client, wf_task_arena(), "/guarded", &asking->response, .check_status = true);
}

WF_TEST(many_calls_ask_for_one_token)
{
    WORLD(world);
    CLIENT(world, .token = make_token, .token_arg = &world);
    struct asking askings[8];
    for (int i = 0; i < 8; i++) askings[i] = (struct asking){.world = &world, .client = &client};
    WF_EXPECT_CODE(wf_gather(askings, 8, ask), 0);
    WF_EXPECT_INT(world.tokens, 2);
}

static int have_no_token(void *argument, bool refresh, struct wf_arena *arena, const char **token)
{
    (void)argument, (void)refresh, (void)arena, (void)token;
    return wf_fail(-EACCES, "the vault is closed");
}

WF_TEST(a_token_that_cannot_be_had_fails_the_call)
{
    WORLD(world);
    CLIENT(world, .token = have_no_token);
    WF_EXPECT_CODE(GET(world, "/guarded"), -EACCES);
    WF_EXPECT_PART(wf_failure(), "the vault is closed");
    WF_EXPECT_INT(world.asked, 0);
}

/* ---- Retries ---- */

static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3, .base = WF_MILLISECONDS(100));

WF_TEST(an_answer_that_says_not_now_is_asked_for_again, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_pipeline pipeline = {.retry = &thrice};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 2;
    int64_t began = wf_now();
    if (WF_EXPECT_CODE(GET(world, "/flaky"), 0)) WF_EXPECT_INT(world.response.status, 200);
    WF_EXPECT_INT(world.asked, 3);
    WF_EXPECT(wf_now() - began >= WF_MILLISECONDS(300));
}

WF_TEST(a_server_may_say_when_to_come_again, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_pipeline pipeline = {.retry = &thrice};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 1;
    world.retry_after = "30";
    int64_t began = wf_now();
    if (WF_EXPECT_CODE(GET(world, "/flaky"), 0)) WF_EXPECT_INT(world.response.status, 200);
    WF_EXPECT(wf_now() - began >= WF_SECONDS(30));
}

WF_TEST(a_time_that_is_too_long_to_wait_for_ends_the_retry, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_pipeline pipeline = {.retry = &thrice, .within = WF_SECONDS(10)};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 100;
    static const char *const times[] = {"9223372036854775807", "Fri, 31 Dec 9999 23:59:59 GMT"};
    for (unsigned i = 0; i < WF_COUNT(times); i++) {
        world.asked = 0;
        world.retry_after = times[i];
        if (WF_EXPECT_CODE(GET(world, "/flaky"), 0)) WF_EXPECT_INT(world.response.status, 503);
        WF_EXPECT_INT(world.asked, 1);
    }
}

WF_TEST(the_last_answer_is_the_answer, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_pipeline pipeline = {.retry = &thrice};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 100;
    if (WF_EXPECT_CODE(GET(world, "/flaky"), 0)) {
        WF_EXPECT_INT(world.response.status, 503);
        WF_EXPECT_PART(world.response.body, "not now");
    }
    WF_EXPECT_INT(world.asked, 3);
    WF_EXPECT_CODE(GET(world, "/flaky", .check_status = true), WF_ESTATUS);
}

WF_TEST(what_might_do_harm_is_tried_once, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_pipeline pipeline = {.retry = &thrice};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 1;
    if (WF_EXPECT_CODE(POST(world, "/flaky", .text = "x"), 0)) WF_EXPECT_INT(world.response.status, 503);
    WF_EXPECT_INT(world.asked, 1);
    world.asked = 0;
    if (WF_EXPECT_CODE(POST(world, "/flaky", .text = "x", .headers = WF_NAMED({"Idempotency-Key", "7"})), 0))
        WF_EXPECT_INT(world.response.status, 200);
    WF_EXPECT_INT(world.asked, 2);
}

WF_TEST(a_breaker_that_is_open_lets_no_call_through, .simulated = true, .timeout = WF_MINUTES(5))
{
    WORLD(world);
    struct wf_breaker breaker = WF_BREAKER(.failures = 2);
    struct wf_pipeline pipeline = {.breaker = &breaker};
    CLIENT(world, .pipeline = &pipeline);
    world.fail_first = 100;
    for (int i = 0; i < 2; i++) WF_EXPECT_CODE(GET(world, "/flaky"), 0);
    WF_EXPECT_CODE(GET(world, "/flaky"), WF_EOPEN);
    WF_EXPECT_PART(wf_failure(), "GET http://server/flaky");
    WF_EXPECT_INT(world.asked, 2);
}

/* ---- Bodies ---- */

static void note_progress(void *argument, uint64_t done, int64_t total)
{
    struct world *world = argument;
    (void)total;
    world->progress = done;
}

WF_TEST(an_answer_is_decompressed)
{
    WORLD(world);
    CLIENT(world);
    static const char *const names[] = {"gzip", "br", "zstd"};
    for (unsigned i = 0; i < WF_COUNT(names); i++) {
        bool done = WF_EXPECT_CODE(GET(world, "/long", .headers = WF_NAMED({"Accept-Encoding", names[i]}),
                                       .progress = note_progress, .progress_arg = &world),
                                   0);
        if (!done) return;
        WF_EXPECT_TEXT(wf_response_header(&world.response, "content-encoding"), names[i]);
        if (!WF_EXPECT_INT((int64_t)world.response.size, 50000)) return;
        WF_EXPECT(world.response.body[49999] == 'a' + 49999 % 7);
        WF_EXPECT(world.progress > 0 && world.progress < 5000);
    }
    WF_EXPECT_CODE(GET(world, "/long", .body_max = 40000), -EMSGSIZE);
}

WF_TEST(an_answer_stays_compressed_where_that_is_wanted)
{
    WORLD(world);
    CLIENT(world, .keep_encoding = true);
    if (WF_EXPECT_CODE(GET(world, "/long", .headers = WF_NAMED({"Accept-Encoding", "gzip"})), 0))
        WF_EXPECT(world.response.size < 5000);
}

/* ---- Traces ---- */

WF_TEST(a_call_carries_the_trace_of_the_request_on)
{
    WORLD(world);
    CLIENT(world);
    if (WF_EXPECT_CODE(GET(world, "/trace"), 0)) WF_EXPECT_TEXT(world.response.body, "none");
    WF_REQUEST_CONTEXT(request, .traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    if (!WF_EXPECT_CODE(GET(world, "/trace"), 0)) return;
    WF_EXPECT_PART(world.response.body, "00-4bf92f3577b34da6a3ce929d0e0e4736-");
    WF_EXPECT(strstr(world.response.body, "00f067aa0ba902b7") == NULL);
}

/* ---- Warming ---- */

WF_TEST(connections_are_opened_before_they_are_needed)
{
    WORLD(world);
    CLIENT(world);
    struct wf_client_statistics statistics;
    if (!WF_EXPECT_CODE(wf_client_warm(&client, "", 3), 0)) return;
    wf_client_statistics(&client, &statistics);
    WF_EXPECT_INT(statistics.idle, 3);
    if (!WF_EXPECT_CODE(GET(world, "/long"), 0)) return;
    wf_client_statistics(&client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 3);
    WF_EXPECT_INT((int64_t)statistics.reused, 1);
}

/* ---- Reports ---- */

static void note_report(void *argument, const struct wf_call_report *report)
{
    struct world *world = argument;
    world->report = *report;
    snprintf(world->reported_url, sizeof world->reported_url, "%s", report->url);
}

WF_TEST(each_call_is_reported_without_its_secrets)
{
    WORLD(world);
    CLIENT(world, .on_call = note_report, .on_call_arg = &world);
    if (!WF_EXPECT_CODE(GET(world, "http://ada:secret@server/guarded#x"), 0)) return;
    WF_EXPECT_TEXT(world.reported_url, "http://server/guarded");
    WF_EXPECT_INT(world.report.status, 401);
    WF_EXPECT_INT(world.report.code, 0);
    WF_EXPECT(!world.report.reused);
    WF_EXPECT_CODE(GET(world, "http://server/guarded", .check_status = true), WF_ESTATUS);
    WF_EXPECT(world.report.reused);
    WF_EXPECT(world.report.received > 0);
}

WF_TEST_MAIN
