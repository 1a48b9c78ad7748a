/* An echo server on so many loops: echo_loops COUNT. One accepts and spreads the connections. Prints its port, serves
 * until it is ended. */
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

static int answer(void *unused, struct wf_stream *connection)
{
    char bytes[2048];
    ssize_t size;
    (void)unused;
    while ((size = wf_stream_read(connection, bytes, sizeof bytes)) > 0) {
        if (wf_stream_write_all(connection, bytes, (size_t)size, NULL) < 0) break;
    }
    return 0;  /* a client that left is no error of the server */
}

static int serve(void *unused)
{
    struct wf_listener *listener;
    int rc = check_driver();
    if (rc < 0) return rc;
    rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    printf("%d\n", wf_listener_port(listener));
    fflush(stdout);
    rc = wf_serve_streams(listener, answer, unused, .spread = true);
    wf_listener_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    return wf_main(serve, NULL, .threads = argc > 1 ? atoi(argv[1]) : 1);
}
