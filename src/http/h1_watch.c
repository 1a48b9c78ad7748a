/*
 * Is the client still there, while a handler takes its time? A task reads ahead: what comes is the next request, and
 * the end of the stream means that nobody waits for this answer any more.
 */
#include "http/h1.h"

#include <weft/scope.h>
#include <weft/task.h>

static int read_ahead(struct h1 *h1)
{
    struct work *work = h1->work;
    ssize_t got = wf_stream_read(h1->connection->stream, work->in + work->end, work->in_room - work->end);
    if (got > 0) work->end += (size_t)got;
    else if (got != -ECANCELED) connection_cut(h1->connection, cut_gone);
    return 0;
}

void h1_watch(struct connection *connection)
{
    struct h1 *h1 = connection->protocol;
    struct work *work = h1->work;
    if (h1->watching || h1->taken_over || !work->request.body_ended || work->end == work->in_room) return;
    h1->watch = (struct wf_handle){0};
    h1->watching = wf_try_spawn(connection->scope, read_ahead, h1, .daemon = true, .name = "client watch",
                                .handle = &h1->watch) == 0;
}
