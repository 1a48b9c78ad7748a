/*
 * A connection after an upgrade, as a stream: what came behind the head of the request first, then what the connection
 * gives. Closing it does not close the connection, which ends with its task.
 */
#include <string.h>
#include <weft/scope.h>

#include "http/h1.h"

static struct h1 *of(const struct wf_stream *stream)
{
    return (struct h1 *)(void *)((char *)(uintptr_t)stream - offsetof(struct h1, tunnel));
}

static ssize_t tunnel_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct h1 *h1 = of(stream);
    struct work *work = h1->work;
    size_t there = work->end - work->parsed;
    if (there == 0) return wf_stream_read(h1->connection->stream, buffer, size);
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (size > there) size = there;
    memcpy(buffer, work->in + work->parsed, size);
    work->parsed += size;
    return (ssize_t)size;
}

/* `writing` is what the minder measures how long it takes. */
static ssize_t tunnel_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    struct connection *connection = of(stream)->connection;
    (void)all;
    connection->writing = true;
    ssize_t written = wf_stream_writev(connection->stream, parts, count);
    connection->writing = false;
    return written;
}

static int tunnel_shutdown(struct wf_stream *stream)
{
    return wf_stream_shutdown(of(stream)->connection->stream);
}

static void tunnel_close(struct wf_stream *stream, bool abort)
{
    (void)abort;
    wf_stream_release(stream);
}

static void tunnel_destroy(struct wf_stream *stream)
{
    (void)stream;
}

static int tunnel_fd(const struct wf_stream *stream)
{
    return wf_stream_fd(of(stream)->connection->stream);
}

static int tunnel_address(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    struct wf_stream *under = of(stream)->connection->stream;
    return peer ? wf_stream_peer(under, address) : wf_stream_local(under, address);
}

static const struct wf_stream_class tunnel_class = {
    .name = "http upgrade",
    .read = tunnel_read,
    .write = tunnel_write,
    .shutdown = tunnel_shutdown,
    .close = tunnel_close,
    .destroy = tunnel_destroy,
    .fd = tunnel_fd,
    .address = tunnel_address,
};

/* Who looks ahead whether the client is still there reads no more; what it has read counts. */
static void end_watch(struct h1 *h1)
{
    if (!h1->watching) return;
    wf_handle_cancel(&h1->watch, "the connection is taken over");
    wf_ignore(wf_shielded(WF_FOREVER, wf_handle_join(&h1->watch)));
}

/* No more answers, and no more heads: an idle tunnel keeps little. One that was asked for has its head elsewhere. */
static void give_rooms_back(struct work *work)
{
    wf_memory_free(work->out.bytes);
    work->out = (struct outgoing){.bytes = NULL};
    if (work->reading->parser.upgrades) {
        wf_memory_free(work->reading);
        work->reading = NULL;
    }
    if (work->in != work->large) {
        wf_memory_free(work->large);
        work->large = NULL;
    }
}

int h1_take_over(struct wf_request *request, struct wf_stream **stream)
{
    struct h1 *h1 = h1_of(request);
    int rc = h1_flush(h1);
    if (rc < 0) return rc;
    end_watch(h1);
    give_rooms_back(h1->work);
    h1->taken_over = true;
    wf_stream_init(&h1->tunnel, &tunnel_class);
    *stream = &h1->tunnel;
    return 0;
}
