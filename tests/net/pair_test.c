/* Streams in memory, and streams of a class of one's own: rules 1.3, 1.6, 1.9, 4.5. */
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool open_pair(size_t capacity, struct wf_stream **a, struct wf_stream **b)
{
    *a = *b = NULL;
    return WF_EXPECT_CODE(wf_stream_pair(capacity, a, b), 0);
}

static void close_pair(struct wf_stream *a, struct wf_stream *b)
{
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(what_is_written_to_one_end_is_read_from_the_other_both_ways)
{
    struct wf_stream *a, *b;
    char text[8] = "";
    if (!open_pair(4, &a, &b)) return;
    WF_EXPECT_INT(wf_stream_write(a, "abc", 3), 3);
    WF_EXPECT_INT(wf_stream_write(b, "xyz", 3), 3);
    WF_EXPECT_INT(wf_stream_write(a, "def", 3), 1); /* the room that is left */
    WF_EXPECT_INT(wf_stream_read(b, text, sizeof text), 4);
    WF_EXPECT(memcmp(text, "abcd", 4) == 0);
    WF_EXPECT_INT(wf_stream_read(a, text, sizeof text), 3);
    WF_EXPECT(memcmp(text, "xyz", 3) == 0);
    WF_EXPECT_INT(wf_stream_fd(a), -1);
    close_pair(a, b);
}

struct transfer {
    struct wf_stream *stream;
    size_t size, step;
    uint64_t sum;
};

static int pour(struct transfer *transfer)
{
    unsigned char bytes[700];
    int rc = 0;
    for (size_t at = 0; at < transfer->size && rc == 0; at += transfer->step) {
        size_t size = transfer->size - at < transfer->step ? transfer->size - at : transfer->step;
        for (size_t i = 0; i < size; i++) transfer->sum = transfer->sum * 31 + (bytes[i] = (unsigned char)(at * 7 + i));
        rc = wf_stream_write_all(transfer->stream, bytes, size, NULL);
    }
    wf_stream_close(transfer->stream);
    return rc;
}

static int drain(struct transfer *transfer)
{
    unsigned char bytes[700];
    ssize_t got;
    while ((got = wf_stream_read(transfer->stream, bytes, transfer->step)) > 0) {
        transfer->size += (size_t)got;
        for (ssize_t i = 0; i < got; i++) transfer->sum = transfer->sum * 31 + bytes[i];
    }
    return (int)got;
}

static const struct {
    const char *name;
    size_t capacity, step_in, step_out;
} steps[] = {
    {"a ring of one byte", 1, 700, 1},
    {"steps below the ring", 7, 3, 700},
    {"steps of the ring", 64, 64, 64},
    {"steps beyond the ring", 100, 700, 33},
};

WF_TEST_EACH(many_bytes_pass_a_small_ring_in_order, steps)
{
    struct wf_stream *a, *b;
    if (!open_pair(row->capacity, &a, &b)) return;
    struct transfer in = {.stream = a, .size = 5000, .step = row->step_in};
    struct transfer out = {.stream = b, .step = row->step_out};
    WF_SCOPE(scope);
    if (wf_spawn(&scope, pour, &in) < 0) wf_stream_close(a);
    int rc = drain(&out);
    if (WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0)) WF_EXPECT(out.size == 5000 && in.sum == out.sum);
    wf_stream_close(b);
}

WF_TEST(the_end_comes_after_what_was_written)
{
    struct wf_stream *a, *b;
    char text[8];
    if (!open_pair(16, &a, &b)) return;
    wf_ignore(wf_stream_write_all(a, "bye", 3, NULL));
    WF_EXPECT_CODE(wf_stream_shutdown(a), 0);
    WF_EXPECT_CODE(wf_stream_write_all(a, "more", 4, NULL), -EPIPE);
    WF_EXPECT_INT(wf_stream_read(b, text, sizeof text), 3);
    WF_EXPECT_INT(wf_stream_read(b, text, sizeof text), 0);
    WF_EXPECT_INT(wf_stream_write(b, "still", 5), 5); /* the other direction goes on */
    WF_EXPECT_INT(wf_stream_read(a, text, sizeof text), 5);
    close_pair(a, b);
}

WF_TEST(writing_to_a_closed_peer_is_a_broken_pipe)
{
    struct wf_stream *a, *b;
    char text[8];
    if (!open_pair(16, &a, &b)) return;
    wf_ignore(wf_stream_write_all(b, "left", 4, NULL));
    wf_stream_close(b);
    WF_EXPECT_INT(wf_stream_write(a, "x", 1), -EPIPE);
    WF_EXPECT_INT(wf_stream_read(a, text, sizeof text), 4);
    WF_EXPECT_INT(wf_stream_read(a, text, sizeof text), 0);
    wf_stream_close(a);
}

/* Cancelled or not, what was spawned is under way. */
static void let_begin(void)
{
    wf_shielded(WF_FOREVER, wf_test_wait_idle());
}

static int read_one(struct wf_stream *stream)
{
    char byte;
    return (int)wf_stream_read(stream, &byte, 1);
}

static int write_much(struct wf_stream *stream)
{
    static const char bytes[64];
    size_t done;
    int rc = wf_stream_write_all(stream, bytes, sizeof bytes, &done);
    if (rc < 0) WF_INVARIANT(done < sizeof bytes);
    return rc;
}

WF_TEST(closing_ends_what_is_pending_on_this_end, .rule = "1.9")
{
    struct wf_stream *a, *b;
    struct wf_handle reads, writes;
    if (!open_pair(4, &a, &b)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    int rc = wf_spawn(&scope, read_one, a, .handle = &reads);
    if (rc == 0) rc = wf_spawn(&scope, write_much, a, .handle = &writes);
    let_begin();
    wf_stream_close(a);
    wf_scope_join(&scope);
    wf_stream_close(b);
    if (rc < 0 || wf_test_injected()) return;
    WF_EXPECT_CODE(wf_handle_result(&reads), -EBADF);
    WF_EXPECT_CODE(wf_handle_result(&writes), -EBADF);
}

WF_TEST(closing_ends_what_is_pending_on_the_other_end, .rule = "1.9")
{
    struct wf_stream *a, *b;
    struct wf_handle reads, writes;
    if (!open_pair(4, &a, &b)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    int rc = wf_spawn(&scope, read_one, a, .handle = &reads);
    if (rc == 0) rc = wf_spawn(&scope, write_much, a, .handle = &writes);
    let_begin();
    wf_stream_close(b);
    wf_scope_join(&scope);
    wf_stream_close(a);
    if (rc < 0 || wf_test_injected()) return;
    WF_EXPECT_CODE(wf_handle_result(&reads), 0);
    WF_EXPECT_CODE(wf_handle_result(&writes), -EPIPE);
}

WF_TEST(a_second_reader_or_writer_is_refused, .rule = "4.5")
{
    struct wf_stream *a, *b;
    char byte;
    if (!open_pair(4, &a, &b)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    int spawned = wf_spawn(&scope, read_one, a);
    if (spawned == 0) spawned = wf_spawn(&scope, write_much, a);
    let_begin();
    if (spawned == 0) {
        WF_EXPECT_INT(wf_stream_read(a, &byte, 1), -EBUSY);
        WF_EXPECT_INT(wf_stream_write(a, "x", 1), -EBUSY);
    }
    wf_scope_cancel(&scope, "seen");
    wf_scope_join(&scope);
    WF_EXPECT_INT(wf_stream_write(a, "x", 1), -EPIPE); /* the big write was cut in the middle */
    close_pair(a, b);
}

WF_TEST(capacities_that_make_no_sense_are_refused)
{
    struct wf_stream *a, *b;
    WF_EXPECT_CODE(wf_stream_pair(0, &a, &b), -EINVAL);
    WF_EXPECT_CODE(wf_stream_pair(SIZE_MAX, &a, &b), -EINVAL);
}

/* ---- Several parts ---- */

#define PART(text) ((struct iovec){.iov_base = (void *)(uintptr_t)(text), .iov_len = sizeof(text) - 1})

static void expect_parts(struct wf_stream *a, struct wf_stream *b)
{
    struct iovec parts[40];
    char expected[128] = "", text[128] = "";
    for (int i = 0; i < 40; i++) {
        parts[i] = i % 3 == 0 ? PART("") : i % 3 == 1 ? PART("ab") : PART("xyz");
        strcat(expected, i % 3 == 0 ? "" : i % 3 == 1 ? "ab" : "xyz");
    }
    size_t done = 0, size = strlen(expected);
    if (!WF_EXPECT_CODE(wf_stream_writev_all(a, parts, 40, &done), 0)) return;
    WF_EXPECT_INT((int64_t)done, (int64_t)size);
    if (!WF_EXPECT_CODE(wf_stream_read_full(b, text, size, NULL), 0)) return;
    WF_EXPECT_TEXT(text, expected);
    struct wf_stream_statistics sent, got;
    wf_stream_statistics(a, &sent);
    wf_stream_statistics(b, &got);
    WF_EXPECT_INT((int64_t)sent.bytes_written, (int64_t)size);
    WF_EXPECT_INT((int64_t)got.bytes_read, (int64_t)size);
    WF_EXPECT(sent.writes >= 2 && sent.reads == 0 && got.reads >= 1);
}

WF_TEST(parts_arrive_as_one_row_of_bytes_over_a_socket)
{
    struct wf_stream *a = NULL, *b = NULL;
    if (WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) expect_parts(a, b);
    close_pair(a, b);
}

WF_TEST(parts_arrive_as_one_row_of_bytes_through_a_pipe)
{
    struct wf_stream *reader = NULL, *writer = NULL;
    if (WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) expect_parts(writer, reader);
    close_pair(reader, writer);
}

WF_TEST(parts_arrive_as_one_row_of_bytes_in_memory)
{
    struct wf_stream *a, *b;
    if (!open_pair(256, &a, &b)) return;
    expect_parts(a, b);
    close_pair(a, b);
}

WF_TEST(parts_that_make_no_sense_are_refused)
{
    struct wf_stream *a, *b;
    struct iovec none = PART(""), huge[2] = {none, none};
    huge[0].iov_len = SSIZE_MAX;
    huge[1].iov_len = 1;
    if (!open_pair(16, &a, &b)) return;
    WF_EXPECT_INT(wf_stream_writev(a, huge, 2), -EINVAL);
    WF_EXPECT_INT(wf_stream_writev(a, huge, -1), -EINVAL);
    WF_EXPECT_INT(wf_stream_writev(a, &none, 1), -EINVAL);
    WF_EXPECT_CODE(wf_stream_writev_all(a, &none, 1, NULL), 0);
    WF_EXPECT_CODE(wf_stream_writev_all(a, huge, 2, NULL), -EINVAL);
    close_pair(a, b);
}

/* ---- A class of one's own ---- */

struct upper {
    struct wf_stream stream;
    struct wf_stream *under;
};

static struct wf_stream *under(struct wf_stream *stream)
{
    return ((struct upper *)stream)->under;
}

static ssize_t upper_read(struct wf_stream *stream, void *buffer, size_t size)
{
    ssize_t got = wf_stream_read(under(stream), buffer, size);
    for (ssize_t i = 0; i < got; i++) ((char *)buffer)[i] = (char)toupper(((unsigned char *)buffer)[i]);
    return got;
}

static ssize_t upper_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)all;
    return wf_stream_writev(under(stream), parts, count);
}

static int upper_shutdown(struct wf_stream *stream)
{
    return wf_stream_shutdown(under(stream));
}

static void upper_close(struct wf_stream *stream, bool abort)
{
    if (abort) wf_stream_abort(under(stream));
    else wf_stream_close(under(stream));
    wf_stream_release(stream);
}

static void upper_destroy(struct wf_stream *stream)
{
    free(stream);
}

static const struct wf_stream_class upper_class = {
    .name = "upper",
    .read = upper_read,
    .write = upper_write,
    .shutdown = upper_shutdown,
    .close = upper_close,
    .destroy = upper_destroy,
};

WF_TEST(a_stream_of_ones_own_class_is_a_stream)
{
    struct wf_stream *a, *b;
    char text[8] = "";
    if (!open_pair(16, &a, &b)) return;
    struct upper *upper = malloc(sizeof *upper);
    upper->under = b;
    wf_stream_init(&upper->stream, &upper_class);
    wf_ignore(wf_stream_write_all(a, "weft", 4, NULL));
    WF_EXPECT_CODE(wf_stream_read_full(&upper->stream, text, 4, NULL), 0);
    WF_EXPECT_TEXT(text, "WEFT");
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, read_one, &upper->stream);
    let_begin();
    wf_stream_close(&upper->stream); /* its memory stays until the pending read has returned */
    wf_scope_join(&scope);
    wf_stream_close(a);
}

WF_TEST_MAIN
