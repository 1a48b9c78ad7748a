/* Connecting by name: several addresses, black holes, refusals, options; RFC 8305. */
#include <netinet/tcp.h>
#include <stdio.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- A host that listens ---- */

struct service {
    struct wf_sim_host *host;
    const char *at; /* what it listens on */
    struct wf_listener *listener;
};

static int open_service(struct service *service)
{
    return wf_tcp_listen(service->at, 80, &service->listener);
}

static bool start(struct service *service)
{
    return WF_EXPECT_CODE(wf_sim_on(service->host, open_service(service)), 0);
}

/* Gives how long it took; *rc is what came of it. */
static int64_t connect_and_close(const char *host, int *rc, char peer[WF_ADDRESS_TEXT])
{
    struct wf_stream *stream;
    struct wf_address address;
    int64_t started = wf_now();
    *rc = wf_tcp_connect(host, 80, &stream);
    int64_t took = wf_now() - started;
    if (*rc < 0) return took;
    if (WF_EXPECT_CODE(wf_stream_peer(stream, &address), 0)) wf_address_text(&address, peer);
    wf_stream_close(stream);
    return took;
}

static struct wf_sim_host *black_hole(const char *name)
{
    struct wf_sim_host *host = wf_sim_host(name);
    wf_sim_partition(host, NULL);
    return host;
}

/* ---- Which one answers ---- */

WF_TEST(the_first_address_that_answers_is_taken, .simulated = true)
{
    struct service service = {.host = wf_sim_host("server")};
    char peer[WF_ADDRESS_TEXT] = "";
    int rc;
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.1"}), 0);
    if (!start(&service)) return;
    WF_EXPECT(connect_and_close("www", &rc, peer) < WF_MILLISECONDS(100));
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(peer, "[fd00::1]:80");
    WF_EXPECT(connect_and_close("server", &rc, peer) < WF_MILLISECONDS(100));
    WF_EXPECT_TEXT(peer, "10.0.0.1:80");
    wf_listener_close(service.listener);
}

WF_TEST(a_black_hole_costs_a_quarter_of_a_second_and_no_more, .simulated = true, .timeout = WF_SECONDS(300))
{
    struct wf_sim_host *hole = black_hole("hole"); /* the first: fd00::1 */
    struct service service = {.host = wf_sim_host("server")};
    char peer[WF_ADDRESS_TEXT] = "";
    int rc;
    WF_EXPECT(hole != NULL);
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.2"}), 0);
    if (!start(&service)) return;
    int64_t took = connect_and_close("www", &rc, peer);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(peer, "10.0.0.2:80");
    WF_EXPECT(took >= WF_MILLISECONDS(250) && took < WF_MILLISECONDS(350));
    wf_listener_close(service.listener);
}

WF_TEST(families_take_turns_so_that_three_black_holes_of_one_cost_one_stagger, .simulated = true,
        .timeout = WF_SECONDS(300))
{
    black_hole("hole"); /* fd00::1, and so is fd00::2 */
    black_hole("other hole");
    struct service service = {.host = wf_sim_host("server")};
    char peer[WF_ADDRESS_TEXT] = "";
    int rc;
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "fd00::2", "10.0.0.3"}), 0);
    if (!start(&service)) return;
    int64_t took = connect_and_close("www", &rc, peer);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT(took < WF_MILLISECONDS(350));
    wf_listener_close(service.listener);
}

WF_TEST(one_that_refuses_costs_nothing, .simulated = true)
{
    (void)wf_sim_host("deaf"); /* fd00::1: there, but nobody listens */
    struct service service = {.host = wf_sim_host("server")};
    char peer[WF_ADDRESS_TEXT] = "";
    int rc;
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.2"}), 0);
    if (!start(&service)) return;
    WF_EXPECT(connect_and_close("www", &rc, peer) < WF_MILLISECONDS(50));
    WF_EXPECT_CODE(rc, 0);
    wf_listener_close(service.listener);
}

WF_TEST(a_slow_one_that_answers_at_last_still_wins, .simulated = true)
{
    struct wf_sim_host *slow = wf_sim_host("slow");
    struct service service = {.host = slow};
    int rc;
    char peer[WF_ADDRESS_TEXT] = "";
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.9"}), 0); /* no host has the second */
    if (!start(&service)) return;
    wf_sim_set_faults(.latency_min = WF_MILLISECONDS(400), .latency_max = WF_MILLISECONDS(400));
    int64_t took = connect_and_close("www", &rc, peer);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT(took >= WF_MILLISECONDS(800));
    WF_EXPECT_TEXT(peer, "[fd00::1]:80");
    wf_listener_close(service.listener);
}

/* ---- None answers ---- */

WF_TEST(when_none_answers_the_message_tells_what_each_said, .simulated = true)
{
    (void)wf_sim_host("deaf");
    struct wf_stream *stream;
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.9"}), 0);
    WF_EXPECT_CODE(wf_tcp_connect("www", 80, &stream), -ENETUNREACH);
    WF_EXPECT_PART(wf_failure(), "cannot connect to www port 80: ");
    WF_EXPECT_PART(wf_failure(), "[fd00::1]:80 Connection refused");
    WF_EXPECT_PART(wf_failure(), "10.0.0.9:80 Network is unreachable");
}

WF_TEST(a_name_that_nobody_has_says_so, .simulated = true)
{
    struct wf_stream *stream;
    struct wf_listener *listener;
    WF_EXPECT_FAILURE(wf_tcp_connect("nobody", 80, &stream), -ENOENT, "nobody: no such host");
    WF_EXPECT_FAILURE(wf_tcp_listen("nobody", 80, &listener), -ENOENT, "nobody: no such host");
}

WF_TEST(a_cancelled_connect_leaves_nothing_open_at_any_time, .simulated = true, .timeout = WF_SECONDS(300))
{
    black_hole("hole");
    struct service service = {.host = wf_sim_host("server")};
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.2"}), 0);
    if (!start(&service)) return;
    wf_sim_set_faults(.latency_min = WF_MILLISECONDS(20), .latency_max = WF_MILLISECONDS(40));
    for (int64_t limit = 0; limit < WF_MILLISECONDS(400); limit += WF_MILLISECONDS(5)) {
        struct wf_stream *stream = NULL;
        int rc = wf_within(limit, wf_tcp_connect("www", 80, &stream));
        if (rc != 0) WF_EXPECT_CODE(rc, -ETIME);
        WF_EXPECT((rc == 0) == (stream != NULL));
        wf_stream_close(stream);
    }
    wf_listener_close(service.listener);
}

/* ---- Options ---- */

WF_TEST(the_local_address_chooses_the_family, .simulated = true)
{
    struct service service = {.host = wf_sim_host("server")};
    struct wf_address local, found;
    struct wf_stream *stream;
    WF_EXPECT_CODE(wf_sim_set_name("www", .addresses = {"fd00::1", "10.0.0.1"}), 0);
    WF_EXPECT_CODE(wf_address_ip("127.0.0.1", 4711, &local), 0);
    if (!start(&service)) return;
    if (WF_EXPECT_CODE(wf_tcp_connect("www", 80, &stream, .local = &local), 0)) {
        if (WF_EXPECT_CODE(wf_stream_local(stream, &found), 0)) WF_EXPECT(wf_address_equal(&found, &local));
        wf_stream_close(stream);
    }
    WF_EXPECT_FAILURE(wf_tcp_connect("::1", 80, &stream, .local = &local), -EAFNOSUPPORT, "family");
    if (WF_EXPECT_CODE(wf_tcp_connect("www", 80, &stream, .family = AF_INET6), 0)) wf_stream_close(stream);
    wf_listener_close(service.listener);
}

WF_TEST(options_that_make_no_sense_are_refused_with_a_message)
{
    struct wf_stream *stream;
    struct wf_listener *listener;
    WF_EXPECT_FAILURE(wf_tcp_connect("::1", 80, &stream, .family = AF_UNIX), -EINVAL, "family");
    WF_EXPECT_FAILURE(wf_tcp_connect("::1", 80, &stream, .stagger = -1), -EINVAL, "stagger");
    WF_EXPECT_FAILURE(wf_tcp_connect("::1", 80, &stream, .keepalive = {.idle = -1}), -EINVAL, "keepalive");
    WF_EXPECT_FAILURE(wf_tcp_listen("::1", 0, &listener, .keepalive = {.count = 3}), -EINVAL, "keepalive");
    WF_EXPECT_CODE(wf_tcp_listen("::1", 0, &listener, .backlog = -1), -EINVAL);
}

static int option_of(const struct wf_stream *stream, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    WF_EXPECT(getsockopt(wf_stream_fd(stream), level, name, &value, &size) == 0);
    return value;
}

WF_TEST(options_reach_the_sockets_of_both_ends, .real = true)
{
    struct wf_keepalive keepalive = {.idle = WF_MILLISECONDS(30500), .interval = WF_SECONDS(5), .count = 3};
    struct wf_listener *listener;
    struct wf_stream *ends[2] = {NULL, NULL};
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener, .keepalive = keepalive, .fast_open = true), 0)) return;
    uint16_t port = wf_listener_port(listener);
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &ends[0], .keepalive = keepalive), 0);
    WF_EXPECT_CODE(wf_tcp_accept(listener, &ends[1]), 0);
    for (size_t i = 0; i < WF_COUNT(ends) && ends[i] != NULL; i++) {
        WF_EXPECT(option_of(ends[i], IPPROTO_TCP, TCP_NODELAY) != 0);
        WF_EXPECT(option_of(ends[i], SOL_SOCKET, SO_KEEPALIVE) != 0);
        WF_EXPECT_INT(option_of(ends[i], IPPROTO_TCP, TCP_KEEPIDLE), 31);
        WF_EXPECT_INT(option_of(ends[i], IPPROTO_TCP, TCP_KEEPINTVL), 5);
        WF_EXPECT_INT(option_of(ends[i], IPPROTO_TCP, TCP_KEEPCNT), 3);
        wf_stream_close(ends[i]);
    }
    wf_listener_close(listener);
}

WF_TEST(without_a_host_a_listener_takes_both_families_and_shows_plain_addresses)
{
    struct wf_listener *listener;
    struct wf_stream *client, *server;
    struct wf_address peer;
    if (!WF_EXPECT_CODE(wf_tcp_listen(NULL, 0, &listener, .delay = true), 0)) return;
    if (WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client, .delay = true), 0)) {
        if (WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0)) {
            if (WF_EXPECT_CODE(wf_stream_peer(server, &peer), 0)) WF_EXPECT_INT(peer.any.sa_family, AF_INET);
            wf_stream_close(server);
        }
        wf_stream_close(client);
    }
    wf_listener_close(listener);
}

/* ---- Listening at several addresses ---- */

static int accept_and_close(struct wf_listener *listener)
{
    struct wf_stream *stream;
    int rc = wf_tcp_accept(listener, &stream);
    if (rc == 0) wf_stream_close(stream);
    return rc;
}

WF_TEST(connections_to_all_addresses_of_a_listener_are_accepted_each_once, .simulated = true)
{
    enum { EACH = 20 };
    struct wf_listener *listener;
    struct wf_stream *clients[2 * EACH] = {NULL};
    WF_EXPECT_CODE(wf_sim_set_name("both", .addresses = {"::1", "127.0.0.1", "10.9.9.9"}), 0);
    if (!WF_EXPECT_CODE(wf_tcp_listen("both", 0, &listener), 0)) return;
    uint16_t port = wf_listener_port(listener);
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(clients); i++) wf_spawn(&scope, accept_and_close, listener);
    for (size_t i = 0; i < WF_COUNT(clients); i++) {
        int rc = wf_tcp_connect(i % 2 != 0 ? "::1" : "127.0.0.1", port, &clients[i]);
        if (!WF_EXPECT_CODE(rc, 0)) wf_scope_cancel(&scope, "fewer connections than accepts");
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (size_t i = 0; i < WF_COUNT(clients); i++) wf_stream_close(clients[i]);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), accept_and_close(listener)), -ETIME);
    wf_listener_close(listener);
}

WF_TEST(accepts_at_several_addresses_end_by_a_drain_and_by_closing, .simulated = true)
{
    struct wf_listener *listener;
    WF_EXPECT_CODE(wf_sim_set_name("both", .addresses = {"::1", "127.0.0.1"}), 0);
    if (!WF_EXPECT_CODE(wf_tcp_listen("both", 0, &listener), 0)) return;
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        for (int i = 0; i < 3; i++) wf_spawn(&scope, accept_and_close, listener);
        wf_sleep(WF_SECONDS(1));
        wf_scope_drain(&scope);
        WF_EXPECT_CODE(wf_scope_join(&scope), -ESHUTDOWN);
    }
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, accept_and_close, listener);
    wf_sleep(WF_SECONDS(1));
    wf_listener_close(listener);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EBADF);
}

WF_TEST(an_address_of_no_interface_is_refused_and_a_port_in_use_too, .simulated = true)
{
    struct wf_listener *first, *second;
    WF_EXPECT_CODE(wf_sim_set_name("elsewhere", .addresses = {"10.9.9.9"}), 0);
    WF_EXPECT_FAILURE(wf_tcp_listen("elsewhere", 0, &first), -EADDRNOTAVAIL, "cannot listen on elsewhere port 0");
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 90, &first), 0)) return;
    WF_EXPECT_CODE(wf_sim_set_name("both", .addresses = {"::1", "127.0.0.1"}), 0);
    WF_EXPECT_FAILURE(wf_tcp_listen("both", 90, &second), -EADDRINUSE, "both port 90");
    WF_EXPECT_FAILURE(wf_tcp_listen(NULL, 90, &second), -EADDRINUSE, "* port 90");
    if (WF_EXPECT_CODE(wf_tcp_listen(NULL, 90, &second, .v6_only = true), 0)) wf_listener_close(second);
    wf_listener_close(first);
}

/* ---- Anything going wrong ---- */

WF_TEST(connecting_by_name_survives_what_goes_wrong_at_any_place, .simulated = true, .sweep = true)
{
    struct wf_listener *listener;
    struct wf_stream *client = NULL;
    if (!WF_EXPECT_CODE(wf_sim_set_name("both", .addresses = {"::1", "127.0.0.1"}), 0)) return;
    if (!WF_EXPECT_CODE(wf_tcp_listen("both", 0, &listener), 0)) return;
    WF_EXPECT_CODE(wf_tcp_connect("both", wf_listener_port(listener), &client), 0);
    if (client != NULL) WF_EXPECT_CODE(accept_and_close(listener), 0);
    wf_stream_close(client);
    wf_listener_close(listener);
}

WF_TEST_MAIN
