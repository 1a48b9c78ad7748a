#include "http/lent.h"

#include <string.h>

static struct lent *lent_of(struct wf_stream *stream)
{
    return (struct lent *)stream;
}

static void forget_bytes(struct lent *lent)
{
    wf_memory_free(lent->bytes);
    lent->bytes = NULL;
}

static ssize_t lent_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct lent *lent = lent_of(stream);
    if (lent->under == NULL) return -EBADF;
    if (lent->bytes == NULL) return wf_stream_read(lent->under, buffer, size);
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    size_t there = lent->end - lent->first;
    if (there < size) size = there;
    memcpy(buffer, lent->bytes + lent->first, size);
    lent->first += size;
    if (lent->first == lent->end) forget_bytes(lent);
    return (ssize_t)size;
}

static ssize_t lent_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)all;
    struct lent *lent = lent_of(stream);
    return lent->under != NULL ? wf_stream_writev(lent->under, parts, count) : -EBADF;
}

static int lent_shutdown(struct wf_stream *stream)
{
    struct lent *lent = lent_of(stream);
    return lent->under != NULL ? wf_stream_shutdown(lent->under) : -EBADF;
}

static void lent_close(struct wf_stream *stream, bool abort)
{
    (void)abort;
    lent_of(stream)->under = NULL;
    wf_stream_release(stream);
}

/* Its memory is its owner's. */
static void lent_destroy(struct wf_stream *stream)
{
    (void)stream;
}

static int lent_fd(const struct wf_stream *stream)
{
    const struct lent *lent = (const struct lent *)stream;
    return lent->under != NULL ? wf_stream_fd(lent->under) : -1;
}

static int lent_address(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    const struct lent *lent = (const struct lent *)stream;
    if (lent->under == NULL) return -EBADF;
    if (!lent->has_addresses)
        return peer ? wf_stream_peer(lent->under, address) : wf_stream_local(lent->under, address);
    *address = peer ? lent->peer : lent->local;
    return 0;
}

static const struct wf_stream_class lent_class = {
    .name = "lent",
    .read = lent_read,
    .write = lent_write,
    .shutdown = lent_shutdown,
    .close = lent_close,
    .destroy = lent_destroy,
    .fd = lent_fd,
    .address = lent_address,
};

void lent_init(struct lent *lent, struct wf_stream *under)
{
    *lent = (struct lent){.under = under};
    wf_stream_init(&lent->stream, &lent_class);
}

void lent_finish(struct lent *lent)
{
    if (lent->under != NULL) wf_stream_close(&lent->stream);
    forget_bytes(lent);
}
