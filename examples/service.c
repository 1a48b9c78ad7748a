// A service as systemd runs it: on every core, with a socket that is opened for it or one of its own, ready when it
// listens, alive as long as every loop answers, drained by SIGTERM.
//
//     weft run examples/service.c [--port N]
//
// docs/production.md has the unit file. Without systemd the same program runs in a terminal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

struct service {
    uint16_t port;
    struct wf_serve_statistics statistics;
};

static int echo(const struct service *shared, struct wf_stream *conn)
{
    char buffer[2048];
    ssize_t got;
    (void)shared;
    while ((got = wf_idle(wf_stream_read(conn, buffer, sizeof buffer))) > 0) {
        int rc = wf_stream_write_all(conn, buffer, (size_t)got, NULL);
        if (rc < 0) return rc;
    }
    return (int)got;
}

static void say_stopping(struct service *service)
{
    (void)service;
    wf_ignore(wf_notify_stopping());
}

static int listen_somewhere(const struct service *service, struct wf_listener **listener)
{
    if (wf_inherited_count() > 0) return wf_listen_inherited(NULL, 0, listener);
    return wf_tcp_listen("127.0.0.1", service->port, listener);
}

static int run(struct service *service)
{
    struct wf_listener *listener;
    int rc = listen_somewhere(service, &listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    rc = wf_scope_on_drain(&scope, say_stopping, service);
    if (rc == 0) rc = wf_notify_watchdog(&scope);
    if (rc >= 0) rc = wf_notify_ready();
    printf("listening on port %u\n", (unsigned)wf_listener_port(listener));
    fflush(stdout);
    if (rc >= 0) rc = wf_serve_streams(listener, echo, service, .spread = true, .statistics = &service->statistics);
    wf_listener_close(listener);
    return wf_scope_end(&scope, rc);
}

int main(int argc, char **argv)
{
    struct service service = {.port = 0};
    if (argc == 3 && strcmp(argv[1], "--port") == 0) service.port = (uint16_t)strtoul(argv[2], NULL, 10);
    return wf_main(run, &service, .threads = WF_EVERY_CPU, .signals = true, .grace = WF_SECONDS(10));
}
