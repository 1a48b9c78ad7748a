/* Serving: a task for each connection, a limit, drains, and what must not end a server; rules 7.1, 7.3. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- A server ---- */

struct site {
    struct wf_listener *listener;
    struct wf_serve_statistics statistics;
    uint32_t limit;
    int64_t work; /* of each request */
    int drained;  /* handlers whose idle wait a drain ended */
    int ended, result;
};

/* One byte is a request: '!' fails, '?' is work. */
static int answer(struct site *site, struct wf_stream *conn)
{
    char byte;
    ssize_t got;
    while ((got = wf_idle(wf_within(WF_SECONDS(60), wf_stream_read(conn, &byte, 1)))) > 0) {
        if (byte == '!') return wf_fail(-EILSEQ, "a request that cannot be");
        int rc = byte == '?' ? wf_sleep(site->work) : 0;
        if (rc == 0) rc = wf_stream_write_all(conn, &byte, 1, NULL);
        if (rc < 0) return rc;
    }
    if (got == -ESHUTDOWN) site->drained++;
    return (int)got;
}

static int serve(struct site *site)
{
    site->result = wf_serve_streams(site->listener, answer, site, .limit = site->limit, .name = "site",
                                    .statistics = &site->statistics);
    site->ended++;
    return site->result;
}

static bool open_site(struct site *site)
{
    return WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &site->listener), 0);
}

static int visit(const struct site *site, struct wf_stream **stream)
{
    return wf_tcp_connect("127.0.0.1", wf_listener_port(site->listener), stream);
}

static int ask_and_wait(struct wf_stream *stream, char byte)
{
    char back = 0;
    int rc = wf_stream_write_all(stream, &byte, 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(stream, &back, 1, NULL);
    return rc == 0 && back != byte ? -EILSEQ : rc;
}

/* Where memory is lacking for good, there is no answer at all. */
static int ask(struct wf_stream *stream, char byte)
{
    return wf_within(WF_SECONDS(2), ask_and_wait(stream, byte));
}

static int visit_and_ask(struct site *site)
{
    struct wf_stream *stream;
    int rc = visit(site, &stream);
    if (rc < 0) return rc;
    rc = ask(stream, '?');
    wf_stream_close(stream);
    return rc;
}

/* ---- Serving ---- */

WF_TEST(each_connection_has_its_task_and_no_more_than_the_limit_are_open)
{
    enum { VISITS = 40 };
    struct site site = {.limit = 5, .work = WF_MILLISECONDS(2)};
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    {
        WF_SCOPE(visitors);
        for (int i = 0; i < VISITS; i++) wf_spawn(&visitors, visit_and_ask, &site);
        WF_EXPECT_CODE(wf_scope_join(&visitors), 0);
    }
    WF_EXPECT_INT((int64_t)site.statistics.accepted, VISITS);
    WF_EXPECT_INT((int64_t)site.statistics.open_most, 5);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_INT((int64_t)site.statistics.open, 0);
    WF_EXPECT_INT((int64_t)site.statistics.failed, 0);
}

WF_TEST(a_handler_that_fails_ends_its_connection_and_nothing_else, .rule = "7.3")
{
    struct site site = {.limit = 0};
    struct wf_stream *bad = NULL, *good = NULL;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    if (WF_EXPECT_CODE(visit(&site, &good), 0) && WF_EXPECT_CODE(ask(good, '.'), 0)) {
        for (int i = 0; i < 3; i++) {
            if (!WF_EXPECT_CODE(visit(&site, &bad), 0)) break;
            WF_EXPECT(ask(bad, '!') < 0);
            wf_stream_close(bad);
        }
        WF_EXPECT_CODE(ask(good, '.'), 0);
    }
    wf_stream_close(good);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_INT((int64_t)site.statistics.failed, 3);
}

WF_TEST(a_reset_in_any_state_is_that_connections_affair)
{
    struct site site = {.work = WF_MILLISECONDS(2)};
    struct wf_stream *stream;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    for (int state = 0; state < 4; state++) {
        if (!WF_EXPECT_CODE(visit(&site, &stream), 0)) break;
        if (state == 1) WF_EXPECT_CODE(ask(stream, '.'), 0);
        if (state == 2) WF_EXPECT_CODE(wf_stream_write_all(stream, "?", 1, NULL), 0);
        if (state == 3) WF_EXPECT_CODE(wf_stream_shutdown(stream), 0);
        wf_stream_abort(stream);
    }
    WF_EXPECT_CODE(visit_and_ask(&site), 0);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_INT((int64_t)site.statistics.open, 0);
}

/* ---- The end ---- */

WF_TEST(a_drain_ends_idle_connections_and_lets_those_at_work_go_on, .rule = "7.1")
{
    struct site site = {.work = WF_MILLISECONDS(50)};
    struct wf_stream *idle = NULL, *busy = NULL;
    char byte = 0;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    if (WF_EXPECT_CODE(visit(&site, &idle), 0) && WF_EXPECT_CODE(ask(idle, '.'), 0) &&
        WF_EXPECT_CODE(visit(&site, &busy), 0) && WF_EXPECT_CODE(ask(busy, '.'), 0) &&
        WF_EXPECT_CODE(wf_stream_write_all(busy, "?", 1, NULL), 0)) {
        wf_sleep(WF_MILLISECONDS(10)); /* real time: until it works */
        wf_scope_drain(&server);
        WF_EXPECT_INT(wf_stream_read(idle, &byte, 1), 0);
        WF_EXPECT_INT(site.ended, 0);
        WF_EXPECT_CODE(wf_stream_read_full(busy, &byte, 1, NULL), 0);
        WF_EXPECT(byte == '?');
        WF_EXPECT_INT(wf_stream_read(busy, &byte, 1), 0);
        WF_EXPECT_INT(site.drained, 2);
    } else wf_scope_drain(&server);
    wf_stream_close(idle);
    wf_stream_close(busy);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    wf_listener_close(site.listener);
}

WF_TEST(an_idle_wait_does_not_begin_in_a_scope_that_drains, .rule = "7.1")
{
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_idle(wf_semaphore_acquire(&permits)), 0);
    wf_scope_drain(&scope);
    WF_EXPECT_CODE(wf_idle(wf_sleep(WF_SECONDS(100))), -ESHUTDOWN);
    WF_EXPECT_CODE(wf_idle(wf_within(WF_SECONDS(1), wf_semaphore_acquire(&permits))), -ESHUTDOWN);
    WF_EXPECT_CODE(wf_sleep(1), 0);
    WF_EXPECT_CODE(wf_idle(wf_shielded(WF_SECONDS(1), wf_sleep(1))), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int wait_idly_twice(struct wf_event *event)
{
    int rc = wf_idle(wf_idle(wf_event_wait(event)) == 0 ? wf_sleep(WF_SECONDS(100)) : -EPROTO);
    return rc == -ESHUTDOWN ? wf_sleep(1) : rc;
}

WF_TEST(an_idle_expression_stays_idle_to_its_end_and_no_longer, .rule = "7.1")
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_idly_twice, &event);
    wf_yield();
    wf_event_set(&event);
    wf_yield();
    wf_yield();
    wf_scope_drain(&scope);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_cancel_cuts_the_server_and_its_connections)
{
    struct site site = {.work = WF_SECONDS(100)};
    struct wf_stream *busy = NULL;
    char byte;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    if (WF_EXPECT_CODE(visit(&site, &busy), 0) && WF_EXPECT_CODE(ask(busy, '.'), 0))
        WF_EXPECT_CODE(wf_stream_write_all(busy, "?", 1, NULL), 0);
    wf_scope_cancel(&server, "enough");
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_CODE(site.result, -ECANCELED);
    if (busy != NULL) WF_EXPECT(wf_stream_read(busy, &byte, 1) <= 0);
    wf_stream_close(busy);
    wf_listener_close(site.listener);
}

WF_TEST(a_server_that_drains_and_is_then_cut_says_that_it_was_cut, .rule = "7.1")
{
    struct site site = {.work = WF_SECONDS(100)};
    struct wf_stream *busy = NULL;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    bool works = WF_EXPECT_CODE(visit(&site, &busy), 0) && WF_EXPECT_CODE(ask(busy, '.'), 0) &&
                 WF_EXPECT_CODE(wf_stream_write_all(busy, "?", 1, NULL), 0);
    wf_sleep(WF_MILLISECONDS(10)); /* real time: until it works */
    wf_scope_drain(&server);
    wf_sleep(WF_MILLISECONDS(1)); /* real time: a little later */
    WF_EXPECT_INT(site.ended, 0);
    wf_scope_cancel(&server, "the second signal");
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    if (works) WF_EXPECT_CODE(site.result, -ECANCELED);
    wf_stream_close(busy);
    wf_listener_close(site.listener);
}

WF_TEST(a_full_server_that_drains_does_not_wait_for_room, .simulated = true, .rule = "7.1")
{
    struct site site = {.limit = 1, .work = WF_SECONDS(1)};
    struct wf_stream *busy = NULL;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    if (WF_EXPECT_CODE(visit(&site, &busy), 0)) WF_EXPECT_CODE(wf_stream_write_all(busy, "?", 1, NULL), 0);
    wf_sleep(WF_MILLISECONDS(100));
    wf_scope_drain(&server);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    WF_EXPECT_INT((int64_t)site.statistics.accepted, 1);
    wf_stream_close(busy);
    wf_listener_close(site.listener);
}

WF_TEST(a_listener_may_be_closed_while_the_server_is_full, .simulated = true)
{
    struct site site = {.limit = 1, .work = WF_SECONDS(1)};
    struct wf_stream *busy = NULL;
    if (!open_site(&site)) return;
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    if (WF_EXPECT_CODE(visit(&site, &busy), 0)) WF_EXPECT_CODE(wf_stream_write_all(busy, "?", 1, NULL), 0);
    wf_sleep(WF_MILLISECONDS(100));
    wf_listener_close(site.listener);
    if (busy != NULL) WF_EXPECT_CODE(wf_stream_shutdown(busy), 0);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
    wf_stream_close(busy);
}

/* ---- Lacks ---- */

WF_TEST(without_descriptors_the_server_pauses_and_nobody_is_lost, .simulated = true, .rule = "7.3")
{
    enum { VISITS = 30 };
    struct wf_sim_host *host = wf_sim_host("clients");
    struct site site = {.work = WF_MILLISECONDS(20)};
    if (!open_site(&site)) return;
    WF_EXPECT(host != NULL);
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield();                               /* it has begun, before anybody closes its listener */
    wf_sim_set_faults(.descriptors_max = 45); /* thirty clients, and so fourteen of the server's at once */
    {
        WF_SCOPE(visitors);
        for (int i = 0; i < VISITS; i++) wf_spawn(&visitors, visit_and_ask, &site);
        WF_EXPECT_CODE(wf_scope_join(&visitors), 0);
    }
    WF_EXPECT_INT((int64_t)site.statistics.accepted, VISITS);
    WF_EXPECT(site.statistics.pauses > 0);
    WF_EXPECT(site.statistics.open_most < VISITS);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
}

WF_TEST(a_full_descriptor_table_is_waited_out_on_the_real_kernel_too, .real = true, .rule = "7.3")
{
    struct site site = {.limit = 0};
    struct wf_stream *stream = NULL;
    struct rlimit before, tight;
    if (!open_site(&site)) return;
    if (!WF_EXPECT_CODE(visit(&site, &stream), 0)) return wf_listener_close(site.listener);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    int highest = dup(0);
    close(highest);
    tight.rlim_cur = (rlim_t)highest;
    setrlimit(RLIMIT_NOFILE, &tight);
    WF_SCOPE(server);
    wf_spawn(&server, serve, &site);
    wf_yield(); /* it has begun, before anybody closes its listener */
    while (site.statistics.pauses < 2 && wf_sleep(WF_MILLISECONDS(1)) == 0) {} /* real time: until it has tried */
    WF_EXPECT_INT((int64_t)site.statistics.accepted, 0);
    setrlimit(RLIMIT_NOFILE, &before);
    WF_EXPECT_CODE(ask(stream, '.'), 0);
    wf_stream_close(stream);
    wf_listener_close(site.listener);
    WF_EXPECT_CODE(wf_scope_join(&server), 0);
}

static int run_and_ask(struct site *site)
{
    struct wf_stream *stream = NULL;
    WF_SCOPE(server);
    wf_spawn(&server, serve, site);
    wf_yield();
    int rc = visit(site, &stream);
    if (rc == 0) rc = wf_within(WF_SECONDS(5), ask(stream, '?'));
    if (stream != NULL) wf_stream_close(stream);
    wf_scope_drain(&server);
    return wf_scope_end(&server, rc);
}

WF_TEST(a_server_survives_what_goes_wrong_at_any_place, .sweep = true, .simulated = true)
{
    struct site site = {.work = WF_MILLISECONDS(1)};
    if (!open_site(&site)) return;
    WF_EXPECT_CODE(run_and_ask(&site), 0);
    WF_INVARIANT(site.statistics.open == 0);
    wf_listener_close(site.listener);
}

WF_TEST(arguments_that_make_no_sense_are_refused)
{
    struct site site = {.limit = 0};
    WF_EXPECT_CODE(wf_serve_streams(NULL, answer, &site), -EINVAL);
}

WF_TEST_MAIN
