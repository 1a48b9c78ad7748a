/* The contract of streams and TCP: contract.h says what the lines mean. */
#include <string.h>
#include <unistd.h>
#include <weft/extend.h>
#include <weft/peer.h>

#include "../contract.h"

/* A connection with one byte on its way to `b`; NULL where that failed. */
static bool open_pair(struct wf_stream **a, struct wf_stream **b)
{
    *a = *b = NULL;
    return WF_EXPECT_CODE(wf_test_pair(a, b), 0) && WF_EXPECT_CODE(wf_stream_write_all(*a, "x", 1, NULL), 0);
}

static void close_pair(struct wf_stream *a, struct wf_stream *b)
{
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(a_refused_transfer_moves_no_byte, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a, *b;
    char text[4] = "....";
    size_t done = 99;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_stream_read, wf_stream_read(b, text, 1));
    REFUSED(wf_stream_read_full, wf_stream_read_full(b, text, 1, &done));
    WF_EXPECT_INT((int64_t)done, 0);
    WF_EXPECT(text[0] == '.');
    REFUSED(wf_stream_write, wf_stream_write(a, "y", 1));
    done = 99;
    REFUSED(wf_stream_write_all, wf_stream_write_all(a, "y", 1, &done));
    WF_EXPECT_INT((int64_t)done, 0);
    char byte = 'y';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    REFUSED(wf_stream_writev, wf_stream_writev(a, &part, 1));
    done = 99;
    REFUSED(wf_stream_writev_all, wf_stream_writev_all(a, &part, 1, &done));
    WF_EXPECT_INT((int64_t)done, 0);
    REFUSED(wf_stream_shutdown, wf_stream_shutdown(a));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    if (WF_EXPECT_CODE(wf_stream_write_all(a, "z", 1, NULL), 0))
        WF_EXPECT_CODE(wf_stream_read_full(b, text, 2, NULL), 0);
    WF_EXPECT(memcmp(text, "xz", 2) == 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(a, b);
}

static int read_byte(struct wf_stream *stream)
{
    char byte;
    return (int)wf_stream_read(stream, &byte, 1);
}

static int flood(struct wf_stream *stream)
{
    static char zeros[1 << 20];
    return wf_stream_write_all(stream, zeros, sizeof zeros, NULL);
}

/* What else is wrong with a call is not said inside a cancelled scope, and costs budget there as well. */
WF_TEST(in_a_cancelled_scope_the_code_is_ECANCELED_whatever_else_is_wrong, .rule = "1.1")
{
    struct wf_stream *reader, *writer, *broken, *other;
    char byte;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    if (!WF_EXPECT_CODE(wf_pipe(&other, &broken), 0)) return close_pair(reader, writer);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), flood(broken)), -ETIME);
    WF_EXPECT_CODE(wf_stream_write_all(broken, "x", 0, NULL), -EPIPE);
    WF_SCOPE(reading);
    wf_spawn(&reading, read_byte, reader);
    wf_yield();
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_stream_read(reader, &byte, 1)), -EBUSY);
    {
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "first of all");
        WF_EXPECT_CODE(wf_stream_read(reader, &byte, 1), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_read_full(writer, &byte, 0, NULL), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_write_all(writer, &byte, 0, NULL), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_write(broken, "x", 1), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_write_all(broken, "x", 1, NULL), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
    }
    wf_scope_cancel(&reading, "done");
    WF_EXPECT_CODE(wf_scope_join(&reading), 0);
    struct wf_stream *all[] = {reader, writer, broken, other};
    for (size_t i = 0; i < WF_COUNT(all); i++) wf_stream_close(all[i]);
}

WF_TEST(a_refused_connection_is_not_made_and_not_taken, .rule = "1.1 1.3 1.7")
{
    struct wf_listener *listener, *second = NULL;
    struct wf_stream *client, *server = NULL, *none = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client), 0))
        return wf_listener_close(listener);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_tcp_accept, wf_tcp_accept(listener, &none));
    REFUSED(wf_tcp_connect, wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &none));
    REFUSED(wf_tcp_listen, wf_tcp_listen("127.0.0.1", 0, &second));
    WF_EXPECT(none == NULL && second == NULL);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_tcp_accept(listener, &none)), -ETIME);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(client, server);
    wf_stream_close(none);
    wf_listener_close(listener);
}

WF_TEST(a_refused_wait_for_a_foreign_descriptor_leaves_it_alone, .rule = "1.1 1.7")
{
    int ends[2];
    WF_EXPECT(pipe(ends) == 0);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    REFUSED(wf_wait_fd, wf_wait_fd(ends[1], WF_WRITABLE));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close(ends[0]);
    close(ends[1]);
}

/* Until there is no room in it; no write of it is cut short. */
static void fill(struct wf_stream *stream)
{
    static char zeros[1 << 16];
    ssize_t rc;
    while ((rc = wf_within(WF_MILLISECONDS(5), wf_stream_write(stream, zeros, sizeof zeros))) > 0) {}
    WF_EXPECT_CODE((int)rc, -ETIME);
}

static void call_without_a_peer(struct wf_stream *empty, struct wf_stream *full, struct wf_listener *listener)
{
    struct wf_stream *none = NULL;
    char byte = '.';
    size_t done = 99;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_stream_read, wf_stream_read(empty, &byte, 1));
    REFUSED_TOO(wf_stream_read_full, wf_stream_read_full(empty, &byte, 1, &done));
    WF_EXPECT(byte == '.' && done == 0);
    done = 99;
    REFUSED_TOO(wf_stream_write, wf_stream_write(full, &byte, 1));
    REFUSED_TOO(wf_stream_write_all, wf_stream_write_all(full, &byte, 1, &done));
    REFUSED_TOO(wf_wait_fd, wf_wait_fd(wf_stream_fd(empty), WF_READABLE));
    REFUSED_TOO(wf_tcp_accept, wf_tcp_accept(listener, &none));
    WF_EXPECT(done == 0 && none == NULL);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(a_refused_call_that_would_wait_for_a_peer_does_not_wait, .rule = "1.1 1.7")
{
    struct wf_stream *ends[4] = {NULL};
    struct wf_listener *listener = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (WF_EXPECT_CODE(wf_pipe(&ends[0], &ends[1]), 0) && WF_EXPECT_CODE(wf_pipe(&ends[2], &ends[3]), 0) &&
        WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) {
        fill(ends[3]);
        call_without_a_peer(ends[0], ends[3], listener);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (size_t i = 0; i < WF_COUNT(ends); i++) wf_stream_close(ends[i]);
    wf_listener_close(listener);
}

/* ---- What never suspends ---- */

static int never_shut_down(struct wf_stream *stream)
{
    (void)stream;
    return 0;
}

static void just_release(struct wf_stream *stream, bool abort)
{
    (void)abort;
    STAYS(wf_stream_release, wf_stream_release(stream));
}

static void forget(struct wf_stream *stream)
{
    stream->class_ = NULL;
}

static const struct wf_stream_class idle_class = {
    .name = "idle",
    .shutdown = never_shut_down,
    .close = just_release,
    .destroy = forget,
};

WF_TEST(streams_in_memory_and_of_ones_own_begin_and_end_without_suspending, .rule = "1.7 1.9")
{
    struct wf_stream *a = NULL, *b = NULL, mine;
    struct wf_stream_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_stream_pair, WF_EXPECT_CODE(wf_stream_pair(16, &a, &b), 0));
    if (a != NULL) {
        STAYS(wf_stream_statistics, wf_stream_statistics(a, &statistics));
        WF_EXPECT_INT((int64_t)statistics.bytes_read, 0);
    }
    close_pair(a, b);
    STAYS(wf_stream_init, wf_stream_init(&mine, &idle_class));
    wf_stream_close(&mine);
    WF_EXPECT(mine.class_ == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int wait_for_byte(struct wf_stream *stream)
{
    return went_on(read_byte(stream));
}

static int wait_for_client(struct wf_listener *listener)
{
    struct wf_stream *stream = NULL;
    int rc = wf_tcp_accept(listener, &stream);
    wf_stream_close(stream);
    return went_on(rc);
}

/* What each waits for is with the kernel by then, on a busy machine too. */
static void await_operations(uint64_t count)
{
    struct wf_statistics now = {.operations_pending = 0};
    for (int i = 0; i < 100 && now.operations_pending < count; i++) {
        wf_shielded(WF_SECONDS(1), wf_yield());
        wf_loop_statistics(&now);
    }
}

/* Each in a frame of its own, beside their callers': the lines take room there. */
static __attribute__((noinline)) void spawn_server(struct wf_scope *scope, struct wf_listener **listener)
{
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, listener), 0)) return;
    wf_spawn(scope, wait_for_client, *listener);
}

static __attribute__((noinline)) void spawn_readers(struct wf_scope *scope, struct wf_stream *one,
                                                    struct wf_stream *other)
{
    wf_spawn(scope, wait_for_byte, one);
    wf_spawn(scope, wait_for_byte, other);
}

static __attribute__((noinline)) void end_waits(struct wf_stream *one, struct wf_stream *other,
                                                struct wf_listener *closed, struct wf_scope *idle)
{
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_stream_close, -EBADF, wf_stream_close(one));
    WAKES(wf_stream_abort, -EBADF, wf_stream_abort(other));
    WAKES(wf_listener_close, -EBADF, wf_listener_close(closed));
    WAKES(wf_scope_drain, -ESHUTDOWN, wf_scope_drain(idle));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST(closing_in_a_cancelled_scope_ends_the_waits_of_others_and_does_not_run_them, .rule = "1.7 1.9 7.1")
{
    struct wf_stream *a, *b, *c, *d;
    struct wf_listener *drained = NULL, *closed = NULL;
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    if (!WF_EXPECT_CODE(wf_test_pair(&c, &d), 0)) return close_pair(a, b);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(idle);
    spawn_readers(&scope, a, c);
    spawn_server(&idle, &drained);
    spawn_server(&scope, &closed);
    await_operations(4);
    end_waits(a, c, closed, &idle);
    WF_EXPECT_CODE(wf_scope_join(&idle), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(b, d);
    wf_listener_close(drained);
}

static __attribute__((noinline)) void ask_listener(void)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    STAYS(wf_listener_port, WF_EXPECT(wf_listener_port(listener) > 0));
    STAYS(wf_listener_fd, WF_EXPECT_INT(wf_listener_fd(listener, 1), -1));
    STAYS(wf_listener_leave_file, wf_listener_leave_file(listener));
    STAYS(wf_listener_close, wf_listener_close(listener));
}

static __attribute__((noinline)) void open_standard_streams(void)
{
    struct wf_stream *standard[3] = {NULL};
    STAYS(wf_stdin, WF_EXPECT_CODE(wf_stdin(&standard[0]), 0));
    STAYS(wf_stdout, WF_EXPECT_CODE(wf_stdout(&standard[1]), 0));
    STAYS(wf_stderr, WF_EXPECT_CODE(wf_stderr(&standard[2]), 0));
    for (int i = 0; i < 3; i++) wf_stream_close(standard[i]);
}

WF_TEST(closing_and_asking_a_stream_never_suspend, .rule = "1.7 1.9")
{
    struct wf_stream *a = NULL, *b = NULL, *wrapped = NULL;
    struct wf_address address;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    WF_SCOPE(scope);
    WF_SCOPE(pending, .policy = WF_COLLECT);
    spawn_sibling(&scope);
    STAYS(wf_pipe, WF_EXPECT_CODE(wf_pipe(&a, &b), 0));
    if (a != NULL) {
        STAYS(wf_stream_fd, WF_EXPECT(wf_stream_fd(a) >= 0));
        STAYS(wf_stream_peer, WF_EXPECT_CODE(wf_stream_peer(a, &address), -EOPNOTSUPP));
        STAYS(wf_stream_local, WF_EXPECT_CODE(wf_stream_local(a, &address), -EOPNOTSUPP));
        wf_spawn(&pending, read_byte, a);
        wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))); /* until it reads, or was refused */
        STAYS(wf_stream_close, wf_stream_close(a));
    }
    ask_listener();
    open_standard_streams();
    STAYS(wf_stream_wrap, WF_EXPECT_CODE(wf_stream_wrap(fd, &wrapped), 0));
    STAYS(wf_close_fd, wf_close_fd(wrapped == NULL ? fd : -1));
    WF_EXPECT_CODE(wf_scope_join(&pending), -EBADF);
    STAYS(wf_stream_abort, wf_stream_abort(b));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(wrapped);
}

WF_TEST(shutting_down_a_plain_stream_does_not_suspend, .rule = "1.9")
{
    struct wf_stream *a, *b;
    char byte;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    before_call();
    WF_EXPECT_CODE(wf_stream_shutdown(a), 0);
    WF_EXPECT(did_not_switch("wf_stream_shutdown"));
    WF_EXPECT_INT(wf_stream_read(b, &byte, 1), 1);
    WF_EXPECT_INT(wf_stream_read(b, &byte, 1), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(a, b);
}

WF_TEST(addresses_never_suspend, .rule = "1.7")
{
    struct wf_address address, same;
    char text[WF_ADDRESS_TEXT];
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_address_parse, WF_EXPECT_CODE(wf_address_parse("127.0.0.1:80", &address), 0));
    STAYS(wf_address_text, WF_EXPECT_TEXT(wf_address_text(&address, text), "127.0.0.1:80"));
    STAYS(wf_address_from, WF_EXPECT_CODE(wf_address_from(&address.any, address.size, &same), 0));
    STAYS(wf_address_equal, WF_EXPECT(wf_address_equal(&address, &same)));
    STAYS(wf_address_ip, WF_EXPECT_CODE(wf_address_ip("::1", 80, &address), 0));
    STAYS(wf_address_port, WF_EXPECT_INT(wf_address_port(&address), 80));
    STAYS(wf_address_set_port, wf_address_set_port(&address, 81));
    STAYS(wf_address_unix, WF_EXPECT_CODE(wf_address_unix("/a", &address), 0));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
