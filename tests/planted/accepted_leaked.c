/*
 * Accepted descriptor leaked on cancel.
 *
 * The mistake: a spawn whose result is ignored. Cancelled while it waits for room it spawns nothing, and the argument
 * stays with the caller: here the connection that was just accepted.
 * Known from compio-rs/compio#315: an accept that is cancelled after it completed leaks the descriptor.
 * Caught by the sweep, and the count of descriptors and heap blocks that the runner takes around each test.
 */
// caught: left behind:
#include <weft/testing.h>
#include <weft/weft.h>

static int greet(struct wf_stream *conn)
{
    int rc = wf_stream_write_all(conn, "hello", 5, NULL);
    wf_stream_close(conn);
    return rc;
}

#ifdef CORRECTED
static void hand_over(struct wf_scope *scope, struct wf_stream *conn)
{
    if (wf_spawn(scope, greet, conn) < 0) wf_stream_close(conn);
}
#else
static void hand_over(struct wf_scope *scope, struct wf_stream *conn)
{
    wf_spawn(scope, greet, conn);
}
#endif

static int serve(struct wf_listener *listener)
{
    WF_SCOPE(scope, .policy = WF_COLLECT, .limit = 1);
    struct wf_stream *conn;
    int rc;
    while ((rc = wf_tcp_accept(listener, &conn)) == 0) hand_over(&scope, conn);
    return wf_scope_end(&scope, rc);
}

static int visit(struct wf_listener *listener)
{
    char text[5];
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conn);
    if (rc < 0) return rc;
    rc = wf_stream_read_full(conn, text, sizeof text, NULL);
    wf_stream_close(conn);
    return rc;
}

/* Gives whether the cancel at the k-th suspension took place. */
static bool cancel_at(uint64_t k, bool in_flight)
{
    struct wf_listener *listener;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0);
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        wf_test_cancel_at(&scope, k, in_flight);
        wf_spawn(&scope, serve, listener, .daemon = true);
        wf_spawn(&scope, visit, listener);
        wf_spawn(&scope, visit, listener);
        wf_ignore(wf_scope_join(&scope));
    }
    wf_listener_close(listener);
    return wf_test_cancel_end();
}

WF_TEST(whatever_is_accepted_is_closed)
{
    for (uint64_t k = 1; cancel_at(k, false); k++) {}
    for (uint64_t k = 1; cancel_at(k, true); k++) {}
}

WF_TEST_MAIN
