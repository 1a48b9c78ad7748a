/* A task for each connection. Prints its port, serves until it is ended. */
#include <weft/weft.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A figure under the name of one driver must not come from another, which is what weft falls back to. */
static int check_driver(void)
{
    const char *wanted = getenv("WEFT_DRIVER");
    if (wanted == NULL || strcmp(wanted, wf_driver_name()) == 0) return 0;
    return wf_fail(-ENOTSUP, "%s is not to be had: %s", wanted, wf_driver_refusal());
}

static int answer(struct wf_stream *connection)
{
    char bytes[2048];
    ssize_t size;
    while ((size = wf_stream_read(connection, bytes, sizeof bytes)) > 0) {
        if (wf_stream_write_all(connection, bytes, (size_t)size, NULL) < 0) break;
    }
    wf_stream_close(connection);
    return 0;  /* a client that left is no error of the server */
}

static int serve(void *unused)
{
    (void)unused;
    struct wf_listener *listener;
    int rc = check_driver();
    if (rc < 0) return rc;
    rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    printf("%d\n", wf_listener_port(listener));
    fflush(stdout);

    WF_SCOPE(connections);
    struct wf_stream *connection;
    while ((rc = wf_tcp_accept(listener, &connection)) >= 0) wf_spawn(&connections, answer, connection);
    wf_listener_close(listener);
    return wf_scope_end(&connections, rc);
}

int main(void)
{
    return wf_main(serve, NULL);
}
