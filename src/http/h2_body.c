/* The body of a request in HTTP/2: kept until the handler reads it, which opens the window for more. */
#include <string.h>
#include <weft/extend.h>
#include <weft/request.h>

#include "http/app.h"
#include "http/h2.h"

enum { BODY_FIRST = 4096 };

/* There is room for `size` bytes behind what is there; the client cannot send more than the window. */
static int make_room(struct h2_stream *stream, size_t size)
{
    size_t used = stream->body_end - stream->body_first;
    if (used > 0 && stream->body_first > 0) memmove(stream->body, stream->body + stream->body_first, used);
    stream->body_first = 0;
    stream->body_end = used;
    if (used + size <= stream->body_room) return 0;
    size_t room = stream->body_room == 0 ? BODY_FIRST : stream->body_room;
    while (room < used + size) room *= 2;
    char *body = wf_memory_resize(stream->body, room);
    if (body == NULL) return -ENOMEM;
    stream->body = body;
    stream->body_room = room;
    return 0;
}

int h2_body_append(struct h2_stream *stream, const uint8_t *bytes, size_t size)
{
    if (stream->body_end + size > stream->body_room) {
        int rc = make_room(stream, size);
        if (rc < 0) return rc;
    }
    memcpy(stream->body + stream->body_end, bytes, size);
    stream->body_end += size;
    stream->moved++;
    wf_event_set(&stream->came);
    return 0;
}

void h2_body_skip(struct h2_stream *stream, size_t size)
{
    struct h2 *h2 = stream->h2;
    stream->skipped += size;
    stream->moved++;
    int rc = stream->closed ? nghttp2_session_consume_connection(h2->session, size)
                            : nghttp2_session_consume(h2->session, stream->id, size);
    h2_check(h2, rc);
    if (stream->answer_gone) h2_body_leave(stream);
}

void h2_body_leave(struct h2_stream *stream)
{
    const struct wf_request *request = &stream->request;
    uint64_t most = request->root->private_->limits.skip_max, left = 0;
    stream->answer_gone = true;
    if (stream->client_done || stream->closed) return;
    if (request->length > 0) left = (uint64_t)request->length - request->body_read;
    bool held_back = request->wants_continue || stream->body_late;
    if (held_back || left > most || stream->skipped > most) h2_reset(stream->h2, stream->id, NGHTTP2_NO_ERROR);
}

void h2_body_drop(struct h2_stream *stream)
{
    size_t left = stream->body_end - stream->body_first;
    if (left > 0) h2_body_skip(stream, left);
    wf_memory_free(stream->body);
    stream->body = NULL;
    stream->body_first = stream->body_end = stream->body_room = 0;
}

static size_t take(struct h2_stream *stream, void *buffer, size_t size)
{
    struct h2 *h2 = stream->h2;
    size_t there = stream->body_end - stream->body_first;
    if (there < size) size = there;
    memcpy(buffer, stream->body + stream->body_first, size);
    stream->body_first += size;
    if (stream->body_first == stream->body_end) stream->body_first = stream->body_end = 0;
    h2_check(h2, nghttp2_session_consume(h2->session, stream->id, size));
    if (nghttp2_session_want_write(h2->session)) h2_kick(h2);
    return size;
}

static int wait_for_more(struct h2_stream *stream)
{
    stream->waits_for_body = true;
    stream->moved++;
    wf_event_clear(&stream->came);
    int rc = wf_event_wait(&stream->came);
    stream->waits_for_body = false;
    return rc;
}

/* The client holds it back, and no one may wait for it for ever. */
static int too_late(struct wf_request *request)
{
    if (request->state == ANSWER_NONE) wf_ignore(wf_http_error(request, 408, "the body took too long"));
    return -ETIMEDOUT;
}

static int tell_to_continue(struct wf_request *request)
{
    if (!request->wants_continue) return 0;
    request->wants_continue = false;
    struct wf_headers none = {.list = NULL}, answer = request->answer;
    request->answer = none;
    int rc = h2_inform(request, 100);
    request->answer = answer;
    return rc;
}

ssize_t h2_body_read(struct wf_request *request, void *buffer, size_t size)
{
    struct h2_stream *stream = h2_stream_of(request);
    int rc = wf_checkpoint();
    if (rc == 0 && stream->body_first == stream->body_end && !stream->client_done) rc = tell_to_continue(request);
    while (rc == 0 && stream->body_first == stream->body_end) {
        if (stream->closed) return -ECONNRESET;
        if (stream->client_done) {
            request->body_ended = true;
            return 0;
        }
        rc = wait_for_more(stream);
        if (rc == 0 && stream->body_late) return too_late(request);
    }
    if (rc < 0) return rc;
    size_t got = take(stream, buffer, size);
    request->body_ended = stream->client_done && stream->body_first == stream->body_end;
    return (ssize_t)got;
}
