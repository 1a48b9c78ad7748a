/* Passing on what two connections say, both ways, as late and as little as it is told. */
#ifndef WEFT_TESTING_RELAY_H
#define WEFT_TESTING_RELAY_H

#include <weft/peer.h>
#include <weft/sync.h>

/* Told of everything that comes, before it is passed on: bytes, 0 for the end, or the code of a reset. May suspend. A
 * negative result ends the relay with that code. */
typedef int relay_watch(void *context, bool to_server, const void *bytes, ssize_t got);

/* One direction. */
struct relay_way {
    struct wf_stream *from, *to;
    const struct wf_flow *flow; /* changes at any time; relay_changed says so */
    uint64_t *counted;          /* bytes that got through, over all relays */
    struct relay_way *back;
    struct relay *relay;
    struct relay_piece *first, *last; /* on their way */
    size_t held;                      /* bytes of them */
    struct wf_event came, room, changed;
    uint64_t passed; /* bytes that got through */
    size_t part;     /* of them, with the last write */
    int64_t part_at; /* when that was */
    bool cut;        /* the receiver has seen the end: what comes is swallowed */
};

struct relay {
    struct relay_way to_server, to_client; /* `from`, `to`, `flow` and `counted` are the caller's to fill */
    relay_watch *watch;                    /* NULL: nobody watches */
    void *context;
};

/*
 * Relays until both directions have ended, or one has failed, and closes both streams: with a reset unless both have
 * ended. Returns 0, or what failed first; that a side was reset is -ECONNRESET or -EPIPE. Suspends.
 */
int relay_run(struct relay *relay);

/* The settings have changed. */
void relay_changed(struct relay *relay);

#endif
