/* Whose word counts about whom a request comes from. The client of these tests is at 127.0.0.1. */
#include <stdio.h>
#include <string.h>
#include <weft/address.h>
#include <weft/app.h>
#include <weft/tcp.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int tell(struct wf_request *request)
{
    struct wf_address peer;
    char text[WF_ADDRESS_TEXT];
    int rc = wf_request_peer(request, &peer);
    if (rc < 0) return rc;
    if (wf_address_port(&peer) >= 32768) wf_address_set_port(&peer, 1); /* the client's own, by chance */
    const char *words = wf_arena_printf(wf_request_arena(request), "%s %s %s", wf_request_scheme(request),
                                        wf_request_host(request), wf_address_text(&peer, text));
    return words != NULL ? wf_reply_text(request, 200, words) : -ENOMEM;
}

struct meeting {
    struct wf_app app;
    struct wf_listener *listener;
    char answer[1024];
};

static int serve(struct meeting *meeting)
{
    return wf_serve(&meeting->app, .listener = meeting->listener);
}

static int ask(struct meeting *meeting, const char *fields)
{
    char bytes[512];
    struct wf_stream *stream;
    size_t size = 0;
    ssize_t got;
    int length = snprintf(bytes, sizeof bytes, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", fields);
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(meeting->listener), &stream);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(stream, bytes, (size_t)length, NULL);
    while (rc == 0 && (got = wf_stream_read(stream, meeting->answer + size, sizeof meeting->answer - 1 - size)) != 0) {
        if (got < 0) rc = (int)got;
        else size += (size_t)got;
    }
    wf_stream_close(stream);
    return rc;
}

static int meet(struct meeting *meeting, const char *fields)
{
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, serve, meeting);
    if (rc == 0) rc = ask(meeting, fields);
    wf_scope_drain(&scope);
    return wf_scope_end(&scope, rc);
}

static void begin(struct meeting *meeting, const char *trusted)
{
    memset(meeting, 0, sizeof *meeting);
    meeting->app = (struct wf_app){.title = "forwarded", .trusted_proxies = trusted};
    wf_route(&meeting->app, WF_GET, "/", tell);
}

static const struct forwarded_case {
    const char *trusted, *fields, *told;
} cases[] = {
    /* Nobody is trusted. */
    {NULL, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n", "http a 127.0.0.1:1"},
    {"10.0.0.0/8", "X-Forwarded-For: 1.2.3.4\r\n", "http a 127.0.0.1:1"},
    {"127.0.0.1", "", "http a 127.0.0.1:1"},
    /* The three fields. */
    {"127.0.0.1", "X-Forwarded-For: 1.2.3.4\r\n", "http a 1.2.3.4:0"},
    {"127.0.0.0/8", "X-Forwarded-For: 1.2.3.4:99\r\n", "http a 1.2.3.4:99"},
    {"::1, 127.0.0.1", "X-Forwarded-For: 2001:db8::1\r\n", "http a [2001:db8::1]:0"},
    {"127.0.0.1", "X-Forwarded-Proto: https\r\nX-Forwarded-Host: example.com:8\r\n", "https example.com:8 127.0.0.1:1"},
    {"127.0.0.1", "X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: a b\r\n", "http a 127.0.0.1:1"},
    /* What stands before the entry of the first one who is not trusted, its client wrote. */
    {"127.0.0.1", "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n", "http a 1.2.3.4:0"},
    {"127.0.0.1 10.0.0.0/8", "X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.1.2.3\r\n", "http a 1.2.3.4:0"},
    {"127.0.0.1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4\r\n", "http a 1.2.3.4:0"},
    {"127.0.0.1, 10.0.0.0/8", "X-Forwarded-For: 10.1.1.1, 10.2.2.2\r\n", "http a 10.1.1.1:0"},
    {"127.0.0.1, 10.0.0.0/8", "X-Forwarded-For: nonsense, 10.2.2.2\r\n", "http a 10.2.2.2:0"},
    {"127.0.0.1", "X-Forwarded-For: unknown\r\n", "http a 127.0.0.1:1"},
    {"127.0.0.1", "X-Forwarded-Proto: http, https\r\n", "https a 127.0.0.1:1"},
    /* RFC 7239, which wins over the others. */
    {"127.0.0.1", "Forwarded: for=1.2.3.4;proto=https;host=b\r\nX-Forwarded-For: 6.6.6.6\r\n", "https b 1.2.3.4:0"},
    {"127.0.0.1", "Forwarded: For=\"[2001:db8:cafe::17]:4711\"\r\n", "http a [2001:db8:cafe::17]:4711"},
    {"127.0.0.1", "Forwarded: for=6.6.6.6, for=1.2.3.4; proto=https\r\n", "https a 1.2.3.4:0"},
    {"127.0.0.1, 10.0.0.0/8", "Forwarded: for=1.2.3.4;host=b, for=10.0.0.1\r\n", "http b 1.2.3.4:0"},
    {"127.0.0.1", "Forwarded: for=_hidden, for=\"a,b\"\r\n", "http a 127.0.0.1:1"},
    {"127.0.0.1", "Forwarded: by=1.1.1.1\r\n", "http a 127.0.0.1:1"},
};

WF_TEST_EACH(the_word_of_a_trusted_proxy_counts, cases, .simulated = true)
{
    struct meeting meeting;
    begin(&meeting, row->trusted);
    if (WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &meeting.listener), 0)) {
        WF_EXPECT_CODE(meet(&meeting, row->fields), 0);
        const char *body = strstr(meeting.answer, "\r\n\r\n");
        WF_EXPECT_TEXT(body != NULL ? body + 4 : "", row->told);
        wf_listener_close(meeting.listener);
    }
    wf_app_finish(&meeting.app);
}

static const char *const lists[] = {"10.0.0.0/33", "nobody", "1.2.3.4/", "1.2.3.4/x", "::/129", "1.2.3", "10.0.0.0/-1"};

WF_TEST_EACH(a_list_that_cannot_be_understood_is_said, lists)
{
    struct meeting meeting;
    begin(&meeting, *row);
    WF_EXPECT_FAILURE(wf_serve(&meeting.app, .port = 0), -EINVAL, *row);
    wf_app_finish(&meeting.app);
}

WF_TEST(more_networks_than_may_be_are_refused)
{
    static char list[65 * 9 + 1];
    struct meeting meeting;
    for (unsigned i = 0; i < 65; i++) memcpy(list + i * 9, "10.0.0.1,", 10);
    begin(&meeting, list);
    WF_EXPECT_FAILURE(wf_serve(&meeting.app, .port = 0), -E2BIG, "trusted proxies");
    wf_app_finish(&meeting.app);
}

WF_TEST_MAIN
