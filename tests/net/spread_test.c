/* S126: connections on several loops: one that accepts and hands over, or a listener for each. */
#include <signal.h>
#include <stdatomic.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { LOOPS = 3, VISITS = 60 };

struct site {
    struct wf_listener *listener;
    struct wf_serve_statistics statistics;
    atomic_int on[LOOPS]; /* connections that were handled there */
    uint16_t port;
};

static int echo(struct site *site, struct wf_stream *conn)
{
    char byte;
    ssize_t got;
    site->on[wf_loop_index()]++;
    while ((got = wf_idle(wf_stream_read(conn, &byte, 1))) > 0) {
        if (byte == '!') return wf_fail(-EILSEQ, "a request that cannot be");
        int rc = wf_stream_write_all(conn, &byte, 1, NULL);
        if (rc < 0) return rc;
    }
    return (int)got;
}

static int serve(struct site *site)
{
    return wf_serve_streams(site->listener, echo, site, .spread = true, .statistics = &site->statistics);
}

/* Before anybody closes its listener. */
static void begin(struct wf_scope *server, struct site *site)
{
    wf_spawn(server, serve, site);
    wf_yield();
}

static int ask(struct wf_stream *stream)
{
    char byte = 'x';
    int rc = wf_stream_write_all(stream, &byte, 1, NULL);
    return rc == 0 ? wf_stream_read_full(stream, &byte, 1, NULL) : rc;
}

static bool open_site(struct site *site)
{
    int rc = wf_tcp_listen("127.0.0.1", 0, &site->listener);
    if (rc == 0) site->port = wf_listener_port(site->listener);
    return rc == 0;
}

/* Each is answered; gives how many could connect. */
static int open_all(const struct site *site, struct wf_stream **streams)
{
    int count = 0;
    for (; count < VISITS; count++) {
        if (wf_tcp_connect("127.0.0.1", site->port, &streams[count]) < 0) break;
        if (!WF_EXPECT_CODE(ask(streams[count]), 0)) return count + 1;
    }
    return count;
}

WF_TEST(connections_that_stay_are_spread_evenly, .loops = LOOPS)
{
    struct site site = {.port = 0};
    struct wf_stream *streams[VISITS];
    if (!WF_EXPECT(open_site(&site))) return;
    WF_SCOPE(server);
    begin(&server, &site);
    int count = open_all(&site, streams);
    WF_EXPECT_INT(count, VISITS);
    for (int i = 0; i < LOOPS; i++) WF_EXPECT_INT(site.on[i], VISITS / LOOPS);
    WF_EXPECT(site.statistics.open == VISITS && site.statistics.accepted == VISITS);
    for (int i = 0; i < count; i++) wf_stream_close(streams[i]);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT(site.statistics.open == 0 && site.statistics.failed == 0);
}

/* On a busy machine a loop may be slow to end one, and gets fewer then: that is what the least loaded is taken for. */
WF_TEST(connections_that_go_at_once_are_spread_evenly, .loops = LOOPS)
{
    struct site site = {.port = 0};
    if (!WF_EXPECT(open_site(&site))) return;
    WF_SCOPE(server);
    begin(&server, &site);
    for (int i = 0; i < VISITS; i++) {
        struct wf_stream *stream;
        if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", site.port, &stream), 0)) break;
        WF_EXPECT_CODE(ask(stream), 0);
        wf_stream_close(stream);
    }
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    int even = VISITS / LOOPS, off = wf_simulated() ? 2 : even - 1; /* 10 % */
    for (int i = 0; i < LOOPS; i++) WF_EXPECT(site.on[i] >= even - off);
    WF_EXPECT_INT(site.on[0] + site.on[1] + site.on[2], VISITS);
}

WF_TEST(a_handler_that_fails_on_another_loop_is_counted_here, .loops = LOOPS)
{
    struct site site = {.port = 0};
    if (!WF_EXPECT(open_site(&site))) return;
    WF_SCOPE(server);
    begin(&server, &site);
    for (int i = 0; i < 6; i++) {
        struct wf_stream *stream;
        char byte = '!';
        if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", site.port, &stream), 0)) break;
        int rc = wf_stream_write_all(stream, &byte, 1, NULL);
        if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_INT(wf_within(WF_SECONDS(2), wf_stream_read(stream, &byte, 1)), 0);
        wf_stream_close(stream);
        if (rc < 0) break;
    }
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT(site.statistics.failed == 6);
}

WF_TEST(a_drain_ends_idle_connections_on_every_loop, .loops = LOOPS, .rule = "7.1")
{
    struct site site = {.port = 0};
    struct wf_stream *streams[VISITS];
    if (!WF_EXPECT(open_site(&site))) return;
    WF_SCOPE(server);
    begin(&server, &site);
    int count = open_all(&site, streams);
    wf_scope_drain(&server);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    for (int i = 0; i < count; i++) wf_stream_close(streams[i]);
    wf_listener_close(site.listener);
    WF_EXPECT(site.statistics.open == 0 && site.statistics.failed == 0);
}

static int visit(struct site *site)
{
    struct wf_stream *stream;
    int rc = wf_tcp_connect("127.0.0.1", site->port, &stream);
    if (rc < 0) return rc;
    rc = wf_within(WF_SECONDS(5), ask(stream));
    wf_stream_close(stream);
    return rc;
}

WF_TEST(whatever_goes_wrong_nothing_of_a_spread_server_is_left, .loops = LOOPS, .sweep = true)
{
    struct site site = {.port = 0};
    if (!open_site(&site)) return;
    WF_SCOPE(server, .policy = WF_COLLECT);
    if (wf_spawn(&server, serve, &site) == 0 && wf_yield() == 0) {
        for (int i = 0; i < 3; i++) wf_ignore(visit(&site));
        wf_scope_drain(&server);
    }
    wf_scope_join(&server);
    wf_listener_close(site.listener);
    WF_INVARIANT(site.statistics.open == 0);
}

/* ---- The end, under load ---- */

struct load {
    struct site site;
    atomic_int served, answered, refused, torn;
};

static int answer_once(struct load *load, struct wf_stream *conn)
{
    char byte;
    int rc = wf_stream_read_full(conn, &byte, 1, NULL);
    if (rc == 0) rc = wf_sleep(WF_MICROSECONDS(500));
    if (rc == 0) rc = wf_stream_write_all(conn, &byte, 1, NULL);
    if (rc == 0) load->served++;
    return rc;
}

static int serve_load(struct load *load)
{
    return wf_serve_streams(load->site.listener, answer_once, load, .spread = true,
                            .statistics = &load->site.statistics);
}

/* A client goes on until nobody takes its connection any more. */
static int ask_again_and_again(struct load *load)
{
    for (;;) {
        struct wf_stream *stream;
        if (wf_tcp_connect("127.0.0.1", load->site.port, &stream) < 0) return 0;
        int rc = wf_shielded(WF_SECONDS(5), ask(stream));
        wf_stream_close(stream);
        if (rc == 0) load->answered++;
        else load->refused++;
        if (rc == -ETIME) load->torn++;
        if (rc < 0) return 0;
        if (load->answered == 200) raise(SIGTERM);
    }
}

static int run_under_load(struct load *load)
{
    if (!open_site(&load->site)) return -ENOMEM;
    WF_SCOPE(clients);
    for (int i = 0; i < 20; i++) wf_spawn(&clients, ask_again_and_again, load);
    int rc = serve_load(load);
    wf_listener_close(load->site.listener);
    return wf_scope_end(&clients, rc);
}

/* What waits in the backlog when the listener closes was not taken; all that was is answered. */
WF_TEST(a_drain_under_load_answers_every_request_that_was_taken, .plain = true, .rule = "7.1 7.4")
{
    struct load load = {.served = 0};
    int rc = wf_run(run_under_load, &load, .threads = LOOPS, .signals = true, .grace = WF_SECONDS(30));
    WF_EXPECT_INT(wf_exit_status(rc), 0);
    WF_EXPECT(load.answered >= 200);
    WF_EXPECT_INT(load.answered, load.served);
    WF_EXPECT_INT(load.torn, 0);
    WF_EXPECT(load.site.statistics.failed == 0 && load.site.statistics.open == 0);
}

/* ---- A listener for each ---- */

struct shared_site {
    struct site *site;
    struct wf_shared_event *over;
    atomic_int listening;
};

static int serve_here(struct shared_site *shared)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", shared->site->port, &listener, .reuse_port = true);
    if (rc < 0) return rc;
    shared->listening++;
    {
        WF_SCOPE(scope);
        rc = wf_serve_streams(listener, echo, shared->site);
        rc = wf_scope_end(&scope, rc);
    }
    wf_listener_close(listener);
    return rc;
}

static int serve_everywhere(struct shared_site *shared)
{
    return wf_everywhere(serve_here, shared);
}

/* real time: of listeners on one port the simulated world has one */
WF_TEST(each_loop_listens_on_the_same_port, .loops = LOOPS, .real = true)
{
    struct site site = {.port = 0};
    struct shared_site shared = {.site = &site};
    struct wf_listener *probe;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &probe, .reuse_port = true), 0)) return;
    site.port = wf_listener_port(probe);
    WF_SCOPE(server);
    wf_spawn(&server, serve_everywhere, &shared);
    while (shared.listening < LOOPS && wf_sleep(WF_MILLISECONDS(1)) == 0) {}
    wf_listener_close(probe);
    for (int i = 0; i < VISITS; i++) WF_EXPECT_CODE(visit(&site), 0);
    WF_EXPECT_INT(site.on[0] + site.on[1] + site.on[2], VISITS);
    wf_scope_drain(&server);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
}

WF_TEST_MAIN
