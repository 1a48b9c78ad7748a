/* Peers, recorder and proxy, cut short and out of memory at every point: they end, and nothing is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

static char path[64];

/* ---- A program that uses all of it ---- */

static int talk(struct wf_stream *conn)
{
    char text[3];
    int rc = wf_stream_write_all(conn, "x\n", 2, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, text, sizeof text, NULL);
    if (rc == 0) rc = wf_stream_write_all(conn, "y", 1, NULL);
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
    if (rc == 0) rc = talk_to(own_port);
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
        rc = talk_to(wf_test_proxy_port(proxy));
    }
    return wf_scope_end(&scope, rc);
}

static int use_all(void *unused)
{
    (void)unused;
    int rc = use_peers();
    if (rc == 0) rc = use_recorder();
    return rc == 0 ? use_proxy() : rc;
}

/* What may come of it: one side is cut, and the other one may be the first to say so. */
static bool allowed(int rc)
{
    return rc == 0 || rc == -ECANCELED || rc == -ENOMEM || rc == -ECONNREFUSED || rc == -ECONNRESET || rc == -EPIPE ||
           rc == WF_EEND || rc == -EPROTO || rc == -EAGAIN;
}

static void name_file(void)
{
    snprintf(path, sizeof path, "/tmp/weft-sweep.%ld", (long)getpid());
}

/* ---- Cancelled ---- */

struct cut {
    uint64_t at;
    bool in_flight, fired;
};

static int cut_once(struct cut *cut)
{
    WF_SCOPE(scope);
    wf_test_cancel_at(&scope, cut->at, cut->in_flight);
    int rc = use_all(NULL);
    cut->fired = wf_test_cancel_end();
    return wf_scope_end(&scope, rc);
}

static uint64_t cut_everywhere(bool in_flight)
{
    struct cut cut = {.in_flight = in_flight};
    size_t before = wf_allocated_blocks();
    for (cut.at = 1;; cut.at++) {
        int rc = wf_run(cut_once, &cut);
        WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)before);
        if (!allowed(rc)) WF_EXPECT_CODE(rc, -ECANCELED);
        if (!cut.fired) WF_EXPECT_CODE(rc, 0);
        if (wf_test_failed()) WF_EXPECT_INT((int64_t)cut.at, -1);
        if (!cut.fired || wf_test_failed()) return cut.at;
    }
}

WF_TEST(a_cancel_at_any_suspension_is_clean, .plain = true, .timeout = WF_SECONDS(60))
{
    name_file();
    WF_EXPECT(cut_everywhere(false) > 100);
    WF_EXPECT(cut_everywhere(true) > 60);
    unlink(path);
}

/* ---- Out of memory ---- */

static long allocations, fail_at;

static void *allocate(void *context, size_t size)
{
    (void)context;
    return ++allocations == fail_at ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return ++allocations == fail_at ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* What was not followed for want of memory fails the test in a peer, which says nothing here: hence the process. */
static long starve_everywhere(void)
{
    static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};
    for (fail_at = 1;; fail_at++) {
        allocations = 0;
        if (wf_set_allocator(&allocator) < 0) return -fail_at;
        int rc = wf_run(use_all, NULL);
        if (wf_set_allocator(NULL) < 0 || !allowed(rc)) return -fail_at;
        if (allocations < fail_at) return rc == 0 ? fail_at : -fail_at;
    }
}

WF_TEST(every_single_allocation_may_fail_cleanly, .plain = true, .dies = "every one may fail",
        .timeout = WF_SECONDS(60))
{
    WF_EXPECT(freopen("/dev/null", "w", stdout) != NULL);
    name_file();
    int lowest = dup(0);
    long count = starve_everywhere();
    unlink(path);
    if (dup(0) != lowest + 1) fprintf(stderr, "a descriptor is left");
    else if (count > 30) fprintf(stderr, "every one may fail");
    else fprintf(stderr, "the %ldth may not", -count);
    abort();
}

WF_TEST_MAIN
