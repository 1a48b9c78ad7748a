/* What is asked of an answer: is it one, what does it say, and its body as a stream. */
#include <string.h>
#include <weft/extend.h>
#include <weft/model.h>
#include <weft/task.h>

#include "client/client.h"

enum {
    SHOWN = 200,   /* bytes of a body in a message */
    PIECE = 65536, /* of one that is read piece by piece */
};

static struct call *call_of(const struct wf_response *response)
{
    return (struct call *)(void *)response->call_;
}

/* The beginning of a body, in one line. */
static void show(const struct wf_response *response, char text[SHOWN + 1])
{
    size_t size = response->body == NULL ? 0 : response->size < SHOWN ? response->size : SHOWN;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)response->body[i];
        text[i] = response->body[i];
        if (byte < ' ' || byte == 0x7f) text[i] = ' ';
    }
    text[size] = '\0';
}

int wf_response_check(const struct wf_response *response)
{
    char text[SHOWN + 1];
    if (response->status < 400) return 0;
    show(response, text);
    const char *method = wf_method_name(call_of(response)->method);
    return wf_fail(WF_ESTATUS, "%s %s: %d %s%s%s", method, response->url, response->status,
                   wf_status_reason(response->status), text[0] != '\0' ? ": " : "", text);
}

int wf_response_model(const struct wf_response *response, const struct wf_model *model, void *out)
{
    struct wf_problems problems;
    struct wf_json_writer writer;
    const char *text;
    if (response->call_ == NULL || response->body == NULL) return -EBADF;
    struct wf_arena *arena = call_of(response)->arena;
    wf_problems_init(&problems, arena);
    int rc = wf_model_parse(model, arena, response->body, response->size, out, &problems);
    if (rc == 0 || rc == -ENOMEM) return rc;
    if (rc == -EBADMSG)
        return wf_fail(rc, "%s: %d, whose body is no JSON: %s", response->url, response->status, wf_failure());
    wf_json_writer_init(&writer, arena, 0);
    wf_ignore(wf_problems_write(&problems, &writer));
    bool told = wf_json_write_end(&writer, &text, NULL) == 0;
    return wf_fail(rc, "%s: %d, whose body is no %s: %s", response->url, response->status, model->name,
                   told ? text : "");
}

/* ---- Piece by piece ---- */

static int next_piece(struct wf_iterator *iterator, void *item)
{
    struct wf_response_pieces *pieces = (struct wf_response_pieces *)(void *)iterator;
    struct call *call = call_of(pieces->response_);
    if (call == NULL) return -EBADF;
    if (pieces->buffer_ == NULL) pieces->buffer_ = wf_arena_alloc(call->arena, PIECE);
    if (pieces->buffer_ == NULL) return -ENOMEM;
    ssize_t got = wf_response_read(pieces->response_, pieces->buffer_, PIECE);
    if (got <= 0) return (int)got;
    *(struct iovec *)item = (struct iovec){pieces->buffer_, (size_t)got};
    return 1;
}

void wf_response_pieces_(struct wf_response_pieces *pieces, struct wf_response *response)
{
    static const struct wf_iterator_class class = {.next = next_piece};
    *pieces = (struct wf_response_pieces){.iterator = {&class, sizeof(struct iovec)}, .response_ = response};
}

/* ---- As a stream ---- */

struct response_stream {
    struct wf_stream stream; /* first */
    struct wf_response *response;
};

static struct wf_response *response_of(struct wf_stream *stream)
{
    return ((struct response_stream *)(void *)stream)->response;
}

static ssize_t stream_read(struct wf_stream *stream, void *buffer, size_t size)
{
    return wf_response_read(response_of(stream), buffer, size);
}

static ssize_t stream_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)stream, (void)parts, (void)count, (void)all;
    return -EBADF;
}

static int stream_shutdown(struct wf_stream *stream)
{
    (void)stream;
    return -EBADF;
}

static void stream_close(struct wf_stream *stream, bool abort)
{
    (void)abort;
    wf_response_close(response_of(stream));
    wf_stream_release(stream);
}

/* Its memory is the arena's. */
static void stream_destroy(struct wf_stream *stream)
{
    (void)stream;
}

static const struct wf_stream_class response_class = {
    .name = "http response",
    .read = stream_read,
    .write = stream_write,
    .shutdown = stream_shutdown,
    .close = stream_close,
    .destroy = stream_destroy,
};

int wf_response_stream(struct wf_response *response, struct wf_stream **stream)
{
    if (response->call_ == NULL || response->body != NULL) return -EBADF;
    struct response_stream *made = wf_arena_new(call_of(response)->arena, struct response_stream);
    if (made == NULL) return -ENOMEM;
    wf_stream_init(&made->stream, &response_class);
    made->response = response;
    *stream = &made->stream;
    return 0;
}
