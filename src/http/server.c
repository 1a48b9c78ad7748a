/* A server: its connections from their opening to their end. Each loop that serves has one. */
#define WF_LOG_MODULE "http"
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/arrival.h"
#include "http/connection.h"
#include "http/crowd.h"
#include "http/h1.h"

enum { LINGER_BYTES = 16 << 20 }; /* thrown away after the last answer, for a while */

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
    char scratch[3072];
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

/* Before it has asked: it is not looked at any further. What is large here must not lie below every connection. */
static __attribute__((noinline)) int refuse_one_of_many(struct connection *connection)
{
    const struct server *server = connection->server;
    static const char why[] = "there are too many connections from this address\n";
    char text[512];
    if (server->tls != NULL) return -ECONNABORTED;
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 503 Service Unavailable\r\n%.*scontent-type: text/plain; charset=utf-8\r\n"
                        "content-length: %zu\r\nconnection: close\r\n\r\n%s",
                        SERVER_DATE, server->date, sizeof why - 1, why);
    WF_SCOPE(scope);
    connection->scope = &scope;
    connection->writing = true;
    int rc = wf_stream_write_all(connection->stream, text, (size_t)size, NULL);
    connection->writing = false;
    connection->scope = NULL;
    rc = wf_scope_end(&scope, rc);
    if (rc == 0) connection_linger(connection);
    return rc;
}

int connection_serve(struct server *server, struct wf_stream *stream)
{
    struct connection connection = {.server = server, .stream = stream, .seen_at = wf_now()};
    enlist(server, &connection);
    struct arrival *arrival;
    int rc = arrival_begin(&connection, &arrival);
    if (rc == 0) rc = connection.speaks_h2 ? h2_serve(h2_create(&connection, "", 0)) : h1_serve(&connection);
    else if (rc == -EUSERS) rc = refuse_one_of_many(&connection);
    arrival_end(arrival, rc == -ECONNABORTED);
    crowd_leave(server->crowd, connection.peer);
    strike_off(server, &connection);
    bool expected = rc == -ECANCELED || rc == -ESHUTDOWN || rc == -ECONNRESET || rc == -EPIPE || rc == WF_EEND;
    return rc > 0 || (expected && !wf_cancelled()) ? 0 : rc;
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
