/*
 * The ring of a loop: made, entered, and filled with entries for the kernel. What the entries mean is uring.c's.
 */
#ifndef WEFT_DRIVER_RING_H
#define WEFT_DRIVER_RING_H

#include <linux/io_uring.h>

#include "core/loop.h"

/* The user_data of the read of the eventfd through which other threads end a wait. */
enum { RING_WAKE = 2 };

struct uring {
    int fd;
    int enter_fd; /* the ring's registered index, or fd */
    unsigned enter_flags;
    unsigned tail;      /* ours: entries before it are filled */
    unsigned submitted; /* entries before it were given to the kernel */
    unsigned sq_mask, cq_mask, sq_entries;
    _Atomic unsigned *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail;
    unsigned *sq_array; /* NULL when the ring does without */
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    void *rings;
    size_t rings_size, sqes_size;
    int wake_fd;
    uint64_t wake_count;
    int event_fd; /* for a loop around this one; -1: there is none */
};

static inline struct uring *uring_of(struct loop *loop)
{
    return loop->driver_state;
}

int ring_open(struct loop *loop);
void ring_close(struct loop *loop);

/* Hands over what was filled in; waits for a completion, at most so long, below 0 without end. */
void ring_enter(struct uring *ring, bool wait, int64_t wait_ns);

/* An empty entry; never fails: a full queue is handed to the kernel first. */
struct io_uring_sqe *ring_entry(struct uring *ring, uint8_t opcode, int fd, uint64_t user_data);

void ring_arm_wake(struct uring *ring);
void ring_wake(struct loop *loop);

/* A descriptor that is readable when there is something to reap, for a loop around this one; and making it unreadable.
 */
int ring_fd(struct loop *loop);
void ring_clear_event(const struct uring *ring);

#endif
