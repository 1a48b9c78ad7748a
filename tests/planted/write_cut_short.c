/*
 * Partial write forgotten.
 *
 * The mistake: taking a write that did not fail for one that wrote everything. The system takes what it has room for;
 * small messages fit for years, and the first large one loses its tail.
 * Known from DataDog/glommio#492 and mosquito/aiofile#46.
 * Caught by a message that is larger than what a pipe takes at once, and a count of what arrives.
 */
// caught: arrived is
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static char message[300000];

#ifdef CORRECTED
static int send_message(struct wf_stream *stream)
{
    return wf_stream_write_all(stream, message, sizeof message, NULL);
}
#else
static int send_message(struct wf_stream *stream)
{
    ssize_t sent = wf_stream_write(stream, message, sizeof message);
    return sent < 0 ? (int)sent : 0;
}
#endif

static int send_and_close(struct wf_stream *stream)
{
    int rc = send_message(stream);
    wf_stream_close(stream);
    return rc;
}

WF_TEST(a_large_message_arrives_whole)
{
    static char copy[sizeof message];
    struct wf_stream *reader, *writer;
    size_t arrived = 0;
    memset(message, 'x', sizeof message);
    WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, send_and_close, writer);
    wf_ignore(wf_stream_read_full(reader, copy, sizeof copy, &arrived));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(arrived, sizeof message);
    wf_stream_close(reader);
}

WF_TEST_MAIN
