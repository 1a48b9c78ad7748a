/*
 * Streams against a model of what went over them, for every target that uses streams.
 *
 * Each direction carries a pattern: the byte at a position is known from the position. So bytes that are lost, doubled,
 * changed or out of order are seen by the reader. A call that fails sent or consumed nothing, and says why; every
 * reason must be one that the model knows.
 */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <weft/weft.h>

#include "fuzz.h"

struct flow {
    uint64_t key;   /* of its pattern */
    size_t sent;    /* reported as sent */
    size_t offered; /* the end of the write that is under way */
    size_t received;
    bool finished, end_seen; /* the writer shut it or closed; the reader has read the end */
};

struct peer {
    struct wf_stream *stream; /* NULL: not open, or closed */
    struct flow *in, *out;    /* NULL: this end of a pipe has none */
    struct peer *other;
    struct wire *wire;
    unsigned calls; /* under way */
    int64_t closed_at;
    bool reading, writing, broken, shut, closed;
    bool was_reset; /* and has been told: from then on it reads the end */
};

struct wire {
    struct peer ends[2];
    struct flow flows[2];
    bool rough; /* transfers may find the connection reset, or no memory */
};

/* Each opens the wire: 0, or why not. Suspends for TCP. */
int wire_pipe(struct wire *wire);
int wire_tcp(struct wire *wire);

/* The calls, checked. A peer that is not open answers 0. Suspend, but for close. */
int64_t peer_read(struct peer *peer, size_t size, bool full);
int64_t peer_write(struct peer *peer, size_t size, bool all);
int peer_shutdown(struct peer *peer);
void peer_close(struct peer *peer, bool aborts);

/* When nobody uses it any more: closes what is open, and checks the accounts. */
void wire_close(struct wire *wire);

#endif
