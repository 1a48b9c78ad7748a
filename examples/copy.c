/*
 * A file over a connection, in parts, with the progress between them: the kernel moves the bytes, and the receiver
 * counts them. Without a path it sends itself.
 *
 *     weft run examples/copy.c /usr/share/dict/words
 */
#include <inttypes.h>
#include <stdio.h>
#include <weft/weft.h>

struct sending {
    const char *path;
    struct wf_listener *listener;
    uint64_t received;
};

static int receive(struct sending *sending)
{
    char buffer[2048];
    struct wf_stream *conn;
    int rc = wf_tcp_accept(sending->listener, &conn);
    if (rc < 0) return rc;
    ssize_t got;
    while ((got = wf_stream_read(conn, buffer, sizeof buffer)) > 0) sending->received += (uint64_t)got;
    wf_stream_close(conn);
    return (int)got;
}

/* Ten parts, so ten lines. */
static int send_parts(struct wf_file *file, uint64_t size, struct wf_stream *conn)
{
    uint64_t part = size / 10 + 1, sent = 0, done;
    int rc = 0;
    while (sent < size && rc == 0) {
        rc = wf_file_send(file, (int64_t)sent, part, conn, &done);
        sent += done;
        printf("%3" PRIu64 " %%\n", sent * 100 / size);
        if (done == 0) break; /* the file has become shorter meanwhile */
    }
    return rc;
}

static int send_file(const struct sending *sending)
{
    struct stat status;
    struct wf_file *file = NULL;
    struct wf_stream *conn = NULL;
    int rc = wf_stat(sending->path, &status);
    if (rc == 0) rc = wf_file_open(sending->path, O_RDONLY, 0, &file);
    if (rc < 0) return rc;
    rc = wf_tcp_connect("127.0.0.1", wf_listener_port(sending->listener), &conn);
    if (rc == 0) {
        rc = send_parts(file, (uint64_t)status.st_size, conn);
        wf_stream_close(conn);
    }
    wf_file_close(file);
    return rc;
}

static int run(struct sending *sending)
{
    int rc = wf_tcp_listen("127.0.0.1", 0, &sending->listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, receive, sending);
    rc = wf_scope_end(&scope, send_file(sending));
    wf_listener_close(sending->listener);
    if (rc == 0) printf("received: %" PRIu64 " bytes\n", sending->received);
    return rc;
}

int main(int argc, char **argv)
{
    struct sending sending = {.path = argc > 1 ? argv[1] : argv[0]};
    return wf_main(run, &sending);
}
