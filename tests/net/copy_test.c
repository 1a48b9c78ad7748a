/* Copying from stream to stream and from file to stream: rules 1.3, 1.6, 1.9, 4.5. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Kinds of streams; what is written to `in` is read from `out` ---- */

static int open_memory(struct wf_stream **in, struct wf_stream **out)
{
    return wf_stream_pair(5000, in, out);
}

static int open_pipe(struct wf_stream **in, struct wf_stream **out)
{
    return wf_pipe(out, in);
}

struct way {
    int (*open_from)(struct wf_stream **in, struct wf_stream **out);
    int (*open_to)(struct wf_stream **in, struct wf_stream **out);
};

static const struct way ways[] = {
    {open_memory, open_memory}, {wf_test_pair, wf_test_pair}, {open_pipe, wf_test_pair},
    {wf_test_pair, open_pipe},  {open_pipe, open_pipe},       {wf_test_pair, open_memory},
};

/* source --> from, which is copied to --> to, from whose other end it is read: sink */
struct route {
    struct wf_stream *source, *from, *to, *sink;
};

static bool open_route(struct route *route, const struct way *way)
{
    *route = (struct route){NULL, NULL, NULL, NULL};
    return WF_EXPECT_CODE(way->open_from(&route->source, &route->from), 0) &&
           WF_EXPECT_CODE(way->open_to(&route->to, &route->sink), 0);
}

static void close_route(const struct route *route)
{
    wf_stream_close(route->source);
    wf_stream_close(route->from);
    wf_stream_close(route->to);
    wf_stream_close(route->sink);
}

/* ---- Bytes that tell where they belong ---- */

static unsigned char byte_at(size_t position)
{
    return (unsigned char)(position * 2654435761u >> 13);
}

struct pattern {
    struct wf_stream *stream;
    size_t size, first; /* that is to come, and its place in the pattern */
};

static int pour(struct pattern *pattern)
{
    unsigned char bytes[3000];
    int rc = 0;
    for (size_t at = 0; at < pattern->size && rc == 0;) {
        size_t size = pattern->size - at < sizeof bytes ? pattern->size - at : sizeof bytes;
        for (size_t i = 0; i < size; i++) bytes[i] = byte_at(pattern->first + at + i);
        rc = wf_stream_write_all(pattern->stream, bytes, size, NULL);
        at += size;
    }
    return rc;
}

/* Reads to the end. */
static int drain(struct pattern *pattern)
{
    unsigned char bytes[3000];
    ssize_t got;
    while ((got = wf_stream_read(pattern->stream, bytes, sizeof bytes)) > 0) {
        for (ssize_t i = 0; i < got; i++) WF_INVARIANT(bytes[i] == byte_at(pattern->first + pattern->size + (size_t)i));
        pattern->size += (size_t)got;
    }
    return (int)got;
}

static int pour_and_close(struct pattern *pattern)
{
    int rc = pour(pattern);
    wf_stream_close(pattern->stream);
    return rc;
}

/* ---- Streams ---- */

struct copying {
    struct wf_stream *from, *to;
    uint64_t size, done;
};

static int copy_exactly(struct copying *copying)
{
    return wf_stream_copy(copying->from, copying->to, copying->size, &copying->done);
}

static void copy_whole(const struct way *way, size_t size)
{
    struct route route;
    if (!open_route(&route, way)) return close_route(&route);
    struct pattern in = {.stream = route.source, .size = size}, out = {.stream = route.sink};
    uint64_t done = 99;
    {
        WF_SCOPE(scope);
        if (wf_spawn(&scope, pour_and_close, &in) < 0) wf_stream_close(route.source);
        wf_spawn(&scope, drain, &out);
        WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, UINT64_MAX, &done), 0);
        WF_EXPECT_INT((int64_t)done, (int64_t)size);
        wf_stream_close(route.from);
        wf_stream_close(route.to);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT((int64_t)out.size, (int64_t)size);
    wf_stream_close(route.sink);
}

WF_TEST_EACH(a_copy_goes_to_the_end_of_the_source, ways)
{
    static const size_t sizes[] = {0, 1, 65536, 65537, 300000};
    for (size_t i = 0; i < WF_COUNT(sizes); i++) copy_whole(row, sizes[i]);
}

WF_TEST_EACH(a_copy_takes_no_byte_more_than_it_was_told_to, ways)
{
    enum { FIRST = 100001, SECOND = 70, BEHIND = 5 };
    struct route route;
    if (!open_route(&route, row)) return close_route(&route);
    struct pattern in = {.stream = route.source, .size = FIRST + SECOND + BEHIND}, out = {.stream = route.sink};
    struct pattern rest = {.stream = route.from, .first = FIRST + SECOND};
    uint64_t done = 99;
    {
        WF_SCOPE(scope);
        if (wf_spawn(&scope, pour_and_close, &in) < 0) wf_stream_close(route.source);
        wf_spawn(&scope, drain, &out);
        WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, 0, &done), 0);
        WF_EXPECT_INT((int64_t)done, 0);
        bool copied = WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, FIRST, &done), 0);
        WF_EXPECT_INT((int64_t)done, FIRST);
        copied = copied && WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, SECOND, NULL), 0);
        if (copied) WF_EXPECT_CODE(drain(&rest), 0);
        struct wf_stream_statistics statistics;
        wf_stream_statistics(route.to, &statistics);
        WF_EXPECT_INT((int64_t)statistics.bytes_written, FIRST + SECOND);
        wf_stream_close(route.from);
        wf_stream_close(route.to);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT((int64_t)rest.size, BEHIND);
    WF_EXPECT_INT((int64_t)out.size, FIRST + SECOND);
    wf_stream_close(route.sink);
}

/* Writes crumbs to two connections in turn, so that neither's lie side by side in the kernel's memory. */
static int crumble(struct pattern *one, struct pattern *other, size_t size)
{
    int rc = 0;
    while (one->first < size && rc == 0) {
        rc = pour(one);
        if (rc == 0) rc = pour(other);
        one->first += one->size;
        other->first += other->size;
    }
    return rc;
}

/* Crumbs fill the places of a pipe before its bytes: then it takes less than is there, and nothing new will come. */
WF_TEST(a_pipe_that_is_full_of_crumbs_is_emptied_and_filled_again)
{
    enum { SIZE = 110000, CRUMB = 50 };
    const struct way way = {wf_test_pair, wf_test_pair};
    struct route route, beside;
    if (!open_route(&route, &way)) return close_route(&route);
    if (!open_route(&beside, &way)) {
        close_route(&route);
        return close_route(&beside);
    }
    struct pattern in = {.stream = route.source, .size = CRUMB}, out = {.stream = route.sink};
    struct pattern in_beside = {.stream = beside.source, .size = CRUMB}, out_beside = {.stream = beside.from};
    struct copying copy = {.from = route.from, .to = route.to, .size = SIZE};
    struct wf_handle handle = {.task_ = NULL};
    WF_SCOPE(scope);
    wf_spawn(&scope, drain, &out);
    wf_spawn(&scope, drain, &out_beside);
    bool copies = wf_spawn(&scope, copy_exactly, &copy, .handle = &handle) == 0;
    if (WF_EXPECT_CODE(crumble(&in, &in_beside, SIZE), 0) && copies) WF_EXPECT_CODE(wf_handle_join(&handle), 0);
    WF_EXPECT_INT((int64_t)copy.done, SIZE);
    wf_scope_cancel(&scope, "done");
    wf_ignore(wf_scope_join(&scope));
    close_route(&route);
    close_route(&beside);
}

/* ---- Both ways at once, as a proxy does it ---- */

struct half {
    struct wf_stream *from, *to;
};

static int copy_half(struct half *half)
{
    int rc = wf_stream_copy(half->from, half->to, UINT64_MAX, NULL);
    return rc < 0 ? rc : wf_stream_shutdown(half->to);
}

static int pour_and_shut(struct pattern *pattern)
{
    int rc = pour(pattern);
    return rc < 0 ? rc : wf_stream_shutdown(pattern->stream);
}

WF_TEST(both_directions_of_two_connections_are_copied_at_once)
{
    enum { SIZE = 200000 };
    struct route route;
    if (!open_route(&route, &(struct way){wf_test_pair, wf_test_pair})) return close_route(&route);
    struct pattern out[] = {{.stream = route.source, .size = SIZE}, {.stream = route.sink, .size = SIZE}};
    struct pattern in[] = {{.stream = route.source}, {.stream = route.sink}};
    struct half halves[] = {{route.from, route.to}, {route.to, route.from}};
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 2; i++) {
            wf_spawn(&scope, pour_and_shut, &out[i]);
            wf_spawn(&scope, drain, &in[i]);
            wf_spawn(&scope, copy_half, &halves[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT((int64_t)in[0].size, SIZE);
    WF_EXPECT_INT((int64_t)in[1].size, SIZE);
    close_route(&route);
}

/* ---- Cancels, closes, errors ---- */

static int flood(struct wf_stream *stream)
{
    struct pattern pattern = {.stream = stream, .size = 100 << 20};
    int rc = pour(&pattern);
    return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

/* Nobody reads at the other end: the copy is stuck in the middle. What was read and not written is not forgotten. */
WF_TEST_EACH(a_copy_that_is_cut_says_how_far_it_came_and_leaves_no_gap, ways, .rule = "1.6")
{
    struct route route;
    if (!open_route(&route, row)) return close_route(&route);
    uint64_t done = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, flood, route.source);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(50), wf_stream_copy(route.from, route.to, UINT64_MAX, &done)), -ETIME);
    struct wf_stream_statistics from, to;
    wf_stream_statistics(route.from, &from);
    wf_stream_statistics(route.to, &to);
    WF_INVARIANT(to.bytes_written == done);
    WF_INVARIANT(from.bytes_read >= done);
    if (from.bytes_read > done) WF_EXPECT_CODE(wf_stream_write(route.to, "x", 1), -EPIPE);
    struct pattern out = {.stream = route.sink};
    wf_stream_close(route.to);
    WF_EXPECT_CODE(drain(&out), 0);
    WF_EXPECT_INT((int64_t)out.size, (int64_t)done);
    wf_stream_close(route.from);
    wf_scope_cancel(&scope, "done");
    wf_ignore(wf_scope_join(&scope));
    wf_stream_close(route.source);
    wf_stream_close(route.sink);
}

WF_TEST_EACH(a_copy_that_waits_for_its_source_is_cut_without_a_loss, ways, .rule = "1.3")
{
    struct route route;
    if (!open_route(&route, row)) return close_route(&route);
    struct pattern in = {.stream = route.source, .size = 10}, out = {.stream = route.sink};
    uint64_t done = 0;
    if (!WF_EXPECT_CODE(pour(&in), 0)) return close_route(&route);
    int rc = wf_within(WF_MILLISECONDS(50), wf_stream_copy(route.from, route.to, UINT64_MAX, &done));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT_INT((int64_t)done, 10);
    in.first = 10;
    if (rc == -ETIME && done == 10 && WF_EXPECT_CODE(pour(&in), 0))
        WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, 10, &done), 0);
    wf_stream_close(route.to);
    WF_EXPECT_CODE(drain(&out), 0);
    WF_EXPECT_INT((int64_t)out.size, 20);
    wf_stream_close(route.source);
    wf_stream_close(route.from);
    wf_stream_close(route.sink);
}

static int copy_until_closed(struct route *route)
{
    int rc = wf_stream_copy(route->from, route->to, UINT64_MAX, NULL);
    return rc == -EBADF ? 0 : rc < 0 ? rc : -EINVAL;
}

WF_TEST_EACH(a_copy_is_busy_with_both_streams_and_ends_when_one_is_closed, ways, .rule = "1.9 4.5")
{
    struct route route;
    if (!open_route(&route, row)) return close_route(&route);
    char byte = 'x';
    WF_SCOPE(scope);
    wf_spawn(&scope, copy_until_closed, &route);
    if (WF_EXPECT_CODE(wf_yield(), 0)) { /* else it has not begun, and would use what is closed */
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), (int)wf_stream_read(route.from, &byte, 1)), -EBUSY);
        WF_EXPECT_CODE((int)wf_stream_write(route.to, &byte, 1), -EBUSY);
        WF_EXPECT_CODE(wf_stream_copy(route.from, route.to, 1, NULL), -EBUSY);
        wf_stream_close(route.from);
        wf_stream_close(route.to); /* the copy holds on to them until it has returned */
        route.from = route.to = NULL;
    }
    wf_ignore(wf_scope_end(&scope, wf_test_injected() ? -ECANCELED : 0));
    close_route(&route);
}

WF_TEST_EACH(a_copy_to_a_peer_that_is_gone_says_so, ways)
{
    struct route route;
    if (!open_route(&route, row)) return close_route(&route);
    wf_stream_abort(route.sink);
    WF_SCOPE(scope);
    wf_spawn(&scope, flood, route.source);
    int rc = wf_within(WF_SECONDS(9), wf_stream_copy(route.from, route.to, UINT64_MAX, NULL));
    WF_EXPECT(rc == -EPIPE || rc == -ECONNRESET);
    wf_stream_close(route.from);
    wf_stream_close(route.to);
    wf_scope_cancel(&scope, "done");
    wf_ignore(wf_scope_join(&scope));
    wf_stream_close(route.source);
}

/* ---- Files ---- */

enum { FILE_SIZE = 150000 };

/* A file of the pattern; NULL where that failed. */
static struct wf_file *make_file(const char *path, size_t size)
{
    unsigned char bytes[2048];
    struct wf_file *file = NULL;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600, &file), 0)) return NULL;
    for (size_t at = 0; at < size;) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = byte_at(at + i);
        size_t left = size - at < sizeof bytes ? size - at : sizeof bytes;
        ssize_t put = wf_file_write_at(file, bytes, left, (int64_t)at);
        if (!WF_EXPECT(put > 0)) break;
        at += (size_t)put;
    }
    return file;
}

static const struct {
    int (*open)(struct wf_stream **in, struct wf_stream **out);
    int64_t offset;
    uint64_t size_max, done;
} sendings[] = {
    {wf_test_pair, 0, UINT64_MAX, FILE_SIZE},
    {wf_test_pair, 3, 140000, 140000},
    {open_pipe, 77, UINT64_MAX, FILE_SIZE - 77},
    {open_memory, 1, UINT64_MAX, FILE_SIZE - 1},
    {wf_test_pair, 5, 0, 0},
    {wf_test_pair, FILE_SIZE, 10, 0},
    {wf_test_pair, FILE_SIZE - 5, 10, 5},
    {open_memory, FILE_SIZE + 5, UINT64_MAX, 0},
};

static void send_to(struct wf_file *file, const __typeof__(sendings[0]) *row)
{
    struct wf_stream *in = NULL, *out = NULL;
    if (!WF_EXPECT_CODE(row->open(&in, &out), 0)) return;
    struct pattern come = {.stream = out, .first = (size_t)row->offset};
    uint64_t done = 99;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, drain, &come);
        WF_EXPECT_CODE(wf_file_send(file, row->offset, row->size_max, in, &done), 0);
        WF_EXPECT_INT((int64_t)done, (int64_t)row->done);
        wf_stream_close(in);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT((int64_t)come.size, (int64_t)row->done);
    wf_stream_close(out);
}

WF_TEST_EACH(a_file_is_sent_from_an_offset_on, sendings)
{
    char path[48];
    snprintf(path, sizeof path, "/tmp/weft_copy_test-%ld", wf_simulated() ? 0 : (long)getpid());
    struct wf_file *file = make_file(path, FILE_SIZE);
    if (file != NULL) send_to(file, row);
    wf_file_close(file);
    if (!wf_simulated()) unlink(path);
}

/* Pages that have to be read first are not waited for on the loop's thread. */
WF_TEST(a_file_that_is_not_in_memory_is_sent_too, .real = true)
{
    enum { SIZE = 4 << 20 };
    static const __typeof__(sendings[0]) whole = {wf_test_pair, 0, UINT64_MAX, SIZE};
    char path[48];
    snprintf(path, sizeof path, "/tmp/weft_copy_cold_test-%ld", (long)getpid());
    struct wf_file *file = make_file(path, SIZE);
    if (file != NULL && WF_EXPECT_CODE(wf_file_sync(file), 0)) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        WF_EXPECT(fd >= 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
        close(fd);
        send_to(file, &whole);
    }
    wf_file_close(file);
    unlink(path);
}

WF_TEST(what_cannot_be_sent_is_refused)
{
    struct wf_file *file;
    struct wf_stream *in, *out;
    if (!WF_EXPECT_CODE(wf_file_open("/dev/zero", O_RDONLY, 0, &file), 0)) return;
    if (WF_EXPECT_CODE(wf_test_pair(&in, &out), 0)) {
        uint64_t done = 99;
        WF_EXPECT_CODE(wf_file_send(file, 0, 10, in, &done), -ESPIPE);
        WF_EXPECT_INT((int64_t)done, 0);
        WF_EXPECT_CODE(wf_file_send(file, -1, 10, in, &done), -EINVAL);
        wf_stream_close(in);
        wf_stream_close(out);
    }
    wf_file_close(file);
}

WF_TEST_MAIN
