/*
 * Ten requests to a server that takes its time, over TCP. Bad: one after another. Good: all at once. Best: at most five
 * at a time, because the server is not only ours.
 *
 *     weft run examples/pitfalls/one_by_one.c [DELAY_MS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { REQUESTS = 10 };

struct server {
    struct wf_listener *listener;
    int64_t delay;
};

static struct server server;

/* ---- A server ---- */

static int answer(struct wf_stream *conn)
{
    int number, rc;
    while ((rc = wf_stream_read_full(conn, &number, sizeof number, NULL)) == 0) {
        rc = wf_sleep(server.delay);
        number *= number;
        if (rc == 0) rc = wf_stream_write_all(conn, &number, sizeof number, NULL);
        if (rc < 0) break;
    }
    wf_stream_close(conn);
    return rc == WF_EEND ? 0 : rc;
}

static int serve(void *unused)
{
    (void)unused;
    struct wf_stream *conn;
    int rc;
    WF_SCOPE(clients);
    while ((rc = wf_tcp_accept(server.listener, &conn)) >= 0)
        if ((rc = wf_spawn(&clients, answer, conn)) < 0) wf_stream_close(conn);
    return wf_scope_end(&clients, rc);
}

/* ---- Its client ---- */

struct request {
    int number, square;
};

static int ask(struct request *request)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(server.listener), &conn);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(conn, &request->number, sizeof request->number, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, &request->square, sizeof request->square, NULL);
    wf_stream_close(conn);
    return rc;
}

static int bad(struct request *requests)
{
    int rc = 0;
    for (int i = 0; i < REQUESTS && rc == 0; i++) rc = ask(&requests[i]);
    return rc;
}

static int good(struct request *requests)
{
    return wf_gather(requests, REQUESTS, ask);
}

static int best(struct request *requests)
{
    return wf_gather(requests, REQUESTS, ask, .limit = 5);
}

static int show(const char *name, int (*form)(struct request *))
{
    struct request requests[REQUESTS];
    for (int i = 0; i < REQUESTS; i++) requests[i] = (struct request){.number = i};
    int64_t started = wf_now();
    int rc = form(requests), right = 0;
    for (int i = 0; i < REQUESTS; i++) right += requests[i].square == i * i;
    printf("%s: %.2f s, %d right answers\n", name, wf_seconds(wf_now() - started), right);
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &server.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, NULL, .daemon = true);
    rc = show("bad", bad);
    if (rc == 0) rc = show("good", good);
    if (rc == 0) rc = show("best", best);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(server.listener);
    return rc;
}

int main(int argc, char **argv)
{
    server.delay = WF_MILLISECONDS(argc > 1 ? strtol(argv[1], NULL, 10) : 100);
    return wf_main(compare, NULL);
}
