/* The contract of readers, writers and copying: contract.h says what the lines mean. */
#include <string.h>

#include "../contract.h"

/* A pair, with a line and a half on its way to `b`. */
static bool open_pair(struct wf_stream **a, struct wf_stream **b)
{
    *a = *b = NULL;
    return WF_EXPECT_CODE(wf_stream_pair(64, a, b), 0) &&
           WF_EXPECT_CODE(wf_stream_write_all(*a, "line\nha", 7, NULL), 0);
}

static void close_pair(struct wf_stream *a, struct wf_stream *b)
{
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(a_refused_call_of_a_reader_consumes_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a, *b;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    struct wf_reader reader;
    wf_reader_init(&reader, b, 0);
    char *line, text[8];
    const char *bytes;
    size_t size, done = 99;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_reader_line, wf_reader_line(&reader, &line, &size));
    REFUSED(wf_reader_read_until, wf_reader_read_until(&reader, ":", 1, &line));
    REFUSED(wf_reader_peek, wf_reader_peek(&reader, 0, &bytes));
    REFUSED(wf_reader_read, wf_reader_read(&reader, text, sizeof text));
    REFUSED(wf_reader_read_full, wf_reader_read_full(&reader, text, sizeof text, &done));
    WF_EXPECT_INT((int64_t)done, 0);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "line");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_reader_finish(&reader);
    close_pair(a, b);
}

WF_TEST(a_refused_call_of_a_writer_takes_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a, *b;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    struct wf_writer writer;
    wf_writer_init(&writer, a, 0);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_writer_write, wf_writer_write(&writer, "x", 1));
    REFUSED(wf_writer_printf, wf_writer_printf(&writer, "%d", 1));
    REFUSED(wf_writer_flush, wf_writer_flush(&writer));
    WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 0);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_writer_finish(&writer);
    close_pair(a, b);
}

WF_TEST(a_refused_copy_moves_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a, *b, *c, *d;
    struct wf_file *file = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    if (open_pair(&c, &d) && WF_EXPECT_CODE(wf_file_open("/etc/passwd", O_RDONLY, 0, &file), 0)) {
        uint64_t done = 99;
        struct wf_stream_statistics statistics;
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_stream_copy, wf_stream_copy(b, c, UINT64_MAX, &done));
        WF_EXPECT_INT((int64_t)done, 0);
        REFUSED(wf_file_send, wf_file_send(file, 0, UINT64_MAX, c, &done));
        WF_EXPECT_INT((int64_t)done, 0);
        wf_stream_statistics(b, &statistics);
        WF_EXPECT_INT((int64_t)statistics.bytes_read, 0);
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
        WF_EXPECT_INT(wf_stream_write(c, "x", 1), 1); /* it is not broken */
    }
    wf_file_close(file);
    close_pair(c, d);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(a, b);
}

WF_TEST(beginning_asking_and_finishing_stay, .rule = "1.7")
{
    struct wf_stream *a, *b;
    struct wf_reader reader;
    struct wf_writer writer;
    const char *bytes;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!open_pair(&a, &b)) return close_pair(a, b);
    STAYS(wf_reader_init, wf_reader_init(&reader, b, 0));
    STAYS(wf_writer_init, wf_writer_init(&writer, a, 0));
    if (wf_reader_peek(&reader, 1, &bytes) == 7) STAYS(wf_reader_consume, wf_reader_consume(&reader, 7));
    WF_EXPECT_CODE(wf_writer_write(&writer, "x", 1), 0);
    STAYS(wf_writer_pending, WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 1));
    STAYS(wf_writer_room, WF_EXPECT_INT((int64_t)wf_writer_room(&writer), WF_WRITER_SIZE - 1));
    STAYS(wf_reader_finish, wf_reader_finish(&reader));
    STAYS(wf_writer_finish, wf_writer_finish(&writer));
    STAYS(WF_READER, WF_READER(declared, b, 0));
    STAYS(WF_WRITER, WF_WRITER(declared, a, 0));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_pair(a, b);
}

WF_TEST_MAIN
