/* Event sources: what is heard, coming again behind the last event, and how it ends. */
#include <stdio.h>
#include <string.h>
#include <weft/sse.h>

#include "rig.h"
#include "scripted.h"

/* ---- A server of ours ---- */

static int count_up(struct wf_request *request)
{
    struct wf_sse events;
    const char *last = wf_sse_last_id(request);
    int from = last != NULL ? last[0] - '0' : 0;
    if (from >= 6) return wf_reply_empty(request, 204);
    int rc = wf_sse_begin(request, &events);
    for (int i = from + 1; i <= from + 2 && rc == 0; i++) {
        char id[12];
        snprintf(id, sizeof id, "%d", i);
        rc = wf_sse_send(&events, .event = "count", .id = id, .data = id, .retry = WF_SECONDS(1));
    }
    return rc;
}

static int fail(struct wf_request *request)
{
    return wf_http_error(request, 503, "later");
}

static int forbid(struct wf_request *request)
{
    return wf_http_error(request, 403, "never");
}

static int be_no_stream(struct wf_request *request)
{
    return wf_reply_text(request, 200, "data: hello\n\n");
}

static int stall(struct wf_request *request)
{
    struct wf_sse events;
    int rc = wf_sse_begin(request, &events, .heartbeat = -1);
    if (rc == 0) rc = wf_sse_send(&events, .data = "one");
    return rc == 0 ? wf_sleep(WF_SECONDS(1000)) : rc;
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/count", count_up);
    wf_route(app, WF_GET, "/fail", fail);
    wf_route(app, WF_GET, "/forbid", forbid);
    wf_route(app, WF_GET, "/text", be_no_stream);
    wf_route(app, WF_GET, "/stall", stall);
}

WF_TEST(a_source_comes_again_behind_the_last_event_until_it_is_told_not_to, .simulated = true,
        .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    struct wf_sse_news news;
    int rc, count = 0;
    int64_t began = wf_now();
    WF_SSE_SOURCE(source, rig.client, "/count");
    while ((rc = wf_next(&source, &news)) > 0) {
        char expected[12];
        snprintf(expected, sizeof expected, "%d", ++count);
        WF_EXPECT_TEXT(news.data, expected);
        WF_EXPECT_TEXT(news.event, "count");
        WF_EXPECT_TEXT(wf_sse_source_id(&source), expected);
    }
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_INT(count, 6);
    int64_t took = wf_now() - began; /* three waits of 1 s to 2 s */
    WF_EXPECT(took >= WF_SECONDS(3) && took <= WF_SECONDS(7));
    WF_EXPECT_CODE(wf_next(&source, &news), 0);
    wf_sse_source_close(&source);
    wf_sse_source_close(&source);
    WF_EXPECT_CODE(wf_next(&source, &news), -EBADF);
}

static void begin_at(struct rig *rig, const char *id, const char *data)
{
    struct wf_sse_news news = {.data = ""};
    WF_SSE_SOURCE(source, rig->client, "/count", .last_id = id, .retry = 1, .attempts = 2);
    WF_EXPECT_TEXT(wf_sse_source_id(&source), id);
    if (WF_EXPECT_CODE(wf_next(&source, &news), 1)) WF_EXPECT_TEXT(news.data, data);
}

WF_TEST(a_source_may_begin_behind_an_event_of_before, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    begin_at(&rig, "3", "4");
}

static void ends_with(struct rig *rig, const char *url, int code, const char *why)
{
    struct wf_sse_news news;
    WF_SSE_SOURCE(source, rig->client, url, .attempts = 3);
    WF_EXPECT_CODE(wf_next(&source, &news), code);
    WF_EXPECT_PART(wf_failure(), why);
    WF_EXPECT_CODE(wf_next(&source, &news), code);
}

WF_TEST(what_is_no_stream_of_events_ends_it, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    ends_with(&rig, "/forbid", WF_ESTATUS, "http://server/forbid: the answer is 403");
    ends_with(&rig, "/text", -EPROTO, "the answer is \"text/plain; charset=utf-8\", and no events");
    ends_with(&rig, "ftp://server/", -EINVAL, "not spoken here");
}

WF_TEST(what_ended_it_can_be_looked_at, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    struct wf_sse_news news;
    WF_SSE_SOURCE(forbidden, rig.client, "/forbid");
    WF_EXPECT(wf_sse_source_answer(&forbidden) == NULL);
    WF_EXPECT_CODE(wf_next(&forbidden, &news), WF_ESTATUS);
    const struct wf_response *answer = wf_sse_source_answer(&forbidden);
    if (WF_EXPECT(answer != NULL && answer->body != NULL)) {
        WF_EXPECT_INT(answer->status, 403);
        WF_EXPECT_TEXT(answer->body, "{\"detail\":\"never\"}");
    }
    WF_SSE_SOURCE(failing, rig.client, "/fail", .attempts = 2);
    WF_EXPECT_CODE(wf_next(&failing, &news), -EAGAIN);
    answer = wf_sse_source_answer(&failing);
    if (WF_EXPECT(answer != NULL)) WF_EXPECT_INT(answer->status, 503);
    WF_SSE_SOURCE(plain, rig.client, "/text");
    WF_EXPECT_CODE(wf_next(&plain, &news), -EPROTO);
    WF_EXPECT(wf_sse_source_answer(&plain) == NULL);
    wf_sse_source_close(&forbidden);
    WF_EXPECT(wf_sse_source_answer(&forbidden) == NULL);
}

WF_TEST(failures_in_a_row_double_the_wait_and_have_an_end, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    int64_t began = wf_now();
    ends_with(&rig, "/fail", -EAGAIN, "the answer is 503");
    int64_t took = wf_now() - began; /* 3 to 6 s, and 6 to 12 */
    WF_EXPECT(took >= WF_SECONDS(9) && took <= WF_SECONDS(19));
}

WF_TEST(silence_is_an_end, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    struct wf_sse_news news = {.data = ""};
    int64_t began = wf_now();
    WF_SSE_SOURCE(source, rig.client, "/stall", .silence = WF_SECONDS(20), .retry = WF_SECONDS(2));
    for (int i = 0; i < 2; i++)
        if (WF_EXPECT_CODE(wf_next(&source, &news), 1)) WF_EXPECT_TEXT(news.data, "one");
    int64_t took = wf_now() - began;
    WF_EXPECT(took >= WF_SECONDS(22) && took <= WF_SECONDS(25));
}

WF_TEST(a_wait_that_is_cut_short_loses_nothing, .simulated = true, .timeout = WF_MINUTES(500))
{
    RIG(rig, declare);
    struct wf_sse_news news = {.data = ""};
    int rc = 0, cuts = 0, events = 0;
    WF_SSE_SOURCE(source, rig.client, "/count");
    while (events < 6) {
        rc = wf_within(WF_MILLISECONDS(700), wf_next(&source, &news));
        if (rc == -ETIME && cuts++ < 100) continue;
        if (!WF_EXPECT_CODE(rc, 1)) return;
        WF_EXPECT_INT(news.data[0], '1' + events);
        events++;
    }
    WF_EXPECT(cuts > 0);
}

/* ---- A server that says what it is told to ---- */

#define EVENTS "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n"

WF_TEST(a_broken_stream_is_opened_again_with_what_the_server_said, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct scripted server = {.lines = {{.bytes = EVENTS "\r\nid: a\r\nretry: 100\r\ndata: x\r\n\r\ndata: half",
                                         .hang_up = true},
                                        {.bytes = EVENTS "Content-Length: 21\r\n\r\nid: b\ndata: y\n\nid: c\n\n"},
                                        {.bytes = "HTTP/1.1 204 No\r\n\r\n"}},
                              .count = 3};
    struct wf_sse_news news = {.data = ""};
    char url[64];
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client);
        WF_SSE_SOURCE(source, &client, scripted_url(&server, url), .retry = WF_SECONDS(50));
        if (WF_EXPECT_CODE(wf_next(&source, &news), 1)) WF_EXPECT_TEXT(news.data, "x");
        if (WF_EXPECT_CODE(wf_next(&source, &news), 1)) WF_EXPECT_TEXT(news.data, "y");
        int64_t began = wf_now();
        WF_EXPECT_CODE(wf_next(&source, &news), 0);
        WF_EXPECT(wf_now() - began < WF_SECONDS(1));
        WF_EXPECT_TEXT(wf_sse_source_id(&source), "c");
        WF_EXPECT_PART(server.asked, "last-event-id: a\r\n");
        WF_EXPECT_PART(server.asked, "last-event-id: c\r\n");
        WF_EXPECT_PART(server.asked, "accept: text/event-stream\r\n");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(an_event_that_is_too_long_ends_it, .simulated = true, .timeout = WF_MINUTES(500))
{
    struct scripted server = {.lines = {{.bytes = EVENTS "\r\ndata: 0123456789\n\n"}}, .count = 1};
    struct wf_sse_news news;
    char url[64];
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client);
        WF_SSE_SOURCE(source, &client, scripted_url(&server, url), .event_max = 12, .retry = 1, .attempts = 2);
        WF_EXPECT_CODE(wf_next(&source, &news), -EMSGSIZE);
        WF_EXPECT_PART(wf_failure(), "an event is too long");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST_MAIN
