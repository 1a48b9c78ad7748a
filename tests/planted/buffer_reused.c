/*
 * Buffer reused while the kernel still writes.
 *
 * The mistake: a deadline around the wait for a read instead of around the read. When it passes, the read goes on and
 * later fills the buffer, which serves something else by then. A read that its own scope cuts short has ended before
 * the scope has.
 * Known from blackbeam/named_pipe#5 (the read that timed out writes into the next buffer) and, with io_uring, from
 * foyer-rs/foyer#1286.
 * Caught by what stands in the buffer: the answer that came late.
 */
// caught: buffer is "late", expected "mine"
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct reading {
    struct wf_stream *stream;
    char buffer[5];
};

static int read_answer(struct reading *reading)
{
    return wf_stream_read_full(reading->stream, reading->buffer, 4, NULL);
}

#ifdef CORRECTED
static int read_in_time(struct wf_scope *scope, struct reading *reading)
{
    (void)scope;
    return wf_within(WF_MILLISECONDS(1), read_answer(reading));
}
#else
static int read_in_time(struct wf_scope *scope, struct reading *reading)
{
    struct wf_handle handle = {.result_ = 0};
    wf_spawn(scope, read_answer, reading, .handle = &handle);
    return wf_within(WF_MILLISECONDS(1), wf_handle_join(&handle));
}
#endif

WF_TEST(after_a_timeout_the_buffer_is_ours)
{
    struct reading reading = {.buffer = ""};
    struct wf_stream *peer;
    WF_EXPECT_CODE(wf_pipe(&reading.stream, &peer), 0);
    WF_SCOPE(scope);
    WF_EXPECT_CODE(read_in_time(&scope, &reading), -ETIME);
    memcpy(reading.buffer, "mine", 5);
    WF_EXPECT_CODE(wf_stream_write_all(peer, "late", 4, NULL), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    const char *buffer = reading.buffer;
    WF_EXPECT_TEXT(buffer, "mine");
    wf_stream_close(reading.stream);
    wf_stream_close(peer);
}

WF_TEST_MAIN
