/* The rings of io_uring: what is shared with the kernel, and how it comes and goes. */
#ifndef WEFT_DRIVER_URING_RING_H
#define WEFT_DRIVER_URING_RING_H

#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

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
};

/* Sets up the rings and the eventfd in a cleared struct: 0, or why not, and then there is nothing to be closed. */
int ring_open(struct uring *ring);
void ring_close(struct uring *ring);

#endif
