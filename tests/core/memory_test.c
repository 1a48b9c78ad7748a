/* Out of memory is an error like any other: the k-th allocation fails, for every k, and nothing leaks or breaks. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static long allocations, fail_at;
static bool fail_from_there_on;

static bool must_fail(void)
{
    allocations++;
    return fail_at > 0 && (allocations == fail_at || (fail_from_there_on && allocations > fail_at));
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return must_fail() ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return must_fail() ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* ---- A program that uses nearly everything; every call may fail, and then it goes on or gives up cleanly ---- */

static struct wf_local key = {.name = "key"};

static int double_it(int *value)
{
    *value *= 2;
    return 0;
}

static int offload_it(int *value)
{
    return wf_offload(double_it, value);
}

static int fail_with_message(int *value)
{
    return wf_fail(-EPROTO, "value %d", *value);
}

static int be_ready(int *value)
{
    wf_ready(*value > 0);
    return wf_sleep(WF_MICROSECONDS(50));
}

static int echo_once(struct wf_listener *listener)
{
    struct wf_stream *conn;
    int rc = wf_tcp_accept(listener, &conn);
    if (rc < 0) return rc;
    char byte;
    rc = wf_stream_read_full(conn, &byte, 1, NULL);
    if (rc == 0) rc = wf_stream_write_all(conn, &byte, 1, NULL);
    wf_stream_close(conn);
    return rc;
}

static int use_network(void)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    {
        WF_SCOPE(scope, .timeout = WF_SECONDS(5));
        wf_spawn(&scope, echo_once, listener);
        struct wf_stream *conn;
        rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conn);
        if (rc == 0) {
            char byte = 'x';
            rc = wf_stream_write_all(conn, &byte, 1, NULL);
            if (rc == 0) rc = wf_stream_read_full(conn, &byte, 1, NULL);
            wf_stream_close(conn);
        }
        rc = wf_scope_end(&scope, rc);
    }
    wf_listener_close(listener);
    return rc;
}

static int use_files(void)
{
    struct wf_arena *arena = wf_task_arena();
    if (arena == NULL) return -ENOMEM;
    char *bytes;
    size_t size;
    int rc = wf_file_load("/etc/hostname", 1 << 16, arena, &bytes, &size);
    struct wf_walk *walk = NULL;
    if (rc == 0) rc = wf_walk_open("/etc/alternatives", &walk);
    const struct wf_walk_entry *entry;
    for (int i = 0; i < 5 && rc >= 0; i++) rc = wf_walk_next(walk, &entry);
    wf_walk_close(walk);
    return rc < 0 ? rc : 0;
}

static int use_scopes(void)
{
    int values[20] = {1, 2, 3}, status[20];
    WF_BIND(bound, &key, "bound");
    struct wf_handle first = {.result_ = 0}, second = {.result_ = 0};
    struct wf_handle *handles[] = {&first, &second};
    WF_SCOPE(scope, .policy = WF_COLLECT, .timeout = WF_SECONDS(5));
    wf_spawn(&scope, double_it, &values[0], .name = "named", .handle = &first);
    wf_spawn_copy(&scope, double_it, &values[1], .context = WF_CONTEXT_CURRENT, .handle = &second);
    wf_spawn(&scope, fail_with_message, &values[2], .stack_size = 200000);
    int rc = wf_spawn_ready(&scope, be_ready, &values[0]);
    if (rc >= 0 && first.state_ != 0 && second.state_ != 0) rc = wf_wait_handles(handles, 2, WF_ALL_DONE);
    if (rc >= 0) rc = wf_gather(values, WF_COUNT(values), offload_it, .limit = 3, .collect = status);
    if (rc >= 0) rc = wf_race(values, WF_COUNT(values), double_it);
    struct wf_arena *arena = wf_scope_arena(&scope);
    if (rc >= 0 && (arena == NULL || wf_arena_printf(arena, "%d", 17) == NULL)) rc = -ENOMEM;
    return wf_scope_end(&scope, rc == -ECANCELED ? -ECANCELED : rc < 0 ? rc : 0);
}

static int use_everything(void *unused)
{
    (void)unused;
    int rc = use_scopes();
    if (rc == 0 || rc == -EPROTO) rc = use_files();
    if (rc == 0) rc = use_network();
    struct wf_stream *reader, *writer;
    int piped = wf_pipe(&reader, &writer);
    if (piped == 0) {
        wf_stream_close(reader);
        wf_stream_close(writer);
    }
    return rc;
}

static int sweep(bool persistent)
{
    static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};
    int runs = 0;
    fail_from_there_on = persistent;
    for (fail_at = 1;; fail_at++) {
        allocations = 0;
        WF_EXPECT_CODE(wf_set_allocator(&allocator), 0);
        int rc = wf_run(use_everything, NULL);
        bool fired = allocations >= fail_at;
        WF_EXPECT_CODE(wf_set_allocator(NULL), 0);
        bool expected =
            rc == 0 || rc == -ENOMEM || rc == -EAGAIN || rc == -EPROTO || rc == -EINVAL || rc == -ECONNRESET;
        if (!expected || wf_test_failed()) {
            WF_EXPECT_CODE(rc, -ENOMEM);
            WF_EXPECT_INT(fail_at, -1);
            break;
        }
        runs++;
        if (!fired) break;
    }
    fail_at = 0;
    return runs;
}

WF_TEST(every_single_allocation_may_fail, .plain = true, .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep(false) > 30);
}

WF_TEST(every_allocation_from_any_point_on_may_fail, .plain = true, .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep(true) > 30);
}

static int keep_a_block(void *unused)
{
    (void)unused;
    return wf_set_allocator(NULL);
}

WF_TEST(the_allocator_cannot_be_replaced_while_it_is_used, .plain = true)
{
    WF_EXPECT_CODE(wf_run(keep_a_block, NULL), -EBUSY);
    WF_EXPECT_CODE(wf_set_allocator(&(struct wf_allocator){.allocate = allocate}), -EINVAL);
}

WF_TEST_MAIN
