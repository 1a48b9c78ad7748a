/*
 * Close that leaves a pending read.
 *
 * The mistake: a connection that is closed when its last user lets go, while the task that reads from it is a user too.
 * Hanging up closes nothing then, and the reader waits for a peer that has nothing more to say. Closing the stream
 * itself is safe at any moment: the pending read ends with -EBADF.
 * Known from agronholm/anyio#14 and lunarmodules/copas#104.
 * Caught as a deadlock in the simulated world, at once; elsewhere by the deadline that every test has.
 */
// caught: wf_scope_join(&scope) gave -125 (Cancelled)
#include <weft/testing.h>
#include <weft/weft.h>

struct connection {
    struct wf_stream *stream; /* NULL: closed */
    int users;
};

static void close_stream(struct connection *connection)
{
    wf_stream_close(connection->stream);
    connection->stream = NULL;
}

static void let_go(struct connection *connection)
{
    if (--connection->users == 0) close_stream(connection);
}

#ifdef CORRECTED
static void hang_up(struct connection *connection)
{
    close_stream(connection);
    let_go(connection);
}
#else
static void hang_up(struct connection *connection)
{
    let_go(connection);
}
#endif

static int listen_to(struct connection *connection)
{
    char byte;
    ssize_t got = 1;
    while (connection->stream != NULL && got > 0) got = wf_stream_read(connection->stream, &byte, 1);
    let_go(connection);
    return got == -EBADF ? 0 : got < 0 ? (int)got : 0;
}

WF_TEST(hanging_up_ends_the_reader, .timeout = WF_SECONDS(1))
{
    struct connection connection = {.users = 2};
    struct wf_stream *peer;
    WF_EXPECT_CODE(wf_pipe(&connection.stream, &peer), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, listen_to, &connection);
    WF_EXPECT_CODE(wf_stream_write_all(peer, "x", 1, NULL), 0);
    wf_yield();
    hang_up(&connection);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(peer);
}

WF_TEST_MAIN
