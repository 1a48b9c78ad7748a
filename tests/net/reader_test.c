/* Buffered reading: rules 1.1, 1.3, 1.6, 4.5. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/peer.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* Writes a text in steps, and closes. */
struct source {
    struct wf_stream *stream;
    const char *text;
    size_t size, step;
    int64_t pause;
};

static int pour(struct source *source)
{
    int rc = 0;
    for (size_t at = 0; at < source->size && rc == 0; at += source->step) {
        size_t left = source->size - at;
        rc = wf_stream_write_all(source->stream, source->text + at, left < source->step ? left : source->step, NULL);
        if (rc == 0 && source->pause > 0) rc = wf_sleep(source->pause);
    }
    wf_stream_close(source->stream);
    return rc;
}

/* A stream from which that text is read, and then the end. */
static struct wf_stream *holding(const char *text)
{
    struct wf_stream *a, *b;
    size_t size = strlen(text);
    if (!WF_EXPECT_CODE(wf_stream_pair(size + 1, &a, &b), 0)) return NULL;
    if (size > 0) WF_EXPECT_CODE(wf_stream_write_all(a, text, size, NULL), 0);
    wf_stream_close(a);
    return b;
}

/* ---- Lines ---- */

/* Joins the lines with '|'. */
static int join_lines(struct wf_reader *reader, char *all, size_t room)
{
    char *line;
    size_t size;
    int rc;
    all[0] = '\0';
    while ((rc = wf_reader_line(reader, &line, &size)) > 0) {
        WF_INVARIANT(strlen(line) == size);
        strncat(all, line, room - strlen(all) - 1);
        strncat(all, "|", room - strlen(all) - 1);
    }
    return rc;
}

static const struct {
    const char *text, *lines;
} texts[] = {
    {"", ""},      {"a", "a|"},         {"a\n", "a|"},   {"a\nb", "a|b|"},    {"a\r\nb\r\n", "a|b|"}, {"\n\n", "||"},
    {"\r\n", "|"}, {"a\rb\n", "a\rb|"}, {"a\r", "a\r|"}, {"a\r\r\n", "a\r|"}, {"a\n\r\nb", "a||b|"},
};

WF_TEST_EACH(a_line_ends_with_LF_or_CRLF_or_the_stream, texts)
{
    struct wf_stream *stream = holding(row->text);
    if (stream == NULL) return;
    char all[64];
    {
        WF_READER(reader, stream, 0);
        WF_EXPECT_CODE(join_lines(&reader, all, sizeof all), 0);
        WF_EXPECT_TEXT(all, row->lines);
        WF_EXPECT_CODE(join_lines(&reader, all, sizeof all), 0); /* the end stays the end */
    }
    wf_stream_close(stream);
}

static const struct {
    size_t ring, step, size_max;
} ways[] = {{1, 700, 0}, {7, 3, 0}, {64, 64, 64}, {5000, 700, 5000}, {60000, 60000, 0}};

enum { LINES = 3000 };

static bool line_is(int number, const char *line, size_t size)
{
    char wanted[64];
    int length =
        snprintf(wanted, sizeof wanted, "%d%.*s", number, number % 40, "----------------------------------------");
    return size == (size_t)length && memcmp(line, wanted, size) == 0;
}

static size_t print_lines(char *text, size_t room)
{
    size_t size = 0;
    for (int i = 0; i < LINES; i++)
        size += (size_t)snprintf(text + size, room - size, "%d%.*s\n", i, i % 40,
                                 "----------------------------------------");
    return size;
}

static int read_lines(struct wf_stream *stream, size_t size_max)
{
    WF_READER(reader, stream, size_max);
    char *line;
    size_t size;
    int rc, count = 0;
    while ((rc = wf_reader_line(&reader, &line, &size)) > 0) WF_INVARIANT(line_is(count++, line, size));
    return rc < 0 ? rc : count;
}

WF_TEST_EACH(lines_are_found_however_they_come, ways)
{
    size_t room = (size_t)LINES * 48;
    char *text = malloc(room);
    struct wf_stream *a, *b;
    if (text == NULL || !WF_EXPECT_CODE(wf_stream_pair(row->ring, &a, &b), 0)) return free(text);
    struct source source = {.stream = a, .text = text, .size = print_lines(text, room), .step = row->step};
    {
        WF_SCOPE(scope);
        if (wf_spawn(&scope, pour, &source) < 0) wf_stream_close(a);
        WF_EXPECT_INT(read_lines(b, row->size_max), LINES);
        wf_stream_close(b);
        wf_ignore(wf_scope_join(&scope));
    }
    free(text);
}

WF_TEST(a_line_over_the_limit_is_refused_and_stays)
{
    struct wf_stream *stream = holding("1234567\n12345678\nx\n");
    if (stream == NULL) return;
    {
        WF_READER(reader, stream, 8);
        char *line;
        size_t size;
        const char *bytes;
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1);
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), -EMSGSIZE);
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), -EMSGSIZE);
        WF_EXPECT_INT(wf_reader_peek(&reader, 1, &bytes), 8);
        if (wf_reader_peek(&reader, 8, &bytes) == 8) {
            WF_EXPECT(memcmp(bytes, "12345678", 8) == 0);
            wf_reader_consume(&reader, 8);
        }
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1); /* the rest of it */
        WF_EXPECT_INT((int64_t)size, 0);
        if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "x");
    }
    wf_stream_close(stream);
}

WF_TEST(a_line_may_hold_zero_bytes_and_may_be_changed_in_place)
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_stream_pair(64, &a, &b), 0)) return;
    WF_EXPECT_CODE(wf_stream_write_all(a, "a\0b\nnext\n", 9, NULL), 0);
    {
        WF_READER(reader, b, 0);
        char *line;
        size_t size = 0;
        if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) {
            WF_EXPECT(size == 3 && memcmp(line, "a\0b", 4) == 0);
            memset(line, '!', size);
        }
        if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "next");
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

/* ---- Delimiters ---- */

WF_TEST_EACH(a_delimiter_of_several_bytes_is_found_across_reads, ways)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r";
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_stream_pair(row->ring, &a, &b), 0)) return;
    struct source source = {.stream = a, .text = text, .size = sizeof text - 1, .step = row->step};
    {
        WF_SCOPE(scope);
        if (wf_spawn(&scope, pour, &source) < 0) wf_stream_close(a);
        WF_READER(reader, b, row->size_max);
        char *bytes;
        const char *rest;
        WF_EXPECT_CODE(wf_reader_read_until(&reader, "", 0, &bytes), -EINVAL);
        if (WF_EXPECT_INT(wf_reader_read_until(&reader, "\r\n\r\n", 4, &bytes), 27))
            WF_EXPECT(memcmp(bytes, text, 27) == 0);
        WF_EXPECT_CODE(wf_reader_read_until(&reader, "\r\n\r\n", 4, &bytes), WF_EEND);
        if (WF_EXPECT_INT(wf_reader_peek(&reader, 0, &rest), 7)) {
            WF_EXPECT(memcmp(rest, "body\r\n\r", 7) == 0);
            wf_reader_consume(&reader, 7);
        }
        WF_EXPECT_CODE(wf_reader_read_until(&reader, "\r\n\r\n", 4, &bytes), 0);
        wf_stream_close(b);
        wf_ignore(wf_scope_join(&scope));
    }
}

WF_TEST(a_delimiter_is_found_where_its_beginning_came_twice)
{
    struct wf_stream *stream = holding("aaabaab aab");
    if (stream == NULL) return;
    {
        WF_READER(reader, stream, 0);
        char *bytes;
        WF_EXPECT_INT(wf_reader_read_until(&reader, "aab", 3, &bytes), 4);
        WF_EXPECT_INT(wf_reader_read_until(&reader, "aab", 3, &bytes), 3);
        WF_EXPECT_INT(wf_reader_read_until(&reader, "aab", 3, &bytes), 4);
        WF_EXPECT_CODE(wf_reader_read_until(&reader, "aab", 3, &bytes), 0);
    }
    wf_stream_close(stream);
}

/* ---- Looking, and reading into memory ---- */

WF_TEST(looking_consumes_nothing, .rule = "1.3")
{
    struct wf_stream *stream = holding("hello");
    if (stream == NULL) return;
    {
        WF_READER(reader, stream, 16);
        const char *bytes = NULL;
        char text[8] = "";
        WF_EXPECT_INT(WF_EXPECT_NO_SUSPENSION(wf_reader_peek(&reader, 0, &bytes)), 0);
        WF_EXPECT_INT(wf_reader_peek(&reader, 2, &bytes), 5);
        WF_EXPECT_INT(wf_reader_peek(&reader, 0, &bytes), 5);
        WF_EXPECT_CODE(wf_reader_peek(&reader, 6, &bytes), WF_EEND);
        WF_EXPECT_CODE(wf_reader_peek(&reader, 17, &bytes), -EMSGSIZE);
        WF_EXPECT_INT(wf_reader_read(&reader, text, 2), 2);
        WF_EXPECT_INT(wf_reader_peek(&reader, 1, &bytes), 3);
        WF_EXPECT(bytes != NULL && bytes[0] == 'l');
        WF_EXPECT_INT(wf_reader_read(&reader, text, sizeof text), 3);
        WF_EXPECT_CODE(wf_reader_peek(&reader, 1, &bytes), 0);
        WF_EXPECT_INT(wf_reader_read(&reader, text, sizeof text), 0);
        WF_EXPECT_CODE(wf_reader_read(&reader, text, 0), -EINVAL);
    }
    wf_stream_close(stream);
}

WF_TEST(reading_exactly_takes_what_is_held_first_and_says_how_much_came)
{
    struct wf_stream *stream = holding("head\nbody and more");
    if (stream == NULL) return;
    {
        WF_READER(reader, stream, 0);
        char *line, text[16] = "";
        size_t size, done = 99;
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1);
        WF_EXPECT_CODE(wf_reader_read_full(&reader, text, 4, &done), 0);
        WF_EXPECT(done == 4 && memcmp(text, "body", 4) == 0);
        WF_EXPECT_CODE(wf_reader_read_full(&reader, text, 0, &done), 0);
        WF_EXPECT_CODE(wf_reader_read_full(&reader, text, sizeof text, &done), WF_EEND);
        WF_EXPECT(done == 9 && memcmp(text, " and more", 9) == 0);
        WF_EXPECT_CODE(wf_reader_read_full(&reader, text, 1, NULL), WF_EEND);
    }
    wf_stream_close(stream);
}

WF_TEST(large_reads_go_past_the_buffer)
{
    enum { SIZE = 100000 };
    char *out = calloc(1, SIZE), *in = malloc(SIZE);
    struct wf_stream *a, *b;
    if (out != NULL && in != NULL && WF_EXPECT_CODE(wf_stream_pair(SIZE, &a, &b), 0)) {
        struct wf_stream_statistics statistics;
        size_t blocks = wf_allocated_blocks();
        wf_ignore(wf_stream_write_all(a, out, SIZE, NULL));
        wf_stream_close(a);
        WF_READER(reader, b, 0);
        WF_EXPECT_CODE(wf_reader_read_full(&reader, in, SIZE, NULL), 0);
        wf_stream_statistics(b, &statistics);
        WF_EXPECT_INT((int64_t)statistics.reads, 1);
        WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
        wf_stream_close(b);
    }
    free(out);
    free(in);
}

WF_TEST(the_buffer_grows_while_reads_fill_it_and_no_further_than_its_limit)
{
    enum { SIZE = 200000, LIMIT = 20000 };
    char *text = malloc(SIZE);
    struct wf_stream *a, *b;
    if (text == NULL || !WF_EXPECT_CODE(wf_stream_pair(SIZE, &a, &b), 0)) return free(text);
    memset(text, '\n', SIZE);
    wf_ignore(wf_stream_write_all(a, text, SIZE, NULL));
    wf_stream_close(a);
    {
        WF_READER(reader, b, LIMIT);
        const char *bytes;
        ssize_t most = 0, got;
        while ((got = wf_reader_peek(&reader, 1, &bytes)) > 0) {
            if (most == 0) WF_EXPECT_INT(got, 4096);
            if (got > most) most = got;
            wf_reader_consume(&reader, (size_t)got);
        }
        WF_EXPECT_INT(most, LIMIT);
    }
    wf_stream_close(b);
    free(text);
}

/* ---- Cancels ---- */

/* A line that comes slowly, and a reader that gives up all the time: no byte is lost, none is doubled. */
WF_TEST(a_cancelled_call_loses_no_byte, .rule = "1.3 1.6 2.3")
{
    static const char text[] = "a line that comes slowly\nand another one\nthe end";
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_stream_pair(64, &a, &b), 0)) return;
    struct source source = {a, text, sizeof text - 1, 2, WF_MILLISECONDS(2)};
    char all[64] = "";
    int cuts = 0;
    {
        WF_READER(reader, b, 0);
        WF_SCOPE(scope);
        if (wf_spawn(&scope, pour, &source) < 0) wf_stream_close(a);
        for (;;) {
            char *line;
            size_t size;
            int rc = wf_within(WF_MILLISECONDS(3), wf_reader_line(&reader, &line, &size));
            if (rc == -ETIME && cuts++ < 1000) continue;
            if (rc <= 0) break;
            strncat(all, line, sizeof all - strlen(all) - 1);
            strncat(all, "|", sizeof all - strlen(all) - 1);
        }
        wf_ignore(wf_scope_join(&scope));
    }
    WF_EXPECT_TEXT(all, "a line that comes slowly|and another one|the end|");
    WF_EXPECT(cuts > 3);
    wf_stream_close(b);
}

WF_TEST(in_a_cancelled_scope_what_is_held_is_not_given, .rule = "1.1")
{
    struct wf_stream *stream = holding("a\nb\n");
    if (stream == NULL) return;
    {
        WF_READER(reader, stream, 0);
        char *line;
        size_t size;
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1);
        {
            WF_SCOPE(scope);
            wf_scope_cancel(&scope, "before the call");
            WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), -ECANCELED);
            wf_ignore(wf_scope_join(&scope));
        }
        if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "b");
    }
    wf_stream_close(stream);
}

/* ---- Others, errors ---- */

static int read_one_line(struct wf_reader *reader)
{
    char *line;
    size_t size;
    return wf_reader_line(reader, &line, &size);
}

/* A terminal: after its end it may go on. */
static int terminal_calls;

static ssize_t read_terminal(struct wf_stream *stream, void *buffer, size_t size)
{
    (void)stream, (void)size;
    if (terminal_calls++ % 2 == 1) return 0;
    memcpy(buffer, "x", 1);
    return 1;
}

WF_TEST(the_end_of_the_stream_stays_the_end)
{
    static const struct wf_stream_class terminal_class = {.name = "terminal", .read = read_terminal};
    struct wf_stream terminal;
    wf_stream_init(&terminal, &terminal_class);
    terminal_calls = 0;
    WF_READER(reader, &terminal, 0);
    char *line;
    size_t size;
    if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "x");
    WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 0);
    WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 0);
}

WF_TEST(a_second_task_in_a_reader_is_refused, .rule = "4.5")
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_stream_pair(16, &a, &b), 0)) return;
    {
        WF_READER(reader, b, 0);
        const char *bytes;
        WF_SCOPE(scope);
        wf_spawn(&scope, read_one_line, &reader);
        wf_yield();
        WF_EXPECT_CODE(wf_reader_peek(&reader, 0, &bytes), -EBUSY);
        WF_EXPECT_CODE(read_one_line(&reader), -EBUSY);
        wf_ignore(wf_stream_write_all(a, "x\n", 2, NULL));
        wf_stream_close(a);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_INT(wf_reader_peek(&reader, 0, &bytes), 0);
    }
    wf_stream_close(b);
}

WF_TEST(an_error_of_the_stream_stays_and_what_came_before_it_is_read_first)
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    {
        WF_READER(reader, b, 0);
        char *line, byte;
        size_t size;
        const char *bytes;
        if (WF_EXPECT_CODE(wf_stream_write_all(a, "one\ntw", 6, NULL), 0))
            WF_EXPECT_INT(wf_reader_peek(&reader, 6, &bytes), 6);
        wf_stream_abort(a);
        if (WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), 1)) WF_EXPECT_TEXT(line, "one");
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), -ECONNRESET);
        WF_EXPECT_CODE(wf_reader_line(&reader, &line, &size), -ECONNRESET); /* the system itself says it once */
        WF_EXPECT_INT(wf_reader_read(&reader, &byte, 1), 1);
        WF_EXPECT(byte == 't');
    }
    wf_stream_close(b);
}

static int read_until_closed(struct wf_reader *reader)
{
    return read_one_line(reader) == -EBADF ? 0 : -EINVAL;
}

WF_TEST(closing_the_stream_ends_a_call_of_its_reader, .rule = "1.9")
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_stream_pair(16, &a, &b), 0)) return;
    {
        WF_READER(reader, b, 0);
        WF_SCOPE(scope);
        wf_spawn(&scope, read_until_closed, &reader);
        wf_yield();
        wf_stream_close(b);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_stream_close(a);
}

WF_TEST(consuming_more_than_is_there_is_misuse, .dies = "asked for 2 bytes where only 1 are there")
{
    struct wf_stream *stream = holding("x");
    WF_READER(reader, stream, 0);
    const char *bytes;
    wf_ignore(wf_reader_peek(&reader, 1, &bytes));
    wf_reader_consume(&reader, 2);
}

WF_TEST(finishing_a_reader_in_use_is_misuse, .dies = "wf_reader_finish was called while another task waits")
{
    struct wf_stream *a, *b;
    wf_ignore(wf_stream_pair(16, &a, &b));
    WF_READER(reader, b, 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, read_one_line, &reader);
    wf_yield();
    wf_reader_finish(&reader);
}

WF_TEST_MAIN
