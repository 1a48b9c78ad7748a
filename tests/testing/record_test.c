/* Conversations: what was recorded can be read by people, and be played again, by either side. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Files for this ---- */

/* A name for a file; in a simulated world there is none on the disk. */
static void temporary(char path[static 48])
{
    static unsigned number;
    snprintf(path, 48, "/tmp/weft-record-%ld-%u", (long)getpid(), number++);
}

static void write_file(const char *path, const char *text, size_t size)
{
    struct wf_file *file;
    if (!WF_EXPECT_CODE(wf_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600, &file), 0)) return;
    for (size_t done = 0; done < size;) {
        ssize_t put = wf_file_write(file, text + done, size - done);
        if (!WF_EXPECT(put > 0)) break;
        done += (size_t)put;
    }
    wf_file_close(file);
}

/* Without the times. */
static void read_file(const char *path, char *text, size_t size)
{
    char *bytes;
    size_t length;
    text[0] = '\0';
    if (!WF_EXPECT_CODE(wf_file_load(path, size, wf_task_arena(), &bytes, &length), 0)) return;
    for (char *rest = bytes, *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL;) {
        char *time = strrchr(line, ' ');
        if (time != NULL && time - line > 2) *time = '\0';
        strncat(text, line, size - strlen(text) - 1);
        strncat(text, "\n", size - strlen(text) - 1);
    }
}

/* ---- A conversation ---- */

static const struct wf_step server_part[] = {
    WF_RECEIVES("GET / HTTP/1.1\r\nX: \"\\\1\r\n\r\n"),
    WF_WAITS(WF_MILLISECONDS(15)),
    WF_SENDS("HTTP/1.1 200 OK\r\n\r\n"),
    WF_RECEIVES("more"),
    WF_SENDS("\0"
             "7\x80"),
    WF_ENDS,
    WF_RECEIVES_END,
};

static const struct wf_step client_part[] = {
    WF_SENDS("GET / HTTP/1.1\r\nX: \"\\\1\r\n\r\n"),
    WF_RECEIVES("HTTP/1.1 200 OK\r\n\r\n"),
    WF_SENDS("more"),
    WF_RECEIVES("\0"
                "7\x80"),
    WF_RECEIVES_END,
};

static const char recorded[] = "> \"GET / HTTP/1.1\\r\\n\"\n"
                               "> \"X: \\\"\\\\\\001\\r\\n\"\n"
                               "> \"\\r\\n\"\n"
                               "< \"HTTP/1.1 200 OK\\r\\n\"\n"
                               "< \"\\r\\n\"\n"
                               "> \"more\"\n"
                               "< \"\\0007\\200\"\n"
                               "< end\n"
                               "> end\n";

static int be_client(uint16_t port)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    return rc == 0 ? wf_test_play(conn, client_part, WF_COUNT(client_part)) : rc;
}

/* Records the conversation of the two parts above. Gives whether that went well, as all of these do. */
static bool record(const char *path)
{
    uint16_t port, own_port;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, server_part, WF_COUNT(server_part), &port);
    if (rc == 0) rc = wf_test_record(&scope, "127.0.0.1", port, path, &own_port);
    if (rc == 0) rc = be_client(own_port);
    return WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

static bool play_server(const struct wf_script *script)
{
    uint16_t port;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, script->steps, script->count, &port);
    if (rc == 0) rc = be_client(port);
    return WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

static bool play_client(const struct wf_script *script)
{
    uint16_t port;
    struct wf_stream *conn;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, server_part, WF_COUNT(server_part), &port);
    if (rc == 0) rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc == 0) rc = wf_test_play(conn, script->steps, script->count);
    return WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

/* Pieces that came one by one have a line each, so a simulated world, which cuts at will, has more lines. */
WF_TEST(a_recording_is_what_was_said_as_text, .real = true)
{
    char path[48], text[1024];
    temporary(path);
    record(path);
    read_file(path, text, sizeof text);
    WF_EXPECT_TEXT(text, recorded);
    unlink(path);
}

WF_TEST(a_recording_can_be_played_in_place_of_the_server)
{
    char path[48];
    temporary(path);
    struct wf_script script;
    if (record(path) && WF_EXPECT_CODE(wf_test_load(path, wf_task_arena(), &script), 0)) play_server(&script);
    unlink(path);
}

WF_TEST(a_recording_can_be_played_in_place_of_the_client)
{
    char path[48];
    temporary(path);
    struct wf_script script;
    if (record(path) && WF_EXPECT_CODE(wf_test_load(path, wf_task_arena(), &script, .client = true), 0))
        play_client(&script);
    unlink(path);
}

static int64_t time_to_play(const char *path, bool waits)
{
    struct wf_script script;
    if (!WF_EXPECT_CODE(wf_test_load(path, wf_task_arena(), &script, .waits = waits), 0)) return 0;
    int64_t started = wf_now();
    play_server(&script);
    return wf_now() - started;
}

WF_TEST(the_waits_of_a_recording_are_repeated_when_asked_for)
{
    char path[48];
    temporary(path);
    if (record(path)) {
        WF_EXPECT(time_to_play(path, true) >= WF_MILLISECONDS(14));
        if (strcmp(wf_driver_name(), "sim") == 0) WF_EXPECT(time_to_play(path, false) < WF_MILLISECONDS(5));
    }
    unlink(path);
}

/* ---- Resets ---- */

static int meet_a_reset(uint16_t port)
{
    struct wf_stream *conn;
    char byte;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(conn, "x", 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, &byte, 1, NULL);
    if (rc == 0) rc = wf_stream_write_all(conn, "z", 1, NULL);
    if (rc == 0) WF_EXPECT_CODE(wf_stream_read(conn, &byte, 1), -ECONNRESET);
    wf_stream_close(conn);
    return rc;
}

static bool record_a_reset(const struct wf_script *script, const char *path)
{
    uint16_t port, own_port;
    WF_SCOPE(scope);
    int rc = wf_test_server(&scope, script->steps, script->count, &port);
    if (rc == 0) rc = wf_test_record(&scope, "127.0.0.1", port, path, &own_port);
    if (rc == 0) rc = meet_a_reset(own_port);
    return WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

WF_TEST(a_reset_is_recorded_and_repeated)
{
    static const struct wf_step resets[] = {WF_RECEIVES("x"), WF_SENDS("y"), WF_RECEIVES("z"), WF_RESETS};
    char path[48], text[256];
    temporary(path);
    struct wf_script script = {.steps = resets, .count = WF_COUNT(resets)};
    for (int round = 0; round < 2; round++) {
        if (!record_a_reset(&script, path)) break;
        read_file(path, text, sizeof text);
        if (!WF_EXPECT_TEXT(text, "> \"x\"\n< \"y\"\n> \"z\"\n< reset\n")) break;
        if (!WF_EXPECT_CODE(wf_test_load(path, wf_task_arena(), &script), 0)) break;
    }
    unlink(path);
}

/* A second one would be a step after the last. */
WF_TEST(resets_of_both_sides_at_once_are_recorded_as_one)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    char path[48], text[64];
    temporary(path);
    uint16_t own_port;
    struct wf_stream *client = NULL, *server = NULL;
    {
        WF_SCOPE(scope);
        int rc = wf_test_record(&scope, "127.0.0.1", wf_listener_port(listener), path, &own_port);
        if (rc == 0) rc = wf_tcp_connect("127.0.0.1", own_port, &client);
        if (rc == 0) rc = wf_tcp_accept(listener, &server);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(1)); /* now the recorder reads from both */
        wf_stream_abort(client);
        wf_stream_abort(server);
        WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    }
    read_file(path, text, sizeof text);
    WF_EXPECT(strcmp(text, "> reset\n") == 0 || strcmp(text, "< reset\n") == 0);
    wf_listener_close(listener);
    unlink(path);
}

/* ---- What goes wrong ---- */

static void fail_to_record(uint16_t port, const char *path, int expected)
{
    uint16_t own_port;
    struct wf_stream *conn;
    char byte;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    int rc = wf_test_record(&scope, "127.0.0.1", port, path, &own_port);
    if (rc == 0) rc = wf_tcp_connect("127.0.0.1", own_port, &conn);
    if (rc == 0) {
        WF_EXPECT_CODE(wf_stream_read(conn, &byte, 1), -ECONNRESET);
        wf_stream_close(conn);
    }
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), expected);
    wf_each_error(&scope, error) wf_take_error(error);
}

WF_TEST(a_recorder_without_a_server_or_a_file_fails_and_resets_its_client)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    uint16_t port = wf_listener_port(listener);
    char path[48];
    temporary(path);
    fail_to_record(port, "/no/such/file", -ENOENT);
    wf_listener_close(listener);
    fail_to_record(port, path, -ECONNREFUSED);
    unlink(path);
}

static int drink(struct wf_listener *listener)
{
    static char buffer[65536];
    struct wf_stream *conn;
    int rc = wf_tcp_accept(listener, &conn);
    if (rc < 0) return rc;
    while (wf_stream_read(conn, buffer, sizeof buffer) > 0) {}
    wf_stream_close(conn);
    return 0;
}

WF_TEST(a_conversation_that_is_too_long_is_an_error_of_the_recorder, .timeout = WF_SECONDS(60))
{
    static char many[WF_CONVERSATION_MAX];
    memset(many, 'x', sizeof many);
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    char path[48];
    temporary(path);
    uint16_t own_port;
    struct wf_stream *conn = NULL;
    {
        WF_SCOPE(scope);
        int rc = wf_spawn(&scope, drink, listener);
        if (rc == 0) rc = wf_test_record(&scope, "127.0.0.1", wf_listener_port(listener), path, &own_port);
        if (rc == 0) rc = wf_tcp_connect("127.0.0.1", own_port, &conn);
        if (rc == 0) rc = wf_stream_write_all(conn, many, sizeof many, NULL);
        bool was_cut = rc == -ECONNRESET || rc == -EPIPE;
        wf_stream_close(conn);
        WF_EXPECT_CODE(wf_scope_end(&scope, was_cut ? 0 : rc), -EFBIG);
        WF_EXPECT_ERROR(&scope, -EFBIG, "the conversation has more than 1048576 bytes");
        wf_each_error(&scope, error) wf_take_error(error);
    }
    wf_listener_close(listener);
    unlink(path);
}

/* ---- Reading ---- */

static int load(const char *text, size_t size, struct wf_script *script)
{
    char path[48];
    temporary(path);
    write_file(path, text, size);
    int rc = wf_test_load(path, wf_task_arena(), script, .waits = true);
    unlink(path);
    return rc;
}

WF_TEST(a_conversation_may_be_written_by_hand)
{
    static const char text[] = "# a comment\n\n"
                               "  # another\n"
                               ">\"a\\x41\\101\\0\\?\\'\\t\"\n"
                               "<   \"b\"   1.5  \r\n"
                               "< end 2\n"
                               "> reset";
    struct wf_script script = {.count = 0};
    WF_EXPECT_CODE(load(text, sizeof text - 1, &script), 0);
    if (!WF_EXPECT_INT((int64_t)script.count, 6)) return;
    WF_EXPECT_INT(script.steps[0].kind, WF_STEP_RECEIVE);
    WF_EXPECT_INT((int64_t)script.steps[0].size, 7);
    WF_EXPECT(memcmp(script.steps[0].bytes, "aAA\0?'\t", 7) == 0);
    WF_EXPECT_PART(script.steps[0].place, ":4");
    WF_EXPECT_INT(script.steps[1].kind, WF_STEP_WAIT);
    WF_EXPECT_INT(script.steps[1].pause, WF_MILLISECONDS(1500));
    WF_EXPECT_INT(script.steps[2].kind, WF_STEP_SEND);
    WF_EXPECT_INT(script.steps[3].kind, WF_STEP_WAIT);
    WF_EXPECT_INT(script.steps[4].kind, WF_STEP_END);
    WF_EXPECT_INT(script.steps[5].kind, WF_STEP_RECEIVE_RESET);
    WF_EXPECT_CODE(load("", 0, &script), 0);
    WF_EXPECT_INT((int64_t)script.count, 0);
}

static void expect_refused(const char *text, size_t size, const char *message)
{
    struct wf_script script = {.count = 77};
    WF_EXPECT_CODE(load(text, size, &script), -EINVAL);
    WF_EXPECT_PART(wf_failure(), message);
    WF_EXPECT_INT((int64_t)script.count, 77);
}
#define EXPECT_REFUSED(text, message) expect_refused((text), sizeof(text) - 1, (message))

WF_TEST(a_line_that_cannot_be_understood_is_told_with_its_number)
{
    EXPECT_REFUSED("> \"a\"\n\nGET /\n", ":3: a line begins with >, < or #");
    EXPECT_REFUSED("> a\n", ":1: after > or < comes a text in quotes, end or reset");
    EXPECT_REFUSED(">\n", ":1: after > or < comes");
    EXPECT_REFUSED("> \"a\n", ":1: the text does not end");
    EXPECT_REFUSED("> \"a\\q\"\n", ":1: the text does not end, or has an escape that C does not know");
    EXPECT_REFUSED("> \"a\\xg\"\n", ":1: the text");
    EXPECT_REFUSED("> \"a\\400\"\n", ":1: the text");
    EXPECT_REFUSED("> \"a\\", ":1: the text");
    EXPECT_REFUSED("> \"\"\n", ":1: nothing is said");
    EXPECT_REFUSED("> \"a\" soon\n", ":1: the line goes on where it should end");
    EXPECT_REFUSED("> \"a\" 1.2.3\n", ":1: the time is no number of seconds");
    EXPECT_REFUSED("> \"a\" 1e5\n", ":1: the time is no number");
    EXPECT_REFUSED("> \"a\" 99999999999\n", ":1: the time is no number");
    EXPECT_REFUSED("> \"a\" -1\n", ":1: the line goes on");
    EXPECT_REFUSED("> \"a\"\0\n", ":1: a zero byte");
    EXPECT_REFUSED("> reset\n> \"a\"\n", "can only be the last one");
}

WF_TEST(what_is_too_large_to_be_read_is_refused)
{
    static char many[WF_CONVERSATION_MAX + 1];
    struct wf_script script;
    memset(many, '\n', sizeof many);
    WF_EXPECT_CODE(load(many, sizeof many, &script), -EFBIG);
    WF_EXPECT_CODE(load(many, WF_SCRIPT_STEPS_MAX + 1, &script), -EFBIG);
    WF_EXPECT_PART(wf_failure(), "65537 lines, 65536 are the most");
    WF_EXPECT_CODE(load(many, WF_SCRIPT_STEPS_MAX, &script), 0);
    WF_EXPECT_CODE(wf_test_load("/no/such/file", wf_task_arena(), &script), -ENOENT);
    WF_EXPECT_PART(wf_failure(), "/no/such/file");
}

/* Every byte survives being written and read. */
WF_TEST(every_byte_is_recorded_as_it_is)
{
    char all[256];
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    struct wf_step says = {.kind = WF_STEP_SEND, .bytes = all, .size = sizeof all};
    char path[48];
    temporary(path);
    uint16_t port, own_port;
    struct wf_stream *conn = NULL;
    struct wf_script script = {.count = 0};
    {
        WF_SCOPE(scope);
        int rc = wf_test_server(&scope, &says, 1, &port);
        if (rc == 0) rc = wf_test_record(&scope, "127.0.0.1", port, path, &own_port);
        if (rc == 0) rc = wf_tcp_connect("127.0.0.1", own_port, &conn);
        if (rc == 0) rc = wf_stream_read_full(conn, (char[256]){0}, sizeof all, NULL);
        wf_stream_close(conn);
        WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    }
    WF_EXPECT_CODE(wf_test_load(path, wf_task_arena(), &script), 0);
    size_t done = 0;
    for (size_t i = 0; i < script.count; i++) {
        const struct wf_step *step = &script.steps[i];
        if (step->kind != WF_STEP_SEND) continue;
        WF_EXPECT(done + step->size <= sizeof all && memcmp(step->bytes, all + done, step->size) == 0);
        done += step->size;
    }
    WF_EXPECT_INT((int64_t)done, sizeof all);
    unlink(path);
}

WF_TEST_MAIN
