/* What takes too long, and who goes away: clients that trickle, stall, vanish, and a server that drains. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct rig {
    struct wf_app app;
    struct wf_stream *client, *server;
    int64_t ended_at; /* when serving did */
    int served;
    int handler; /* what its wait gave */
};

static int serve(struct rig *rig)
{
    rig->served = wf_app_serve_stream(&rig->app, rig->server);
    rig->ended_at = wf_now();
    wf_stream_close(rig->server);
    return rig->served == -ECANCELED ? -ECANCELED : 0;
}

static int handle(struct wf_request *request)
{
    struct rig *rig = wf_request_state(request);
    const char *path = wf_request_path(request);
    if (strcmp(path, "/slow") == 0) {
        rig->handler = wf_sleep(WF_SECONDS(100));
        return rig->handler < 0 ? rig->handler : wf_reply_text(request, 200, "slow");
    }
    if (strcmp(path, "/soon") == 0) {
        rig->handler = wf_sleep(WF_MILLISECONDS(5));
        return rig->handler < 0 ? rig->handler : wf_reply_text(request, 200, "soon");
    }
    if (strcmp(path, "/large") == 0) {
        char bytes[1000] = "";
        rig->handler = wf_reply_begin(request, 200, "text/plain", 1000000);
        for (int i = 0; i < 1000 && rig->handler == 0; i++) rig->handler = wf_reply_write(request, bytes, sizeof bytes);
        return rig->handler;
    }
    char *body;
    size_t size;
    rig->handler = wf_request_body(request, &body, &size);
    return rig->handler < 0 ? rig->handler : wf_reply_bytes(request, 200, "text/plain", body, size);
}

static void begin(struct wf_scope *scope, struct rig *rig)
{
    if (wf_spawn(scope, serve, rig) < 0) wf_stream_close(rig->server);
}

static bool open_rig(struct rig *rig)
{
    *rig = (struct rig){.app = {.title = "rig"}, .handler = 1};
    rig->app.state = rig;
    wf_route(&rig->app, WF_GET, "/{rest:rest}", handle);
    wf_route(&rig->app, WF_POST, "/{rest:rest}", handle);
    if (WF_EXPECT_CODE(wf_stream_pair(4096, &rig->client, &rig->server), 0)) return true;
    wf_app_finish(&rig->app);
    return false;
}

static void end(struct wf_scope *scope, struct rig *rig)
{
    wf_stream_close(rig->client);
    wf_scope_end(scope, 0);
    wf_app_finish(&rig->app);
}

static int say(struct rig *rig, const char *text)
{
    return wf_stream_write_all(rig->client, text, strlen(text), NULL);
}

/* All that comes until the end or until nothing has come for a while. */
static const char *hear(struct rig *rig, char *text, size_t size)
{
    size_t count = 0;
    ssize_t got = 1;
    while (got > 0 && count < size - 1) {
        got = wf_within(WF_MILLISECONDS(20), wf_stream_read(rig->client, text + count, size - 1 - count));
        if (got > 0) count += (size_t)got;
    }
    text[count] = '\0';
    return text;
}

static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/* ---- Just then ---- */

/* A second request comes in the very moment in which the minder looks: whatever it decides, the request is answered. */
static const char *ask_again_at(struct rig *rig, int64_t at, char *text, size_t size)
{
    WF_EXPECT_CODE(say(rig, good), 0);
    WF_EXPECT_PART(hear(rig, text, size), "HTTP/1.1 200 ");
    WF_EXPECT_CODE(wf_sleep_until(at), 0);
    WF_EXPECT_CODE(say(rig, "GET /soon HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    return hear(rig, text, size);
}

WF_TEST(a_request_that_comes_just_when_its_connection_counts_as_idle_is_answered, .simulated = true,
        .timeout = WF_MINUTES(10), .unswept = "it is about time")
{
    char text[1024];
    for (int i = 1; i <= 12; i++) {
        struct rig rig;
        if (!open_rig(&rig)) return;
        WF_SCOPE(scope);
        int64_t began = wf_now();
        begin(&scope, &rig);
        WF_EXPECT_PART(ask_again_at(&rig, began + i * WF_MILLISECONDS(250), text, sizeof text), "HTTP/1.1 200 ");
        end(&scope, &rig);
    }
}

/* ---- Too slow ---- */

struct sluggish {
    const char *name;
    const char *says, *then; /* what is said at once, and then again and again */
    int64_t every;
    const char *hears;
    int64_t least, most; /* when it ends */
};

static const struct sluggish slow[] = {
    {"nothing at all", "", NULL, 0, "", WF_SECONDS(75), WF_SECONDS(78)},
    {"half a head", "GET / HTTP/1.1\r\nHost", NULL, 0, "HTTP/1.1 408 Request Timeout", WF_SECONDS(10), WF_SECONDS(13)},
    {"a head that trickles", "GET / HTTP/1.1\r\nHost: a\r\nX: ", "x", WF_SECONDS(1), "HTTP/1.1 408 ", WF_SECONDS(10),
     WF_SECONDS(13)},
    {"half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", NULL, 0, "", WF_SECONDS(30),
     WF_SECONDS(33)},
};

static int trickle(struct rig *rig, const struct sluggish *how)
{
    int rc = say(rig, how->says);
    while (rc == 0 && how->then != NULL) {
        rc = wf_sleep(how->every);
        if (rc == 0) rc = say(rig, how->then);
    }
    return rc == -EPIPE ? 0 : rc;
}

static int wait_for_end(struct rig *rig)
{
    while (rig->ended_at == 0) {
        int rc = wf_sleep(WF_MILLISECONDS(100));
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST_EACH(a_client_that_is_too_slow_is_cut_with_an_answer_where_there_can_be_one, slow, .simulated = true,
             .timeout = WF_MINUTES(10), .unswept = "it is about time")
{
    struct rig rig;
    char text[1024];
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    int64_t began = wf_now();
    begin(&scope, &rig);
    trickle(&rig, row);
    WF_EXPECT_CODE(wait_for_end(&rig), 0);
    WF_EXPECT_PART(hear(&rig, text, sizeof text), row->hears);
    WF_EXPECT(rig.ended_at - began >= row->least);
    WF_EXPECT(rig.ended_at - began <= row->most);
    WF_EXPECT_CODE(rig.served, 0);
    end(&scope, &rig);
}

WF_TEST(a_client_that_does_not_take_its_answer_is_cut, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it is about time")
{
    struct rig rig;
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    int64_t began = wf_now();
    begin(&scope, &rig);
    WF_EXPECT_CODE(say(&rig, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    WF_EXPECT_CODE(wait_for_end(&rig), 0);
    WF_EXPECT_CODE(rig.handler, -ECANCELED);
    WF_EXPECT(rig.ended_at - began >= WF_SECONDS(30));
    WF_EXPECT(rig.ended_at - began <= WF_SECONDS(33));
    end(&scope, &rig);
}

WF_TEST(a_handler_has_the_time_that_the_app_gives_it, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it is about time")
{
    struct rig rig;
    char text[1024];
    if (!open_rig(&rig)) return;
    rig.app.limits.handler_time = WF_SECONDS(5);
    WF_SCOPE(scope);
    begin(&scope, &rig);
    WF_EXPECT_CODE(say(&rig, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(6)), 0);
    WF_EXPECT_PART(hear(&rig, text, sizeof text), "HTTP/1.1 504 Gateway Timeout");
    end(&scope, &rig);
}

/* ---- Gone ---- */

WF_TEST(a_client_that_goes_away_cancels_its_handler, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it is about time")
{
    struct rig rig;
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    int64_t began = wf_now();
    begin(&scope, &rig);
    WF_EXPECT_CODE(say(&rig, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(2)), 0);
    wf_stream_close(rig.client);
    rig.client = NULL;
    WF_EXPECT_CODE(wait_for_end(&rig), 0);
    WF_EXPECT_CODE(rig.handler, -ECANCELED);
    WF_EXPECT(rig.ended_at - began < WF_SECONDS(3));
    end(&scope, &rig);
}

WF_TEST(what_a_client_says_while_its_handler_works_is_its_next_request, .simulated = true, .timeout = WF_MINUTES(10))
{
    struct rig rig;
    char text[2048];
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    begin(&scope, &rig);
    WF_EXPECT_CODE(say(&rig, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(2)), 0);
    WF_EXPECT_CODE(say(&rig, "GET /second HTTP/1.1\r\n"), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(99)), 0);
    WF_EXPECT_CODE(say(&rig, "Host: a\r\n\r\n"), 0);
    const char *heard = hear(&rig, text, sizeof text);
    WF_EXPECT_PART(heard, "slow");
    WF_EXPECT_PART(strstr(heard, "slow") != NULL ? strstr(heard, "slow") : "", "HTTP/1.1 200 OK");
    end(&scope, &rig);
}

/* ---- Staying ---- */

WF_TEST(a_connection_that_was_idle_for_a_minute_is_answered, .simulated = true, .timeout = WF_MINUTES(10))
{
    struct rig rig;
    char text[1024];
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    begin(&scope, &rig);
    for (int i = 0; i < 3; i++) {
        WF_EXPECT_CODE(say(&rig, good), 0);
        WF_EXPECT_PART(hear(&rig, text, sizeof text), "HTTP/1.1 200 OK");
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(60)), 0);
    }
    end(&scope, &rig);
}

WF_TEST(a_body_that_is_held_back_is_asked_for)
{
    struct rig rig;
    char text[1024];
    if (!open_rig(&rig)) return;
    WF_SCOPE(scope);
    begin(&scope, &rig);
    WF_EXPECT_CODE(say(&rig, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"), 0);
    WF_EXPECT_TEXT(hear(&rig, text, sizeof text), "HTTP/1.1 100 Continue\r\n\r\n");
    WF_EXPECT_CODE(say(&rig, "abc"), 0);
    WF_EXPECT_PART(hear(&rig, text, sizeof text), "\r\n\r\nabc");
    end(&scope, &rig);
}

WF_TEST(a_body_over_the_limit_is_refused_before_and_while_it_comes)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    };
    for (size_t i = 0; i < WF_COUNT(requests); i++) {
        struct rig rig;
        char text[1024];
        if (!open_rig(&rig)) return;
        rig.app.limits.body_max = 10;
        WF_SCOPE(scope);
        begin(&scope, &rig);
        WF_EXPECT_CODE(say(&rig, requests[i]), 0);
        WF_EXPECT_PART(hear(&rig, text, sizeof text), "HTTP/1.1 413 Content Too Large");
        WF_EXPECT_PART(text, "connection: close");
        end(&scope, &rig);
    }
}

/* ---- Draining ---- */

WF_TEST(a_drain_ends_idle_connections_and_lets_a_handler_finish, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it is about time")
{
    struct rig idle, busy;
    char text[1024];
    if (!open_rig(&idle) || !open_rig(&busy)) return;
    WF_SCOPE(scope);
    int64_t began = wf_now();
    begin(&scope, &idle);
    begin(&scope, &busy);
    WF_EXPECT_CODE(say(&busy, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    wf_scope_drain(&scope);
    WF_EXPECT_CODE(wait_for_end(&idle), 0);
    WF_EXPECT(idle.ended_at - began < WF_SECONDS(2));
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(100)), 0);
    WF_EXPECT_PART(hear(&busy, text, sizeof text), "slow");
    WF_EXPECT_PART(text, "HTTP/1.1 200 OK");
    WF_EXPECT_CODE(busy.served, 0);
    wf_stream_close(idle.client);
    end(&scope, &busy);
    wf_app_finish(&idle.app);
}

WF_TEST_MAIN
