/*
 * Answers in HTTP/2. The head goes to nghttp2 at once; the body is kept here until nghttp2 asks for it, as far as the
 * client's windows allow.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/h2.h"

enum { OUT_FIRST = 256, OWN_FIELDS = 4 /* status, date, type and length */ };

/* ---- Heads ---- */

static nghttp2_nv pair_of(const char *name, size_t name_size, const char *value, size_t value_size, uint8_t flags)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_size, value_size, flags};
}

enum { KEEP_NAME = NGHTTP2_NV_FLAG_NO_COPY_NAME, KEEP_BOTH = KEEP_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };

#define PAIR(name, value, size, flags) pair_of((name), sizeof(name) - 1, (value), (size), (flags))

/* Fields that are about a connection of HTTP/1.1, and what an upgrade says there (RFC 9113 section 8.2.2). */
static bool is_foreign(const struct wf_request *request, const struct wf_header *field)
{
    if (h2_is_foreign(field->name)) return true;
    return request->protocol != NULL && strcasecmp(field->name, "sec-websocket-accept") == 0;
}

/* The texts are the arena's, which lives until nghttp2 is done with the stream; names are lower-case on the wire. */
static size_t add_fields(nghttp2_nv *pairs, const struct wf_request *request, const struct wf_headers *fields)
{
    size_t count = 0;
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct wf_header *field = &fields->list[i];
        if (is_foreign(request, field)) continue;
        for (char *at = (char *)(uintptr_t)field->name; *at != '\0'; at++)
            if (*at >= 'A' && *at <= 'Z') *at = (char)(*at | 0x20);
        pairs[count++] = pair_of(field->name, field->name_size, field->value, field->value_size, KEEP_BOTH);
    }
    return count;
}

static nghttp2_nv *room_for(struct wf_request *request, const struct wf_headers *fields)
{
    return wf_arena_alloc(&request->arena, (fields->count + OWN_FIELDS) * sizeof(nghttp2_nv));
}

static size_t add_length(nghttp2_nv *pairs, struct h2_stream *stream, int64_t length)
{
    int status = stream->request.status;
    if (length < 0 || status == 204 || status == 304 || status < 200) return 0;
    int size = snprintf(stream->length_text, sizeof stream->length_text, "%lld", (long long)length);
    pairs[0] = PAIR("content-length", stream->length_text, (size_t)size, KEEP_BOTH);
    return 1;
}

/* "date: " and the line's end are HTTP/1.1's. */
static nghttp2_nv date_of(const struct server *server)
{
    return PAIR("date", server->date + 6, SERVER_DATE - 8, KEEP_NAME);
}

static nghttp2_nv status_of(struct h2_stream *stream, int status)
{
    stream->status_text[0] = (char)('0' + status / 100);
    stream->status_text[1] = (char)('0' + status / 10 % 10);
    stream->status_text[2] = (char)('0' + status % 10);
    return PAIR(":status", stream->status_text, 3, KEEP_NAME);
}

int h2_inform(struct wf_request *request, int status)
{
    struct h2_stream *stream = h2_stream_of(request);
    nghttp2_nv *pairs = room_for(request, &request->answer);
    if (pairs == NULL) return -ENOMEM;
    if (stream->closed) return wf_checkpoint();
    pairs[0] = status_of(stream, status);
    size_t count = 1 + add_fields(pairs + 1, request, &request->answer);
    int rc = nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, pairs, count, NULL);
    h2_kick(stream->h2);
    return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : wf_checkpoint();
}

/* ---- Bodies ---- */

/* The end of the body, and what comes behind it. */
static int put_end(struct h2_stream *stream, uint32_t *flags)
{
    struct wf_request *request = &stream->request;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (request->trailers.count == 0) return 0;
    nghttp2_nv *pairs = room_for(request, &request->trailers);
    if (pairs == NULL) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t count = add_fields(pairs, request, &request->trailers);
    int rc = nghttp2_submit_trailer(stream->h2->session, stream->id, pairs, count);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return rc == 0 ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static size_t take_own(struct h2_stream *stream, char *to, size_t size)
{
    size_t there = stream->out_end - stream->out_first;
    if (there == 0) return 0;
    if (there < size) size = there;
    memcpy(to, stream->out + stream->out_first, size);
    stream->out_first += size;
    if (stream->out_first == stream->out_end) stream->out_first = stream->out_end = 0;
    return size;
}

static size_t take_lent(struct h2_stream *stream, char *to, size_t size)
{
    if (stream->lent_size == 0) return 0;
    if (stream->lent_size < size) size = stream->lent_size;
    memcpy(to, stream->lent, size);
    stream->lent += size;
    stream->lent_size -= size;
    if (stream->lent_size == 0) wf_event_set(&stream->taken);
    return size;
}

/* nghttp2 has room for `size` bytes of the body in a frame. */
static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *to, size_t size, uint32_t *flags,
                    nghttp2_data_source *source, void *argument)
{
    (void)session;
    (void)id;
    (void)argument;
    struct h2_stream *stream = source->ptr;
    size_t taken = take_own(stream, (char *)to, size);
    taken += take_lent(stream, (char *)to + taken, size - taken);
    if (taken == 0 && !stream->answer_ended) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    stream->moved++;
    bool left = stream->out_end > 0 || stream->lent_size > 0;
    int rc = !left && stream->answer_ended ? put_end(stream, flags) : 0;
    return rc < 0 ? rc : (ssize_t)taken;
}

static void there_is_more(struct h2_stream *stream)
{
    if (stream->closed) return;
    if (stream->deferred) h2_check(stream->h2, nghttp2_session_resume_data(stream->h2->session, stream->id));
    stream->deferred = false;
    h2_kick(stream->h2);
}

/* An answer without a body ends with its head. */
int h2_begin(struct wf_request *request, int64_t length)
{
    struct h2_stream *stream = h2_stream_of(request);
    struct h2 *h2 = stream->h2;
    nghttp2_nv *pairs = room_for(request, &request->answer);
    if (pairs == NULL) return -ENOMEM;
    if (stream->closed) return wf_checkpoint();
    bool upgraded = request->status == 101;
    size_t count = 0;
    pairs[count++] = status_of(stream, upgraded ? 200 : request->status);
    pairs[count++] = date_of(h2->connection->server);
    if (request->content_type != NULL)
        pairs[count++] = PAIR("content-type", request->content_type, strlen(request->content_type), KEEP_NAME);
    count += add_length(pairs + count, stream, length);
    count += add_fields(pairs + count, request, &request->answer);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = give};
    bool empty = request->without_body || (length == 0 && request->trailers.count == 0 && !upgraded);
    int rc = nghttp2_submit_response(h2->session, stream->id, pairs, count, empty ? NULL : &body);
    h2_kick(h2);
    return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : 0;
}

static int keep(struct h2_stream *stream, const void *bytes, size_t size)
{
    if (stream->out_end + size > stream->out_room) {
        size_t room = stream->out_room == 0 ? OUT_FIRST : stream->out_room;
        while (room < stream->out_end + size) room *= 2;
        char *out = wf_memory_resize(stream->out, room);
        if (out == NULL) return -ENOMEM;
        stream->out = out;
        stream->out_room = room;
    }
    memcpy(stream->out + stream->out_end, bytes, size);
    stream->out_end += size;
    there_is_more(stream);
    return 0;
}

/* The bytes stay where they are until all of them are taken. */
static int lend(struct h2_stream *stream, const void *bytes, size_t size)
{
    int rc = 0;
    stream->lent = bytes;
    stream->lent_size = size;
    stream->moved++;
    there_is_more(stream);
    while (rc == 0 && stream->lent_size > 0 && !stream->closed) {
        wf_event_clear(&stream->taken);
        rc = wf_event_wait(&stream->taken);
    }
    bool whole = stream->lent_size == 0;
    stream->lent = NULL;
    stream->lent_size = 0;
    if (rc == 0 && !whole) rc = -EPIPE;
    if (rc < 0) stream->request.broken = true;
    return rc;
}

int h2_write(struct wf_request *request, const void *bytes, size_t size)
{
    struct h2_stream *stream = h2_stream_of(request);
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (stream->closed) return -EPIPE;
    return stream->out_end + size <= H2_OUT_MAX ? keep(stream, bytes, size) : lend(stream, bytes, size);
}

/* What was written goes as soon as the client takes it. */
int h2_flush(struct wf_request *request)
{
    h2_kick(h2_stream_of(request)->h2);
    return wf_checkpoint();
}

int h2_end(struct wf_request *request)
{
    struct h2_stream *stream = h2_stream_of(request);
    if (stream->answer_ended) return 0;
    stream->answer_ended = true;
    there_is_more(stream);
    return 0;
}

static struct wf_stream *stream_below(struct wf_request *request)
{
    return h2_stream_of(request)->h2->connection->stream;
}

const struct exchange h2_exchange = {
    .version = "HTTP/2",
    .read = h2_body_read,
    .inform = h2_inform,
    .begin = h2_begin,
    .write = h2_write,
    .flush = h2_flush,
    .end = h2_end,
    .take_over = h2_take_over,
    .stream = stream_below,
};
