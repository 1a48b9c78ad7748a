/* A network that misbehaves: the proxy does what it is told, while it runs, and nothing else. */
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "talk.h"

/* Two ends of a connection through the proxy. */
struct through {
    struct wf_listener *listener;
    struct wf_proxy *proxy;
    struct wf_stream *client, *server;
};

static int connect_through(struct through *through)
{
    int rc = wf_tcp_connect("127.0.0.1", wf_test_proxy_port(through->proxy), &through->client);
    if (rc == 0) rc = wf_within(WF_SECONDS(PATIENCE_S), wf_tcp_accept(through->listener, &through->server));
    return rc == 0 ? pass(through->client, through->server, "!") : rc; /* the proxy has both sides */
}

static void close_connection(struct through *through)
{
    wf_stream_close(through->client);
    wf_stream_close(through->server);
    through->client = through->server = NULL;
}

/* Connected through a proxy that does no harm yet. */
WF_FIXTURE(network)
{
    struct through through = {.listener = NULL};
    int rc = wf_tcp_listen("127.0.0.1", 0, &through.listener);
    {
        WF_SCOPE(scope);
        if (rc == 0) rc = wf_test_proxy(&scope, "127.0.0.1", wf_listener_port(through.listener), &through.proxy);
        if (rc == 0) rc = connect_through(&through);
        if (rc == 0) wf_provide(&through);
        rc = wf_scope_end(&scope, rc);
    }
    close_connection(&through);
    wf_listener_close(through.listener);
    return rc;
}

/* ---- Nothing happens ---- */

struct sending {
    struct wf_stream *stream;
    size_t size;
};

/* A direction that fails is given up, so that nobody waits for the rest. */
static int send_pattern(struct sending *sending)
{
    unsigned char bytes[2048];
    int rc = 0;
    for (size_t done = 0; done < sending->size && rc == 0; done += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)((done + i) * 31 >> 3);
        rc = wf_stream_write_all(sending->stream, bytes, sizeof bytes, NULL);
    }
    return rc == 0 ? wf_stream_shutdown(sending->stream) : rc;
}

static int receive_pattern(struct sending *sending)
{
    unsigned char bytes[2048];
    size_t done = 0;
    ssize_t got;
    while ((got = wf_stream_read(sending->stream, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < got; i++, done++)
            if (bytes[i] != (unsigned char)(done * 31 >> 3)) return -EILSEQ;
    return got < 0 ? (int)got : done == sending->size ? 0 : -EMSGSIZE;
}

/* Gives the time that it took. */
static int64_t transfer(struct wf_stream *from, struct wf_stream *to, size_t size)
{
    struct sending out = {from, size}, in = {to, size};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, send_pattern, &out);
    WF_EXPECT_CODE(wf_scope_end(&scope, receive_pattern(&in)), 0);
    return wf_now() - started;
}

WF_TEST(what_goes_through_a_proxy_arrives_whole_both_ways_and_is_counted, .uses = {&network})
{
    enum { SIZE = 1 << 18 };
    struct through *through = wf_use(&network);
    struct sending client = {through->client, SIZE}, server = {through->server, SIZE};
    {
        WF_SCOPE(both);
        wf_spawn(&both, send_pattern, &client);
        wf_spawn(&both, send_pattern, &server);
        wf_spawn(&both, receive_pattern, &client);
        WF_EXPECT_CODE(wf_scope_end(&both, receive_pattern(&server)), 0);
    }
    struct wf_proxy_statistics statistics;
    wf_test_proxy_statistics(through->proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.connections, 1);
    WF_EXPECT_INT((int64_t)statistics.bytes_to_server, 1 + SIZE);
    WF_EXPECT_INT((int64_t)statistics.bytes_to_client, SIZE);
}

WF_TEST(the_end_and_a_reset_are_passed_on, .uses = {&network})
{
    struct through *through = wf_use(&network);
    WF_EXPECT_CODE(say(through->client, "last"), 0);
    WF_EXPECT_CODE(end_sending(through->client), 0);
    WF_EXPECT_CODE(hear(through->server, "last"), 0);
    WF_EXPECT_CODE(hear_byte(through->server), 0);
    WF_EXPECT_CODE(pass(through->server, through->client, "still"), 0);
    wf_stream_abort(through->server);
    through->server = NULL;
    WF_EXPECT_CODE(hear_byte(through->client), -ECONNRESET);
}

/* A port that nobody listens on, any more. */
static uint16_t nobody(void)
{
    struct wf_listener *listener = NULL;
    uint16_t port = 0;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0);
    if (listener != NULL) port = wf_listener_port(listener);
    wf_listener_close(listener);
    return port;
}

WF_TEST(a_server_that_cannot_be_reached_is_a_reset)
{
    struct wf_proxy *proxy;
    struct wf_proxy_statistics statistics = {.open = 0};
    struct wf_stream *client = NULL;
    WF_SCOPE(scope);
    int rc = wf_test_proxy(&scope, "127.0.0.1", nobody(), &proxy);
    if (rc == 0) rc = wf_tcp_connect("127.0.0.1", wf_test_proxy_port(proxy), &client);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_CODE(hear_byte(client), -ECONNRESET);
    if (rc == 0) wf_test_proxy_statistics(proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.unreachable, 1);
    WF_EXPECT_INT((int64_t)statistics.open, 0);
    wf_stream_close(client);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Time ---- */

WF_TEST(a_delay_holds_bytes_back_and_the_end_too, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_server = {.delay = WF_MILLISECONDS(30)},
                      .to_client = {.delay = WF_MILLISECONDS(20)});
    int64_t started = wf_now();
    WF_EXPECT_CODE(pass(through->client, through->server, "x"), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(30));
    started = wf_now();
    WF_EXPECT_CODE(end_sending(through->server), 0);
    WF_EXPECT_CODE(hear_byte(through->client), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(20));
}

/* 64 KiB may be on their way: 256 KiB take four delays, not one for each piece. */
WF_TEST(a_delay_does_not_slow_down_what_comes_behind, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_client = {.delay = WF_MILLISECONDS(10)});
    int64_t took = transfer(through->server, through->client, 1 << 18);
    WF_EXPECT(took >= WF_MILLISECONDS(10));
    WF_EXPECT(took < WF_MILLISECONDS(1200)); /* a delay for each 2 KiB: 1280 */
}

WF_TEST(a_rate_is_kept_and_nothing_is_lost, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_client = {.bytes_per_second = 200000});
    int64_t took = transfer(through->server, through->client, 10 * 2048);
    WF_EXPECT(took >= WF_MILLISECONDS(80)); /* the first part goes at once */
}

WF_TEST(settings_that_change_wake_what_waits, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_server = {.delay = WF_FOREVER}, .to_client = {.bytes_per_second = 1});
    WF_EXPECT_CODE(say(through->client, "late"), 0);
    WF_EXPECT_CODE(say(through->server, "slow"), 0);
    wf_sleep(WF_MILLISECONDS(5));
    wf_test_proxy_set(through->proxy, .to_server = {.delay = 1});
    WF_EXPECT_CODE(hear(through->server, "late"), 0);
    WF_EXPECT_CODE(hear(through->client, "slow"), 0);
}

/* ---- Stalls ---- */

WF_TEST(a_stall_lets_nothing_through_until_it_is_over, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_server = {.stall = true});
    WF_EXPECT_CODE(say(through->client, "question"), 0);
    WF_EXPECT_CODE(end_sending(through->client), 0);
    WF_EXPECT(is_silent(through->server, WF_MILLISECONDS(20)));
    WF_EXPECT_CODE(pass(through->server, through->client, "anybody?"), 0);
    wf_test_proxy_set(through->proxy, .to_server = {.stall = false});
    WF_EXPECT_CODE(hear(through->server, "question"), 0);
    WF_EXPECT_CODE(hear_byte(through->server), 0);
}

/* Half-open: the server is gone, and the client is not told. */
WF_TEST(a_stall_hides_that_the_other_side_is_gone, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_client = {.stall = true});
    wf_stream_abort(through->server);
    through->server = NULL;
    WF_EXPECT_CODE(say(through->client, "anybody?"), 0);
    WF_EXPECT(is_silent(through->client, WF_MILLISECONDS(20)));
    wf_test_proxy_set(through->proxy);
    WF_EXPECT_CODE(hear_byte(through->client), -ECONNRESET);
}

/* ---- Cuts ---- */

WF_TEST(a_cut_lets_so_many_bytes_through_and_then_the_end, .uses = {&network})
{
    struct through *through = wf_use(&network);
    wf_test_proxy_set(through->proxy, .to_client = {.cut_after = 7});
    int rc = say(through->server, "0123");
    if (rc == 0) rc = say(through->server, "456789");
    if (rc == 0) rc = hear(through->client, "0123456");
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_CODE(hear_byte(through->client), 0);
    WF_EXPECT_CODE(say(through->server, "swallowed"), 0);
    WF_EXPECT_CODE(pass(through->client, through->server, "what?"), 0);
    WF_EXPECT_CODE(end_sending(through->client), 0);
    WF_EXPECT_CODE(hear_byte(through->server), 0);
}

WF_TEST(a_cut_may_be_a_reset_of_both_sides, .uses = {&network})
{
    struct through *through = wf_use(&network);
    char bytes[64];
    size_t done;
    wf_test_proxy_set(through->proxy, .to_client = {.cut_after = 7, .cut_resets = true});
    say(through->server, "0123456789"); /* not all of it, where the reset is quick */
    int rc = wf_within(WF_SECONDS(PATIENCE_S), wf_stream_read_full(through->client, bytes, sizeof bytes, &done));
    WF_EXPECT_CODE(rc, -ECONNRESET);
    WF_EXPECT(done <= 7);
    WF_EXPECT_CODE(hear_byte(through->server), -ECONNRESET);
}

WF_TEST(a_cut_that_has_been_passed_already_comes_with_the_next_byte, .uses = {&network})
{
    struct through *through = wf_use(&network);
    WF_EXPECT_CODE(pass(through->client, through->server, "0123456789"), 0);
    wf_test_proxy_set(through->proxy, .to_server = {.cut_after = 5});
    WF_EXPECT_CODE(say(through->client, "x"), 0);
    WF_EXPECT_CODE(hear_byte(through->server), 0);
}

/* ---- Connections ---- */

WF_TEST(a_reset_hits_both_sides_of_every_connection_and_no_later_one, .uses = {&network})
{
    struct through *one = wf_use(&network), two = *one;
    two.client = two.server = NULL;
    WF_EXPECT_CODE(connect_through(&two), 0);
    wf_test_proxy_reset(one->proxy);
    WF_EXPECT_CODE(hear_byte(one->client), -ECONNRESET);
    WF_EXPECT_CODE(hear_byte(two.client), -ECONNRESET);
    WF_EXPECT_CODE(hear_byte(one->server), -ECONNRESET);
    WF_EXPECT_CODE(hear_byte(two.server), -ECONNRESET);
    close_connection(&two);
    WF_EXPECT_CODE(connect_through(&two), 0);
    WF_EXPECT_CODE(pass(two.client, two.server, "again"), 0);
    struct wf_proxy_statistics statistics;
    wf_test_proxy_statistics(one->proxy, &statistics);
    WF_EXPECT_INT((int64_t)statistics.connections, 3);
    WF_EXPECT_INT((int64_t)statistics.open, 1);
    close_connection(&two);
}

WF_TEST(a_proxy_refuses_and_takes_connections_at_the_same_port, .uses = {&network})
{
    struct through *through = wf_use(&network);
    uint16_t port = wf_test_proxy_port(through->proxy);
    for (int i = 0; i < 3; i++) {
        struct wf_stream *refused = NULL;
        WF_EXPECT_CODE(wf_test_proxy_refuse(through->proxy, true), 0);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through->proxy, true), 0);
        WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &refused), -ECONNREFUSED);
        wf_stream_close(refused);
        WF_EXPECT_CODE(pass(through->client, through->server, "open ones go on"), 0);
        close_connection(through);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through->proxy, false), 0);
        WF_EXPECT_CODE(wf_test_proxy_refuse(through->proxy, false), 0);
        WF_EXPECT_INT(wf_test_proxy_port(through->proxy), port);
        WF_EXPECT_CODE(connect_through(through), 0);
    }
}

static void end_a_scope(struct through *through, uint16_t *port)
{
    WF_SCOPE(scope);
    int rc = wf_test_proxy(&scope, "127.0.0.1", wf_listener_port(through->listener), &through->proxy);
    if (rc == 0) rc = connect_through(through);
    if (rc == 0) *port = wf_test_proxy_port(through->proxy);
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    if (rc == 0) WF_EXPECT_CODE(wf_test_proxy_refuse(through->proxy, false), -ECANCELED);
}

WF_TEST(what_is_open_when_the_scope_ends_is_reset)
{
    struct through through = {.listener = NULL};
    struct wf_stream *late = NULL;
    uint16_t port = 0;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &through.listener), 0);
    if (through.listener != NULL) end_a_scope(&through, &port);
    WF_EXPECT_CODE(hear_byte(through.client), -ECONNRESET);
    WF_EXPECT_CODE(hear_byte(through.server), -ECONNRESET);
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &late), -ECONNREFUSED);
    wf_stream_close(late);
    close_connection(&through);
    wf_listener_close(through.listener);
}

WF_TEST_MAIN
