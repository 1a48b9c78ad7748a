/*
 * A server that speaks in lines. Answers are collected and go out when no further command has come yet, so that a
 * client that sends a hundred commands at once is answered by a few packets. A line over 200 bytes is stepped
 * over, and said to be too long.
 *
 *     weft run examples/line_server.c --port 8080
 *     printf 'add 2 3\nsay hello\nquit\n' | nc localhost 8080
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { LONGEST = 200 };

/* Answers one command: 1 to go on, 0 at the end. */
static int answer(struct wf_writer *writer, const char *line)
{
    long a, b;
    char more;
    if (strcmp(line, "quit") == 0) return 0;
    int rc;
    if (strncmp(line, "say ", 4) == 0) rc = wf_writer_printf(writer, "%s\n", line + 4);
    else if (sscanf(line, "add %9ld %9ld%c", &a, &b, &more) == 2) rc = wf_writer_printf(writer, "%ld\n", a + b);
    else rc = wf_writer_printf(writer, "what is \"%s\"?\n", line);
    return rc < 0 ? rc : 1;
}

/* The next line; before it is waited for, the answers go out. */
static int next_line(struct wf_reader *reader, struct wf_writer *writer, char **line)
{
    const char *held;
    size_t size;
    ssize_t there = wf_reader_peek(reader, 0, &held);
    if (there < 0) return (int)there;
    int rc = memchr(held, '\n', (size_t)there) == NULL ? wf_writer_flush(writer) : 0;
    return rc < 0 ? rc : wf_reader_line(reader, line, &size);
}

/* Steps over a line of any length without keeping it. */
static int refuse_line(struct wf_reader *reader, struct wf_writer *writer)
{
    const char *held, *end = NULL;
    while (end == NULL) {
        ssize_t there = wf_reader_peek(reader, 1, &held);
        if (there <= 0) return (int)there;
        end = memchr(held, '\n', (size_t)there);
        wf_reader_consume(reader, end != NULL ? (size_t)(end - held) + 1 : (size_t)there);
    }
    int rc = wf_writer_printf(writer, "too long: %d bytes are the most\n", LONGEST);
    return rc < 0 ? rc : 1;
}

static int talk(struct wf_stream *conn)
{
    WF_READER(reader, conn, LONGEST);
    WF_WRITER(writer, conn, 0);
    char *line;
    int rc;
    do {
        rc = next_line(&reader, &writer, &line);
        if (rc > 0) rc = answer(&writer, line);
        else if (rc == -EMSGSIZE) rc = refuse_line(&reader, &writer);
    } while (rc > 0);
    return rc < 0 ? rc : wf_writer_flush(&writer);
}

/* What goes wrong with one connection ends that connection, not the server. */
static int serve(struct wf_stream *conn)
{
    int rc = talk(conn);
    wf_stream_close(conn);
    return rc == -ECANCELED ? rc : 0;
}

static int listen_on(const uint16_t *port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", *port, &listener);
    if (rc < 0) return rc;
    printf("listening on port %u\n", (unsigned)wf_listener_port(listener));
    fflush(stdout);

    WF_SCOPE(clients);
    struct wf_stream *conn;
    while ((rc = wf_tcp_accept(listener, &conn)) >= 0)
        if (wf_spawn(&clients, serve, conn) < 0) wf_stream_close(conn);
    wf_listener_close(listener);
    return wf_scope_end(&clients, rc == -ESHUTDOWN ? 0 : rc);
}

int main(int argc, char **argv)
{
    long port = argc == 3 && strcmp(argv[1], "--port") == 0 ? strtol(argv[2], NULL, 10) : argc == 1 ? 0 : -1;
    if (port < 0 || port > UINT16_MAX) {
        fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        return 2;
    }
    uint16_t number = (uint16_t)port;
    return wf_main(listen_on, &number, .signals = true, .grace = WF_SECONDS(10));
}
