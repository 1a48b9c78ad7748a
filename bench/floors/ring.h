/* What the two io_uring servers share: the ring, its set-up, and what a completion belongs to. */
#ifndef BENCH_RING_H
#define BENCH_RING_H

#include "listener.h"

#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    SUBMISSIONS = 4096,
    COMPLETIONS = 16384,
    BUFFER_SIZE = 2048,
};

/* Travels in a completion's user data, together with a descriptor and the number of a buffer. */
enum operation { ACCEPT, RECEIVE, SEND };

static struct io_uring ring;

static inline uint64_t tag(enum operation operation, int descriptor, unsigned buffer)
{
    return (uint64_t)operation << 56 | (uint64_t)buffer << 32 | (uint32_t)descriptor;
}

static inline enum operation operation_of(const struct io_uring_cqe *completion)
{
    return (enum operation)(completion->user_data >> 56);
}

static inline int descriptor_of(const struct io_uring_cqe *completion)
{
    return (int)(uint32_t)completion->user_data;
}

static inline unsigned buffer_of(const struct io_uring_cqe *completion)
{
    return completion->user_data >> 32 & 0xffff;
}

/* Completions are delivered only when the loop asks for them: no interruption, and the cheapest way there is. */
static inline void open_ring(void)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
        .cq_entries = COMPLETIONS,
    };
    if ((errno = -io_uring_queue_init_params(SUBMISSIONS, &ring, &parameters)) != 0) fail("io_uring_setup");
    io_uring_register_ring_fd(&ring);
}

/* Room for `count` submissions that must stay together (a chain of links may not be cut by a submit). */
static inline void make_room(unsigned count)
{
    if (io_uring_sq_space_left(&ring) < count) io_uring_submit(&ring);
}

static inline void arm_accept(int listener)
{
    make_room(1);
    struct io_uring_sqe *submission = io_uring_get_sqe(&ring);
    io_uring_prep_multishot_accept(submission, listener, NULL, NULL, 0);
    submission->user_data = tag(ACCEPT, listener, 0);
}

static inline void wait_for_completions(void)
{
    int rc = io_uring_submit_and_wait(&ring, 1);
    if (rc < 0 && rc != -EINTR) {
        errno = -rc;
        fail("io_uring_enter");
    }
}

static inline void *pages(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    return memory;
}

#endif
