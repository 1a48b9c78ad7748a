/* Peers, recorder and proxy, swept: whatever is injected wherever, they end, and nothing is left. */
#include <stdio.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "talk.h"

static char path[64];

/* ---- Using each ---- */

static int talk(struct wf_stream *conn)
{
    int rc = say(conn, "x\n");
    if (rc == 0) rc = hear(conn, "abc");
    if (rc == 0) rc = say(conn, "y");
    return rc;
}

static int talk_to(uint16_t port)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    rc = talk(conn);
    wf_stream_close(conn);
    return rc;
}

static const struct wf_step script[] = {
    WF_RECEIVES_UNTIL("\n"),
    WF_SENDS("abc", .piece = 1, .pause = WF_MICROSECONDS(10)),
    WF_WAITS(1),
    WF_RECEIVES("y"),
};
static const struct wf_step stalling[] = {WF_RECEIVES("x\n"), WF_SENDS("abc"), WF_STALLS};

static int use_peers(void)
{
    uint16_t port;
    struct wf_stream *conn = NULL;
    WF_SCOPE(scope);
    int rc = wf_test_peer(&scope, stalling, WF_COUNT(stalling), &conn);
    if (rc == 0) rc = talk(conn);
    wf_stream_close(conn);
    if (rc == 0) rc = wf_test_server(&scope, script, WF_COUNT(script), &port);
    if (rc == 0) rc = talk_to(port);
    return wf_scope_end(&scope, rc);
}

static int use_recorder(void)
{
    uint16_t port, own_port;
    struct wf_arena *arena = wf_task_arena();
    struct wf_script recorded;
    if (arena == NULL) return -ENOMEM;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, script, WF_COUNT(script), &port);
    if (rc == 0) rc = wf_test_record(&scope, "127.0.0.1", port, path, &own_port);
    if (rc == 0) rc = wf_within(WF_SECONDS(2), talk_to(own_port));
    rc = wf_scope_end(&scope, rc);
    return rc == 0 ? wf_test_load(path, arena, &recorded, .waits = true) : rc;
}

static int use_proxy(void)
{
    uint16_t port;
    struct wf_proxy *proxy;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, script, WF_COUNT(script), &port);
    if (rc == 0) rc = wf_test_proxy(&scope, "127.0.0.1", port, &proxy);
    if (rc == 0) rc = wf_test_proxy_refuse(proxy, true);
    if (rc == 0) rc = wf_test_proxy_refuse(proxy, false);
    if (rc == 0) {
        wf_test_proxy_set(proxy, .to_server = {.delay = 100}, .to_client = {.bytes_per_second = 1000000});
        rc = wf_within(WF_SECONDS(2), talk_to(wf_test_proxy_port(proxy))); /* a proxy without memory never answers */
    }
    return wf_scope_end(&scope, rc);
}

/* ---- Whatever is injected ---- */

WF_TEST(peers_end_whatever_happens, .rule = "8.4", .sweep = true)
{
    WF_EXPECT_CODE(use_peers(), 0);
}

WF_TEST(a_recorder_ends_whatever_happens, .sweep = true)
{
    snprintf(path, sizeof path, "/tmp/weft-sweep.%ld", (long)getpid());
    WF_EXPECT_CODE(use_recorder(), 0);
    unlink(path);
}

WF_TEST(a_proxy_ends_whatever_happens, .sweep = true)
{
    WF_EXPECT_CODE(use_proxy(), 0);
}

WF_TEST_MAIN
