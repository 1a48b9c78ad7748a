/* The life of a stream: its memory, its task, its end. */
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/h2.h"

/* ---- Memory ---- */

static struct h2_stream *take(struct server *server)
{
    struct h2_stream *stream = server->spare_streams;
    if (stream != NULL) {
        server->spare_streams = stream->next;
        server->spare_stream_count--;
        return stream;
    }
    stream = wf_memory_alloc(sizeof *stream);
    if (stream == NULL) return NULL;
    memset(stream, 0, sizeof *stream);
    wf_arena_init(&stream->request.arena);
    return stream;
}

void h2_spares_free(struct server *server)
{
    while (server->spare_streams != NULL) {
        struct h2_stream *stream = server->spare_streams;
        server->spare_streams = stream->next;
        wf_arena_finish(&stream->request.arena);
        wf_memory_free(stream->out);
        wf_memory_free(stream);
    }
}

/* The request's memory and a small buffer stay with it. */
static void make_new(struct h2_stream *stream, struct h2 *h2, int32_t id)
{
    struct wf_arena arena = stream->request.arena;
    char *out = stream->out;
    size_t out_room = stream->out_room;
    memset((char *)stream + sizeof stream->request, 0, sizeof *stream - sizeof stream->request);
    stream->request.arena = arena;
    stream->out = out;
    stream->out_room = out_room;
    stream->came = stream->taken = (struct wf_event)WF_EVENT;
    stream->h2 = h2;
    stream->id = id;
    request_begin(&stream->request, &h2_exchange, h2->connection->server->app);
    stream->seen_moved = stream->moved - 1; /* nothing was seen yet */
    stream->request.length = -1;
    stream->request.secure = h2->connection->secure;
}

/* Those that were reset and whose tasks have not ended yet count as well. */
static bool too_many(const struct h2 *h2)
{
    return h2->count >= h2->connection->server->app->private_->limits.streams * 2;
}

struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id)
{
    struct h2_stream *stream = too_many(h2) ? NULL : take(h2->connection->server);
    if (stream == NULL) return NULL;
    make_new(stream, h2, id);
    stream->next = h2->streams;
    if (stream->next != NULL) stream->next->prev = stream;
    h2->streams = stream;
    h2->count++;
    return stream;
}

static void strike_off(struct h2_stream *stream)
{
    struct h2 *h2 = stream->h2;
    if (stream->prev != NULL) stream->prev->next = stream->next;
    else h2->streams = stream->next;
    if (stream->next != NULL) stream->next->prev = stream->prev;
    h2->count--;
}

void h2_stream_free(struct h2_stream *stream)
{
    struct server *server = stream->h2->connection->server;
    strike_off(stream);
    wf_memory_free(stream->body);
    stream->body = NULL;
    bool spare = server->spare_stream_count < H2_SPARES_MAX;
    if (!spare || stream->out_room > H2_OUT_SPARE) {
        wf_memory_free(stream->out);
        stream->out = NULL;
        stream->out_room = 0;
    }
    if (!spare) {
        wf_arena_finish(&stream->request.arena);
        wf_memory_free(stream);
        return;
    }
    wf_arena_reset(&stream->request.arena);
    stream->next = server->spare_streams;
    server->spare_streams = stream;
    server->spare_stream_count++;
}

/* ---- Its task ---- */

/* An answer that is not whole must not look as if it were. */
static void finish_answer(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    if (stream->closed) return;
    bool whole = request->state == ANSWER_ENDED && !request->broken;
    if (!whole) {
        uint32_t code = request->state == ANSWER_NONE ? NGHTTP2_CANCEL : NGHTTP2_INTERNAL_ERROR;
        h2_reset(stream->h2, stream->id, code);
    }
    h2_body_drop(stream);
    h2_kick(stream->h2);
}

static void answer(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    WF_SCOPE(scope);
    request->scope = &scope;
    if (stream->refused != 0) app_refuse(request, stream->refused, stream->why);
    else app_answer(request);
    h2_tunnel_end(stream->tunnel);
    request->scope = NULL;
    wf_scope_end(&scope, 0);
}

static int run(struct h2_stream *stream)
{
    if (!stream->closed) answer(stream);
    stream->running = false;
    stream->lent = NULL;
    stream->lent_size = 0;
    finish_answer(stream);
    if (stream->closed) h2_stream_free(stream);
    return 0;
}

void h2_stream_start(struct h2_stream *stream)
{
    struct h2 *h2 = stream->h2;
    if (wf_try_spawn(h2->scope, run, stream, .name = "http2 stream") == 0) stream->running = true;
    else h2_reset(h2, stream->id, NGHTTP2_REFUSED_STREAM);
}

/* ---- Its end ---- */

void h2_stream_closed(struct h2_stream *stream, uint32_t code)
{
    stream->closed = true;
    h2_body_drop(stream);
    if (!stream->running) {
        h2_stream_free(stream);
        return;
    }
    if (code != NGHTTP2_NO_ERROR && stream->request.scope != NULL) wf_scope_cancel(stream->request.scope, cut_gone);
    wf_event_set(&stream->came);
    wf_event_set(&stream->taken);
}
