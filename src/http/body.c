/* Bodies from generators, and as streams. */
#include <string.h>
#include <weft/body.h>
#include <weft/extend.h>
#include <weft/task.h>

/* ---- Generators ---- */

static int write_item(struct wf_request *request, const struct iovec *item)
{
    int rc = item->iov_len > 0 ? wf_reply_write(request, item->iov_base, item->iov_len) : 0;
    return rc == 0 ? wf_reply_flush(request) : rc;
}

int wf_reply_iterator_(struct wf_request *request, int status, const char *content_type, struct wf_iterator *source)
{
    struct iovec item;
    if (source->item_size != sizeof item) return wf_fail(-EINVAL, "an answer is made of items of struct iovec");
    int more = wf_next_(source, &item, sizeof item);
    if (more < 0) return more;
    int rc = wf_reply_begin(request, status, content_type, -1);
    while (rc == 0 && more > 0) {
        rc = write_item(request, &item);
        if (rc == 0) more = wf_next_(source, &item, sizeof item);
        if (more < 0) rc = more;
    }
    return rc == 0 ? wf_reply_end(request) : rc;
}

/* ---- Streams ---- */

struct body_stream {
    struct wf_stream stream; /* first */
    struct wf_request *request;
    bool open;
};

static struct wf_request *request_of(const struct wf_stream *stream)
{
    return ((const struct body_stream *)(const void *)stream)->request;
}

static ssize_t body_read(struct wf_stream *stream, void *buffer, size_t size)
{
    return wf_request_read(request_of(stream), buffer, size);
}

static ssize_t answer_read(struct wf_stream *stream, void *buffer, size_t size)
{
    (void)stream, (void)buffer, (void)size;
    return -EBADF;
}

static ssize_t body_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)stream, (void)parts, (void)count, (void)all;
    return -EBADF;
}

static ssize_t answer_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    struct wf_request *request = request_of(stream);
    ssize_t written = 0;
    int rc = 0;
    (void)all;
    for (int i = 0; i < count && rc == 0; i++) {
        rc = wf_reply_write(request, parts[i].iov_base, parts[i].iov_len);
        if (rc == 0) written += (ssize_t)parts[i].iov_len;
    }
    if (rc == 0) rc = wf_reply_flush(request);
    return rc < 0 ? rc : written;
}

static int body_shutdown(struct wf_stream *stream)
{
    (void)stream;
    return 0;
}

static int answer_shutdown(struct wf_stream *stream)
{
    return wf_reply_end(request_of(stream));
}

static void close_stream(struct wf_stream *stream, bool abort)
{
    (void)abort;
    wf_stream_release(stream);
}

static void destroy_stream(struct wf_stream *stream)
{
    ((struct body_stream *)(void *)stream)->open = false; /* the memory is the request's */
}

static const struct wf_stream_class body_class = {
    .name = "request body",
    .read = body_read,
    .write = body_write,
    .shutdown = body_shutdown,
    .close = close_stream,
    .destroy = destroy_stream,
};

static const struct wf_stream_class answer_class = {
    .name = "answer",
    .read = answer_read,
    .write = answer_write,
    .shutdown = answer_shutdown,
    .close = close_stream,
    .destroy = destroy_stream,
};

static void end_stream(struct body_stream *stream)
{
    if (stream->open) wf_stream_close(&stream->stream);
}

static int make_stream(struct wf_request *request, const struct wf_stream_class *class, struct wf_stream **stream)
{
    struct wf_arena *arena = wf_request_arena(request);
    struct body_stream *made = wf_arena_new(arena, struct body_stream);
    if (made == NULL) return -ENOMEM;
    int rc = wf_arena_defer(arena, end_stream, made);
    if (rc < 0) return rc;
    wf_stream_init(&made->stream, class);
    made->request = request;
    made->open = true;
    *stream = &made->stream;
    return 0;
}

int wf_request_stream(struct wf_request *request, struct wf_stream **stream)
{
    return make_stream(request, &body_class, stream);
}

int wf_reply_stream(struct wf_request *request, int status, const char *content_type, int64_t length,
                    struct wf_stream **stream)
{
    struct wf_stream *made;
    int rc = wf_checkpoint();
    if (rc == 0) rc = make_stream(request, &answer_class, &made);
    if (rc == 0) rc = wf_reply_begin(request, status, content_type, length);
    if (rc == 0) *stream = made;
    return rc;
}
