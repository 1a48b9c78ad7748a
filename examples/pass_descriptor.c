/*
 * One task accepts TCP connections, another serves them: each connection goes over a Unix socket, as a descriptor. They
 * could as well be two processes, and the one that serves could be restarted while the other keeps the port.
 *
 *     weft run examples/pass_descriptor.c
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/weft.h>

enum { CLIENTS = 3 };

struct front {
    struct wf_listener *listener;
    struct wf_stream *to_worker;
};

/* The descriptor that goes is a duplicate: this one is closed here, and the connection stays open there. */
static int hand_over(struct front *front)
{
    int rc = 0;
    for (int i = 0; i < CLIENTS && rc == 0; i++) {
        struct wf_stream *conn;
        rc = wf_tcp_accept(front->listener, &conn);
        if (rc < 0) return rc;
        int fd = wf_stream_fd(conn);
        rc = wf_unix_send_fds(front->to_worker, "c", 1, &fd, 1);
        wf_stream_close(conn);
    }
    return rc == 0 ? wf_stream_shutdown(front->to_worker) : rc;
}

static int greet(int fd, int number)
{
    struct wf_stream *conn;
    char line[64];
    int rc = wf_stream_wrap(fd, &conn);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    int size = snprintf(line, sizeof line, "hello from the worker, you are number %d", number);
    rc = wf_stream_write_all(conn, line, (size_t)size, NULL);
    wf_stream_close(conn);
    return rc;
}

static int work(struct wf_stream *from_front)
{
    char byte;
    for (int served = 1;; served++) {
        int fd, count = 1;
        ssize_t got = wf_unix_receive_fds(from_front, &byte, 1, &fd, &count);
        if (got <= 0) return (int)got;
        int rc = count == 1 ? greet(fd, served) : -EPROTO;
        if (rc < 0) return rc;
    }
}

static int be_served(uint16_t port)
{
    struct wf_stream *conn;
    char line[64];
    size_t size;
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc < 0) return rc;
    rc = wf_stream_read_full(conn, line, sizeof line, &size);
    if (rc == WF_EEND) printf("%.*s\n", (int)size, line);
    wf_stream_close(conn);
    return rc == WF_EEND ? 0 : rc;
}

static int run(void *unused)
{
    (void)unused;
    struct front front;
    struct wf_stream *from_front;
    int rc = wf_unix_pair(&front.to_worker, &from_front);
    if (rc == 0) rc = wf_tcp_listen("127.0.0.1", 0, &front.listener);
    if (rc < 0) return rc;

    WF_SCOPE(scope);
    wf_spawn(&scope, hand_over, &front);
    wf_spawn(&scope, work, from_front);
    for (int i = 0; i < CLIENTS && rc == 0; i++) rc = be_served(wf_listener_port(front.listener));
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(front.listener);
    wf_stream_close(front.to_worker);
    wf_stream_close(from_front);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
