/*
 * A connection of HTTP/2: its task reads, another writes, and how it ends.
 *
 * Whatever is wrong with it is said in a GOAWAY. The writer sees when everything has been said and nothing is to come,
 * and cancels the scope that all of it runs in.
 */
#include "http/h2.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"

static const char cut_over[] = "the connection is over";

void h2_kick(struct h2 *h2)
{
    wf_event_set(&h2->to_send);
}

void h2_check(struct h2 *h2, int outcome)
{
    if (outcome == NGHTTP2_ERR_NOMEM) connection_cut(h2->connection, cut_gone);
}

void h2_reset(struct h2 *h2, int32_t id, uint32_t code)
{
    h2_check(h2, nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, code));
    h2_kick(h2);
}

void h2_refuse(struct h2 *h2, uint32_t code)
{
    h2_check(h2, nghttp2_session_terminate_session(h2->session, code));
    h2_kick(h2);
}

/* ---- Writing ---- */

static int collect(struct h2 *h2, const uint8_t *bytes, size_t size)
{
    if (h2->out_size + size > h2->out_room) {
        size_t room = h2->out_room == 0 ? 4096 : h2->out_room;
        while (room < h2->out_size + size) room *= 2;
        char *out = wf_memory_resize(h2->out, room);
        if (out == NULL) return -ENOMEM;
        h2->out = out;
        h2->out_room = room;
    }
    memcpy(h2->out + h2->out_size, bytes, size);
    h2->out_size += size;
    return 0;
}

/* What nghttp2 has to say, up to a good mouthful. */
static int collect_frames(struct h2 *h2)
{
    while (h2->out_size < H2_WRITE_MAX) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(h2->session, &bytes);
        if (size < 0) return size == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO;
        if (size == 0) return 0;
        int rc = collect(h2, bytes, (size_t)size);
        if (rc < 0) return rc;
    }
    return 0;
}

static int send_frames(struct h2 *h2)
{
    struct connection *connection = h2->connection;
    for (;;) {
        int rc = collect_frames(h2);
        if (rc < 0 || h2->out_size == 0) return rc;
        connection->writing = true;
        rc = wf_stream_write_all(connection->stream, h2->out, h2->out_size, NULL);
        connection->writing = false;
        h2->out_size = 0;
        if (rc < 0) return rc;
    }
}

static int write_frames(struct h2 *h2)
{
    int rc = 0;
    while (rc == 0) {
        rc = wf_event_wait(&h2->to_send);
        wf_event_clear(&h2->to_send);
        if (rc == 0) rc = send_frames(h2);
        bool over = !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session);
        if (rc == 0 && over) break;
    }
    if (rc == 0) h2->over = true;
    if (rc != -ECANCELED) connection_cut(h2->connection, rc == 0 ? cut_over : cut_gone);
    return rc == -ECANCELED ? rc : 0;
}

/* ---- Reading ---- */

/* nghttp2 has given up: the last thing that is said is why. */
static int stop_reading(struct h2 *h2, ssize_t error)
{
    if (error == NGHTTP2_ERR_NOMEM) return -ENOMEM;
    uint32_t code = NGHTTP2_PROTOCOL_ERROR;
    if (error == NGHTTP2_ERR_CALLBACK_FAILURE) code = h2->error;
    if (error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) code = NGHTTP2_ENHANCE_YOUR_CALM;
    h2_refuse(h2, code);
    return 0;
}

static int feed(struct h2 *h2)
{
    size_t size = h2->in_end;
    h2->in_end = 0;
    if (size == 0 || h2->error != 0) return 0;
    ssize_t used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)h2->in, size);
    if (nghttp2_session_want_write(h2->session) || !nghttp2_session_want_read(h2->session)) h2_kick(h2);
    if (used >= 0) return 0;
    if (h2->error == 0) h2->error = NGHTTP2_INTERNAL_ERROR;
    return stop_reading(h2, used);
}

static int read_frames(struct h2 *h2)
{
    struct wf_stream *stream = h2->connection->stream;
    for (;;) {
        int rc = feed(h2);
        if (rc < 0) return rc;
        bool idle = h2->count == 0;
        ssize_t got = idle ? wf_idle(wf_stream_read(stream, h2->in, sizeof h2->in))
                           : wf_stream_read(stream, h2->in, sizeof h2->in);
        if (got == -ESHUTDOWN && h2->error == 0) {
            h2->error = NGHTTP2_NO_ERROR + 1; /* nothing more is read */
            h2->drain = H2_GOING;
            h2_refuse(h2, NGHTTP2_NO_ERROR);
            continue;
        }
        if (got <= 0) return (int)got;
        h2->in_end = (size_t)got;
    }
}

/* ---- The connection ---- */

/* The priorities of RFC 7540 are not given up: without them nghttp2 1.52 frees twice what it cannot queue for want of
 * memory. */
static int send_settings(struct h2 *h2)
{
    const struct wf_http_limits *limits = &h2->connection->server->app->private_->limits;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->head_max},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    };
    int rc = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, WF_COUNT(settings));
    if (rc == 0) rc = nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
    return rc == 0 ? 0 : -ENOMEM;
}

struct h2 *h2_create(struct connection *connection, const char *bytes, size_t size)
{
    struct h2 *h2 = wf_memory_alloc(sizeof *h2);
    if (h2 == NULL) return NULL;
    memset(h2, 0, offsetof(struct h2, in));
    h2->connection = connection;
    h2->to_send = (struct wf_event)WF_EVENT;
    memcpy(h2->in, bytes, size);
    h2->in_end = size;
    h2->session = h2_session_create(h2);
    if (h2->session != NULL && send_settings(h2) == 0) return h2;
    nghttp2_session_del(h2->session);
    wf_memory_free(h2);
    return NULL;
}

static void destroy(struct h2 *h2)
{
    while (h2->streams != NULL) h2_stream_free(h2->streams);
    nghttp2_session_del(h2->session);
    wf_memory_free(h2->out);
    wf_memory_free(h2);
}

static int serve(struct h2 *h2)
{
    struct connection *connection = h2->connection;
    WF_SCOPE(scope);
    connection->scope = h2->scope = &scope;
    int rc = wf_spawn(&scope, write_frames, h2, .name = "http2 writer");
    h2_kick(h2);
    if (rc == 0) rc = read_frames(h2);
    if (rc == 0) connection_cut(connection, cut_gone);
    connection->scope = NULL;
    return wf_scope_end(&scope, rc);
}

int h2_serve(struct h2 *h2)
{
    if (h2 == NULL) return -ENOMEM;
    struct connection *connection = h2->connection;
    connection->watch = NULL;
    connection->protocol = h2;
    connection->mind = h2_mind;
    int rc = serve(h2);
    bool over = h2->over;
    connection->mind = NULL;
    destroy(h2);
    if (rc == 0 && over) connection_linger(connection);
    return rc;
}
