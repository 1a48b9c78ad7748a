/* A program that uses nearly everything, swept in every run: whatever fails or is cut short, its outcome is allowed. */
#include <weft/testing.h>
#include <weft/weft.h>

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

/* 0, or why it could not go on. */
static int use_everything(void)
{
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

static bool allowed(int rc)
{
    static const int codes[] = {0,    -ECANCELED,    -EPROTO,     -ENOMEM, -EAGAIN, -EMFILE,
                                -EIO, -ECONNREFUSED, -ECONNRESET, -EPIPE,  WF_EEND};
    for (size_t i = 0; i < WF_COUNT(codes); i++)
        if (rc == codes[i]) return true;
    return false;
}

WF_TEST(a_program_ends_in_an_allowed_way_whatever_happens, .rule = "8.4", .sweep = true)
{
    int rc = use_everything();
    WF_EXPECT_CODE(rc, 0);
    WF_INVARIANT(allowed(rc));
}

WF_TEST_MAIN
