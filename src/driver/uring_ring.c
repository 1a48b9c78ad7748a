#include "driver/uring_ring.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <weft/base.h>

/* Newer than the oldest headers that we build with. */
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif

enum { SQ_ENTRIES = 1024, CQ_ENTRIES = 8 * SQ_ENTRIES };

static int setup(unsigned entries, struct io_uring_params *params)
{
    static const unsigned attempts[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_NO_SQARRAY,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        0,
    };
    for (size_t i = 0; i < WF_COUNT(attempts); i++) {
        *params = (struct io_uring_params){
            .flags = attempts[i] | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE,
            .cq_entries = CQ_ENTRIES,
        };
        if (attempts[i] == 0) params->flags &= ~(unsigned)IORING_SETUP_SUBMIT_ALL;
        long fd = syscall(SYS_io_uring_setup, entries, params);
        if (fd >= 0) return (int)fd;
        if (errno != EINVAL) return -errno;
    }
    return -EINVAL;
}

static int map_rings(struct uring *ring, const struct io_uring_params *params)
{
    size_t sq_size = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t cq_size = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    if (params->flags & IORING_SETUP_NO_SQARRAY) sq_size = 0;
    ring->rings_size = sq_size > cq_size ? sq_size : cq_size;
    ring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
    int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
    ring->rings = mmap(NULL, ring->rings_size, protection, flags, ring->fd, IORING_OFF_SQ_RING);
    if (ring->rings == MAP_FAILED) return -errno;
    void *sqes = mmap(NULL, ring->sqes_size, protection, flags, ring->fd, IORING_OFF_SQES);
    if (sqes == MAP_FAILED) return -errno;
    ring->sqes = sqes;
    /* A forked child must not write into the parent's queue: it gets no queue at all. */
    madvise(ring->rings, ring->rings_size, MADV_DONTFORK);
    madvise(sqes, ring->sqes_size, MADV_DONTFORK);

    char *base = ring->rings;
    ring->sq_head = (_Atomic unsigned *)(void *)(base + params->sq_off.head);
    ring->sq_tail = (_Atomic unsigned *)(void *)(base + params->sq_off.tail);
    ring->sq_flags = (_Atomic unsigned *)(void *)(base + params->sq_off.flags);
    ring->cq_head = (_Atomic unsigned *)(void *)(base + params->cq_off.head);
    ring->cq_tail = (_Atomic unsigned *)(void *)(base + params->cq_off.tail);
    ring->sq_mask = *(unsigned *)(void *)(base + params->sq_off.ring_mask);
    ring->cq_mask = *(unsigned *)(void *)(base + params->cq_off.ring_mask);
    ring->sq_entries = params->sq_entries;
    ring->cqes = (struct io_uring_cqe *)(void *)(base + params->cq_off.cqes);
    if (!(params->flags & IORING_SETUP_NO_SQARRAY)) {
        ring->sq_array = (unsigned *)(void *)(base + params->sq_off.array);
        for (unsigned i = 0; i < params->sq_entries; i++) ring->sq_array[i] = i;
    }
    return 0;
}

/* Spares the kernel the look-up of the descriptor at each entry. */
static void register_ring(struct uring *ring)
{
    struct io_uring_rsrc_update update = {.offset = UINT32_MAX, .data = (unsigned)ring->fd};
    ring->enter_fd = ring->fd;
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_RING_FDS, &update, 1) != 1) return;
    ring->enter_fd = (int)update.offset;
    ring->enter_flags |= IORING_ENTER_REGISTERED_RING;
}

static void unregister_ring(struct uring *ring)
{
    if (ring->enter_fd == ring->fd) return;
    struct io_uring_rsrc_update update = {.offset = (unsigned)ring->enter_fd};
    syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_RING_FDS, &update, 1);
}

static void unmap(struct uring *ring)
{
    if (ring->sqes != NULL) munmap(ring->sqes, ring->sqes_size);
    if (ring->rings != NULL && ring->rings != MAP_FAILED) munmap(ring->rings, ring->rings_size);
    if (ring->wake_fd >= 0) close(ring->wake_fd);
    close(ring->fd);
}

static int open_rings(struct uring *ring, const struct io_uring_params *params)
{
    const unsigned needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
    int rc = (params->features & needed) == needed ? map_rings(ring, params) : -ENOSYS;
    if (rc < 0) return rc;
    ring->wake_fd = eventfd(0, EFD_CLOEXEC);
    return ring->wake_fd < 0 ? -errno : 0;
}

int ring_open(struct uring *ring)
{
    struct io_uring_params params;
    ring->wake_fd = -1;
    ring->fd = setup(SQ_ENTRIES, &params);
    if (ring->fd < 0) return ring->fd;
    int rc = open_rings(ring, &params);
    if (rc < 0) {
        unmap(ring);
        return rc;
    }
    if (params.features & IORING_FEAT_NO_IOWAIT) ring->enter_flags |= IORING_ENTER_NO_IOWAIT;
    register_ring(ring);
    return 0;
}

void ring_close(struct uring *ring)
{
    unregister_ring(ring);
    unmap(ring);
}
