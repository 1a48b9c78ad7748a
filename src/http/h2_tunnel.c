/*
 * A stream of HTTP/2 as a stream of bytes, for another protocol on it (RFC 8441): reading is the body of the request,
 * writing that of the answer, and the end of the sending is the answer's.
 */
#include <string.h>
#include <weft/extend.h>

#include "http/h2.h"

struct h2_tunnel {
    struct wf_stream stream;
    struct h2_stream *over; /* NULL: closed */
};

static struct h2_stream *over(struct wf_stream *stream)
{
    return ((struct h2_tunnel *)stream)->over;
}

static ssize_t tunnel_read(struct wf_stream *stream, void *buffer, size_t size)
{
    return over(stream) != NULL ? h2_body_read(&over(stream)->request, buffer, size) : -EBADF;
}

static ssize_t tunnel_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    ssize_t written = 0;
    for (int i = 0; i < count; i++) {
        if (over(stream) == NULL) return -EBADF;
        int rc =
            over(stream)->answer_ended ? -EPIPE : h2_write(&over(stream)->request, parts[i].iov_base, parts[i].iov_len);
        if (rc < 0) return written > 0 ? written : rc;
        written += (ssize_t)parts[i].iov_len;
        if (!all) break;
    }
    return written;
}

static int tunnel_shutdown(struct wf_stream *stream)
{
    if (over(stream) == NULL) return -EBADF;
    over(stream)->request.state = ANSWER_ENDED;
    return h2_end(&over(stream)->request);
}

/* Who waits is woken, and finds that it is closed. */
static void tunnel_close(struct wf_stream *stream, bool abort)
{
    struct h2_stream *below = over(stream);
    ((struct h2_tunnel *)stream)->over = NULL;
    if (below != NULL) {
        if (abort) below->request.broken = true;
        wf_event_set(&below->came);
        wf_event_set(&below->taken);
    }
    wf_stream_release(stream);
}

/* The memory is the request's. */
static void tunnel_destroy(struct wf_stream *stream)
{
    (void)stream;
}

static int tunnel_address(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    const struct h2_stream *below = ((const struct h2_tunnel *)stream)->over;
    if (below == NULL) return -EBADF;
    struct wf_stream *connection = below->h2->connection->stream;
    return peer ? wf_stream_peer(connection, address) : wf_stream_local(connection, address);
}

static const struct wf_stream_class tunnel_class = {
    .name = "http2 stream",
    .read = tunnel_read,
    .write = tunnel_write,
    .shutdown = tunnel_shutdown,
    .close = tunnel_close,
    .destroy = tunnel_destroy,
    .address = tunnel_address,
};

int h2_take_over(struct wf_request *request, struct wf_stream **stream)
{
    struct h2_stream *below = h2_stream_of(request);
    if (below->tunnel != NULL) return -EALREADY;
    struct h2_tunnel *tunnel = wf_arena_new(&request->arena, struct h2_tunnel);
    if (tunnel == NULL) return -ENOMEM;
    wf_stream_init(&tunnel->stream, &tunnel_class);
    tunnel->over = below;
    below->tunnel = tunnel;
    *stream = &tunnel->stream;
    return 0;
}

void h2_tunnel_end(struct h2_tunnel *tunnel)
{
    if (tunnel == NULL) return;
    struct h2_stream *below = tunnel->over;
    tunnel->over = NULL;
    if (below != NULL && !below->answer_ended) wf_ignore(h2_end(&below->request));
}
