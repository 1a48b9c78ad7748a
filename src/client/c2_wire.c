/*
 * A connection of HTTP/2: its task reads, another one writes, and how it ends.
 *
 * The pool says when nobody wants it any more; a GOAWAY, the server's end and every error say it to the pool. Then what
 * is under way goes on, or fails, and the last thing that is sent is a goodbye, if the server takes it soon enough.
 */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/c2.h"

static const int64_t goodbye_time = WF_SECONDS(1), quiet_time = WF_SECONDS(5), answer_time = WF_SECONDS(5);
static const char cut_over[] = "the connection is over";
const char c2_flood[] = "the server floods the connection with frames";

void c2_kick(struct c2 *c2)
{
    wf_event_set(&c2->to_send);
}

void c2_check(struct c2 *c2, int outcome)
{
    if (outcome != NGHTTP2_ERR_NOMEM) return;
    c2_end(c2, -ENOMEM, "out of memory");
    if (c2->scope != NULL) wf_scope_cancel(c2->scope, cut_over);
}

/* ---- Is anybody there? ---- */

/* A network may lose a connection without a word. It is asked when the server was quiet for long, by whoever wants
 * something of it then; a slow answer alone is no reason to leave. */
bool c2_is_lost(struct c2 *c2)
{
    int64_t now = wf_now();
    if (c2->pinged_at > 0) return now - c2->pinged_at > answer_time;
    if (c2->quiet_at == 0 || now - c2->quiet_at < quiet_time) return false;
    c2_check(c2, nghttp2_submit_ping(c2->session, NGHTTP2_FLAG_NONE, NULL));
    c2->pinged_at = now;
    c2_kick(c2);
    return false;
}

/* ---- Its end ---- */

static void fail(struct c2_stream *stream, int code, const char *why)
{
    bool cut = code == -ECONNRESET && stream->headed;
    c2_fail(stream, cut ? WF_EEND : code, cut ? "the answer ended before its body was complete" : why);
}

static void note_reason(struct c2 *c2, int code, const char *why)
{
    if (c2->code < 0) return;
    c2->code = code;
    bool told = code == -ECONNRESET && c2->goodbye != NGHTTP2_NO_ERROR;
    const char *goodbye = told ? nghttp2_http2_strerror(c2->goodbye) : "";
    snprintf(c2->why, sizeof c2->why, "%s%s%s", why, told ? ": " : "", goodbye);
}

void c2_end(struct c2 *c2, int code, const char *why)
{
    note_reason(c2, code, why);
    for (struct c2_stream *stream = c2->streams; stream != NULL; stream = stream->next) fail(stream, c2->code, c2->why);
    pool_retire(c2->wire);
}

static void destroy(struct wire *wire)
{
    struct c2 *c2 = wire->c2;
    nghttp2_session_del(c2->session);
    wf_memory_free(c2->out);
    wf_memory_free(c2);
    wf_memory_free(wire);
}

static void say_goodbye(struct c2 *c2)
{
    c2->closing = true;
    for (struct c2_stream *stream = c2->streams; stream != NULL; stream = stream->next)
        fail(stream, -ESHUTDOWN, "the client is closed");
    int rc = nghttp2_session_terminate_session(c2->session, NGHTTP2_NO_ERROR);
    c2_kick(c2);
    if (c2->scope == NULL) return;
    wf_scope_set_deadline(c2->scope, wf_now() + goodbye_time);
    if (rc < 0 || c2->deaf) wf_scope_cancel(c2->scope, cut_over);
}

void c2_close(struct wire *wire)
{
    struct c2 *c2 = wire->c2;
    if (c2->running && !c2->closing) say_goodbye(c2);
    if (!c2->running && wire->streams == 0) destroy(wire);
}

/* ---- Writing ---- */

static int collect(struct c2 *c2, const uint8_t *bytes, size_t size)
{
    if (c2->out_size + size > c2->out_room) {
        size_t room = c2->out_room == 0 ? 4096 : c2->out_room;
        while (room < c2->out_size + size) room *= 2;
        char *out = wf_memory_resize(c2->out, room);
        if (out == NULL) return -ENOMEM;
        c2->out = out;
        c2->out_room = room;
    }
    memcpy(c2->out + c2->out_size, bytes, size);
    c2->out_size += size;
    return 0;
}

/* What nghttp2 has to say, up to a good mouthful. */
static int collect_frames(struct c2 *c2)
{
    while (c2->out_size < C2_WRITE_MAX) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(c2->session, &bytes);
        if (size < 0) return size == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO;
        if (size == 0) return 0;
        int rc = collect(c2, bytes, (size_t)size);
        if (rc < 0) return rc;
    }
    return 0;
}

/* A server that takes no byte for so long as a call may wait for that, is gone. */
static int write_out(struct c2 *c2)
{
    int64_t limit = c2->wire->client->options.times.write;
    for (size_t at = 0; at < c2->out_size;) {
        ssize_t sent = wf_within(limit > 0 ? limit : WF_FOREVER,
                                 wf_stream_write(c2->wire->stream, c2->out + at, c2->out_size - at));
        if (sent < 0) return (int)sent;
        at += (size_t)sent;
    }
    c2->out_size = 0;
    return 0;
}

static int send_frames(struct c2 *c2)
{
    for (;;) {
        int rc = collect_frames(c2);
        if (rc < 0 || c2->out_size == 0) return rc;
        rc = write_out(c2);
        if (rc < 0) return rc;
    }
}

/* A server that reads no more may have said something before, which is still to be read. */
static bool has_left(int code)
{
    return code == -EPIPE || code == -ECONNRESET;
}

static int write_frames(struct c2 *c2)
{
    int rc = 0;
    while (rc == 0) {
        rc = wf_event_wait(&c2->to_send);
        wf_event_clear(&c2->to_send);
        if (rc == 0) rc = send_frames(c2);
        bool over = !nghttp2_session_want_read(c2->session) && !nghttp2_session_want_write(c2->session);
        if (rc == 0 && over) break;
    }
    if (rc == -ECANCELED) return rc;
    if (has_left(rc)) {
        c2->left = true;
        pool_retire(c2->wire);
        wf_scope_set_deadline(c2->scope, wf_now() + goodbye_time);
        return 0;
    }
    c2_end(c2, rc < 0 ? rc : -ECONNRESET, rc == -ETIME ? "the server takes no bytes" : cut_over);
    wf_scope_cancel(c2->scope, cut_over);
    return 0;
}

/* ---- Reading ---- */

/* nghttp2 has given up; the last thing that is said is why. */
static int stop_reading(struct c2 *c2, ssize_t error)
{
    if (error == NGHTTP2_ERR_NOMEM) return -ENOMEM;
    bool flood = error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    uint32_t code = flood || c2->fault == c2_flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
    c2->deaf = true;
    c2_end(c2, -EPROTO, c2->fault != NULL ? c2->fault : flood ? c2_flood : "what the server speaks is not HTTP/2");
    int rc = nghttp2_session_terminate_session(c2->session, code);
    wf_scope_set_deadline(c2->scope, wf_now() + goodbye_time);
    c2_kick(c2);
    return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : 0;
}

static int feed(struct c2 *c2, size_t size)
{
    c2->quiet_at = c2->streams != NULL ? wf_now() : 0;
    c2->pinged_at = 0;
    if (c2->deaf) return 0;
    ssize_t used = nghttp2_session_mem_recv(c2->session, (const uint8_t *)c2->in, size);
    if (nghttp2_session_want_write(c2->session) || !nghttp2_session_want_read(c2->session)) c2_kick(c2);
    return used < 0 ? stop_reading(c2, used) : 0;
}

/* When the tasks around it are to end (wf_idle), it does, as soon as no call needs it. */
static int read_frames(struct c2 *c2)
{
    struct wire *wire = c2->wire;
    for (int rc = 0; rc == 0;) {
        ssize_t got = wire->leaving ? wf_stream_read(wire->stream, c2->in, sizeof c2->in)
                                    : wf_idle(wf_stream_read(wire->stream, c2->in, sizeof c2->in));
        if (got == -ESHUTDOWN && !wire->leaving) {
            wire->leaving = true;
            if (wire->streams == 0) pool_retire(wire);
            continue;
        }
        if (got <= 0) return (int)got;
        rc = feed(c2, (size_t)got);
        if (rc < 0) return rc;
    }
    return 0;
}

/* ---- Its tasks ---- */

static int serve(struct c2 *c2)
{
    WF_SCOPE(scope);
    c2->scope = &scope;
    if (c2->closing) wf_scope_set_deadline(&scope, wf_now() + goodbye_time);
    int rc = wf_spawn(&scope, write_frames, c2, .name = "http2 writer");
    c2_kick(c2);
    if (rc == 0) rc = read_frames(c2);
    if (rc == 0 || has_left(rc) || c2->left) c2_end(c2, -ECONNRESET, "the server closed the connection");
    else if (rc == -ECANCELED) c2_end(c2, -ESHUTDOWN, "the client's tasks end");
    else c2_end(c2, rc, wf_strerror(rc));
    wf_scope_cancel(&scope, cut_over);
    rc = wf_scope_end(&scope, 0);
    c2->scope = NULL;
    return rc;
}

static int run(struct c2 *c2)
{
    struct wire *wire = c2->wire;
    struct client *client = wire->client;
    int rc = serve(c2);
    wf_stream_close(wire->stream);
    wire->stream = NULL;
    c2->running = false;
    if (wire->gone && wire->streams == 0) destroy(wire);
    client_release(client);
    return rc == -ECANCELED ? rc : 0;
}

/* ---- Its beginning ---- */

static int send_settings(struct c2 *c2)
{
    const struct wf_client_limits *limits = &c2->wire->client->options.limits;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, C2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->head_max},
    };
    int rc = nghttp2_submit_settings(c2->session, NGHTTP2_FLAG_NONE, settings, WF_COUNT(settings));
    if (rc == 0) rc = nghttp2_session_set_local_window_size(c2->session, NGHTTP2_FLAG_NONE, 0, C2_CONNECTION_WINDOW);
    return rc == 0 ? 0 : -ENOMEM;
}

static struct c2 *create(struct wire *wire)
{
    struct c2 *c2 = wf_memory_alloc(sizeof *c2);
    if (c2 == NULL) return NULL;
    memset(c2, 0, offsetof(struct c2, in));
    c2->wire = wire;
    c2->to_send = (struct wf_event)WF_EVENT;
    c2->session = c2_session_create(c2);
    if (c2->session != NULL && send_settings(c2) == 0) return c2;
    nghttp2_session_del(c2->session);
    wf_memory_free(c2);
    return NULL;
}

int c2_begin(struct wire *wire)
{
    struct client *client = wire->client;
    uint32_t streams = client->options.limits.streams;
    struct c2 *c2 = wire->c2 = create(wire);
    if (c2 == NULL) return -ENOMEM;
    wire->streams_max = streams < C2_STREAMS_FIRST ? streams : C2_STREAMS_FIRST;
    c2->running = true;
    int rc = wf_background_start(client->tasks, run, c2, .name = NULL);
    if (rc == 0) client->references++;
    if (rc == 0) return 0;
    nghttp2_session_del(c2->session);
    wf_memory_free(c2);
    return rc;
}
