/*
 * Answers of HTTP/1.1 that are odd, malformed, or only look so: each whole and byte by byte, before a second call on
 * the same client. What the caller gets is one thing, and whether the connection is used again another.
 */
#include <stdio.h>
#include <string.h>
#include <weft/client.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "scripted.h"

#define TEXT(literal) .bytes = literal, .size = sizeof(literal) - 1
#define OK "HTTP/1.1 200 OK\r\n"

struct row {
    const char *name;
    const char *bytes;
    size_t size;
    bool hang_up; /* the server closes behind it */
    int code, status;
    const char *body;
    bool kept;    /* the connection is good for another call */
    bool at_once; /* not byte by byte: what comes after the next request was sent cannot be told from its answer */
    enum wf_method method;
};

static const struct row rows[] = {
    {"plain", TEXT(OK "Content-Length: 3\r\n\r\nabc"), .status = 200, .body = "abc", .kept = true},
    {"no-reason", TEXT("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc"), .status = 200, .body = "abc", .kept = true},
    {"status-short", TEXT("HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"), .code = -EPROTO},
    {"status-long", TEXT("HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"), .code = -EPROTO},
    {"status-letter", TEXT("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n"), .code = -EPROTO},
    {"status-low", TEXT("HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"), .code = -EPROTO},
    {"status-unknown", TEXT("HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n"), .status = 299, .body = "", .kept = true},
    {"no-http", TEXT("SSH-2.0-OpenSSH_9.2\r\n\r\n"), .code = -EPROTO},
    {"interim",
     TEXT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\n" OK "Content-Length: 1\r\n\r\na"),
     .status = 200, .body = "a", .kept = true},
    {"early-hints", TEXT("HTTP/1.1 103 Early Hints\r\nX-A: hint\r\n\r\n" OK "Content-Length: 1\r\n\r\na"),
     .status = 200, .body = "a", .kept = true},
    {"upgrade-unasked", TEXT("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
     .code = -EPROTO},
    {"204-with-length", TEXT("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"), .status = 204, .body = "",
     .kept = true},
    {"304-with-length", TEXT("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), .status = 304, .body = "",
     .kept = true},
    {"head-with-length", TEXT(OK "Content-Length: 5\r\n\r\n"), .status = 200, .body = "", .kept = true,
     .method = WF_HEAD},
    {"head-without-length", TEXT(OK "\r\n"), .status = 200, .body = "", .kept = true, .method = WF_HEAD},
    {"length-and-chunks", TEXT(OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
     .code = -EPROTO},
    {"coding-unknown", TEXT(OK "Transfer-Encoding: gzip\r\n\r\nabc"), .hang_up = true, .status = 200, .body = "abc"},
    {"coding-list", TEXT(OK "Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), .code = -EPROTO},
    {"old-chunks", TEXT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), .status = 200,
     .body = "abc"},
    {"old", TEXT("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), .status = 200, .body = "abc"},
    {"old-kept", TEXT("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc"), .status = 200,
     .body = "abc", .kept = true},
    {"lengths-differ", TEXT(OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"), .code = -EPROTO},
    {"length-negative", TEXT(OK "Content-Length: -1\r\n\r\n"), .code = -EPROTO},
    {"length-plus", TEXT(OK "Content-Length: +1\r\n\r\na"), .code = -EPROTO},
    {"length-hex", TEXT(OK "Content-Length: 0x1\r\n\r\na"), .code = -EPROTO},
    {"length-overflow", TEXT(OK "Content-Length: 18446744073709551617\r\n\r\na"), .code = -EPROTO},
    {"length-huge", TEXT(OK "Content-Length: 9223372036854775808\r\n\r\na"), .code = -EPROTO},
    {"until-close", TEXT(OK "\r\nabc"), .hang_up = true, .status = 200, .body = "abc"},
    {"length-cut", TEXT(OK "Content-Length: 10\r\n\r\nabc"), .hang_up = true, .code = WF_EEND},
    {"chunks-cut", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), .hang_up = true, .code = WF_EEND},
    {"chunk-cut", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n5\r\nab"), .hang_up = true, .code = WF_EEND},
    {"head-cut", TEXT(OK "Content-Len"), .hang_up = true, .code = -ECONNRESET},
    {"nothing", TEXT(""), .hang_up = true, .code = -ECONNRESET},
    {"behind", TEXT(OK "Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), .status = 200,
     .body = "abc", .at_once = true},
    {"folded", TEXT(OK "X-A: one\r\n two\r\nContent-Length: 3\r\n\r\nabc"), .status = 200, .body = "abc", .kept = true},
    {"nul", TEXT(OK "X-A: o\0ne\r\nContent-Length: 3\r\n\r\nabc"), .code = -EPROTO},
    {"bare-cr", TEXT(OK "X-A: o\rne\r\nContent-Length: 3\r\n\r\nabc"), .code = -EPROTO},
    {"space-before-colon", TEXT(OK "X-A : one\r\nContent-Length: 3\r\n\r\nabc"), .code = -EPROTO},
    {"chunk-bad-size", TEXT(OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"), .code = -EPROTO},
    {"chunk-overflow", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n"), .code = -EPROTO},
    {"chunk-long", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"), .code = -EPROTO},
    {"chunk-extension", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n3;a=\"b;\"\r\nabc\r\n0\r\n\r\n"), .status = 200,
     .body = "abc", .kept = true},
    {"trailer", TEXT(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"), .status = 200,
     .body = "abc", .kept = true},
    {"closing", TEXT(OK "Connection: close\r\nContent-Length: 3\r\n\r\nabc"), .status = 200, .body = "abc"},
    {"version-2", TEXT("HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), .code = -EPROTO},
};

static const char *row_name(size_t number)
{
    return rows[number].name;
}

/* The second call tells whether the first one's connection was good for it. */
static void check(const struct row *row, bool one_by_one)
{
    struct scripted server = {.count = 2};
    struct wf_response response;
    char url[64];
    server.lines[0] =
        (struct line){.bytes = row->bytes, .size = row->size, .one_by_one = one_by_one, .hang_up = row->hang_up};
    server.lines[1] = (struct line){TEXT(OK "Content-Length: 3\r\n\r\nabc")};
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
        int rc = wf_fetch(&client, wf_task_arena(), row->method, scripted_url(&server, url), &response);
        bool right = WF_EXPECT_CODE(rc, row->code);
        if (right && rc == 0) {
            WF_EXPECT_INT(response.status, row->status);
            WF_EXPECT_TEXT(response.body, row->body);
        }
        if (right && WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), url, &response), 0)) {
            WF_EXPECT_TEXT(response.body, "abc");
            WF_EXPECT_INT(server.connections, row->kept ? 1 : 2);
        }
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST_EACH(an_answer_is_what_it_must_be, rows, .row_name = row_name)
{
    check(row, false);
    if (!row->at_once) check(row, true);
}

WF_TEST(an_endless_head_is_refused)
{
    struct scripted server = {.count = 1};
    struct wf_response response;
    char url[64];
    size_t size = 100000;
    char *bytes = wf_arena_alloc(wf_task_arena(), size + 1);
    if (bytes == NULL) return;
    memset(bytes, 'a', size);
    memcpy(bytes, OK, sizeof OK - 1);
    server.lines[0] = (struct line){.bytes = bytes, .size = size};
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
        WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), scripted_url(&server, url), &response), -EMSGSIZE);
        WF_EXPECT_PART(wf_failure(), "the head of the answer is longer than 65536 bytes");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(endless_interim_answers_are_refused)
{
    struct scripted server = {.count = 1};
    struct wf_response response;
    char url[64];
    static const char one[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char *bytes = wf_arena_alloc(wf_task_arena(), 100 * sizeof one);
    if (bytes == NULL) return;
    for (int i = 0; i < 100; i++) memcpy(bytes + (size_t)i * (sizeof one - 1), one, sizeof one);
    server.lines[0] = (struct line){.bytes = bytes};
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
        WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), scripted_url(&server, url), &response), -EPROTO);
        WF_EXPECT_PART(wf_failure(), "more than 20 interim answers");
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

/* ---- Connections that go while they are idle ---- */

static const struct line good = {TEXT(OK "Content-Length: 3\r\n\r\nabc")};

WF_TEST(a_connection_that_was_closed_while_idle_is_not_used)
{
    struct scripted server = {.count = 2};
    struct wf_response response;
    char url[64];
    server.lines[0] = server.lines[1] = good;
    server.lines[0].hang_up = true;
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
        bool done = WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), scripted_url(&server, url), &response), 0) &&
                    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(50)), 0);
        if (done) WF_EXPECT_CODE(wf_post(&client, wf_task_arena(), url, &response), 0);
        if (done) WF_EXPECT_INT(server.connections, 2);
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

/* The server takes the second request, and closes instead of an answer. */
static void lose_second(enum wf_method method, bool with_key, int code, unsigned connections)
{
    struct scripted server = {.count = 3};
    struct wf_response response;
    char url[64];
    server.lines[0] = server.lines[2] = good;
    server.lines[1] = (struct line){.bytes = "", .reset = true};
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(scripted_start(&server, &scope), 0)) {
        WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
        if (WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), scripted_url(&server, url), &response), 0)) {
            WF_EXPECT_CODE(wf_fetch(&client, wf_task_arena(), method, url, &response,
                                    .headers = WF_NAMED({"Idempotency-Key", with_key ? "1" : NULL})),
                           code);
            WF_EXPECT_INT(server.connections, connections);
        }
    }
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(what_does_no_harm_is_asked_again_where_its_connection_had_gone)
{
    lose_second(WF_GET, false, 0, 2);
    lose_second(WF_DELETE, false, 0, 2);
    lose_second(WF_POST, true, 0, 2);
}

WF_TEST(what_might_do_harm_is_not_asked_again)
{
    lose_second(WF_POST, false, -ECONNRESET, 1);
    lose_second(WF_PATCH, false, -ECONNRESET, 1);
}

WF_TEST(a_server_that_is_not_there_is_named)
{
    struct wf_response response;
    struct wf_listener *listener;
    char url[64];
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/x", wf_listener_port(listener));
    wf_listener_close(listener);
    WF_CLIENT(client, .times = {.total = WF_SECONDS(3)});
    WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), url, &response), -ECONNREFUSED);
    WF_EXPECT_PART(wf_failure(), url);
    WF_EXPECT_PART(wf_failure(), "while connecting");
}

WF_TEST_MAIN
