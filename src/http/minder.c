/*
 * Who minds the connections of a server: a few times a second it looks which of them have not moved, and cuts those
 * whose time is over. It keeps the date for the answers, too.
 */
#include <stdio.h>
#include <time.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/connection.h"

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
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(wf_wall_now() / 1000000000);
    struct tm date;
    if (now == server->date_of || gmtime_r(&now, &date) == NULL) return;
    server->date_of = now;
    int size =
        snprintf(server->date, sizeof server->date, "date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[date.tm_wday],
                 date.tm_mday, months[date.tm_mon], date.tm_year + 1900, date.tm_hour, date.tm_min, date.tm_sec);
    server->date_size = (size_t)size;
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
    if (new_turn || (may_trickle && moved != connection->seen_moved)) connection->seen_at = now;
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

static void mind(struct connection *connection, const struct wf_http_limits *limits, int64_t now)
{
    if (connection->mind != NULL) {
        connection->mind(connection, now);
        return;
    }
    int64_t still = time_still(connection, now);
    const char *why = verdict(connection, limits, still);
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
