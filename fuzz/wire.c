#include "wire.h"

#include <string.h>

static unsigned char pattern(const struct flow *flow, size_t position)
{
    uint64_t mixed = (flow->key + position) * UINT64_C(0x9e3779b97f4a7c15);
    return (unsigned char)(mixed >> 56);
}

/* ---- Opening ---- */

static void start(struct wire *wire)
{
    static uint64_t opened;
    uint64_t key = ++opened << 32;
    *wire = (struct wire){.flows = {{.key = key}, {.key = key + (1 << 30)}}};
    wire->ends[0].other = &wire->ends[1];
    wire->ends[1].other = &wire->ends[0];
    wire->ends[0].wire = wire->ends[1].wire = wire;
    wire->ends[1].out = wire->ends[0].in = &wire->flows[0];
}

int wire_pipe(struct wire *wire)
{
    start(wire);
    return wf_pipe(&wire->ends[0].stream, &wire->ends[1].stream);
}

struct opening {
    struct wf_listener *listener;
    struct wire *wire;
};

static int accept_one(struct opening *opening)
{
    return wf_tcp_accept(opening->listener, &opening->wire->ends[1].stream);
}

static int connect_both(struct opening *opening)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_one, opening);
    uint16_t port = wf_listener_port(opening->listener);
    int rc = wf_tcp_connect("127.0.0.1", port, &opening->wire->ends[0].stream);
    return wf_scope_end(&scope, rc);
}

int wire_tcp(struct wire *wire)
{
    start(wire);
    wire->ends[0].out = wire->ends[1].in = &wire->flows[1];
    struct opening opening = {.wire = wire};
    int rc = wf_tcp_listen("127.0.0.1", 0, &opening.listener);
    if (rc < 0) return rc;
    rc = connect_both(&opening);
    wf_listener_close(opening.listener);
    if (rc < 0) wire_close(wire);
    return rc;
}

/* ---- What a failure may be ---- */

static bool is_pipe(const struct peer *peer)
{
    return peer->in == NULL || peer->out == NULL;
}

/* Inside a cancelled scope nothing starts; -ECANCELED comes from nowhere else. */
static void check_cancel(bool was_cancelled, bool was_busy, int64_t rc)
{
    if (was_cancelled) CLAIM(rc == -ECANCELED);
    else if (was_busy) CLAIM(rc == -EBUSY || rc == -ECANCELED);
    if (rc == -ECANCELED) CLAIM(wf_cancelled());
    if (rc == -EBUSY) CLAIM(was_busy);
}

static void check_failure(struct peer *peer, int64_t rc)
{
    switch (rc) {
    case -ECANCELED:
    case -EBUSY:
        break;
    case -EBADF:
        CLAIM(peer->closed);
        break;
    case -ECONNRESET:
        CLAIM(!is_pipe(peer) && (peer->other->closed || peer->wire->rough));
        peer->was_reset = true;
        break;
    case -EPIPE:
        CLAIM(peer->broken || peer->shut || peer->other->closed || peer->wire->rough);
        if (!peer->broken && !peer->shut) peer->was_reset = !is_pipe(peer);
        break;
    case -ENOMEM:
        CLAIM(peer->wire->rough);
        break;
    default:
        CLAIM(rc == WF_EEND);
    }
}

/* ---- Reading ---- */

static void check_received(struct flow *flow, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) CLAIM(bytes[i] == pattern(flow, flow->received + i));
    flow->received += size;
    CLAIM(flow->received <= (flow->offered > flow->sent ? flow->offered : flow->sent));
    CLAIM(!flow->end_seen || size == 0);
}

int64_t peer_read(struct peer *peer, size_t size, bool full)
{
    if (peer->stream == NULL || peer->in == NULL || size == 0) return 0;
    bool was_cancelled = wf_cancelled(), was_busy = peer->reading;
    unsigned char *buffer = malloc(size); /* of that very size, so that AddressSanitizer sees a write past it */
    if (buffer == NULL) abort();
    size_t got = 0;
    peer->reading = true;
    peer->calls++;
    int64_t rc =
        full ? wf_stream_read_full(peer->stream, buffer, size, &got) : wf_stream_read(peer->stream, buffer, size);
    peer->calls--;
    if (!was_busy) peer->reading = false;
    if (!full && rc > 0) got = (size_t)rc;
    bool ended = full ? rc == WF_EEND : rc == 0;
    CLAIM(got <= size && (full || rc <= (int64_t)size));
    CLAIM(!was_busy || got == 0);
    check_cancel(was_cancelled, was_busy, rc);
    if (rc < 0) check_failure(peer, rc);
    check_received(peer->in, buffer, got);
    if (full) CLAIM((rc == 0) == (got == size));
    if (ended) CLAIM(peer->in->finished || peer->was_reset);
    peer->in->end_seen |= ended && !peer->was_reset;
    free(buffer);
    return rc;
}

/* ---- Writing ---- */

static unsigned char *next_bytes(const struct flow *flow, size_t size)
{
    unsigned char *bytes = malloc(size);
    if (bytes == NULL) abort();
    for (size_t i = 0; i < size; i++) bytes[i] = pattern(flow, flow->sent + i);
    return bytes;
}

int64_t peer_write(struct peer *peer, size_t size, bool all)
{
    if (peer->stream == NULL || peer->out == NULL || size == 0) return 0;
    struct flow *flow = peer->out;
    bool was_cancelled = wf_cancelled(), was_busy = peer->writing, was_broken = peer->broken;
    unsigned char *bytes = next_bytes(flow, size);
    size_t done = 0;
    if (!was_busy) flow->offered = flow->sent + size;
    peer->writing = true;
    peer->calls++;
    int64_t rc =
        all ? wf_stream_write_all(peer->stream, bytes, size, &done) : wf_stream_write(peer->stream, bytes, size);
    peer->calls--;
    if (!was_busy) peer->writing = false;
    if (!all && rc > 0) done = (size_t)rc;
    CLAIM(rc <= (int64_t)size && done <= size);
    CLAIM(rc != 0 || all);
    CLAIM(!was_busy || done == 0);
    check_cancel(was_cancelled, was_busy, rc);
    if (rc < 0) check_failure(peer, rc);
    if (was_broken && !was_busy) CLAIM(rc == -EPIPE || rc == -ECANCELED);
    if (all) CLAIM((rc == 0) == (done == size));
    if (all && done > 0 && done < size) peer->broken = true;
    if (!was_busy) {
        flow->sent += done;
        flow->offered = flow->sent;
    }
    CLAIM(!flow->end_seen || done == 0 || flow->received <= flow->sent);
    free(bytes);
    return rc;
}

/* ---- The end ---- */

int peer_shutdown(struct peer *peer)
{
    if (peer->stream == NULL) return 0;
    bool was_cancelled = wf_cancelled();
    int rc = wf_stream_shutdown(peer->stream);
    CLAIM(rc == 0 || rc == -ECANCELED || rc == -ENOTCONN);
    if (rc == -ENOTCONN) { /* it was reset */
        CLAIM(peer->other->closed || peer->wire->rough);
        peer->was_reset = true;
    }
    if (was_cancelled) CLAIM(rc == -ECANCELED);
    if (rc == -ECANCELED) CLAIM(wf_cancelled());
    else if (rc == 0 && !is_pipe(peer)) peer->shut = peer->out->finished = true;
    return rc;
}

/* A pipe cannot be reset. */
void peer_close(struct peer *peer, bool aborts)
{
    if (peer->stream == NULL) return;
    struct wf_stream *stream = peer->stream;
    peer->closed = true;
    peer->closed_at = wf_now();
    peer->stream = NULL;
    if (peer->out != NULL && (!aborts || is_pipe(peer))) peer->out->finished = true;
    if (aborts) wf_stream_abort(stream);
    else wf_stream_close(stream);
}

/* Who closes a connection and has not read all answers with a reset, which may overtake what was sent before. */
static bool may_have_reset(const struct peer *peer)
{
    return peer->closed && !is_pipe(peer) && peer->in->received < peer->in->sent;
}

void wire_close(struct wire *wire)
{
    for (size_t i = 0; i < 2; i++) {
        struct peer *peer = &wire->ends[i];
        const struct flow *flow = peer->in;
        CLAIM(peer->calls == 0);
        if (flow == NULL) continue;
        CLAIM(flow->received <= flow->sent);
        CLAIM(!flow->end_seen || flow->received == flow->sent || may_have_reset(peer->other));
    }
    for (size_t i = 0; i < 2; i++) peer_close(&wire->ends[i], false);
}
