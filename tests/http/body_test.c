/* Bodies from generators, and as streams. */
#include <stdio.h>
#include <string.h>
#include <weft/body.h>
#include <weft/reader.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static const char *body_of(const struct exchange_log *log)
{
    const char *end = log->size > 0 ? strstr(log->bytes, "\r\n\r\n") : NULL;
    return end != NULL ? end + 4 : "";
}

/* ---- Generators ---- */

struct letters {
    unsigned count;
    int result, before; /* what it ends with; what it fails with before the first */
};

static int spell(struct wf_generator *out, struct letters *letters)
{
    char text[4];
    int rc = letters->before;
    for (unsigned i = 0; i < letters->count && rc == 0; i++) {
        struct iovec piece = {text, (size_t)snprintf(text, sizeof text, "%c", 'a' + (int)i)};
        rc = wf_emit(out, &piece);
    }
    return rc == 0 ? letters->result : rc;
}

static int reply_letters(struct wf_request *request)
{
    WF_GENERATOR(pieces, spell, (struct letters *)wf_request_state(request), struct iovec);
    return wf_reply_generator(request, 200, "text/plain", &pieces);
}

static void ask_letters(struct exchange_log *log, struct letters letters, const char *version)
{
    struct wf_app app = {.title = "letters", .state = &letters};
    char text[64];
    snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: a\r\n\r\n", version);
    wf_route(&app, WF_GET, "/", reply_letters);
    ask(log, &app, text);
    wf_app_finish(&app);
}

WF_TEST(the_items_of_a_generator_are_the_answer)
{
    struct exchange_log log;
    ask_letters(&log, (struct letters){.count = 5}, "1.0");
    WF_EXPECT_TEXT(body_of(&log), "abcde");
    ask_letters(&log, (struct letters){.count = 2}, "1.1");
    WF_EXPECT_TEXT(body_of(&log), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    ask_letters(&log, (struct letters){.count = 0}, "1.1");
    WF_EXPECT_TEXT(body_of(&log), "0\r\n\r\n");
}

WF_TEST(a_generator_that_fails_at_once_is_an_error_as_an_answer)
{
    struct exchange_log log;
    ask_letters(&log, (struct letters){.before = -ENOENT}, "1.1");
    WF_EXPECT_TEXT(log.statuses, "404 ");
}

WF_TEST(a_generator_that_fails_later_cuts_the_answer)
{
    struct exchange_log log;
    ask_letters(&log, (struct letters){.count = 2, .result = -EIO}, "1.1");
    WF_EXPECT_TEXT(body_of(&log), "1\r\na\r\n1\r\nb\r\n");
    WF_EXPECT_PART(wf_test_log(), "GET / failed");
}

/* ---- Streams ---- */

static int number_lines(struct wf_request *request)
{
    struct wf_stream *in, *out;
    int rc = wf_request_stream(request, &in);
    if (rc == 0) rc = wf_reply_stream(request, 200, "text/plain", -1, &out);
    if (rc < 0) return rc;
    WF_READER(reader, in, 0);
    WF_WRITER(writer, out, 0);
    char *line;
    size_t size;
    for (int number = 1; (rc = wf_reader_line(&reader, &line, &size)) > 0; number++) {
        rc = wf_writer_printf(&writer, "%d %s\n", number, line);
        if (rc < 0) return rc;
    }
    if (rc == 0) rc = wf_writer_flush(&writer);
    char byte;
    WF_EXPECT_INT(wf_stream_read(out, &byte, 1) < 0, true);
    WF_EXPECT_INT(wf_stream_write(in, "a", 1) < 0, true);
    wf_stream_close(in);
    return rc;
}

static void post(struct exchange_log *log, wf_handler *handler, const char *text)
{
    struct wf_app app = {.title = "streams"};
    wf_route(&app, WF_POST, "/", handler);
    ask(log, &app, text);
    wf_app_finish(&app);
}

WF_TEST(a_body_is_read_and_an_answer_written_as_streams)
{
    struct exchange_log log;
    post(&log, number_lines, "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 12\r\n\r\none\ntwo\nfour");
    WF_EXPECT_TEXT(body_of(&log), "1 one\n2 two\n3 four\n");
    post(&log, number_lines,
         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\non\r\n2\r\ne\n\r\n0\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "6\r\n1 one\n\r\n0\r\n\r\n");
}

static int copy_back(struct wf_request *request)
{
    struct wf_stream *in, *out;
    int rc = wf_request_stream(request, &in);
    if (rc == 0) rc = wf_reply_stream(request, 201, NULL, wf_request_length(request), &out);
    if (rc == 0) rc = wf_stream_copy(in, out, UINT64_MAX, NULL);
    return rc == 0 ? wf_stream_shutdown(out) : rc;
}

WF_TEST(a_body_is_copied_to_the_answer)
{
    struct exchange_log log;
    post(&log, copy_back, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
    WF_EXPECT_TEXT(log.statuses, "201 ");
    WF_EXPECT_TEXT(body_of(&log), "abcde");
}

static int write_too_little(struct wf_request *request)
{
    struct wf_stream *out;
    int rc = wf_reply_stream(request, 200, NULL, 5, &out);
    if (rc == 0) rc = wf_stream_write_all(out, "abc", 3, NULL);
    if (rc == 0) WF_EXPECT_CODE(wf_stream_shutdown(out), -EINVAL);
    return rc;
}

WF_TEST(an_answer_that_is_shorter_than_announced_is_cut)
{
    struct exchange_log log;
    post(&log, write_too_little, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "abc");
    WF_EXPECT_CODE(log.served, -ECONNABORTED); /* it is not the server that failed */
}

/* ---- A client that leaves ---- */

struct leaving {
    struct wf_app app;
    struct wf_stream *client, *server;
    int own; /* what the handler fails with by itself, after the first piece */
    int outcome;
};

static int answer_without_end(struct wf_request *request)
{
    struct leaving *leaving = wf_request_state(request);
    static const char piece[1000];
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    while (rc == 0 && (rc = wf_reply_write(request, piece, sizeof piece)) == 0)
        if (leaving->own < 0) rc = leaving->own;
    return leaving->outcome = rc;
}

static int serve_leaving(struct leaving *leaving)
{
    wf_ignore(wf_app_serve_stream(&leaving->app, leaving->server));
    wf_stream_close(leaving->server);
    return 0;
}

/* Asks, reads a part of the answer, and goes. */
static int leave(struct leaving *leaving)
{
    static const char question[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char part[100];
    int rc = wf_stream_pair(4096, &leaving->client, &leaving->server);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    if (wf_spawn(&scope, serve_leaving, leaving) < 0) wf_stream_close(leaving->server);
    rc = wf_stream_write_all(leaving->client, question, strlen(question), NULL);
    if (rc == 0) rc = wf_stream_read_full(leaving->client, part, sizeof part, NULL);
    wf_stream_close(leaving->client);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_client_that_leaves_is_no_failure_of_the_handler_and_an_error_of_its_own_is_one)
{
    struct leaving leaving = {.app = {.title = "test"}};
    leaving.app.state = &leaving;
    wf_route(&leaving.app, WF_GET, "/", answer_without_end);
    if (WF_EXPECT_CODE(leave(&leaving), 0) && WF_EXPECT(leaving.outcome < 0))
        WF_EXPECT(strstr(wf_test_log(), "failed") == NULL);
    leaving.own = -EPIPE; /* of something that it read from */
    if (WF_EXPECT_CODE(leave(&leaving), 0)) WF_EXPECT_PART(wf_test_log(), "GET / failed");
    wf_app_finish(&leaving.app);
}

WF_TEST_MAIN
