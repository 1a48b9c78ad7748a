/*
 * Sends each word to an echo server and prints what comes back; all of it has five seconds.
 *
 *     weft run examples/echo_client.c --port 8080 hello world
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

struct request {
    uint16_t port;
    char **words;
    int count;
};

/* The answer comes from the task's arena: memory that a call returns needs no free. */
static int echo(struct wf_stream *conn, const char *word)
{
    size_t size = strlen(word);
    char *answer = wf_arena_zero(wf_task_arena(), size + 1);
    if (answer == NULL) return -ENOMEM;
    int rc = wf_stream_write_all(conn, word, size, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, answer, size, NULL);
    if (rc == WF_EEND) return wf_fail(rc, "the server closed the connection");
    if (rc == 0) printf("%s\n", answer);
    return rc;
}

static int converse(const struct request *request)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", request->port, &conn);
    if (rc < 0) return rc;
    for (int i = 0; i < request->count && rc == 0; i++) rc = echo(conn, request->words[i]);
    wf_stream_close(conn);
    return rc;
}

static int converse_in_time(const struct request *request)
{
    return wf_within(WF_SECONDS(5), converse(request));
}

int main(int argc, char **argv)
{
    struct request request = {.words = argv + 3, .count = argc - 3};
    char *end;
    long port = argc > 3 && strcmp(argv[1], "--port") == 0 ? strtol(argv[2], &end, 10) : 0;
    if (port <= 0 || port > UINT16_MAX || *end != '\0') {
        fprintf(stderr, "usage: %s --port N WORD...\n", argv[0]);
        return 2;
    }
    request.port = (uint16_t)port;
    return wf_main(converse_in_time, &request);
}
