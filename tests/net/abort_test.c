/* Closing without a goodbye: rule 1.9. */
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct reading {
    struct wf_stream *stream;
    ssize_t got;
};

static int read_one(struct reading *reading)
{
    char byte;
    reading->got = wf_stream_read(reading->stream, &byte, 1);
    return 0;
}

WF_TEST(an_aborted_stream_resets_the_connection, .rule = "1.9")
{
    struct wf_stream *a;
    struct reading before = {.got = 0};
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &before.stream), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, read_one, &before);
    wf_sleep(WF_MILLISECONDS(1));
    wf_stream_abort(a);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(before.got, -ECONNRESET);
    wf_stream_close(before.stream);
}

WF_TEST(an_abort_that_comes_before_the_peer_reads_is_an_error_of_its_next_call, .rule = "1.9")
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    wf_stream_abort(a);
    char byte;
    WF_EXPECT_CODE(wf_stream_read(b, &byte, 1), -ECONNRESET);
    wf_stream_close(b);
    wf_stream_abort(NULL);
}

WF_TEST(an_abort_ends_the_calls_that_are_pending_on_the_stream, .rule = "1.9")
{
    struct wf_stream *peer;
    struct reading mine = {.got = 0};
    if (!WF_EXPECT_CODE(wf_test_pair(&mine.stream, &peer), 0)) return;
    char byte;
    WF_SCOPE(scope);
    wf_spawn(&scope, read_one, &mine);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))); /* until it reads, or was refused */
    wf_stream_abort(mine.stream);
    WF_EXPECT_CODE(wf_stream_read(peer, &byte, 1), -ECONNRESET);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(mine.got, -EBADF);
    wf_stream_close(peer);
}

WF_TEST(an_aborted_pipe_is_just_closed, .rule = "1.9")
{
    struct wf_stream *reader, *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    WF_EXPECT_CODE(wf_stream_write_all(writer, "x", 1, NULL), 0);
    wf_stream_abort(writer);
    char byte;
    WF_EXPECT_INT(wf_stream_read(reader, &byte, 1), 1);
    WF_EXPECT_INT(wf_stream_read(reader, &byte, 1), 0);
    wf_stream_close(reader);
}

WF_TEST_MAIN
