/*
 * A server reads top to bottom: one task accepts, one task serves each connection. The first SIGTERM or SIGINT stops
 * the accepting and lets the connections go on for ten seconds; the second cuts them. The exit status is 0 when all
 * ended by themselves and 128 + signal when they were cut.
 *
 *     weft run examples/echo_server.c --port 8080
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

/* What goes wrong with one connection ends that connection, not the server. */
static int echo(void *unused, struct wf_stream *conn)
{
    (void)unused;
    char buffer[2048];
    ssize_t got;
    while ((got = wf_stream_read(conn, buffer, sizeof buffer)) > 0) {
        int rc = wf_stream_write_all(conn, buffer, (size_t)got, NULL);
        if (rc < 0) return rc;
    }
    return (int)got;
}

static int serve(const uint16_t *port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", *port, &listener);
    if (rc < 0) return rc;
    printf("listening on port %u\n", (unsigned)wf_listener_port(listener));
    fflush(stdout);
    rc = wf_serve_streams(listener, echo, NULL, .limit = 1000);
    wf_listener_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    long port = 0;
    char *end = argv[0];
    if (argc == 3 && strcmp(argv[1], "--port") == 0) port = strtol(argv[2], &end, 10);
    if ((argc > 1 && argc != 3) || (argc == 3 && (end == argv[2] || *end != '\0')) || port < 0 || port > UINT16_MAX) {
        fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        return 2;
    }
    uint16_t number = (uint16_t)port;
    return wf_main(serve, &number, .signals = true, .grace = WF_SECONDS(10));
}
