/* S008: the same requests one after another and at once, to a server that takes half a second for each. */
#include <weft/testing.h>
#include <weft/weft.h>

enum { REQUESTS = 10 };

static int answer(struct wf_stream *conn)
{
    int number = 0, rc = wf_stream_read_full(conn, &number, sizeof number, NULL);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(500));
    number *= number;
    if (rc == 0) rc = wf_stream_write_all(conn, &number, sizeof number, NULL);
    wf_stream_close(conn);
    return rc;
}

/* Owns the listener: who is not served any more must not wait for it. */
static int serve(struct wf_listener *listener)
{
    struct wf_stream *conn;
    int rc;
    WF_SCOPE(clients);
    while ((rc = wf_tcp_accept(listener, &conn)) >= 0) {
        rc = wf_spawn(&clients, answer, conn);
        if (rc < 0) wf_stream_close(conn);
        if (rc < 0) break;
    }
    wf_listener_close(listener);
    return wf_scope_end(&clients, rc);
}

WF_FIXTURE(server)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    uint16_t port = wf_listener_port(listener);
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, serve, listener, .daemon = true);
    if (rc < 0) wf_listener_close(listener);
    else wf_provide(&port);
    return wf_scope_end(&scope, rc);
}

struct request {
    int number, square;
};

static int ask(struct request *request)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", *(const uint16_t *)wf_use(&server), &conn);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(conn, &request->number, sizeof request->number, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, &request->square, sizeof request->square, NULL);
    wf_stream_close(conn);
    return rc;
}

/* How long all of them take with so many at once. */
static int64_t time_of(struct request *requests, uint32_t limit)
{
    for (int i = 0; i < REQUESTS; i++) requests[i] = (struct request){.number = i};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_gather(requests, REQUESTS, ask, .limit = limit), 0);
    return wf_now() - started;
}

/* S008 */
WF_TEST(ten_requests_of_half_a_second_take_five_seconds_in_a_row_and_half_a_second_at_once, .simulated = true,
        .uses = {&server}, .timeout = WF_MINUTES(1))
{
    struct request in_a_row[REQUESTS], at_once[REQUESTS];
    int64_t slow = time_of(in_a_row, 1), quick = time_of(at_once, 0);
    WF_EXPECT(slow >= WF_SECONDS(5));
    WF_EXPECT(quick >= WF_MILLISECONDS(500) && quick <= WF_MILLISECONDS(650));
    for (int i = 0; i < REQUESTS; i++) WF_EXPECT(in_a_row[i].square == i * i && at_once[i].square == i * i);
}

WF_TEST_MAIN
