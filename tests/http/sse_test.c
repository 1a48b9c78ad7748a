/* Server-sent events: how they are written, how they are read, and how long a stream of them lasts. */
#include <stdio.h>
#include <string.h>
#include <weft/channel.h>
#include <weft/sse.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

/* ---- Writing ---- */

static int send_some(struct wf_request *request)
{
    struct wf_sse events;
    int rc = wf_sse_begin(request, &events);
    if (rc == 0) rc = wf_sse_send(&events, .data = "one");
    if (rc == 0) rc = wf_sse_send(&events, .event = "note", .id = "7", .data = "two\nlines", .retry = WF_SECONDS(3));
    if (rc == 0) rc = wf_sse_send(&events, .data = "a\r\nb\rc\n");
    if (rc == 0) rc = wf_sse_send(&events, .comment = "hush");
    if (rc == 0) rc = wf_sse_send(&events, .data = "");
    WF_EXPECT_FAILURE(wf_sse_send(&events, .id = "a\nb"), -EINVAL, "one line each");
    WF_EXPECT_CODE(wf_sse_send(&events, .event = "a\rb"), -EINVAL);
    return rc;
}

static int say_last_id(struct wf_request *request)
{
    const char *id = wf_sse_last_id(request);
    return wf_reply_text(request, 200, id != NULL ? id : "none");
}

/* The bytes of the body, without chunks: HTTP/1.0. */
static const char *body_of(const struct exchange_log *log)
{
    const char *end = log->size > 0 ? strstr(log->bytes, "\r\n\r\n") : NULL;
    return end != NULL ? end + 4 : "";
}

WF_TEST(events_are_written_as_the_standard_says)
{
    struct wf_app app = {.title = "events"};
    wf_route(&app, WF_GET, "/", send_some);
    struct exchange_log log;
    ask(&log, &app, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "data: one\n\n"
                                  "event: note\nid: 7\nretry: 3000\ndata: two\ndata: lines\n\n"
                                  "data: a\ndata: b\ndata: c\ndata: \n\n"
                                  ": hush\n\n"
                                  "data: \n\n");
    if (log.size > 0) WF_EXPECT_PART(log.bytes, "content-type: text/event-stream\r\n");
    if (log.size > 0) WF_EXPECT_PART(log.bytes, "Cache-Control: no-store\r\n");
    wf_app_finish(&app);
}

WF_TEST(the_last_id_that_a_client_saw_is_known)
{
    struct wf_app app = {.title = "events"};
    wf_route(&app, WF_GET, "/", say_last_id);
    struct exchange_log log;
    ask(&log, &app, "GET / HTTP/1.0\r\nHost: a\r\nLast-Event-ID: 41\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "41");
    ask(&log, &app, "GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "none");
    wf_app_finish(&app);
}

/* ---- Waiting ---- */

struct news {
    struct wf_channel *lines;
    struct wf_stream *near, *far;
    struct wf_scope *serving;
    char heard[512];
    int outcome;
};

static int pass_news_on(struct wf_request *request)
{
    struct news *news = wf_request_state(request);
    struct wf_sse events;
    char line[16];
    int rc = wf_sse_begin(request, &events, .heartbeat = WF_SECONDS(10));
    while (rc >= 0) {
        rc = wf_sse_wait(&events, wf_receive(news->lines, &line));
        if (rc <= 0) break;
        rc = wf_sse_send(&events, .data = line);
    }
    return news->outcome = rc;
}

static int serve_news(struct news *news)
{
    struct wf_app app = {.title = "news", .state = news};
    wf_route(&app, WF_GET, "/", pass_news_on);
    WF_SCOPE(scope);
    news->serving = &scope;
    int rc = wf_app_serve_stream(&app, news->far);
    news->serving = NULL;
    rc = wf_scope_end(&scope, rc);
    wf_app_finish(&app);
    wf_stream_close(news->far);
    return rc == -ECONNABORTED ? 0 : rc; /* the client left in the middle */
}

static int hear(struct news *news, int64_t time)
{
    size_t size = strlen(news->heard);
    int rc = wf_within(time, wf_stream_read_full(news->near, news->heard + size, sizeof news->heard - size - 1, &size));
    return rc == -ETIME || rc == WF_EEND ? 0 : rc;
}

static int use_news(struct news *news, int (*use)(struct news *news))
{
    int rc = wf_stream_pair(4096, &news->near, &news->far);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, serve_news, news);
    if (rc < 0) wf_stream_close(news->far);
    if (rc == 0) rc = wf_stream_write_all(news->near, "GET / HTTP/1.0\r\n\r\n", 18, NULL);
    if (rc == 0) rc = use(news);
    wf_stream_close(news->near);
    return wf_scope_end(&scope, rc);
}

static int wait_between_two(struct news *news)
{
    int rc = wf_sleep(WF_SECONDS(25));
    if (rc == 0) rc = wf_send(news->lines, &(char[16]){"first"});
    if (rc == 0) rc = wf_sleep(WF_SECONDS(5));
    wf_channel_close(news->lines);
    return rc == 0 ? hear(news, WF_SECONDS(1)) : rc;
}

WF_TEST(heartbeats_go_out_while_there_is_no_news, .simulated = true, .timeout = WF_MINUTES(2))
{
    WF_CHANNEL(lines, char[16], 1);
    struct news news = {.lines = &lines};
    WF_EXPECT_CODE(use_news(&news, wait_between_two), 0);
    WF_EXPECT_PART(news.heard, "\r\n\r\n:\n\n:\n\ndata: first\n\n");
    WF_EXPECT_CODE(news.outcome, 0);
}

static int drain_it(struct news *news)
{
    int rc = wf_sleep(WF_SECONDS(1));
    if (rc == 0 && news->serving != NULL) wf_scope_drain(news->serving);
    return rc == 0 ? hear(news, WF_SECONDS(1)) : rc;
}

WF_TEST(a_drain_ends_the_stream_of_events_in_order, .simulated = true, .timeout = WF_MINUTES(2))
{
    WF_CHANNEL(lines, char[16], 1);
    struct news news = {.lines = &lines};
    WF_EXPECT_CODE(use_news(&news, drain_it), 0);
    WF_EXPECT_CODE(news.outcome, -ESHUTDOWN);
    WF_EXPECT_TEXT(wf_test_log(), "");
}

static int go_away(struct news *news)
{
    int rc = wf_sleep(WF_SECONDS(1));
    wf_stream_close(news->near);
    news->near = NULL;
    return rc == 0 ? wf_sleep(WF_SECONDS(5)) : rc;
}

WF_TEST(a_client_that_goes_away_ends_the_handler, .simulated = true, .timeout = WF_MINUTES(2))
{
    WF_CHANNEL(lines, char[16], 1);
    struct news news = {.lines = &lines};
    WF_EXPECT_CODE(use_news(&news, go_away), 0);
    WF_EXPECT_CODE(news.outcome, -ECANCELED);
}

/* ---- Reading ---- */

struct reading_case {
    const char *text, *told; /* "kind/id/data;" of each event */
};

static const struct reading_case readings[] = {
    {"data: one\n\n", "message//one;"},
    {"data:one\r\n\r\n", "message//one;"},
    {"data:one\r\rdata: two\r\r", "message//one;message//two;"},
    {"data: a\ndata: b\n\n", "message//a\nb;"},
    {"data\n\ndata\ndata\n\ndata:", "message//;message//\n;"},
    {"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", "add//73857293;remove//2153;"},
    {": a comment\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n\n", "message/1/first;message//second;"
                                                                               "message// third;"},
    {"id: 1\ndata: a\n\ndata: b\n\n", "message/1/a;message/1/b;"},
    {"event: lost\n\ndata: a\n\n", "message//a;"},
    {"\xef\xbb\xbf"
     "data: marked\n\n",
     "message//marked;"},
    {"\xef\xbb"
     "data: x\ndata: y\n\n",
     "message//y;"},
    {"foo: bar\ndata: a\nretry: x\nDATA: b\n\n", "message//a;"},
    {"data: never ended\n", ""},
    {"\n\n\n", ""},
};

static void read_in_pieces(const char *text, size_t step, char *told)
{
    struct wf_sse_reader reader;
    wf_sse_reader_init(&reader, 0);
    size_t size = strlen(text), at = 0;
    told[0] = '\0';
    while (at < size) {
        struct wf_sse_news news;
        ssize_t took = wf_sse_reader_take(&reader, text + at, size - at < step ? size - at : step, &news);
        if (took < 0) break;
        at += (size_t)took;
        if (news.data != NULL) sprintf(told + strlen(told), "%s/%s/%s;", news.event, news.id, news.data);
    }
    wf_sse_reader_finish(&reader);
}

WF_TEST_EACH(events_are_read_however_their_bytes_come, readings)
{
    char told[256];
    for (size_t step = 1; step < 12; step++) {
        read_in_pieces(row->text, step, told);
        WF_EXPECT_TEXT(told, row->told);
    }
    read_in_pieces(row->text, 1000, told);
    WF_EXPECT_TEXT(told, row->told);
}

WF_TEST(the_time_to_come_again_is_told)
{
    struct wf_sse_reader reader;
    struct wf_sse_news news;
    wf_sse_reader_init(&reader, 0);
    if (WF_EXPECT_INT(wf_sse_reader_take(&reader, "retry: 2500\ndata\n\n", 18, &news), 18))
        WF_EXPECT_INT(news.retry, WF_MILLISECONDS(2500));
    wf_sse_reader_finish(&reader);
}

WF_TEST(an_event_that_is_too_long_is_refused)
{
    struct wf_sse_reader reader;
    struct wf_sse_news news;
    wf_sse_reader_init(&reader, 10);
    WF_EXPECT_INT(wf_sse_reader_take(&reader, "data: 4567\n\n", 12, &news), 12);
    WF_EXPECT_CODE(wf_sse_reader_take(&reader, "data: 45678", 11, &news), -EMSGSIZE);
    wf_sse_reader_finish(&reader);
    wf_sse_reader_init(&reader, 10);
    WF_EXPECT_CODE(wf_sse_reader_take(&reader, "data:45678\ndata:123456\n", 23, &news), -EMSGSIZE);
    wf_sse_reader_finish(&reader);
}

WF_TEST_MAIN
