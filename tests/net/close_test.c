/* Rules 1.5, 1.6 and 1.9 of docs/semantics.md: what is pending when a stream is cancelled, cut or closed. */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool is_driver(const char *name)
{
    return strcmp(wf_driver_name(), name) == 0;
}

struct transfer {
    struct wf_stream *stream;
    ssize_t rc;
    size_t done;
    bool over;
};

static int read_byte(struct transfer *transfer)
{
    char byte; /* on this task's stack: the kernel must not write here once the call has returned */
    transfer->rc = wf_stream_read(transfer->stream, &byte, 1);
    transfer->over = true;
    return 0;
}

static char zeros[1 << 26]; /* more than any buffer of the system takes */

static int write_much(struct transfer *transfer)
{
    transfer->rc = wf_stream_write_all(transfer->stream, zeros, sizeof zeros, &transfer->done);
    transfer->over = true;
    return 0;
}

/* ---- 1.5: the kernel has the last word ---- */

static uint64_t pending(void)
{
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    return statistics.operations_pending;
}

/* On epoll the operation is the loop's own until the moment it is done, and so over at once. */
WF_TEST(a_cancelled_operation_is_waited_for, .rule = "1.5 1.7")
{
    struct transfer reading = {.rc = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reading.stream, &writer), 0)) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, read_byte, &reading);
        wf_sleep(WF_MILLISECONDS(1));
        WF_EXPECT_INT((int64_t)pending(), 1);
        wf_scope_cancel(&scope, "now");
        bool asks_kernel = !is_driver("epoll");
        WF_EXPECT_INT((int64_t)pending(), asks_kernel ? 1 : 0);
        wf_shielded(WF_FOREVER, wf_yield());
        WF_EXPECT(reading.over == !asks_kernel);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_INT((int64_t)pending(), 0);
    }
    WF_EXPECT_CODE(reading.rc, -ECANCELED);
    wf_stream_close(reading.stream);
    wf_stream_close(writer);
}

static int find_ring(void)
{
    for (int fd = 3; fd < 256; fd++) {
        char path[64], target[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size > 0 && strcmp(target, "anon_inode:[io_uring]") == 0) return fd;
    }
    return -1;
}

/* Cancels what is pending on the descriptor behind the library's back. */
static long cancel_in_kernel(int fd)
{
    struct io_uring_sync_cancel_reg request = {.fd = fd, .flags = IORING_ASYNC_CANCEL_FD, .timeout = {-1, -1}};
    return syscall(SYS_io_uring_register, find_ring(), IORING_REGISTER_SYNC_CANCEL, &request, 1);
}

WF_TEST(a_cancel_of_the_kernels_own_is_an_error_of_the_device, .real = true, .rule = "1.5")
{
    if (!is_driver("uring")) return; /* only io_uring can */
    struct transfer reading = {.rc = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reading.stream, &writer), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, read_byte, &reading);
    wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT(cancel_in_kernel(wf_stream_fd(reading.stream)) >= 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(reading.rc, -EIO);
    wf_stream_close(reading.stream);
    wf_stream_close(writer);
}

/* ---- 1.6: cut in the middle, or before ---- */

/* Gives whether it is full. */
static bool fill(struct wf_stream *writer)
{
    size_t capacity = is_driver("sim") ? 65536 : (size_t)fcntl(wf_stream_fd(writer), F_GETPIPE_SZ);
    return WF_EXPECT_CODE(wf_stream_write_all(writer, zeros, capacity, NULL), 0);
}

WF_TEST(a_write_cut_before_its_first_byte_leaves_the_stream_whole, .rule = "1.6")
{
    struct wf_stream *reader, *writer;
    size_t done = 99;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    if (fill(writer)) {
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_stream_write_all(writer, zeros, 4096, &done)), -ETIME);
        WF_EXPECT_INT((int64_t)done, 0);
        if (WF_EXPECT_CODE(wf_stream_read_full(reader, zeros, 8192, NULL), 0))
            WF_EXPECT_CODE(wf_stream_write_all(writer, zeros, 4096, &done), 0);
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
}

WF_TEST(a_stream_that_is_broken_for_writing_can_still_be_read, .rule = "1.6")
{
    struct transfer writing = {.rc = 0};
    struct wf_stream *peer;
    char byte;
    if (!WF_EXPECT_CODE(wf_test_pair(&writing.stream, &peer), 0)) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, write_much, &writing);
        WF_EXPECT_INT(wf_within(WF_SECONDS(5), wf_stream_read(peer, &byte, 1)), 1);
        wf_scope_cancel(&scope, "in the middle");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(writing.rc, -ECANCELED);
    WF_EXPECT(writing.done > 0 && writing.done < sizeof zeros);
    WF_EXPECT_CODE(wf_stream_write_all(writing.stream, "x", 1, NULL), -EPIPE);
    if (WF_EXPECT_CODE(wf_stream_write_all(peer, "y", 1, NULL), 0))
        WF_EXPECT_INT(wf_stream_read(writing.stream, &byte, 1), 1);
    wf_stream_close(writing.stream);
    wf_stream_close(peer);
}

/* ---- 1.9: closing ---- */

WF_TEST(closing_ends_a_pending_write_with_EBADF, .rule = "1.9")
{
    struct transfer writing = {.rc = 0};
    struct wf_stream *reader;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writing.stream), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, write_much, &writing);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(2))); /* until it waits, or was refused */
    wf_stream_close(writing.stream);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(writing.rc, -EBADF);
    wf_stream_close(reader);
}

WF_TEST(closing_works_in_a_cancelled_scope_and_on_a_broken_stream, .rule = "1.9")
{
    struct wf_stream *reader, *writer;
    char byte;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    {
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "before the close");
        wf_stream_close(writer);
        wf_stream_close(NULL);
        WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
    }
    WF_EXPECT_INT(wf_stream_read(reader, &byte, 1), 0);
    wf_stream_close(reader);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* real: descriptors of the system; a second close of the same number would hit the file that has it by then. */
WF_TEST(a_descriptor_is_released_once_when_its_last_call_has_ended, .real = true, .rule = "1.9")
{
    for (int i = 0; i < 20; i++) {
        struct transfer reading = {.rc = 0};
        struct wf_stream *writer;
        if (!WF_EXPECT_CODE(wf_pipe(&reading.stream, &writer), 0)) return;
        int fd = wf_stream_fd(reading.stream);
        WF_SCOPE(scope);
        wf_spawn(&scope, read_byte, &reading);
        wf_shielded(WF_SECONDS(1), wf_sleep(i % 2 * WF_MICROSECONDS(100)));
        wf_stream_close(reading.stream);
        bool pending_in_kernel = is_driver("uring");
        WF_EXPECT(is_open(fd) == pending_in_kernel);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(reading.rc, -EBADF);
        WF_EXPECT(!is_open(fd));
        int again = open("/dev/null", O_RDONLY | O_CLOEXEC);
        WF_EXPECT_INT(again, fd);
        wf_stream_close(writer);
        WF_EXPECT_CODE(wf_sleep(WF_MICROSECONDS(10)), 0);
        WF_EXPECT(is_open(again));
        close(again);
    }
}

static int read_twice_around_a_close(struct transfer *transfer)
{
    char bytes[64];
    transfer->rc = wf_stream_read_full(transfer->stream, bytes, sizeof bytes, &transfer->done);
    transfer->over = true;
    return 0;
}

WF_TEST(a_call_of_several_steps_ends_at_the_close_too, .rule = "1.9")
{
    struct transfer reading = {.rc = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reading.stream, &writer), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, read_twice_around_a_close, &reading);
    WF_EXPECT_CODE(wf_stream_write_all(writer, "abc", 3, NULL), 0);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))); /* until it has them and waits, or was refused */
    wf_stream_close(reading.stream);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(reading.rc, -EBADF);
    WF_EXPECT_INT((int64_t)reading.done, 3);
    wf_stream_close(writer);
}

WF_TEST(a_shutdown_lets_the_peer_read_all_and_then_the_end, .rule = "1.9")
{
    struct wf_stream *a, *b;
    char bytes[5];
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    WF_EXPECT_CODE(wf_stream_write_all(a, "bye", 3, NULL), 0);
    WF_EXPECT_CODE(wf_stream_shutdown(a), 0);
    wf_stream_close(a);
    WF_EXPECT_CODE(wf_stream_read_full(b, bytes, 3, NULL), 0);
    WF_EXPECT_INT(wf_stream_read(b, bytes, 1), 0);
    wf_stream_close(b);
}

/* ---- 2.5: in one pass completions come before timers ---- */

/* real time: the byte comes and the deadline passes while the loop is held */
WF_TEST(what_completed_in_the_pass_of_the_deadline_is_delivered, .real = true, .rule = "1.3 2.5")
{
    struct transfer reading = {.rc = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reading.stream, &writer), 0)) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, read_byte, &reading);
        wf_sleep(WF_MILLISECONDS(1));
        WF_EXPECT(write(wf_stream_fd(writer), "x", 1) == 1);
        wf_scope_set_deadline(&scope, wf_now() + WF_MILLISECONDS(1));
        while (wf_now() < wf_deadline()) {}
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(reading.rc, 1);
    wf_stream_close(reading.stream);
    wf_stream_close(writer);
}

WF_TEST_MAIN
