/*
 * Serving: accepting, a task for each connection, and what to do when that fails.
 *
 *     room (a semaphore) -> accept -> a task: handler, close -> room
 *                             |
 *                             +-- fails: a pause, 10 ms, 20 ms ... 1 s; over at once when a connection ends
 */
#include <weft/serve.h>

#include <weft/loops.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"
#include "net/listener.h"
#include "observe/event.h"

enum { LIMIT_DEFAULT = 10000 };

static const int64_t pause_first = WF_MILLISECONDS(10), pause_last = WF_SECONDS(1), log_interval = WF_SECONDS(5);

/* Lines of one kind. */
struct quota {
    bool used;
    int64_t last;
    uint64_t unlogged;
};

struct server {
    struct wf_listener *listener;
    int (*handler)(void *arg, struct wf_stream *stream);
    void *arg;
    const char *name;
    bool spread;
    struct wf_semaphore room;
    struct wf_event ended; /* a connection has, and so given back what it had */
    int64_t pause;
    struct quota failures, refusals;
    struct wf_serve_statistics own, *statistics;
};

struct connection {
    struct server *server;
    struct wf_stream *stream; /* NULL once closed */
};

/* Gives how many were not logged since the last line, or -1: neither is this one. */
static int64_t take_line(struct quota *quota)
{
    int64_t now = wf_now();
    if (quota->used && now - quota->last < log_interval) {
        quota->unlogged++;
        return -1;
    }
    int64_t unlogged = (int64_t)quota->unlogged;
    *quota = (struct quota){.used = true, .last = now};
    return unlogged;
}

/* ---- One connection ---- */

static void note_outcome(struct server *server, int rc)
{
    if (rc >= 0 || rc == -ECANCELED || rc == -ESHUTDOWN || rc == -ECONNABORTED) return;
    server->statistics->failed++;
    int64_t unlogged = take_line(&server->failures);
    if (unlogged >= 0)
        event_connection_failed(server->name, rc, failure_text(LOOP_HERE()->running, rc), (uint64_t)unlogged);
}

static int handle(struct connection *connection)
{
    const struct server *server = connection->server;
    int rc = server->handler(server->arg, connection->stream);
    if (rc == -ECONNABORTED) wf_stream_abort(connection->stream);
    else wf_stream_close(connection->stream);
    connection->stream = NULL;
    return rc;
}

static int handle_there(struct connection *connection)
{
    desc_take_over(&fd_stream_from(connection->stream)->desc);
    return handle(connection);
}

/* Nothing has been waited for on the stream yet, so it can change its loop. */
static int hand_over(struct connection *connection)
{
    desc_hand_over(&fd_stream_from(connection->stream)->desc);
    int rc = wf_call_on(WF_LEAST_LOADED, handle_there, connection);
    if (connection->stream != NULL) desc_take_over(&fd_stream_from(connection->stream)->desc); /* it did not go */
    return rc;
}

static int serve_connection(struct connection *connection)
{
    struct server *server = connection->server;
    int rc = server->spread ? hand_over(connection) : handle(connection);
    wf_stream_close(connection->stream);
    memory_free(connection);
    note_outcome(server, rc);
    server->statistics->open--;
    wf_event_set(&server->ended);
    wf_semaphore_release(&server->room);
    return rc < 0 && wf_cancelled() ? -ECANCELED : 0; /* its failure is nobody else's; that it was cut is told */
}

static int begin(struct server *server, struct wf_scope *connections, struct wf_stream *stream)
{
    struct connection *connection = memory_alloc(sizeof *connection);
    int rc = connection != NULL ? 0 : -ENOMEM;
    if (rc == 0) {
        *connection = (struct connection){.server = server, .stream = stream};
        rc = wf_try_spawn(connections, serve_connection, connection, .name = server->name);
    }
    if (rc < 0) {
        memory_free(connection);
        wf_stream_abort(stream);
        server->statistics->refused++;
        return rc;
    }
    struct wf_serve_statistics *statistics = server->statistics;
    statistics->accepted++;
    if (++statistics->open > statistics->open_most) statistics->open_most = statistics->open;
    server->pause = 0;
    return 0;
}

/* ---- Accepting ---- */

/* A connection that was gone before it was taken is no reason to wait; what the caller did is no reason to go on. */
static int pause_after(struct server *server, int code)
{
    if (code == -ECONNABORTED) return 0;
    if (code == -ECANCELED || code == -ESHUTDOWN || code == -EBADF || code == -EINVAL) return code;
    int64_t unlogged = take_line(&server->refusals);
    if (unlogged >= 0) event_cannot_accept(server->name, code, (uint64_t)unlogged);
    server->pause = server->pause == 0 ? pause_first : server->pause * 2;
    if (server->pause > pause_last) server->pause = pause_last;
    server->statistics->pauses++;
    wf_event_clear(&server->ended);
    int rc = wf_idle(wf_within(server->pause, wf_event_wait(&server->ended)));
    return rc == -ETIME ? 0 : rc;
}

static int accept_one(struct server *server, struct wf_scope *connections)
{
    struct wf_stream *stream;
    int rc = wf_idle(wf_semaphore_acquire(&server->room));
    if (rc < 0) return rc;
    rc = wf_tcp_accept(server->listener, &stream);
    if (rc == 0) rc = begin(server, connections, stream);
    if (rc < 0) wf_semaphore_release(&server->room);
    return rc;
}

static int accept_all(struct server *server, struct wf_scope *connections)
{
    for (;;) {
        int rc = accept_one(server, connections);
        if (rc < 0) rc = pause_after(server, rc);
        if (rc < 0) return rc;
    }
}

static bool was_told_to_stop(int code)
{
    return code == -ESHUTDOWN || code == -EBADF;
}

int wf_serve_streams_(struct wf_listener *listener, int (*handler)(void *, struct wf_stream *),
                      const struct wf_serve_options *options)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (options->size != sizeof *options || listener == NULL || handler == NULL) return -EINVAL;
    uint32_t limit = options->limit > 0 ? options->limit : LIMIT_DEFAULT;
    struct server server = {
        .listener = listener,
        .handler = handler,
        .arg = (void *)(uintptr_t)options->arg_,
        .name = options->name != NULL ? options->name : "connection",
        .spread = options->spread,
        .room = WF_SEMAPHORE(limit),
        .ended = WF_EVENT,
        .statistics = options->statistics != NULL ? options->statistics : &server.own,
    };
    *server.statistics = (struct wf_serve_statistics){.accepted = 0};
    WF_SCOPE(connections, .policy = WF_COLLECT, .name = "connections");
    listener_keep(listener);
    rc = accept_all(&server, &connections);
    listener_drop(listener);
    return wf_scope_end(&connections, was_told_to_stop(rc) ? 0 : rc);
}
