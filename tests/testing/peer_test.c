/* Peers that follow a script: they do what it says, and say what went otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- A pair ---- */

WF_TEST(a_pair_is_connected_both_ways)
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    char byte = 'a';
    if (WF_EXPECT_CODE(wf_stream_write_all(a, &byte, 1, NULL), 0)) WF_EXPECT_INT(wf_stream_read(b, &byte, 1), 1);
    byte = 'b';
    if (WF_EXPECT_CODE(wf_stream_write_all(b, &byte, 1, NULL), 0)) WF_EXPECT_INT(wf_stream_read(a, &byte, 1), 1);
    WF_EXPECT_INT(byte, 'b');
    wf_stream_close(a);
    WF_EXPECT_INT(wf_stream_read(b, &byte, 1), 0);
    wf_stream_close(b);
}

/* ---- What a peer does ---- */

/* Each gives whether it held: what waits for an answer goes on only then. */
static bool hear(struct wf_stream *stream, const char *expected)
{
    char text[64] = "";
    return WF_EXPECT_CODE(wf_stream_read_full(stream, text, strlen(expected), NULL), 0) &&
           WF_EXPECT_TEXT(text, expected);
}

static int send_text(struct wf_stream *stream, const char *text)
{
    return wf_stream_write_all(stream, text, strlen(text), NULL);
}

static bool say(struct wf_stream *stream, const char *text)
{
    return WF_EXPECT_CODE(send_text(stream, text), 0);
}

WF_TEST(a_peer_receives_and_sends_what_its_script_says)
{
    static const struct wf_step script[] = {
        WF_RECEIVES("PING\r\n"), WF_SENDS("PONG\r\n"), WF_RECEIVES_UNTIL("\r\n\r\n"), WF_SENDS("a\0b"), WF_RECEIVES_END,
    };
    struct wf_stream *conn;
    struct wf_handle peer = {.result_ = 0};
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn, .handle = &peer), 0)) return;
    char bytes[3];
    if (say(conn, "PING\r\n") && hear(conn, "PONG\r\n") && say(conn, "GET / HTTP/1.1\r\nHost: \r\r\n\r\r\n\r\n") &&
        WF_EXPECT_CODE(wf_stream_read_full(conn, bytes, sizeof bytes, NULL), 0))
        WF_EXPECT(memcmp(bytes, "a\0b", sizeof bytes) == 0);
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&peer), 0);
}

WF_TEST(what_follows_a_delimiter_is_left_for_the_next_step)
{
    static const struct wf_step script[] = {
        WF_RECEIVES_UNTIL("\r\n"),
        WF_RECEIVES_UNTIL("aab"),
        WF_RECEIVES("c"),
        WF_RECEIVES_END,
    };
    struct wf_stream *conn;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    say(conn, "x\r\r\naaaabc");
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_peer_closes_after_its_last_step)
{
    static const struct wf_step script[] = {WF_SENDS("bye")};
    struct wf_stream *conn;
    char byte;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    hear(conn, "bye");
    WF_EXPECT_INT(wf_stream_read(conn, &byte, 1), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(conn);
}

WF_TEST(pieces_come_one_by_one_with_their_pause_between)
{
    static const struct wf_step script[] = {WF_SENDS("abcde", .piece = 2, .pause = WF_MILLISECONDS(20))};
    struct wf_stream *conn;
    char text[8];
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    int64_t started = wf_now();
    WF_EXPECT(wf_stream_read(conn, text, sizeof text) <= 2);
    while (wf_stream_read(conn, text, sizeof text) > 0) {}
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(35));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(conn);
}

WF_TEST(a_peer_waits_and_ends_its_sending_only)
{
    static const struct wf_step script[] = {WF_WAITS(WF_MILLISECONDS(20)), WF_ENDS, WF_RECEIVES("late")};
    struct wf_stream *conn;
    char byte;
    WF_SCOPE(scope);
    int64_t started = wf_now();
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    WF_EXPECT_INT(wf_stream_read(conn, &byte, 1), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(20));
    say(conn, "late");
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_peer_resets_the_connection)
{
    static const struct wf_step script[] = {WF_RECEIVES("x"), WF_RESETS};
    struct wf_stream *conn;
    char byte;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    if (say(conn, "x")) WF_EXPECT_CODE(wf_stream_read(conn, &byte, 1), -ECONNRESET);
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_peer_that_stalls_holds_the_connection_until_the_scope_ends)
{
    static const struct wf_step script[] = {WF_RECEIVES("x"), WF_STALLS};
    struct wf_stream *conn;
    struct wf_handle peer = {.result_ = 0};
    char byte;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn, .handle = &peer), 0)) return;
    int said = send_text(conn, "xyz");
    if (WF_EXPECT_CODE(said, 0)) {
        WF_EXPECT_CODE(wf_handle_join(&peer), 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(20), wf_stream_read(conn, &byte, 1)), -ETIME);
        say(conn, "z");
    }
    WF_EXPECT_CODE(wf_scope_end(&scope, said), 0);
    WF_EXPECT_CODE(wf_stream_read(conn, &byte, 1), -ECONNRESET); /* because it left bytes unread */
    wf_stream_close(conn);
}

WF_TEST(a_peer_expects_a_reset)
{
    static const struct wf_step script[] = {WF_RECEIVES("x"), WF_SENDS("y"), WF_RECEIVES_RESET};
    struct wf_stream *conn;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_peer(&scope, script, WF_COUNT(script), &conn), 0)) return;
    if (say(conn, "x")) hear(conn, "y");
    wf_stream_abort(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_server_serves_a_client_that_connects_by_itself_and_no_other)
{
    static const struct wf_step script[] = {WF_RECEIVES("PING"), WF_SENDS("PONG"), WF_RECEIVES_END};
    uint16_t port = 0;
    struct wf_stream *conn, *other;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_server(&scope, script, WF_COUNT(script), &port), 0)) return;
    if (!WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &conn), 0)) return;
    if (say(conn, "PING") && hear(conn, "PONG"))
        WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &other), -ECONNREFUSED);
    wf_stream_close(conn);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_server_that_nobody_calls_is_cancelled_with_its_scope)
{
    static const struct wf_step script[] = {WF_RECEIVES("PING")};
    uint16_t port = 0;
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_test_server(&scope, script, WF_COUNT(script), &port), 0)) return;
    wf_sleep(WF_MILLISECONDS(1));
    wf_scope_cancel(&scope, "nobody comes");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(in_a_cancelled_scope_no_peer_is_made, .rule = "1.1")
{
    static const struct wf_step script[] = {WF_RECEIVES("PING")};
    struct wf_stream *a, *b;
    struct wf_proxy *proxy;
    uint16_t port;
    WF_SCOPE(scope);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        WF_EXPECT_CODE(wf_test_pair(&a, &b), -ECANCELED);
        WF_EXPECT_CODE(wf_test_peer(&scope, script, 77777, &a), -ECANCELED);
        WF_EXPECT_CODE(wf_test_server(&scope, script, 77777, &port), -ECANCELED);
        WF_EXPECT_CODE(wf_test_record(&scope, "127.0.0.1", 9, "/no/such/file", &port), -ECANCELED);
        WF_EXPECT_CODE(wf_test_proxy(&scope, "127.0.0.1", 9, &proxy), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_INT((int64_t)wf_scope_alive(&scope), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- What goes otherwise ---- */

struct played {
    const struct wf_step *steps;
    size_t count;
    struct wf_stream *stream;
    int rc;
    char said[512];
};

static int play(struct played *played)
{
    played->rc = wf_test_play(played->stream, played->steps, played->count);
    snprintf(played->said, sizeof played->said, "%s", wf_failure() != NULL ? wf_failure() : "");
    return 0;
}

/* Follows the script against a client that says this and ends its sending. */
static const char *departure(const struct wf_step *steps, size_t count, const char *text, size_t size, int expected)
{
    static struct played played;
    played = (struct played){.steps = steps, .count = count};
    struct wf_stream *client;
    if (!WF_EXPECT_CODE(wf_test_pair(&client, &played.stream), 0)) return "";
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_spawn(&scope, play, &played), 0)) wf_stream_close(played.stream);
    wf_stream_write_all(client, text, size, NULL); /* not all of it, where the peer has seen enough */
    wf_stream_shutdown(client);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(client);
    WF_EXPECT_CODE(played.rc, expected);
    return played.said;
}

#define DEPARTURE(text, ...)                                                                                           \
    departure((const struct wf_step[]){__VA_ARGS__}, WF_COUNT(((const struct wf_step[]){__VA_ARGS__})), (text),        \
              sizeof(text) - 1, -EPROTO)

WF_TEST(other_bytes_are_shown_with_the_place_where_they_differ)
{
    const char *said = DEPARTURE("ab\r\n\1\n", WF_RECEIVES("ab"), WF_RECEIVES("\r\n\0\t"));
    WF_EXPECT_PART(said, "step 2 (");
    WF_EXPECT_PART(said, "peer_test.c:");
    WF_EXPECT_PART(said, "receives \"\\r\\n\\000\\t\", but byte 2 differs: ");
    WF_EXPECT_PART(said, "\\001");
}

/* In pieces of at most 1 KiB: the first bytes that are shown may have come with an earlier one. */
WF_TEST(of_many_bytes_only_those_around_the_difference_are_shown)
{
    static char expected[5000], sent[5000];
    for (size_t i = 0; i < sizeof expected; i++) sent[i] = expected[i] = (char)('a' + i % 26);
    sent[1024] = '!';
    struct wf_step step = {.kind = WF_STEP_RECEIVE, .bytes = expected, .size = sizeof expected};
    const char *said = departure(&step, 1, sent, sizeof sent, -EPROTO);
    WF_EXPECT_PART(said, "step 1 (?) receives ...\"yzabcdefghijklm");
    WF_EXPECT_PART(said, "byte 1024 differs: ");
    WF_EXPECT_PART(said, "\"yzabcdefghij!");
    WF_EXPECT(strlen(said) < 300);
}

WF_TEST(an_end_that_comes_early_is_told_with_how_much_came)
{
    WF_EXPECT_PART(DEPARTURE("PI", WF_RECEIVES("PING")), "receives \"PING\", but after 2 bytes came the end");
    WF_EXPECT_PART(DEPARTURE("GET\r", WF_RECEIVES_UNTIL("\r\n")), "up to \"\\r\\n\", but after 4 bytes came the end");
    WF_EXPECT_PART(DEPARTURE("x", WF_RECEIVES("x"), WF_RECEIVES_RESET), "receives a reset, but the end came");
}

WF_TEST(bytes_that_come_in_place_of_the_end_are_shown)
{
    WF_EXPECT_PART(DEPARTURE("PING", WF_RECEIVES("PI"), WF_RECEIVES_END), "step 2");
    WF_EXPECT_PART(DEPARTURE("PIN", WF_RECEIVES("PI"), WF_RECEIVES_END), "receives the end, but \"N\" came");
}

WF_TEST(a_delimiter_that_never_comes_is_waited_for_within_bounds)
{
    static char many[WF_UNTIL_MAX + 1000];
    memset(many, '\r', sizeof many);
    struct wf_step step = WF_RECEIVES_UNTIL("\r\n");
    const char *said = departure(&step, 1, many, sizeof many, -EPROTO);
    WF_EXPECT_PART(said, "receives up to \"\\r\\n\", but 6");
    WF_EXPECT_PART(said, "bytes came without it");
}

WF_TEST(a_send_that_fails_is_told)
{
    static char many[1 << 20];
    struct wf_step step = {.kind = WF_STEP_SEND, .bytes = many, .size = sizeof many, .piece = 4096};
    struct played played = {.steps = &step, .count = 1};
    struct wf_stream *client;
    if (!WF_EXPECT_CODE(wf_test_pair(&client, &played.stream), 0)) return;
    wf_stream_abort(client);
    WF_EXPECT_CODE(play(&played), 0);
    WF_EXPECT(played.rc == -EPIPE || played.rc == -ECONNRESET);
    WF_EXPECT_PART(played.said, "sends \"\\000");
    WF_EXPECT_PART(played.said, "bytes: ");
}

WF_TEST(what_a_script_cannot_be_is_refused)
{
    struct wf_stream *a, *b, *none;
    const struct wf_step bad[][2] = {
        {WF_RESETS, WF_ENDS},         {WF_STALLS, WF_SENDS("x")},       {WF_SENDS(""), WF_ENDS},
        {WF_RECEIVES(""), WF_ENDS},   {WF_RECEIVES_UNTIL(""), WF_ENDS}, {{.bytes = "zeroed"}, WF_ENDS},
        {WF_RECEIVES_RESET, WF_ENDS},
    };
    uint16_t port;
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(bad); i++) {
        WF_EXPECT_CODE(wf_test_peer(&scope, bad[i], 2, &none), -EINVAL);
        WF_EXPECT_PART(wf_failure(), "step 1 (");
        WF_EXPECT_CODE(wf_test_server(&scope, bad[i], 2, &port), -EINVAL);
    }
    WF_EXPECT_CODE(wf_test_peer(&scope, bad[0], WF_SCRIPT_STEPS_MAX + 1, &none), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "65536 is the most");
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    WF_EXPECT_CODE(wf_test_play(b, bad[0], 2), -EINVAL);
    WF_EXPECT_INT(wf_stream_read(a, &(char){0}, 1), 0);
    wf_stream_close(a);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
