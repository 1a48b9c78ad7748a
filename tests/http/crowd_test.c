/* How many connections one peer may have, and how a client sees that an answer broke off. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "http/crowd.h" /* the table, with more addresses than a test has connections */

/* ---- A server ---- */

struct rigged {
    struct wf_app app;
    struct wf_listener *listener;
    bool behind_proxy;
    char answer[1024];
    ssize_t ended; /* what the last read gave */
};

static int say_ok(struct wf_request *request)
{
    return wf_reply_text(request, 200, "ok");
}

/* Begins an answer whose length it does not say, and fails. */
static int break_off(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    if (rc == 0) rc = wf_reply_write(request, "half", 4);
    if (rc == 0) rc = wf_reply_flush(request);
    return rc < 0 ? rc : wf_fail(-EIO, "the rest cannot be read");
}

static int serve(struct rigged *rigged)
{
    return wf_serve(&rigged->app, .listener = rigged->listener, .proxy_protocol = rigged->behind_proxy);
}

static bool open_rig(struct wf_scope *scope, struct rigged *rigged)
{
    wf_route(&rigged->app, WF_GET, "/", say_ok);
    wf_route(&rigged->app, WF_GET, "/half", break_off);
    int rc = wf_tcp_listen("127.0.0.1", 0, &rigged->listener);
    if (rc == 0) rc = wf_spawn(scope, serve, rigged);
    return WF_EXPECT_CODE(rc, 0);
}

static void close_rig(struct wf_scope *scope, struct rigged *rigged, struct wf_stream **streams, size_t count)
{
    for (size_t i = 0; i < count; i++) wf_stream_close(streams[i]);
    wf_scope_drain(scope);
    WF_EXPECT_CODE(wf_scope_join(scope), 0);
    wf_listener_close(rigged->listener);
    wf_app_finish(&rigged->app);
}

/* Says something on a new connection, which stays, and reads until the answer is there or nothing more comes. */
static struct wf_stream *say(struct rigged *rigged, const char *header, const char *text)
{
    struct wf_stream *stream;
    size_t size = 0;
    rigged->answer[0] = '\0';
    if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(rigged->listener), &stream), 0)) return NULL;
    int rc = wf_stream_write_all(stream, header, strlen(header), NULL);
    if (rc == 0) rc = wf_stream_write_all(stream, text, strlen(text), NULL);
    rigged->ended = rc < 0 ? rc : 1;
    while (rigged->ended > 0 && strstr(rigged->answer, "\r\n\r\nok") == NULL) {
        rigged->ended = wf_stream_read(stream, rigged->answer + size, sizeof rigged->answer - 1 - size);
        if (rigged->ended > 0) rigged->answer[size += (size_t)rigged->ended] = '\0';
    }
    return stream;
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define FROM(address) "PROXY TCP4 " address " 198.51.100.1 1000 80\r\n"

static struct wf_stream *expect(struct rigged *rigged, const char *header, const char *status)
{
    struct wf_stream *stream = say(rigged, header, GET);
    WF_EXPECT_PART(rigged->answer, status);
    return stream;
}

/* ---- Too many ---- */

WF_TEST(one_peer_has_so_many_connections_and_no_more, .simulated = true, .rule = "8.1")
{
    struct rigged rigged = {.behind_proxy = true, .app = {.limits = {.per_peer = 2}}};
    struct wf_stream *streams[6] = {NULL};
    WF_SCOPE(scope);
    if (open_rig(&scope, &rigged)) {
        streams[0] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 200 ");
        streams[1] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 200 ");
        streams[2] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 503 ");
        WF_EXPECT_PART(rigged.answer, "connection: close\r\n\r\nthere are too many connections from this address\n");
        WF_EXPECT_INT(rigged.ended, 0);
        streams[3] = expect(&rigged, FROM("192.0.2.2"), "HTTP/1.1 200 ");
        wf_stream_close(streams[0]);
        streams[0] = NULL;
        wf_sleep(WF_SECONDS(3));
        streams[4] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 200 ");
        streams[5] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 503 ");
    }
    close_rig(&scope, &rigged, streams, WF_COUNT(streams));
}

WF_TEST(this_machine_and_those_who_are_trusted_may_have_more, .simulated = true)
{
    struct rigged rigged = {.behind_proxy = true,
                            .app = {.limits = {.per_peer = 1}, .trusted_proxies = "192.0.2.0/24"}};
    struct wf_stream *streams[6] = {NULL};
    WF_SCOPE(scope);
    if (open_rig(&scope, &rigged)) {
        for (int i = 0; i < 3; i++) streams[i] = expect(&rigged, FROM("192.0.2.1"), "HTTP/1.1 200 ");
        for (int i = 3; i < 6; i++) streams[i] = expect(&rigged, "PROXY UNKNOWN\r\n", "HTTP/1.1 200 ");
    }
    close_rig(&scope, &rigged, streams, WF_COUNT(streams));
}

/* ---- Who is one ---- */

static const struct named {
    const char *one, *other;
    bool same, counted;
} names[] = {
    {"192.0.2.1", "192.0.2.1", true, true},          {"192.0.2.1", "192.0.2.2", false, true},
    {"192.0.2.1", "::ffff:192.0.2.1", true, true},   {"2001:db8::1", "2001:db8::2:1", true, true},
    {"2001:db8::1", "2001:db8:0:1::1", false, true}, {"127.0.0.1", "127.0.0.2", false, false},
    {"::1", "::ffff:127.0.0.1", false, false},
};

WF_TEST_EACH(a_peer_is_an_address_or_a_network_of_ipv6, names)
{
    static struct crowd crowd;
    struct wf_address one, other;
    struct peer *first = NULL, *second = NULL;
    crowd_init(&crowd);
    if (WF_EXPECT_CODE(wf_address_ip(row->one, 1, &one), 0) &&
        WF_EXPECT_CODE(wf_address_ip(row->other, 2, &other), 0)) {
        WF_EXPECT_CODE(crowd_enter(&crowd, &one, 1, &first), 0);
        WF_EXPECT((first != NULL) == row->counted);
        WF_EXPECT_CODE(crowd_enter(&crowd, &other, 1, &second), row->same ? -EUSERS : 0);
    }
    crowd_leave(&crowd, second);
    crowd_leave(&crowd, first);
    crowd_finish(&crowd);
}

enum { PEERS = 3000 };

WF_TEST(a_crowd_forgets_who_has_left, .unswept = "thousands of allocations")
{
    static struct crowd crowd;
    static struct peer *peers[PEERS];
    struct wf_address address;
    crowd_init(&crowd);
    for (unsigned i = 0; i < PEERS; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.%u.%u.1", i / 200, i % 200);
        wf_ignore(wf_address_ip(text, 1, &address));
        if (!WF_EXPECT_CODE(crowd_enter(&crowd, &address, 1, &peers[i]), 0)) break;
    }
    for (unsigned i = 0; i < PEERS; i++) crowd_leave(&crowd, peers[(i * 7) % PEERS]);
    for (unsigned i = 0; i < CROWD_BUCKETS; i++) WF_EXPECT(crowd.buckets[i] == NULL);
    crowd_finish(&crowd);
}

/* ---- What broke off ---- */

static const struct version {
    const char *request;
} versions[] = {
    {"GET /half HTTP/1.0\r\n\r\n"},
    {"GET /half HTTP/1.1\r\nHost: a\r\n\r\n"},
};

WF_TEST_EACH(an_answer_that_breaks_off_does_not_look_whole, versions)
{
    struct rigged rigged = {.behind_proxy = false};
    struct wf_stream *stream = NULL;
    WF_SCOPE(scope);
    if (open_rig(&scope, &rigged)) {
        stream = say(&rigged, "", row->request);
        WF_EXPECT_INT(rigged.ended, -ECONNRESET);
    }
    close_rig(&scope, &rigged, &stream, 1);
}

WF_TEST_MAIN
