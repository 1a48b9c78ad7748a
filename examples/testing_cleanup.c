/*
 * Cleanup under cancel: the bad form, the good one and the best, each cut short by a deadline. The first test fails on
 * purpose: its connection is left behind, and the runner says where it was made.
 *
 *     weft run examples/testing_cleanup.c
 */
#include <weft/testing.h>
#include <weft/weft.h>

static int work(void)
{
    return wf_sleep(WF_SECONDS(10));
}

/* Never closed when the work is cancelled. */
static int bad(uint16_t port)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    rc = work();
    if (rc < 0) return rc;
    wf_stream_close(conn);
    return 0;
}

/* Closed on every way. */
static int good(uint16_t port)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    rc = work();
    wf_stream_close(conn);
    return rc;
}

/* Closed where it is declared: no later return can forget it. */
static void close_stream(struct wf_stream **conn)
{
    wf_stream_close(*conn);
}

static int best(uint16_t port)
{
    struct wf_stream *conn __attribute__((cleanup(close_stream))) = NULL;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    return work();
}

/* ---- Tests ---- */

WF_FIXTURE(listener)
{
    struct wf_listener *listening;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listening);
    if (rc < 0) return rc;
    wf_provide(listening);
    wf_listener_close(listening);
    return 0;
}

static int cut_short(int (*form)(uint16_t port))
{
    return wf_within(WF_MILLISECONDS(50), form(wf_listener_port(wf_use(&listener))));
}

WF_TEST(bad_cleanup_leaves_a_connection_behind, .uses = {&listener})
{
    WF_EXPECT_CODE(cut_short(bad), -ETIME);
}

WF_TEST(good_cleanup_leaves_nothing_behind, .uses = {&listener})
{
    WF_EXPECT_CODE(cut_short(good), -ETIME);
}

WF_TEST(the_best_cleanup_leaves_nothing_behind, .uses = {&listener})
{
    WF_EXPECT_CODE(cut_short(best), -ETIME);
}

WF_TEST_MAIN
