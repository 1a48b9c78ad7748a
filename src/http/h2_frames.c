/* What comes on a connection of HTTP/2: which frames begin, feed and end streams, and which come too often. */
#include <string.h>
#include <weft/extend.h>

#include "http/app.h"
#include "http/h2.h"

enum {
    RESETS_BURST = 200, /* requests that are taken back (CVE-2023-44487), or make us take them back */
    RESETS_PER_SECOND = 33,
};

static struct h2_stream *stream_of(struct h2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

/* Ends the reading; the reader says goodbye with the code. */
static int give_up(struct h2 *h2, uint32_t code)
{
    h2->error = code;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* ---- Numbers of streams ---- */

static bool is_open(struct h2 *h2, int32_t id)
{
    nghttp2_stream *stream = nghttp2_session_find_stream(h2->session, id);
    return stream != NULL && nghttp2_stream_get_state(stream) != NGHTTP2_STREAM_STATE_CLOSED;
}

/* A head on a stream that is over, or was passed by: nghttp2 would let it pass (RFC 9113 section 5.1.1). */
static int check_id(struct h2 *h2, int32_t id)
{
    if (id > h2->highest || is_open(h2, id)) return 0;
    for (unsigned i = 0; i < H2_RECENT; i++) {
        if (h2->recent[i] == -id) return 0;
        if (h2->recent[i] == id) return give_up(h2, NGHTTP2_STREAM_CLOSED);
    }
    return give_up(h2, NGHTTP2_PROTOCOL_ERROR);
}

/* Of a stream that we reset, the first word counts. */
static void remember(struct h2 *h2, int32_t id)
{
    int32_t last = h2->recent[(h2->next_recent + H2_RECENT - 1) % H2_RECENT];
    if (last == id || last == -id) return;
    h2->recent[h2->next_recent] = id;
    h2->next_recent = (h2->next_recent + 1) % H2_RECENT;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *argument)
{
    (void)session;
    struct h2 *h2 = argument;
    if (head->type == NGHTTP2_PRIORITY && head->stream_id == 0) return give_up(h2, NGHTTP2_PROTOCOL_ERROR);
    bool checked = head->type == NGHTTP2_HEADERS && head->stream_id % 2 != 0;
    return checked ? check_id(h2, head->stream_id) : 0;
}

/* ---- Heads ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    struct h2 *h2 = argument;
    h2->in_head = true;
    h2->heading = NULL;
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    int32_t id = frame->hd.stream_id;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        h2->heading = stream_of(h2, id);
        return 0;
    }
    h2->highest = id;
    h2->heading = h2_stream_open(h2, id);
    if (h2->heading != NULL) nghttp2_session_set_stream_user_data(session, id, h2->heading);
    else h2_reset(h2, id, NGHTTP2_REFUSED_STREAM);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *argument)
{
    (void)session;
    (void)flags;
    struct h2 *h2 = argument;
    if (h2->heading == NULL || frame->hd.type != NGHTTP2_HEADERS) return 0;
    int rc = h2_add_field(h2->heading, frame->headers.cat, name, name_size, value, value_size);
    return rc == 0 ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* A field that cannot be one makes its request malformed (RFC 9113 section 8.2.1); by itself it would be left out. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                             size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *argument)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_size;
    (void)value;
    (void)value_size;
    (void)flags;
    (void)argument;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void client_is_done(struct h2_stream *stream)
{
    stream->client_done = true;
    wf_event_set(&stream->came);
}

static void head_has_come(struct h2 *h2, const nghttp2_frame *frame)
{
    struct h2_stream *stream = h2->heading;
    h2->heading = NULL;
    h2->in_head = false;
    if (stream == NULL) return;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) client_is_done(stream);
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return;
    h2_check_head(stream);
    h2_stream_start(stream);
}

/* ---- Frames ---- */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    (void)session;
    struct h2 *h2 = argument;
    if (frame->hd.type == NGHTTP2_HEADERS) head_has_come(h2, frame);
    if (frame->hd.type == NGHTTP2_SETTINGS) h2->greeted = true;
    if (frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        struct h2_stream *stream = stream_of(h2, frame->hd.stream_id);
        if (stream != NULL) client_is_done(stream);
    }
    if (h2_is_nuisance(frame) && !h2_count(&h2->nuisances, H2_NUISANCES_BURST, H2_NUISANCES_PER_SECOND))
        return give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    if (frame->hd.type == NGHTTP2_RST_STREAM && !h2_count(&h2->resets, RESETS_BURST, RESETS_PER_SECOND))
        return give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t size,
                   void *argument)
{
    (void)flags;
    struct h2 *h2 = argument;
    struct h2_stream *stream = stream_of(h2, id);
    if (stream == NULL) h2_check(h2, nghttp2_session_consume_connection(session, size));
    else if (!stream->running) h2_body_skip(stream, size);
    else if (h2_body_append(stream, bytes, size) < 0) h2_reset(h2, id, NGHTTP2_INTERNAL_ERROR);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *argument)
{
    (void)session;
    struct h2 *h2 = argument;
    struct h2_stream *stream = stream_of(h2, id);
    remember(h2, id);
    if (stream != NULL && h2->heading == stream) h2->heading = NULL;
    if (stream != NULL) h2_stream_closed(stream, code);
    return 0;
}

/* ---- Frames that go ---- */

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *argument)
{
    (void)session;
    struct h2 *h2 = argument;
    bool whole = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    struct h2_stream *stream = whole ? stream_of(h2, frame->hd.stream_id) : NULL;
    if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) h2_body_leave(stream);
    if (frame->hd.type != NGHTTP2_RST_STREAM) return 0;
    if (frame->hd.stream_id == h2->highest) h2->in_head = false;
    remember(h2, -frame->hd.stream_id);
    uint32_t code = frame->rst_stream.error_code;
    bool provoked = code != NGHTTP2_NO_ERROR && code != NGHTTP2_CANCEL;
    if (provoked && h2->error == 0 && !h2_count(&h2->resets, RESETS_BURST, RESETS_PER_SECOND)) {
        h2->error = NGHTTP2_ENHANCE_YOUR_CALM;
        nghttp2_session_terminate_session(session, h2->error);
    }
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
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    return callbacks;
}

nghttp2_session *h2_session_create(struct h2 *h2)
{
    nghttp2_session *session = NULL;
    nghttp2_session_callbacks *callbacks = callbacks_create();
    nghttp2_option *option = callbacks != NULL ? h2_option_create() : NULL;
    if (option != NULL && nghttp2_session_server_new3(&session, callbacks, h2, option, &h2_memory) != 0) session = NULL;
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}
