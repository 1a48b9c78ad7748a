/* What comes on a connection of HTTP/2: heads, bodies and ends of answers, and what is none of these. */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>

#include "client/c2.h"

enum {
    INTERIM_MAX = 20, /* answers before the answer */
    BODY_FIRST = 4096,
};

static const char broken[] = "the answer breaks the rules of HTTP/2";

/* NULL: nobody's; also the connection itself. */
static struct c2_stream *stream_of(struct c2 *c2, int32_t id)
{
    return id == 0 ? NULL : nghttp2_session_get_stream_user_data(c2->session, id);
}

static void reset(struct c2_stream *stream, uint32_t code)
{
    struct c2 *c2 = stream->c2;
    c2_check(c2, nghttp2_submit_rst_stream(c2->session, NGHTTP2_FLAG_NONE, stream->id, code));
    c2_kick(c2);
}

/* ---- Heads ---- */

/* Ends the reading, and with it the connection. */
static int give_up(struct c2 *c2, const char *fault)
{
    c2->fault = fault;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* Pushes were refused by our SETTINGS, which the server has seen before any request. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *argument)
{
    (void)session;
    return head->type == NGHTTP2_PUSH_PROMISE ? give_up(argument, "the server pushes what nobody asked for") : 0;
}

/* What belonged to an interim answer is not the answer's. */
static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    (void)session;
    struct c2_stream *stream = stream_of(argument, frame->hd.stream_id);
    if (stream == NULL) return 0;
    struct wf_response *response = stream->call->response;
    stream->call->answered = true;
    stream->head_size = 0;
    if (stream->headed) response->trailers = (struct wf_headers){.count = 0};
    else response->headers = (struct wf_headers){.count = 0};
    return 0;
}

/* nghttp2 has seen that these are three digits. */
static int read_status(struct c2_stream *stream, const uint8_t *value)
{
    int status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
    stream->call->response->status = status;
    if (status >= 100) return 0;
    c2_fail(stream, call_fail(stream->call, -EPROTO, "%d is no status", status), broken);
    return -EPROTO;
}

static int add_field(struct c2_stream *stream, const uint8_t *name, size_t name_size, const uint8_t *value,
                     size_t value_size)
{
    struct call *call = stream->call;
    const struct wf_client_limits *limits = &call->client->options.limits;
    struct wf_headers *fields = stream->headed ? &call->response->trailers : &call->response->headers;
    stream->head_size += name_size + value_size + H2_FIELD_OVERHEAD;
    if (stream->head_size > limits->head_max)
        return call_fail(call, -EMSGSIZE, "the head of the answer is longer than %zu bytes", limits->head_max);
    if (name[0] == ':') return read_status(stream, value);
    if (fields->count >= limits->fields_max)
        return call_fail(call, -EMSGSIZE, "the answer has more than %u fields", limits->fields_max);
    return h2_keep_field(fields, call->arena, name, name_size, value, value_size) != NULL ? 0 : -ENOMEM;
}

/* nghttp2 resets a stream whose field is not taken. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *argument)
{
    (void)session;
    (void)flags;
    struct c2_stream *stream = stream_of(argument, frame->hd.stream_id);
    if (stream == NULL || stream->closed) return 0;
    int rc = add_field(stream, name, name_size, value, value_size);
    if (rc == 0) return 0;
    c2_fail(stream, rc, wf_strerror(rc));
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* By itself it would be left out (RFC 9113 section 8.2.1). */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *argument)
{
    (void)session;
    (void)name;
    (void)name_size;
    (void)value;
    (void)value_size;
    (void)flags;
    struct c2_stream *stream = stream_of(argument, frame->hd.stream_id);
    if (stream != NULL) c2_fail(stream, -EPROTO, "a field of the answer's head is none");
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* ---- What follows the head ---- */

/* nghttp2 sees to it that the body is as long as it was said to be. */
static void begin_body(struct c2_stream *stream, bool ends)
{
    struct call *call = stream->call;
    const char *length = wf_headers_find(&call->response->headers, "content-length");
    call->framing = ends ? FRAMING_NONE : FRAMING_CLOSE;
    call->body_length = ends ? 0 : -1;
    if (ends || length == NULL || call->method == WF_HEAD) return;
    call->body_length = 0;
    for (; *length >= '0' && *length <= '9'; length++) call->body_length = call->body_length * 10 + (*length - '0');
}

static void head_is_whole(struct c2_stream *stream, bool ends)
{
    if (stream->closed) return;
    if (!stream->headed && stream->call->response->status < 200) {
        if (++stream->interim <= INTERIM_MAX) return;
        reset(stream, NGHTTP2_ENHANCE_YOUR_CALM);
        c2_fail(stream, call_fail(stream->call, -EPROTO, "more than %d interim answers", INTERIM_MAX), broken);
        return;
    }
    if (!stream->headed) begin_body(stream, ends);
    stream->headed = true;
    stream->ended = ends;
    c2_wake(stream);
}

static int make_room(struct c2_stream *stream, size_t size)
{
    size_t used = stream->end - stream->first;
    if (used > 0 && stream->first > 0) memmove(stream->body, stream->body + stream->first, used);
    stream->first = 0;
    stream->end = used;
    if (used + size <= stream->room) return 0;
    size_t room = stream->room == 0 ? BODY_FIRST : stream->room;
    while (room < used + size) room *= 2;
    char *body = wf_memory_resize(stream->body, room);
    if (body == NULL) return -ENOMEM;
    stream->body = body;
    stream->room = room;
    return 0;
}

/* The connection's window opens at once, the stream's when this is read. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t size,
                   void *argument)
{
    (void)flags;
    struct c2 *c2 = argument;
    struct c2_stream *stream = stream_of(c2, id);
    c2_check(c2, nghttp2_session_consume_connection(session, size));
    if (stream == NULL || stream->closed) return 0;
    if (stream->end + size > stream->room && make_room(stream, size) < 0) {
        reset(stream, NGHTTP2_INTERNAL_ERROR);
        c2_fail(stream, -ENOMEM, "out of memory");
        return 0;
    }
    memcpy(stream->body + stream->end, bytes, size);
    stream->end += size;
    c2_wake(stream);
    return 0;
}

/* ---- Ends ---- */

static void end_of_data(struct c2_stream *stream)
{
    if (stream->closed) return;
    stream->ended = true;
    c2_wake(stream);
}

/* A request that it has not looked at may be asked again (RFC 9113 section 8.7). */
static void refused(struct c2_stream *stream)
{
    stream->call->untouched = !stream->headed;
    c2_fail(stream, -ECONNRESET, "the server refused the stream");
}

static void was_reset(struct c2_stream *stream, uint32_t code)
{
    if (code == NGHTTP2_REFUSED_STREAM && !stream->call->answered) {
        refused(stream);
        return;
    }
    stream->call->answered = true;
    if (!stream->ended && !stream->closed)
        call_fail(stream->call, -ECONNRESET, "the server reset the stream: %s", nghttp2_http2_strerror(code));
    c2_fail(stream, -ECONNRESET, broken);
}

/* By the server, which has been heard by then; by a GOAWAY, as if it was refused; or by nghttp2, for what it broke. */
static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *argument)
{
    (void)session;
    struct c2_stream *stream = stream_of(argument, id);
    if (stream == NULL) return 0;
    if (code == NGHTTP2_REFUSED_STREAM && !stream->call->answered) refused(stream);
    c2_fail(stream, -EPROTO, broken);
    stream->closed = true;
    c2_wake(stream);
    return 0;
}

/* A request that is too long, or may not go any more, since the server has said goodbye. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *argument)
{
    (void)session;
    struct c2_stream *stream = stream_of(argument, frame->hd.stream_id);
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (error == NGHTTP2_ERR_FRAME_SIZE_ERROR) c2_fail(stream, -EMSGSIZE, "the fields of the request are too long");
    else refused(stream);
    return 0;
}

/* ---- Frames ---- */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    struct c2 *c2 = argument;
    struct c2_stream *stream = stream_of(c2, frame->hd.stream_id);
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (stream != NULL && frame->hd.type == NGHTTP2_HEADERS) head_is_whole(stream, ends);
    if (stream != NULL && frame->hd.type == NGHTTP2_DATA && ends) end_of_data(stream);
    if (stream != NULL && frame->hd.type == NGHTTP2_RST_STREAM) was_reset(stream, frame->rst_stream.error_code);
    if (frame->hd.type == NGHTTP2_SETTINGS)
        pool_set_streams(c2->wire,
                         nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        c2->goodbye = frame->goaway.error_code;
        pool_retire(c2->wire);
    }
    bool flood = h2_is_nuisance(frame) && !h2_count(&c2->nuisances, H2_NUISANCES_BURST, H2_NUISANCES_PER_SECOND);
    return flood ? give_up(c2, c2_flood) : 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *argument)
{
    (void)session;
    struct c2_stream *stream = stream_of(argument, frame->hd.stream_id);
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS) return 0;
    c2_fail(stream, call_fail(stream->call, -EPROTO, "%s: %s", broken, nghttp2_strerror(error)), broken);
    return 0;
}

/* A goodbye that says why is about what the server did. */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    (void)session;
    char why[160];
    if (frame->hd.type != NGHTTP2_GOAWAY || frame->goaway.error_code == NGHTTP2_NO_ERROR) return 0;
    size_t size = frame->goaway.opaque_data_len;
    snprintf(why, sizeof why, "the server breaks the rules of HTTP/2: %s%s%.*s",
             nghttp2_http2_strerror(frame->goaway.error_code), size > 0 ? ", " : "", (int)size,
             size > 0 ? (const char *)frame->goaway.opaque_data : "");
    c2_end(argument, -EPROTO, why);
    return 0;
}

/* ---- Made for nghttp2 ---- */

static nghttp2_session_callbacks *callbacks_create(void)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    return callbacks;
}

nghttp2_session *c2_session_create(struct c2 *c2)
{
    nghttp2_session *session = NULL;
    nghttp2_session_callbacks *callbacks = callbacks_create();
    nghttp2_option *option = callbacks != NULL ? h2_option_create() : NULL;
    if (option != NULL && nghttp2_session_client_new3(&session, callbacks, c2, option, &h2_memory) != 0) session = NULL;
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}
