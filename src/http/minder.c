/*
 * Who minds the connections of a server: a few times a second it looks which of them have not moved, and cuts those
 * whose time is over. It keeps the date for the answers, too.
 */
#include <string.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/connection.h"
#include "http/date.h"

static const int64_t tick = WF_MILLISECONDS(250), frugal_after = WF_SECONDS(1), linger_time = WF_SECONDS(2);

const char cut_slow[] = "the client is too slow", cut_gone[] = "the client is gone",
           cut_idle[] = "there was no request for a while";

void connection_cut(struct connection *connection, const char *why)
{
    if (connection->scope != NULL) wf_scope_cancel(connection->scope, why);
}

/* "Date: Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
void minder_set_date(struct server *server)
{
    time_t now = (time_t)(wf_wall_now() / 1000000000);
    if (now == server->date_of) return;
    server->date_of = now;
    memcpy(server->date, "date: ", 6);
    date_write(server->date + 6, now);
    memcpy(server->date + SERVER_DATE - 2, "\r\n", 2); /* where the text was terminated */
}

static uint64_t bytes_moved(const struct connection *connection)
{
    struct wf_stream_statistics statistics;
    wf_stream_statistics(connection->stream, &statistics);
    return statistics.bytes_read + statistics.bytes_written;
}

/* How long nothing has moved, of a body or an answer. The other phases have their time as a whole, however it
 * trickles. */
static int64_t time_still(struct connection *connection, int64_t now)
{
    uint64_t moved = bytes_moved(connection);
    bool new_turn = connection->turn != connection->seen_turn;
    bool may_trickle = connection->phase == PHASE_BODY || connection->phase == PHASE_ANSWERING;
    if (new_turn || (may_trickle && moved != connection->seen_moved)) {
        connection->seen_at = now;
        connection->trimmed = false;
    }
    connection->seen_turn = connection->turn;
    connection->seen_moved = moved;
    return now - connection->seen_at;
}

static const char *verdict(const struct connection *connection, const struct wf_http_limits *limits, int64_t still)
{
    if (connection->writing) return still > limits->write_time ? cut_slow : NULL;
    switch (connection->phase) {
    case PHASE_IDLE:
        if (still > frugal_after && !connection->frugal) return cut_idle;
        return still > limits->idle_time ? cut_idle : NULL;
    case PHASE_HEAD:
        return still > limits->head_time ? cut_slow : NULL;
    case PHASE_BODY:
        return still > limits->body_time ? cut_slow : NULL;
    case PHASE_LINGERING:
        return still > linger_time ? cut_slow : NULL;
    case PHASE_ANSWERING:
        break;
    }
    return NULL;
}

/* What its handler called has left pages behind, which an idle connection needs no more. */
static void trim(struct connection *connection)
{
    if (connection->trimmed || connection->scope == NULL) return;
    wf_scope_trim(connection->scope);
    connection->trimmed = true;
}

static void mind(struct connection *connection, const struct wf_http_limits *limits, int64_t now)
{
    if (connection->mind != NULL) {
        connection->mind(connection, now);
        return;
    }
    int64_t still = time_still(connection, now);
    const char *why = verdict(connection, limits, still);
    if (still > frugal_after) trim(connection);
    if (why != NULL) connection_cut(connection, why);
    else if (connection->phase == PHASE_ANSWERING && !connection->writing && still >= tick && connection->watch != NULL)
        connection->watch(connection);
}

int mind_connections(struct server *server)
{
    const struct wf_http_limits *limits = &server->app->private_->limits;
    for (;;) {
        int rc = server->connections != NULL ? wf_sleep(tick) : wf_event_wait(&server->some);
        if (rc < 0) return rc;
        minder_set_date(server);
        wf_event_clear(&server->some);
        int64_t now = wf_now();
        for (struct connection *connection = server->connections; connection != NULL; connection = connection->next)
            mind(connection, limits, now);
    }
}
