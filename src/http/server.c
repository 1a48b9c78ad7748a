/* A server: its connections from their opening to their end, and what surrounds them. */
#define WF_LOG_MODULE "http"
#include <string.h>
#include <weft/extend.h>
#include <weft/serve.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/unix.h>

#include "http/app.h"
#include "http/arrival.h"
#include "http/connection.h"
#include "http/h1.h"

enum { LINGER_BYTES = 262144 }; /* thrown away after the last answer */

void server_init(struct server *server, struct wf_app *app)
{
    *server = (struct server){.app = app, .some = WF_EVENT};
    minder_set_date(server);
}

void server_finish(struct server *server)
{
    h2_spares_free(server);
    while (server->spare != NULL) {
        struct work *work = server->spare;
        server->spare = work->next;
        work_free(work);
    }
}

/* ---- A connection ---- */

static void enlist(struct server *server, struct connection *connection)
{
    connection->next = server->connections;
    if (connection->next != NULL) connection->next->prev = connection;
    server->connections = connection;
    server->open++;
    if (connection->next == NULL) {
        minder_set_date(server); /* it may have slept */
        wf_event_set(&server->some);
    }
}

static void strike_off(struct server *server, struct connection *connection)
{
    if (connection->prev != NULL) connection->prev->next = connection->next;
    else server->connections = connection->next;
    if (connection->next != NULL) connection->next->prev = connection->prev;
    server->open--;
}

void connection_linger(struct connection *connection)
{
    char scratch[1024];
    uint64_t bytes = 0;
    if (wf_stream_shutdown(connection->stream) < 0) return;
    set_phase(connection, PHASE_LINGERING);
    WF_SCOPE(scope);
    connection->scope = &scope;
    while (bytes < LINGER_BYTES) {
        ssize_t got = wf_stream_read(connection->stream, scratch, sizeof scratch);
        if (got <= 0) break;
        bytes += (uint64_t)got;
    }
    connection->scope = NULL;
    wf_scope_end(&scope, 0);
}

int connection_serve(struct server *server, struct wf_stream *stream)
{
    struct connection connection = {.server = server, .stream = stream, .seen_at = wf_now()};
    enlist(server, &connection);
    struct arrival *arrival;
    int rc = arrival_begin(&connection, &arrival);
    if (rc == 0) rc = connection.speaks_h2 ? h2_serve(h2_create(&connection, "", 0)) : h1_serve(&connection);
    arrival_end(arrival);
    strike_off(server, &connection);
    bool expected = rc == -ECANCELED || rc == -ESHUTDOWN || rc == -ECONNRESET || rc == -ECONNABORTED || rc == -EPIPE ||
                    rc == WF_EEND;
    return expected && !wf_cancelled() ? 0 : rc;
}

/* ---- Serving ---- */

static int serve_one(struct wf_app *app, struct wf_stream *stream, struct server *server)
{
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, mind_connections, server, .daemon = true, .name = "http minder");
    (void)app;
    if (rc == 0) rc = connection_serve(server, stream);
    return wf_scope_end(&scope, rc);
}

int wf_app_serve_stream(struct wf_app *app, struct wf_stream *stream)
{
    int rc = wf_checkpoint();
    if (rc == 0) rc = app_prepare(app);
    if (rc < 0) return rc;
    struct server server;
    server_init(&server, app);
    rc = serve_one(app, stream, &server);
    server_finish(&server);
    return rc;
}

static int listen_somewhere(const struct wf_http_serve_options *options, struct wf_listener **listener)
{
    if (options->listener != NULL) {
        *listener = options->listener;
        return 0;
    }
    if (options->unix_path != NULL) return wf_unix_listen(options->unix_path, listener);
    return wf_tcp_listen(options->host, options->port, listener);
}

static int serve_listener(struct wf_app *app, const struct wf_http_serve_options *options, struct wf_listener *listener)
{
    struct server server;
    server_init(&server, app);
    server.tls = options->tls;
    server.proxy_protocol = options->proxy_protocol;
    if (options->listening != NULL) options->listening(app, wf_listener_port(listener), options->listening_arg);
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, mind_connections, &server, .daemon = true, .name = "http minder");
    if (rc == 0)
        rc = wf_serve_streams(listener, connection_serve, &server, .limit = app->private_->limits.connections,
                              .name = "http");
    rc = wf_scope_end(&scope, rc);
    server_finish(&server);
    return rc;
}

int wf_app_run(struct wf_app *app)
{
    const struct wf_http_serve_options *options = app->private_ != NULL ? app->private_->serving : NULL;
    if (options == NULL) return wf_fail(-EINVAL, "wf_app_run is for the lifespan of an app that wf_serve runs");
    struct wf_listener *listener;
    int rc = wf_checkpoint();
    if (rc == 0) rc = listen_somewhere(options, &listener);
    if (rc < 0) return rc;
    rc = serve_listener(app, options, listener);
    if (listener != options->listener) wf_listener_close(listener);
    return rc;
}

int wf_http_serve_(struct wf_app *app, const struct wf_http_serve_options *options)
{
    if (options->size != sizeof *options) return -EINVAL;
    int rc = wf_checkpoint();
    if (rc == 0) rc = app_prepare(app);
    if (rc < 0) return rc;
    app->private_->serving = options;
    rc = app->lifespan != NULL ? app->lifespan(app) : wf_app_run(app);
    app->private_->serving = NULL;
    return rc;
}
