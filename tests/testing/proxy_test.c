/* A network that misbehaves: the proxy does what it is told, while it runs, and nothing else. */
#include <stdlib.h>
#include <string.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* Two ends of a connection through the proxy. */
struct through {
    struct wf_listener *listener;
    struct wf_proxy *proxy;
    struct wf_stream *client, *server;
};

/* Each gives whether it held: what waits for an answer goes on only then. A stall tells nobody of a failure either. */
static bool hear(struct wf_stream *stream, const char *expected)
{
    char text[64] = "";
    int rc = wf_within(WF_SECONDS(5), wf_stream_read_full(stream, text, strlen(expected), NULL));
    return WF_EXPECT_CODE(rc, 0) && WF_EXPECT_TEXT(text, expected);
}

static bool say(struct wf_stream *stream, const char *text)
{
    return WF_EXPECT_CODE(wf_stream_write_all(stream, text, strlen(text), NULL), 0);
}

static bool pass(struct wf_stream *from, struct wf_stream *to, const char *text)
{
    return say(from, text) && hear(to, text);
}

static void close_ends(struct through *through)
{
    wf_stream_close(through->client);
    wf_stream_close(through->server);
    through->client = through->server = NULL;
}

static void close_through(struct through *through)
{
    close_ends(through);
    wf_listener_close(through->listener);
    through->listener = NULL;
}

/* The server accepts nobody where the proxy could not reach it. */
static bool connect_through(struct through *through)
{
    through->client = through->server = NULL;
    if (WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_test_proxy_port(through->proxy), &through->client), 0) &&
        WF_EXPECT_CODE(wf_within(WF_SECONDS(5), wf_tcp_accept(through->listener, &through->server)), 0) &&
        pass(through->client, through->server, "!")) /* the proxy has both sides */
        return true;
    close_ends(through);
    return false;
}

static bool open_through(struct wf_scope *scope, struct through *through)
{
    *through = (struct through){.listener = NULL};
    if (WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &through->listener), 0) &&
        WF_EXPECT_CODE(wf_test_proxy(scope, "127.0.0.1", wf_listener_port(through->listener), &through->proxy), 0) &&
        connect_through(through))
        return true;
    close_through(through);
    return false;
}

/* ---- Nothing happens ---- */

struct sending {
    struct wf_stream *stream;
    size_t size;
};

static int send_pattern(struct sending *sending)
{
    unsigned char *bytes = malloc(sending->size);
    for (size_t i = 0; i < sending->size; i++) bytes[i] = (unsigned char)(i * 31 >> 3);
    int rc = wf_stream_write_all(sending->stream, bytes, sending->size, NULL);
    free(bytes);
    return rc == 0 ? wf_stream_shutdown(sending->stream) : rc;
}

static int receive_pattern(struct sending *sending)
{
    unsigned char bytes[2048];
    size_t done = 0;
    ssize_t got;
    while ((got = wf_stream_read(sending->stream, bytes, sizeof bytes)) > 0) {
        size_t wrong = 0;
        for (ssize_t i = 0; i < got; i++, done++) wrong += bytes[i] != (unsigned char)(done * 31 >> 3);
        if (!WF_INVARIANT(wrong == 0)) return -EILSEQ;
    }
    return got < 0 ? (int)got : done == sending->size ? 0 : -EMSGSIZE;
}

WF_TEST(what_goes_through_a_proxy_arrives_whole_both_ways_and_is_counted)
{
    enum { SIZE = 1 << 20 };
    struct through through;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    struct sending client = {through.client, SIZE}, server = {through.server, SIZE};
    {
        WF_SCOPE(both);
        wf_spawn(&both, send_pattern, &client);
        wf_spawn(&both, send_pattern, &server);
        wf_spawn(&both, receive_pattern, &client);
        wf_spawn(&both, receive_pattern, &server);
        WF_EXPECT_CODE(wf_scope_join(&both), 0);
    }
    struct wf_proxy_statistics statistics;
    wf_test_proxy_statistics(through.proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.connections, 1);
    WF_EXPECT_INT((int64_t)statistics.bytes_to_server, 1 + SIZE);
    WF_EXPECT_INT((int64_t)statistics.bytes_to_client, SIZE);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(the_end_and_a_reset_are_passed_on)
{
    struct through through;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    say(through.client, "last");
    if (WF_EXPECT_CODE(wf_stream_shutdown(through.client), 0) && hear(through.server, "last"))
        WF_EXPECT_INT(wf_stream_read(through.server, &byte, 1), 0);
    pass(through.server, through.client, "still");
    wf_stream_abort(through.server);
    through.server = NULL;
    WF_EXPECT_CODE(wf_stream_read(through.client, &byte, 1), -ECONNRESET);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_server_that_cannot_be_reached_is_a_reset)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    uint16_t nobody = wf_listener_port(listener);
    wf_listener_close(listener);
    struct wf_proxy *proxy;
    struct wf_stream *client;
    char byte;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_proxy(&scope, "127.0.0.1", nobody, &proxy), 0)) return;
    if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_test_proxy_port(proxy), &client), 0)) return;
    WF_EXPECT_CODE(wf_stream_read(client, &byte, 1), -ECONNRESET);
    struct wf_proxy_statistics statistics;
    wf_test_proxy_statistics(proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.unreachable, 1);
    WF_EXPECT_INT((int64_t)statistics.open, 0);
    wf_stream_close(client);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Time ---- */

WF_TEST(a_delay_holds_bytes_back_and_the_end_too)
{
    struct through through;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_server = {.delay = WF_MILLISECONDS(30)},
                      .to_client = {.delay = WF_MILLISECONDS(20)});
    int64_t started = wf_now();
    if (pass(through.client, through.server, "x")) WF_INVARIANT(wf_now() - started >= WF_MILLISECONDS(30));
    started = wf_now();
    if (WF_EXPECT_CODE(wf_stream_shutdown(through.server), 0))
        WF_EXPECT_INT(wf_stream_read(through.client, &byte, 1), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(20));
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 64 KiB may be on their way: 1 MiB takes sixteen delays, not one for each piece. */
WF_TEST(a_delay_does_not_slow_down_what_comes_behind)
{
    struct through through;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_server = {.delay = WF_MILLISECONDS(10)});
    struct sending client = {through.client, 1 << 20}, server = {through.server, 1 << 20};
    int64_t started = wf_now();
    wf_spawn(&scope, send_pattern, &client);
    int rc = receive_pattern(&server);
    int64_t took = wf_now() - started;
    WF_EXPECT(took >= WF_MILLISECONDS(10));
    WF_EXPECT(took < WF_MILLISECONDS(2500)); /* a delay for each 2 KiB: 5120 */
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    close_through(&through);
}

WF_TEST(a_rate_is_kept_and_nothing_is_lost)
{
    struct through through;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_client = {.bytes_per_second = 200000});
    struct sending client = {through.client, 20000}, server = {through.server, 20000};
    int64_t started = wf_now();
    wf_spawn(&scope, send_pattern, &server);
    int rc = receive_pattern(&client);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(80)); /* the first part goes at once */
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    close_through(&through);
}

WF_TEST(settings_that_change_wake_what_waits)
{
    struct through through;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_server = {.delay = WF_FOREVER}, .to_client = {.bytes_per_second = 1});
    bool late = say(through.client, "late"), slow = say(through.server, "slow");
    wf_sleep(WF_MILLISECONDS(5));
    wf_test_proxy_set(through.proxy, .to_server = {.delay = 1});
    if (late) hear(through.server, "late");
    if (slow) hear(through.client, "slow");
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Stalls ---- */

WF_TEST(a_stall_lets_nothing_through_until_it_is_over)
{
    struct through through;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_server = {.stall = true});
    bool asked = say(through.client, "question") && WF_EXPECT_CODE(wf_stream_shutdown(through.client), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(20), wf_stream_read(through.server, &byte, 1)), -ETIME);
    pass(through.server, through.client, "anybody?");
    wf_test_proxy_set(through.proxy, .to_server = {.stall = false});
    if (asked && hear(through.server, "question")) WF_EXPECT_INT(wf_stream_read(through.server, &byte, 1), 0);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* Half-open: the server is gone, and the client is not told. */
WF_TEST(a_stall_hides_that_the_other_side_is_gone)
{
    struct through through;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_client = {.stall = true});
    wf_stream_abort(through.server);
    through.server = NULL;
    say(through.client, "anybody?");
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(20), wf_stream_read(through.client, &byte, 1)), -ETIME);
    wf_test_proxy_set(through.proxy);
    WF_EXPECT_CODE(wf_stream_read(through.client, &byte, 1), -ECONNRESET);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Cuts ---- */

WF_TEST(a_cut_lets_so_many_bytes_through_and_then_the_end)
{
    struct through through;
    char bytes[64];
    size_t done = 0;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_client = {.cut_after = 7});
    if (say(through.server, "0123") && say(through.server, "456789"))
        WF_EXPECT_CODE(wf_stream_read_full(through.client, bytes, sizeof bytes, &done), WF_EEND);
    WF_EXPECT_INT((int64_t)done, 7);
    WF_INVARIANT(done <= 7 && memcmp(bytes, "0123456", done) == 0);
    say(through.server, "swallowed");
    pass(through.client, through.server, "what?");
    wf_stream_close(through.client);
    through.client = NULL;
    WF_EXPECT_INT(wf_stream_read(through.server, bytes, 1), 0);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_cut_may_be_a_reset_of_both_sides)
{
    struct through through;
    char bytes[64];
    size_t done = 0;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    wf_test_proxy_set(through.proxy, .to_client = {.cut_after = 7, .cut_resets = true});
    int rc = wf_stream_write_all(through.server, "0123456789", 10, NULL); /* not all, where the reset is quick */
    WF_EXPECT(rc == 0 || rc == -ECONNRESET || rc == -EPIPE);
    rc = wf_within(WF_SECONDS(5), wf_stream_read_full(through.client, bytes, sizeof bytes, &done));
    WF_EXPECT_CODE(rc, -ECONNRESET);
    WF_INVARIANT(done <= 7);
    if (rc == -ECONNRESET) WF_EXPECT_CODE(wf_stream_read(through.server, bytes, 1), -ECONNRESET);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_cut_that_has_been_passed_already_comes_with_the_next_byte)
{
    struct through through;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    bool passed = pass(through.client, through.server, "0123456789");
    wf_test_proxy_set(through.proxy, .to_server = {.cut_after = 5});
    if (passed && say(through.client, "x")) WF_EXPECT_INT(wf_stream_read(through.server, &byte, 1), 0);
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Connections ---- */

WF_TEST(a_reset_hits_both_sides_of_every_connection_and_no_later_one)
{
    struct through one, two;
    char byte;
    WF_SCOPE(scope);
    if (!open_through(&scope, &one)) return;
    two = one;
    if (connect_through(&two)) {
        wf_test_proxy_reset(one.proxy);
        WF_EXPECT_CODE(wf_stream_read(one.client, &byte, 1), -ECONNRESET);
        WF_EXPECT_CODE(wf_stream_read(two.client, &byte, 1), -ECONNRESET);
        WF_EXPECT_CODE(wf_stream_read(one.server, &byte, 1), -ECONNRESET);
        WF_EXPECT_CODE(wf_stream_read(two.server, &byte, 1), -ECONNRESET);
        close_ends(&two);
    }
    if (connect_through(&two)) pass(two.client, two.server, "again");
    struct wf_proxy_statistics statistics;
    wf_test_proxy_statistics(one.proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.connections, 3);
    WF_EXPECT_INT((int64_t)statistics.open, 1);
    close_ends(&two);
    close_through(&one);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_proxy_refuses_and_takes_connections_at_the_same_port)
{
    struct through through;
    struct wf_stream *refused = NULL;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    uint16_t port = wf_test_proxy_port(through.proxy);
    for (int i = 0; i < 3 && through.client != NULL; i++) {
        WF_EXPECT_CODE(wf_test_proxy_refuse(through.proxy, true), 0);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through.proxy, true), 0);
        if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &refused), -ECONNREFUSED)) wf_stream_close(refused);
        pass(through.client, through.server, "open ones go on");
        close_ends(&through);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through.proxy, false), 0);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through.proxy, false), 0);
        WF_EXPECT_INT(wf_test_proxy_port(through.proxy), port);
        connect_through(&through);
    }
    close_through(&through);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_is_open_when_the_scope_ends_is_reset)
{
    struct through through;
    char byte;
    struct wf_stream *late;
    WF_SCOPE(scope);
    if (!open_through(&scope, &through)) return;
    uint16_t port = wf_test_proxy_port(through.proxy);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_stream_read(through.client, &byte, 1), -ECONNRESET);
    WF_EXPECT_CODE(wf_stream_read(through.server, &byte, 1), -ECONNRESET);
    WF_EXPECT_CODE(wf_test_proxy_refuse(through.proxy, false), -ECANCELED);
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &late), -ECONNREFUSED);
    close_through(&through);
}

WF_TEST_MAIN
