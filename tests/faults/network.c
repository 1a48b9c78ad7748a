/*
 * Faults that a kernel makes: packets dropped, lost, rejected and limited by its packet filter. netns.sh runs this in a
 * network of its own, where the loopback is all there is and rules hurt nobody else.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Rules ---- */

static void command(const char *format, ...) WF_PRINTF_(1, 2);

static void command(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!WF_EXPECT_INT(system(text), 0)) printf("    by: %s\n", text);
}

/* What happens to packets to this port, until the rules are lifted. */
static void rule(uint16_t port, const char *what)
{
    command("nft add table inet weft && "
            "nft 'add chain inet weft input { type filter hook input priority 0; }' && "
            "nft 'add rule inet weft input tcp dport %u %s'",
            (unsigned)port, what);
}

static void lift_rules(void)
{
    command("nft delete table inet weft");
}

/* ---- Two ends ---- */

struct ends {
    struct wf_listener *listener;
    uint16_t port;
    struct wf_stream *client, *server;
};

static void open_listener(struct ends *ends)
{
    *ends = (struct ends){.listener = NULL};
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &ends->listener), 0);
    ends->port = wf_listener_port(ends->listener);
}

static void connect_ends(struct ends *ends)
{
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", ends->port, &ends->client), 0);
    WF_EXPECT_CODE(wf_tcp_accept(ends->listener, &ends->server), 0);
}

static void close_ends(struct ends *ends)
{
    wf_stream_close(ends->client);
    wf_stream_close(ends->server);
    wf_listener_close(ends->listener);
}

static int say(struct wf_stream *stream, const char *text)
{
    return wf_stream_write_all(stream, text, strlen(text), NULL);
}

static void expect_text(struct wf_stream *stream, const char *expected)
{
    char text[64] = "";
    WF_EXPECT_CODE(wf_stream_read_full(stream, text, strlen(expected), NULL), 0);
    WF_EXPECT_TEXT(text, expected);
}

/* ---- Connecting ---- */

WF_TEST(a_connect_whose_packets_are_dropped_is_cut_by_its_deadline, .real = true)
{
    struct ends ends;
    open_listener(&ends);
    rule(ends.port, "drop");
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(100), wf_tcp_connect("127.0.0.1", ends.port, &ends.client)), -ETIME);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(100));
    lift_rules();
    connect_ends(&ends);
    WF_EXPECT_CODE(say(ends.client, "there"), 0);
    expect_text(ends.server, "there");
    close_ends(&ends);
}

/* The second try of the kernel comes after a second, and finds the way free. */
static int lift_soon(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    lift_rules();
    return rc;
}

WF_TEST(a_connect_goes_through_when_the_drops_end, .real = true)
{
    struct ends ends;
    open_listener(&ends);
    rule(ends.port, "drop");
    WF_SCOPE(scope);
    wf_spawn(&scope, lift_soon, NULL);
    connect_ends(&ends);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_ends(&ends);
}

WF_TEST(a_connect_that_is_rejected_by_a_reset_is_refused, .real = true)
{
    struct ends ends;
    open_listener(&ends);
    rule(ends.port, "reject with tcp reset");
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", ends.port, &ends.client), -ECONNREFUSED);
    lift_rules();
    close_ends(&ends);
}

WF_TEST(a_connect_to_an_unreachable_host_says_so, .real = true)
{
    struct ends ends;
    open_listener(&ends);
    rule(ends.port, "reject with icmp type host-unreachable");
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", ends.port, &ends.client), -EHOSTUNREACH);
    lift_rules();
    close_ends(&ends);
}

/* ---- Data ---- */

WF_TEST(data_stalls_while_packets_are_dropped_and_comes_when_they_are_not, .real = true)
{
    struct ends ends;
    char byte;
    open_listener(&ends);
    connect_ends(&ends);
    WF_EXPECT_CODE(say(ends.client, "before"), 0);
    expect_text(ends.server, "before");
    rule(ends.port, "drop");
    WF_EXPECT_CODE(say(ends.client, "during"), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(300), wf_stream_read(ends.server, &byte, 1)), -ETIME);
    lift_rules();
    expect_text(ends.server, "during");
    close_ends(&ends);
}

WF_TEST(a_reset_in_the_middle_of_a_connection_reaches_who_waits, .real = true)
{
    struct ends ends;
    char byte;
    open_listener(&ends);
    connect_ends(&ends);
    rule(ends.port, "reject with tcp reset");
    WF_EXPECT_CODE(say(ends.client, "x"), 0);
    WF_EXPECT_CODE(wf_stream_read(ends.client, &byte, 1), -ECONNRESET);
    lift_rules();
    WF_EXPECT_CODE(say(ends.client, "x"), -EPIPE);
    close_ends(&ends);
}

struct transfer {
    struct wf_stream *stream;
    size_t size;
};

static int send_pattern(struct transfer *transfer)
{
    unsigned char bytes[1000];
    int rc = 0;
    for (size_t done = 0; done < transfer->size && rc == 0; done += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)((done + i) * 31 >> 3);
        rc = wf_stream_write_all(transfer->stream, bytes, sizeof bytes, NULL);
    }
    return rc == 0 ? wf_stream_shutdown(transfer->stream) : rc;
}

static int receive_pattern(struct transfer *transfer)
{
    unsigned char bytes[2048];
    size_t done = 0;
    ssize_t got;
    while ((got = wf_stream_read(transfer->stream, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < got; i++, done++)
            if (bytes[i] != (unsigned char)(done * 31 >> 3)) return -EILSEQ;
    return got < 0 ? (int)got : done == transfer->size ? 0 : -EMSGSIZE;
}

static int64_t time_to_transfer(size_t size, const char *what)
{
    struct ends ends;
    open_listener(&ends);
    connect_ends(&ends);
    rule(ends.port, what);
    struct transfer out = {ends.client, size}, in = {ends.server, size};
    int64_t started = wf_now();
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, send_pattern, &out);
        WF_EXPECT_CODE(receive_pattern(&in), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    int64_t took = wf_now() - started;
    lift_rules();
    close_ends(&ends);
    return took;
}

/* The kernel's bucket holds what a second lets through, and the burst: about 200 KB have to wait. */
WF_TEST(a_rate_that_is_limited_takes_its_time_and_loses_nothing, .real = true, .timeout = WF_SECONDS(60))
{
    int64_t took = time_to_transfer(620000, "limit rate over 400 kbytes/second burst 10 kbytes drop");
    WF_EXPECT(took >= WF_MILLISECONDS(400));
}

WF_TEST(packets_that_are_lost_at_random_lose_nothing, .real = true, .timeout = WF_SECONDS(60))
{
    time_to_transfer(300000, "numgen random mod 100 < 5 drop");
}

/* ---- Peers behind such a network ---- */

WF_TEST(a_deadline_cuts_a_client_whose_server_vanishes, .real = true)
{
    static const struct wf_step script[] = {
        WF_RECEIVES("one"), WF_SENDS("two"), WF_RECEIVES("three"), WF_SENDS("four"), WF_RECEIVES_END,
    };
    uint16_t port;
    struct wf_stream *conn;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_test_server(&scope, script, WF_COUNT(script), &port), 0);
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &conn), 0);
    WF_EXPECT_CODE(say(conn, "one"), 0);
    expect_text(conn, "two");
    rule(port, "drop");
    WF_EXPECT_CODE(say(conn, "three"), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(100), wf_stream_read(conn, &(char){0}, 1)), -ETIME);
    lift_rules();
    expect_text(conn, "four");
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Only where it hurts nobody ---- */

/* netns.sh says which network it is in, and makes another. */
static bool in_own_network(void)
{
    const char *outer = getenv("WEFT_OUTER_NETWORK");
    char own[64] = "";
    return outer != NULL && readlink("/proc/self/ns/net", own, sizeof own - 1) > 0 && strcmp(own, outer) != 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) return wf_test_main(argc, argv);
    if (in_own_network()) return wf_test_main(argc, argv);
    fprintf(stderr, "this changes the rules of its network: tests/faults/netns.sh runs it in one of its own\n");
    return 2;
}
