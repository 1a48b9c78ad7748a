/* TCP: connecting, listening, accepting; rules 1.3, 1.5, 1.9, 7.3. */
#include <sys/resource.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Connecting and listening ---- */

WF_TEST(connecting_to_nobody_is_refused_with_a_message)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    uint16_t port = wf_listener_port(listener);
    wf_listener_close(listener);
    struct wf_stream *conn;
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &conn), -ECONNREFUSED);
    WF_EXPECT_PART(wf_failure(), "cannot connect to 127.0.0.1");
    WF_EXPECT_CODE(wf_tcp_connect(NULL, port, &conn), -EINVAL);
}

WF_TEST(a_port_in_use_is_an_error_with_a_message)
{
    struct wf_listener *first, *second;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &first), 0)) return;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", wf_listener_port(first), &second), -EADDRINUSE);
    WF_EXPECT_PART(wf_failure(), "Address already in use");
    wf_listener_close(first);
}

/* ---- Accepting ---- */

static int accept_one(struct wf_listener *listener)
{
    struct wf_stream *conn;
    int rc = wf_tcp_accept(listener, &conn);
    if (rc == 0) wf_stream_close(conn);
    return rc;
}

WF_TEST(closing_a_listener_ends_its_accepts, .rule = "1.9")
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, accept_one, listener);
    wf_spawn(&scope, accept_one, listener);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))); /* until they wait, or were refused */
    wf_listener_close(listener);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EBADF);
}

struct arrival {
    struct wf_listener *listener;
    struct wf_stream *client;
    int rc;
};

static int accept_arrival(struct arrival *arrival)
{
    arrival->rc = accept_one(arrival->listener);
    return arrival->rc;
}

static int arrive(struct arrival *arrival)
{
    return wf_tcp_connect("127.0.0.1", wf_listener_port(arrival->listener), &arrival->client);
}

/* An accept that is cancelled has its connection, or has left it for the next one. */
static void cancel_accept(struct wf_listener *listener, int turns, int64_t delay_ns)
{
    struct arrival arrival = {.listener = listener};
    {
        WF_SCOPE(outer);
        WF_SCOPE(scope);
        wf_spawn(&scope, accept_arrival, &arrival);
        wf_spawn(&outer, arrive, &arrival);
        while (turns-- > 0) wf_yield();
        if (delay_ns > 0) wf_sleep(delay_ns);
        wf_scope_cancel(&scope, "race");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    }
    if (arrival.rc != 0 && arrival.client != NULL) {
        WF_EXPECT_CODE(arrival.rc, -ECANCELED);
        int rc = wf_shielded(WF_SECONDS(5), accept_one(listener));
        WF_EXPECT_CODE(rc, 0);
        WF_INVARIANT(rc != -ETIME);
    }
    wf_stream_close(arrival.client);
}

/* On the real drivers they meet when the loop looks at the kernel between two turns, on sim at any time. */
WF_TEST(a_connection_is_accepted_or_still_there_whatever_the_order_of_arrival_and_cancel, .rule = "1.3 1.5")
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    for (int turns = 0; turns < 140 && !wf_test_failed(); turns++) cancel_accept(listener, turns, 0);
    for (int delay = 1; delay < 50 && !wf_test_failed(); delay++) cancel_accept(listener, 0, WF_MICROSECONDS(delay));
    wf_listener_close(listener);
}

WF_TEST(an_accept_that_fails_leaves_the_connection_to_the_next_one, .rule = "7.3", .sweep = true)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    struct arrival arrival = {.listener = listener};
    if (WF_EXPECT_CODE(arrive(&arrival), 0) && !WF_EXPECT_CODE(accept_one(listener), 0))
        WF_INVARIANT(wf_shielded(WF_SECONDS(5), accept_one(listener)) != -ETIME);
    wf_stream_close(arrival.client);
    wf_listener_close(listener);
}

static int connect_black_hole(struct wf_stream **conn)
{
    return wf_tcp_connect("127.0.0.1", 9, conn);
}

WF_TEST(a_full_descriptor_table_is_an_error_that_the_program_survives, .real = true)
{
    struct rlimit before, tight;
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    int highest = dup(0);
    close(highest);
    tight.rlim_cur = (rlim_t)highest;
    setrlimit(RLIMIT_NOFILE, &tight);
    struct wf_stream *a, *b;
    struct wf_listener *listener;
    WF_EXPECT_CODE(wf_pipe(&a, &b), -EMFILE);
    WF_EXPECT_CODE(connect_black_hole(&a), -EMFILE);
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    if (!WF_EXPECT_CODE(wf_pipe(&a, &b), 0)) return;
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST_MAIN
