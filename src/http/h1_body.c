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

static int fill_body(struct h1 *h1)
{
    struct work *work = h1->work;
    int rc = tell_to_continue(h1);
    if (rc < 0) return rc;
    work->parsed = work->end = work->body_at; /* what was read makes room */
    set_phase(h1->connection, PHASE_BODY);
    rc = h1_fill(h1, false);
    set_phase(h1->connection, PHASE_ANSWERING);
    return rc == 0 ? wf_fail(-EBADMSG, "the body ended early") : rc;
}

static ssize_t read_counted(struct h1 *h1, void *buffer, size_t size)
{
    struct work *work = h1->work;
    struct wf_request *request = &work->request;
    uint64_t left = (uint64_t)request->length - request->body_read;
    if (left < size) size = (size_t)left;
    size_t there = work->end - work->parsed;
    if (there == 0) {
        int rc = fill_body(h1);
        if (rc < 0) return rc;
        there = work->end - work->parsed;
    }
    if (there < size) size = there;
    memcpy(buffer, work->in + work->parsed, size);
    work->parsed += size;
    if (request->body_read + size == (uint64_t)request->length) request->body_ended = true;
    return (ssize_t)size;
}

static ssize_t read_chunked(struct h1 *h1, void *buffer, size_t size)
{
    struct work *work = h1->work;
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
