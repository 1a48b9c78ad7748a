// A server on four loops, each with a thread: one accepts, and every connection goes to the loop that has the fewest.
//
//     weft run examples/every_core.c
//
// Forty clients stay connected and ask who serves them.
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

enum { LOOPS = 4, CLIENTS = 40 };

static struct site {
    struct wf_listener *listener;
    struct wf_serve_statistics statistics;
} site;

// Runs on whatever loop has the connection; `site` is shared between threads, and only read here.
static int tell(const struct site *shared, struct wf_stream *conn)
{
    char byte;
    ssize_t got;
    (void)shared;
    while ((got = wf_idle(wf_stream_read(conn, &byte, 1))) > 0) {
        byte = (char)('0' + wf_loop_index());
        int rc = wf_stream_write_all(conn, &byte, 1, NULL);
        if (rc < 0) return rc;
    }
    return (int)got;
}

static int serve(struct site *served)
{
    return wf_serve_streams(served->listener, tell, served, .spread = true, .statistics = &served->statistics);
}

static int ask(struct wf_stream *conn, int *asked)
{
    char byte = '?';
    int rc = wf_stream_write_all(conn, &byte, 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, &byte, 1, NULL);
    if (rc == 0) asked[byte - '0']++;
    return rc;
}

static int connect_all(const struct site *at, int *on_loop)
{
    struct wf_stream *conns[CLIENTS];
    int count = 0, rc = 0;
    while (rc == 0 && count < CLIENTS) {
        rc = wf_tcp_connect("127.0.0.1", wf_listener_port(at->listener), &conns[count]);
        if (rc == 0) rc = ask(conns[count++], on_loop);
    }
    while (count > 0) wf_stream_close(conns[--count]);
    return rc;
}

static int run(void *unused)
{
    int on_loop[LOOPS] = {0};
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &site.listener);
    if (rc < 0) return rc;
    {
        WF_SCOPE(server);
        rc = wf_spawn(&server, serve, &site);
        if (rc == 0) rc = connect_all(&site, on_loop);
        wf_scope_drain(&server);
        rc = wf_scope_end(&server, rc);
    }
    wf_listener_close(site.listener);
    for (int i = 0; i < wf_loops_count(); i++) printf("loop %d served %d connections\n", i, on_loop[i]);
    printf("failed: %d\n", (int)site.statistics.failed);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL, .threads = LOOPS);
}
