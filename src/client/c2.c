/* A call over HTTP/2, as its own task sees it; what comes wakes it. */
#include "client/c2.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

/* ---- Waking and waiting ---- */

bool c2_has_said_no(const struct c2_stream *stream)
{
    return stream->closed || (stream->headed && stream->call->response->status >= 300);
}

/* A body that nobody wants is not asked for any further, wherever it comes from. */
void c2_wake(struct c2_stream *stream)
{
    wf_event_set(&stream->moved);
    if (stream->lends != NULL && c2_has_said_no(stream)) wf_scope_cancel(stream->lends, "the server takes no more");
}

int c2_wait(struct c2_stream *stream)
{
    wf_event_clear(&stream->moved);
    return wf_event_wait(&stream->moved);
}

void c2_fail(struct c2_stream *stream, int code, const char *why)
{
    if (stream->ended || stream->code < 0) return;
    stream->code = call_fail(stream->call, code, "%s", why);
    stream->closed = true;
    c2_wake(stream);
}

/* ---- A call's stream ---- */

static void strike_off(struct c2_stream *stream)
{
    if (stream->prev != NULL) stream->prev->next = stream->next;
    else stream->c2->streams = stream->next;
    if (stream->next != NULL) stream->next->prev = stream->prev;
}

/* A connection that ended since it was lent has not seen the request. */
static int has_gone(struct call *call)
{
    struct wire *wire = call->wire;
    if (call->client->closed) return -ESHUTDOWN;
    call->untouched = true;
    pool_retire(wire);
    return call_fail(call, -ECONNRESET, "the connection ended before the request was sent");
}

static bool may_ask(struct c2 *c2)
{
    const struct wire *wire = c2->wire;
    return c2->code == 0 && !wire->retired && !wire->gone && !c2_is_lost(c2) &&
           nghttp2_session_check_request_allowed(c2->session);
}

static int begin(struct call *call)
{
    struct c2 *c2 = call->wire->c2;
    if (call->tunnel) return call_fail(call, -EOPNOTSUPP, "tunnels through HTTP/2 are not spoken");
    if (!may_ask(c2)) return has_gone(call);
    struct c2_stream *stream = wf_arena_new(call->arena, struct c2_stream);
    if (stream == NULL) return -ENOMEM;
    *stream = (struct c2_stream){.call = call, .c2 = c2, .moved = WF_EVENT, .next = c2->streams};
    int rc = c2_submit(stream);
    if (rc < 0) return rc;
    if (stream->next != NULL) stream->next->prev = stream;
    c2->streams = stream;
    call->part = stream;
    if (c2->quiet_at == 0) c2->quiet_at = wf_now();
    c2_kick(c2);
    return 0;
}

static int wait_for_head(struct c2_stream *stream)
{
    int rc = 0;
    while (rc == 0 && !stream->headed && !stream->closed) rc = c2_wait(stream);
    return rc == 0 && !stream->headed ? stream->code : rc;
}

static int ask(struct call *call)
{
    call->response->version = "HTTP/2";
    call_step(call, STEP_WRITE);
    int rc = begin(call);
    struct c2_stream *stream = call->part;
    if (rc == 0 && !stream->lent_all) rc = c2_send_body(stream);
    return rc < 0 ? rc : IN_STEP(call, STEP_HEAD, wait_for_head(stream));
}

/* ---- The body of the answer ---- */

static size_t take(struct c2_stream *stream, void *buffer, size_t size)
{
    struct c2 *c2 = stream->c2;
    size_t there = stream->end - stream->first;
    if (there < size) size = there;
    memcpy(buffer, stream->body + stream->first, size);
    stream->first += size;
    if (stream->first == stream->end) stream->first = stream->end = 0;
    if (stream->ended || stream->closed) return size;
    c2_check(c2, nghttp2_session_consume_stream(c2->session, stream->id, size));
    if (nghttp2_session_want_write(c2->session)) c2_kick(c2);
    return size;
}

static ssize_t read_body(struct call *call, void *buffer, size_t size)
{
    struct c2_stream *stream = call->part;
    int rc = 0;
    while (rc == 0 && stream->first == stream->end) {
        if (stream->ended) return 0;
        if (stream->closed) return stream->code;
        rc = IN_STEP(call, STEP_BODY, c2_wait(stream));
    }
    return rc < 0 ? rc : (ssize_t)take(stream, buffer, size);
}

/* ---- The end ---- */

/* An answer that is whole needs no more of the request; any other is not wanted any more. */
static void drop(struct c2_stream *stream)
{
    struct c2 *c2 = stream->c2;
    nghttp2_session_set_stream_user_data(c2->session, stream->id, NULL);
    if (!stream->closed) {
        if (c2_is_lost(c2)) pool_retire(c2->wire);
        uint32_t code = stream->ended ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL;
        c2_check(c2, nghttp2_submit_rst_stream(c2->session, NGHTTP2_FLAG_NONE, stream->id, code));
        c2_kick(c2);
    }
    strike_off(stream);
    wf_memory_free(stream->body);
}

static void leave(struct call *call)
{
    struct wire *wire = call->wire;
    if (wire == NULL) return;
    if (call->part != NULL) drop(call->part);
    call->wire = NULL;
    call->part = NULL;
    pool_release_stream(wire);
}

const struct protocol http2 = {.version = "HTTP/2", .ask = ask, .read = read_body, .leave = leave, .close = c2_close};
