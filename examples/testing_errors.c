/*
 * Errors are expected by code and by what they say. The server is a fixture: no network, no port of its own.
 *
 *     weft run examples/testing_errors.c
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested: asks "17\n", is told "200 Ada\n" ---- */

static int talk(struct wf_stream *conn, int64_t id, char answer[64])
{
    char question[32];
    size_t size = 0;
    int length = snprintf(question, sizeof question, "%" PRId64 "\n", id);
    int rc = wf_stream_write_all(conn, question, (size_t)length, NULL);
    do {
        if (rc == 0) rc = wf_stream_read_full(conn, &answer[size++], 1, NULL);
    } while (rc == 0 && answer[size - 1] != '\n' && size < 63);
    answer[size - (rc == 0)] = '\0';
    return rc;
}

static int code_of(int status)
{
    return status == 200 ? 0 : status == 404 ? -ENOENT : status == 403 ? -EACCES : -EIO;
}

static int fetch_user(uint16_t port, int64_t id, char name[64])
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    char answer[64];
    rc = talk(conn, id, answer);
    wf_stream_close(conn);
    if (rc < 0) return rc;
    int status = atoi(answer);
    if (status != 200) return wf_fail(code_of(status), "user %" PRId64 ": the server said %s", id, answer);
    snprintf(name, 64, "%s", answer + 4);
    return 0;
}

/* ---- Its tests ---- */

static int answer_one(struct wf_stream *conn)
{
    char question[16] = "";
    size_t size = 0;
    while (size < 15 && wf_stream_read_full(conn, &question[size], 1, NULL) == 0 && question[size] != '\n') size++;
    int id = atoi(question);
    const char *answer = id == 1   ? "200 Ada\n"
                         : id == 2 ? "403 Forbidden\n"
                         : id == 3 ? "500 Oops\n"
                                   : "404 Not found\n";
    int rc = wf_stream_write_all(conn, answer, strlen(answer), NULL);
    wf_stream_close(conn);
    return rc;
}

static int serve(struct wf_listener *listener)
{
    struct wf_stream *conn;
    int rc;
    while ((rc = wf_tcp_accept(listener, &conn)) == 0) wf_ignore(answer_one(conn));
    return rc;
}

WF_FIXTURE(server)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, listener, .daemon = true);
    wf_provide(listener);
    rc = wf_scope_join(&scope);
    wf_listener_close(listener);
    return rc;
}

WF_TEST(a_user_is_fetched, .uses = {&server})
{
    char name[64];
    WF_EXPECT_CODE(fetch_user(wf_listener_port(wf_use(&server)), 1, name), 0);
    WF_EXPECT_TEXT(name, "Ada");
}

static const struct refusal {
    int64_t id;
    int code;
    const char *says;
} refusals[] = {{99999, -ENOENT, "user 99999: the server said 404"}, {2, -EACCES, "403"}, {3, -EIO, "500 Oops"}};

WF_TEST_EACH(a_refusal_is_known_by_its_kind_and_status, refusals, .uses = {&server})
{
    char name[64];
    WF_EXPECT_FAILURE(fetch_user(wf_listener_port(wf_use(&server)), row->id, name), row->code, row->says);
}

WF_TEST_MAIN
