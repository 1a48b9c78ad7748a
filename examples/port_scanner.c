/*
 * Which ports of a host are open? A thousand are asked, a hundred at a time, each for half a second at most. Without
 * arguments it scans the one port that it listens on itself.
 *
 *     weft run examples/port_scanner.c 127.0.0.1 1 1024
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { PORTS_MAX = 65536, AT_ONCE = 100 };

struct probe {
    const char *host;
    uint16_t port;
};

static int knock(struct probe *probe)
{
    struct wf_stream *conn;
    int rc = wf_within(WF_MILLISECONDS(500), wf_tcp_connect(probe->host, probe->port, &conn));
    if (rc == 0) wf_stream_close(conn);
    return rc;
}

static int scan(const char *host, long first, long last)
{
    static struct probe probes[PORTS_MAX];
    static int status[PORTS_MAX];
    size_t count = 0, open = 0, refused = 0;
    for (long port = first; port <= last; port++)
        probes[count++] = (struct probe){.host = host, .port = (uint16_t)port};
    int rc = wf_gather(probes, count, knock, .limit = AT_ONCE, .collect = status);
    if (rc == -ECANCELED) return rc;
    for (size_t i = 0; i < count; i++) {
        if (status[i] == 0) printf("%u is open\n", (unsigned)probes[i].port);
        open += status[i] == 0;
        refused += status[i] == -ECONNREFUSED;
    }
    printf("ports: %zu, open: %zu, refused: %zu, silent: %zu\n", count, open, refused, count - open - refused);
    return 0;
}

/* A listener, and the scan of its port. */
static int scan_oneself(void)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    rc = scan("127.0.0.1", wf_listener_port(listener), wf_listener_port(listener));
    wf_listener_close(listener);
    return rc;
}

static int run(char **arguments)
{
    if (arguments[0] == NULL) return scan_oneself();
    return scan(arguments[0], strtol(arguments[1], NULL, 10), strtol(arguments[2], NULL, 10));
}

int main(int argc, char **argv)
{
    long first = argc == 4 ? strtol(argv[2], NULL, 10) : 1, last = argc == 4 ? strtol(argv[3], NULL, 10) : 1;
    if ((argc != 1 && argc != 4) || first < 1 || last < first || last >= PORTS_MAX) {
        fprintf(stderr, "usage: %s [HOST FIRST LAST]\n", argv[0]);
        return 2;
    }
    return wf_main(run, argv + 1);
}
