/* Ten thousand connections that are used, cut, cancelled and reset: no descriptor, block or memory is left of them. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "emulated.h"

enum {
    ROUNDS = 10000,
    WARM_UP = 1000,           /* until caches are full */
    GROWTH_MAX = 2 * 1048576, /* bytes of memory: 200 for each connection would be more */
};

/* Freed memory is kept back by these on purpose, so it says nothing there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool memory_is_kept = true;
#elif defined(__has_feature)
static const bool memory_is_kept = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
static const bool memory_is_kept = false;
#endif

/* ---- What there is ---- */

struct held {
    int descriptors;
    size_t blocks;
    long memory; /* bytes that are resident */
};

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(directory) != NULL) count++;
    closedir(directory);
    return count;
}

static long resident(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (fscanf(file, "%*s %ld", &pages) != 1) pages = 0;
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static struct held hold(void)
{
    return (struct held){count_descriptors(), wf_allocated_blocks(), resident()};
}

static void expect_flat(const struct held *before)
{
    struct held now = hold();
    WF_EXPECT_INT(now.descriptors, before->descriptors);
    WF_EXPECT_INT((int64_t)now.blocks, (int64_t)before->blocks);
    if (!memory_is_kept && !emulated()) WF_EXPECT(now.memory - before->memory < GROWTH_MAX);
}

/* ---- Connections ---- */

/* A server that reads a byte and resets, so that no port is kept waiting afterwards. */
static int serve(struct wf_stream *conn)
{
    char byte;
    wf_ignore(wf_stream_read(conn, &byte, 1));
    wf_stream_abort(conn);
    return 0;
}

static int serve_all(struct wf_listener *listener)
{
    WF_SCOPE(scope);
    int rc;
    struct wf_stream *conn;
    while ((rc = wf_tcp_accept(listener, &conn)) >= 0)
        if ((rc = wf_spawn(&scope, serve, conn)) < 0) wf_stream_abort(conn);
    return wf_scope_end(&scope, rc);
}

static int converse(const uint16_t *port)
{
    struct wf_stream *conn;
    char byte = 'x';
    int rc = wf_tcp_connect("127.0.0.1", *port, &conn);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(conn, &byte, 1, NULL);
    if (rc == 0) rc = (int)wf_stream_read(conn, &byte, 1);
    wf_stream_abort(conn);
    return rc == -ECONNRESET ? 0 : rc;
}

/* Waits for an answer that never comes. */
static int wait_for_answer(const uint16_t *port)
{
    struct wf_stream *conn;
    char byte;
    int rc = wf_tcp_connect("127.0.0.1", *port, &conn);
    if (rc < 0) return rc;
    rc = (int)wf_stream_read(conn, &byte, 1);
    wf_stream_abort(conn);
    return rc;
}

/* Cancelled after so many turns: before it began, while it connects, while it reads. */
static void cancel_after(const uint16_t *port, int turns)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_answer, port);
    for (int i = 0; i < turns; i++) wf_yield();
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void connect_one(const uint16_t *port, int round)
{
    switch (round % 4) {
    case 0:
        WF_EXPECT_CODE(converse(port), 0);
        break;
    case 1:
        cancel_after(port, round % 7);
        break;
    case 2:
        WF_EXPECT_CODE(wf_within(WF_MICROSECONDS(round % 200), wait_for_answer(port)), -ETIME);
        break;
    default:
        WF_EXPECT_CODE(wf_within(0, wait_for_answer(port)), -ETIME);
        break;
    }
}

WF_TEST(ten_thousand_connects_and_cancels_leave_nothing, .real = true, .timeout = WF_SECONDS(120),
        .unswept = "takes seconds")
{
    struct wf_listener *listener;
    struct held before = {.memory = 0};
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    uint16_t port = wf_listener_port(listener);
    WF_SCOPE(scope);
    wf_spawn(&scope, serve_all, listener, .daemon = true);
    for (int round = 0; round < WARM_UP + ROUNDS && !wf_test_failed(); round++) {
        if (round == WARM_UP) {
            wf_sleep(WF_MILLISECONDS(20)); /* until the server has seen the last of them */
            before = hold();
        }
        connect_one(&port, round);
    }
    wf_sleep(WF_MILLISECONDS(20));
    expect_flat(&before);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_listener_close(listener);
}

/* ---- Through everything that peers are made of ---- */

WF_TEST(a_thousand_connections_through_a_proxy_leave_nothing, .real = true, .timeout = WF_SECONDS(120),
        .unswept = "takes seconds")
{
    struct wf_listener *listener;
    struct held before = {.memory = 0};
    struct wf_proxy *proxy;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve_all, listener, .daemon = true);
    if (!WF_EXPECT_CODE(wf_test_proxy(&scope, "127.0.0.1", wf_listener_port(listener), &proxy), 0)) return;
    uint16_t port = wf_test_proxy_port(proxy);
    for (int round = 0; round < 1200 && !wf_test_failed(); round++) {
        if (round == 200) {
            wf_sleep(WF_MILLISECONDS(20));
            before = hold();
        }
        connect_one(&port, round);
        if (round % 50 == 0) wf_test_proxy_reset(proxy);
    }
    wf_sleep(WF_MILLISECONDS(20));
    expect_flat(&before);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_listener_close(listener);
}

WF_TEST_MAIN
