/* A peer whose script is not followed. */
#include <string.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

// fails departure: the peer's script is followed: step 2 (|receives "PING", but byte 1 differs: "PONG" came
WF_TEST(departure)
{
    static const struct wf_step script[] = {WF_RECEIVES("PING"), WF_RECEIVES("PING")};
    struct wf_stream *conn;
    char byte;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn, .name = "server"), 0);
    int seen = wf_stream_write_all(conn, "PINGPONG", 8, NULL); /* fails where the peer is quick */
    if (seen == 0) seen = (int)wf_stream_read(conn, &byte, 1);
    wf_stream_close(conn);
    WF_EXPECT(seen == -ECONNRESET || seen == -EPIPE);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EPROTO);
    WF_EXPECT_ERROR(&scope, -EPROTO, "server");
}

WF_TEST_MAIN
