/* Buffered writing: rules 1.1, 1.3, 1.6, 4.5. */
#include <stdio.h>
#include <string.h>
#include <weft/peer.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool open_pair(size_t capacity, struct wf_stream **a, struct wf_stream **b)
{
    return WF_EXPECT_CODE(wf_stream_pair(capacity, a, b), 0);
}

/* What has come, as a text. */
static const char *come(struct wf_stream *stream)
{
    static char text[256];
    ssize_t got = wf_within(WF_MILLISECONDS(1), (int)wf_stream_read(stream, text, sizeof text - 1));
    text[got > 0 ? got : 0] = '\0';
    return text;
}

WF_TEST(pieces_go_out_together_when_they_are_told_to)
{
    struct wf_stream *a, *b;
    if (!open_pair(256, &a, &b)) return;
    {
        WF_WRITER(writer, a, 64);
        WF_EXPECT_INT((int64_t)wf_writer_room(&writer), 64);
        WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_writer_write(&writer, "one ", 4)), 0);
        WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_writer_printf(&writer, "%d+%d ", 2, 3)), 0);
        WF_EXPECT_CODE(wf_writer_printf(&writer, "%s", ""), 0);
        WF_EXPECT_CODE(wf_writer_write(&writer, NULL, 0), 0);
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 8);
        WF_EXPECT_INT((int64_t)wf_writer_room(&writer), 56);
        WF_EXPECT_TEXT(come(b), "");
        WF_EXPECT_CODE(wf_writer_flush(&writer), 0);
        WF_EXPECT_TEXT(come(b), "one 2+3 ");
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 0);
        WF_EXPECT_CODE(wf_writer_flush(&writer), 0);
        struct wf_stream_statistics statistics;
        wf_stream_statistics(a, &statistics);
        WF_EXPECT_INT((int64_t)statistics.writes, 1);
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(what_does_not_fit_sends_what_is_kept_and_what_is_larger_goes_with_it)
{
    struct wf_stream *a, *b;
    if (!open_pair(256, &a, &b)) return;
    {
        WF_WRITER(writer, a, 8);
        WF_EXPECT_CODE(wf_writer_write(&writer, "12345", 5), 0);
        WF_EXPECT_CODE(wf_writer_write(&writer, "678", 3), 0);
        WF_EXPECT_TEXT(come(b), "");
        WF_EXPECT_CODE(wf_writer_write(&writer, "9", 1), 0);
        WF_EXPECT_TEXT(come(b), "12345678");
        WF_EXPECT_CODE(wf_writer_printf(&writer, "%s", "abcdefgh"), 0);
        WF_EXPECT_TEXT(come(b), "9");
        WF_EXPECT_CODE(wf_writer_write(&writer, "larger than eight", 17), 0);
        WF_EXPECT_TEXT(come(b), "abcdefghlarger than eight");
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 0);
        WF_EXPECT_CODE(wf_writer_printf(&writer, "%s", "123456789"), -EMSGSIZE);
        WF_EXPECT_CODE(wf_writer_printf(&writer, "%d", 7), 0); /* a refusal does not stay */
        WF_EXPECT_CODE(wf_writer_flush(&writer), 0);
        WF_EXPECT_TEXT(come(b), "7");
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

/* ---- All at once ---- */

enum { PIECES = 4000 };

static int write_pieces(struct wf_stream *stream)
{
    WF_WRITER(writer, stream, 500);
    for (int i = 0; i < PIECES; i++) {
        int rc = i % 3 == 0   ? wf_writer_printf(&writer, "%d \n", i)
                 : i % 3 == 1 ? wf_writer_printf(&writer, "%0*d\n", 1 + i % 400, i)
                              : wf_writer_write(&writer, "piece\n", 6);
        if (rc < 0) return rc;
    }
    return wf_writer_flush(&writer);
}

static int write_and_close(struct wf_stream *stream)
{
    int rc = write_pieces(stream);
    wf_stream_close(stream);
    return rc;
}

static bool piece_is(int i, const char *line)
{
    char wanted[512];
    if (i % 3 == 0) snprintf(wanted, sizeof wanted, "%d ", i);
    else if (i % 3 == 1) snprintf(wanted, sizeof wanted, "%0*d", 1 + i % 400, i);
    else snprintf(wanted, sizeof wanted, "piece");
    return strcmp(line, wanted) == 0;
}

static const size_t rings[] = {1, 100, 5000};

WF_TEST_EACH(everything_comes_in_order_through_a_narrow_stream, rings)
{
    struct wf_stream *a, *b;
    if (!open_pair(*row, &a, &b)) return;
    int count = 0, rc;
    {
        WF_SCOPE(scope);
        if (wf_spawn(&scope, write_and_close, a) < 0) wf_stream_close(a);
        WF_READER(reader, b, 0);
        char *line;
        size_t size;
        while ((rc = wf_reader_line(&reader, &line, &size)) > 0)
            WF_INVARIANT(piece_is(count++, line) || wf_test_injected());
        wf_stream_close(b);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(count, PIECES);
}

/* ---- Cancels ---- */

WF_TEST(a_cancelled_flush_goes_on_where_it_was, .rule = "1.3 1.6")
{
    struct wf_stream *a, *b;
    if (!open_pair(4, &a, &b)) return;
    {
        WF_WRITER(writer, a, 64);
        WF_EXPECT_CODE(wf_writer_write(&writer, "abcdefghij", 10), 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_flush(&writer)), -ETIME);
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 6);
        WF_EXPECT_TEXT(come(b), "abcd");
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_flush(&writer)), -ETIME);
        WF_EXPECT_TEXT(come(b), "efgh");
        WF_EXPECT_CODE(wf_writer_flush(&writer), 0);
        WF_EXPECT_TEXT(come(b), "ij");
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(of_a_cancelled_piece_nothing_was_taken, .rule = "1.3")
{
    struct wf_stream *a, *b;
    if (!open_pair(4, &a, &b)) return;
    {
        WF_WRITER(writer, a, 8);
        WF_EXPECT_CODE(wf_writer_write(&writer, "abcdefgh", 8), 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_write(&writer, "12345", 5)), -ETIME);
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 4);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_printf(&writer, "%d", 12345)), -ETIME);
        WF_EXPECT_TEXT(come(b), "abcd");
        WF_EXPECT_CODE(wf_writer_write(&writer, "12", 2), 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_flush(&writer)), -ETIME);
        WF_EXPECT_TEXT(come(b), "efgh");
        WF_EXPECT_CODE(wf_writer_flush(&writer), 0);
        WF_EXPECT_TEXT(come(b), "12");
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(a_piece_larger_than_the_buffer_that_was_cut_breaks_the_writer, .rule = "1.6")
{
    struct wf_stream *a, *b;
    if (!open_pair(4, &a, &b)) return;
    {
        WF_WRITER(writer, a, 8);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), wf_writer_write(&writer, "123456789", 9)), -ETIME);
        WF_EXPECT_CODE(wf_writer_write(&writer, "x", 1), -EPIPE);
        WF_EXPECT_CODE(wf_writer_flush(&writer), -EPIPE);
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(in_a_cancelled_scope_even_what_fits_is_refused, .rule = "1.1")
{
    struct wf_stream *a, *b;
    if (!open_pair(16, &a, &b)) return;
    {
        WF_WRITER(writer, a, 8);
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "before the calls");
        WF_EXPECT_CODE(wf_writer_write(&writer, "x", 1), -ECANCELED);
        WF_EXPECT_CODE(wf_writer_printf(&writer, "x"), -ECANCELED);
        WF_EXPECT_CODE(wf_writer_flush(&writer), -ECANCELED);
        WF_EXPECT_INT((int64_t)wf_writer_pending(&writer), 0);
        wf_ignore(wf_scope_join(&scope));
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

/* ---- Others, errors ---- */

WF_TEST(the_first_error_stays_and_the_flush_answers_for_all, .rule = "7.3")
{
    struct wf_stream *a, *b;
    if (!open_pair(64, &a, &b)) return;
    wf_stream_close(b);
    {
        WF_WRITER(writer, a, 8);
        wf_ignore(wf_writer_write(&writer, "12345678", 8));
        wf_ignore(wf_writer_write(&writer, "9", 1));
        WF_EXPECT_CODE(wf_writer_printf(&writer, "x"), -EPIPE);
        WF_EXPECT_CODE(wf_writer_flush(&writer), -EPIPE);
    }
    wf_stream_close(a);
}

static int flush(struct wf_writer *writer)
{
    return wf_writer_flush(writer);
}

WF_TEST(a_second_task_in_a_writer_is_refused, .rule = "4.5")
{
    struct wf_stream *a, *b;
    if (!open_pair(1, &a, &b)) return;
    {
        WF_WRITER(writer, a, 8);
        WF_EXPECT_CODE(wf_writer_write(&writer, "12", 2), 0);
        WF_SCOPE(scope);
        wf_spawn(&scope, flush, &writer);
        wf_yield();
        WF_EXPECT_CODE(wf_writer_write(&writer, "3", 1), -EBUSY);
        WF_EXPECT_TEXT(come(b), "1");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(wf_writer_write(&writer, "3", 1), 0); /* a refusal does not stay */
    }
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(finishing_a_writer_in_use_is_misuse, .dies = "wf_writer_finish was called while another task waits")
{
    struct wf_stream *a, *b;
    wf_ignore(wf_stream_pair(1, &a, &b));
    WF_WRITER(writer, a, 8);
    wf_ignore(wf_writer_write(&writer, "12", 2));
    WF_SCOPE(scope);
    wf_spawn(&scope, flush, &writer);
    wf_yield();
    wf_writer_finish(&writer);
}

WF_TEST_MAIN
