/* Bodies of HTTP/1.x requests: counted or in chunks, read when the handler asks for them. */
#include <string.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/h1.h"

/* Asks for the body that the client holds back. */
static int tell_to_continue(struct h1 *h1)
{
    struct wf_request *request = &h1->work->request;
    if (!request->wants_continue) return 0;
    request->wants_continue = false;
    if (h1->work->end > h1->work->parsed) return 0; /* it did not wait */
    int rc = h1_out(h1, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return rc < 0 ? rc : h1_flush(h1);
}

static int ended_early(void)
{
    return wf_fail(-EBADMSG, "the body ended early");
}

static int fill_body(struct h1 *h1)
{
    struct work *work = h1->work;
    int rc = tell_to_continue(h1);
    if (rc < 0) return rc;
    work->parsed = work->end = work->body_at; /* what was read makes room */
    set_phase(h1->connection, PHASE_BODY);
    rc = h1_fill(h1, false);
    set_phase(h1->connection, PHASE_ANSWERING);
    return rc == 0 ? ended_early() : rc;
}

/* Is it worth a call of its own? Nothing is in our room, which is shorter. */
static bool may_read_past_it(const struct work *work, size_t size)
{
    return work->end == work->parsed && size > work->in_room - work->body_at;
}

/* So many bytes of the body at most, straight to who asked for them. */
static ssize_t read_past_it(struct h1 *h1, void *buffer, size_t size)
{
    struct connection *connection = h1->connection;
    int rc = tell_to_continue(h1);
    if (rc == 0) rc = h1_flush(h1);
    if (rc < 0) return rc;
    set_phase(connection, PHASE_BODY);
    ssize_t got = wf_stream_read(connection->stream, buffer, size);
    set_phase(connection, PHASE_ANSWERING);
    return got == 0 ? ended_early() : got;
}

static ssize_t take(struct h1 *h1, void *buffer, size_t size)
{
    struct work *work = h1->work;
    if (work->end == work->parsed) {
        int rc = fill_body(h1);
        if (rc < 0) return rc;
    }
    size_t there = work->end - work->parsed;
    if (there < size) size = there;
    memcpy(buffer, work->in + work->parsed, size);
    work->parsed += size;
    return (ssize_t)size;
}

static ssize_t read_counted(struct h1 *h1, void *buffer, size_t size)
{
    struct work *work = h1->work;
    struct wf_request *request = &work->request;
    uint64_t left = (uint64_t)request->length - request->body_read;
    if (left < size) size = (size_t)left;
    ssize_t got = may_read_past_it(work, size) ? read_past_it(h1, buffer, size) : take(h1, buffer, size);
    if (got > 0 && (uint64_t)got == left) request->body_ended = true;
    return got;
}

/* Of a chunk that is longer than what was asked for. */
static ssize_t read_of_chunk(struct h1 *h1, void *buffer, size_t size)
{
    ssize_t got = read_past_it(h1, buffer, size);
    if (got > 0) h1->work->chunks.left -= (uint64_t)got;
    return got;
}

static ssize_t read_chunked(struct h1 *h1, void *buffer, size_t size)
{
    struct work *work = h1->work;
    const struct chunks *chunks = &work->chunks;
    if (chunks->state == CHUNK_DATA && chunks->left > size && may_read_past_it(work, size))
        return read_of_chunk(h1, buffer, size);
    for (;;) {
        if (work->end == work->parsed) {
            int rc = fill_body(h1);
            if (rc < 0) return rc;
        }
        size_t there = work->end - work->parsed, used = 0;
        if (there > size) there = size;
        ssize_t got = chunks_take(&work->chunks, work->in + work->parsed, there, buffer, &used,
                                  &work->request.request_trailers, &work->request.arena);
        work->parsed += used;
        if (work->chunks.state == CHUNK_ENDED) work->request.body_ended = true;
        if (got != 0 || work->request.body_ended) return got;
    }
}

ssize_t h1_read_body(struct wf_request *request, void *buffer, size_t size)
{
    struct h1 *h1 = h1_of(request);
    return request->length < 0 ? read_chunked(h1, buffer, size) : read_counted(h1, buffer, size);
}

/* What the handler did not want, as far as it is cheap to read; else the connection ends. */
bool h1_skip_body(struct h1 *h1)
{
    struct wf_request *request = &h1->work->request;
    char scratch[1024];
    uint64_t skipped = 0;
    if (request->body_ended || request->length == 0) return true;
    if (request->wants_continue) return false; /* it may come, or it may not */
    while (!request->body_ended && skipped < h1->connection->server->app->private_->skip_max) {
        ssize_t got = h1_read_body(request, scratch, sizeof scratch);
        if (got < 0) return false;
        request->body_read += (uint64_t)got;
        skipped += (uint64_t)got;
    }
    return request->body_ended;
}
