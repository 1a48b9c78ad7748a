/*
 * Queues of bytes between the ends of the simulated world.
 *
 *     end A --out--> [ arrived | under way ] --in--> end B        a pipe has one queue, a connection two
 *
 * What is written to a connection goes out as a segment and arrives after the latency of the moment, in order. One
 * that is lost, or cannot pass because of a partition, is sent again later and later; after fifteen times the sender
 * gives up (RFC 1122, 4.2.3.5, with Linux's numbers). A queue belongs to both of its ends and goes with the last.
 */
#ifndef WEFT_DRIVER_SIM_QUEUE_H
#define WEFT_DRIVER_SIM_QUEUE_H

#include "driver/sim.h"

enum {
    QUEUE_SIZE = 65536,
    SEGMENTS_MAX = 32, /* under way; what is written meanwhile joins the last of them */
};

struct segment {
    size_t size; /* 0: the end of what is written */
    int64_t due;
};

struct sim_queue {
    unsigned references;
    bool local; /* of a pipe: nothing is ever under way */
    bool ended; /* nothing more is written */
    bool reader_gone, reader_crashed;
    size_t first, arrived, used; /* from first on: what can be read, and what is under way behind it */
    struct sim_end *writer, *reader;
    struct wf_sim_host *from, *to;
    struct segment segments[SEGMENTS_MAX];
    unsigned first_segment, under_way, sendings;
    struct wf_timer_ arrival;
    struct sim_rights *rights, **last_rights; /* descriptors that go along, in the order of their bytes */
    char bytes[QUEUE_SIZE];
};

/* From one end to the other; NULL: out of memory. */
struct sim_queue *queue_join(struct sim_end *writer, struct sim_end *reader);
/* One of its ends needs it no more. */
void queue_drop(struct sim *sim, struct sim_queue *queue);
/* The connection is over for this end: its next transfer says why, later ones find it broken. */
void queue_fail(struct sim *sim, struct sim_end *end, int code);

/* What was put in goes out; a size of 0: the end. */
void queue_send(struct sim *sim, struct sim_queue *queue, size_t size);
void queue_end(struct sim *sim, struct sim_queue *queue);
/* How long a segment takes, with its losses. */
int64_t queue_time_under_way(struct sim *sim);

/* Some bytes that have arrived, as the operation asks, and the descriptors that go along. */
int64_t queue_take(struct sim *sim, struct sim_queue *queue, struct op *op);
size_t queue_put(struct sim *sim, struct sim_queue *queue, const char *buffer, size_t size_max);
size_t queue_put_message(struct sim *sim, struct sim_queue *queue, const struct msghdr *message);
/* They go along with the byte that is put in next. */
void queue_add_rights(struct sim_queue *queue, struct sim_rights *rights);

#endif
