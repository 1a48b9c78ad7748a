/* The ring of a loop: set-up, and entering the kernel. */
#include "driver/ring.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/report.h"

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

_Static_assert(sizeof(struct io_uring_sqe) == 64, "the kernel's layout");

enum { SQ_ENTRIES = 1024, CQ_ENTRIES = 8 * SQ_ENTRIES };

/* ---- Set-up ---- */

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
    if (ring->event_fd >= 0) close(ring->event_fd);
    close(ring->fd);
}

int ring_open(struct loop *loop)
{
    struct uring *ring = memory_zero(sizeof *ring);
    if (ring == NULL) return -ENOMEM;
    ring->wake_fd = ring->event_fd = -1;
    struct io_uring_params params;
    ring->fd = setup(SQ_ENTRIES, &params);
    int rc = ring->fd;
    if (rc >= 0) {
        const unsigned needed =
            IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_FAST_POLL;
        rc = (params.features & needed) == needed ? map_rings(ring, &params) : -ENOSYS;
        if (rc == 0) {
            ring->wake_fd = eventfd(0, EFD_CLOEXEC);
            if (ring->wake_fd < 0) rc = -errno;
        }
        if (rc < 0) unmap(ring);
    }
    if (rc < 0) {
        memory_free(ring);
        return rc;
    }
    if (params.features & IORING_FEAT_NO_IOWAIT) ring->enter_flags |= IORING_ENTER_NO_IOWAIT;
    register_ring(ring);
    loop->driver_state = ring;
    ring_arm_wake(ring);
    return 0;
}

void ring_close(struct loop *loop)
{
    struct uring *ring = uring_of(loop);
    unregister_ring(ring);
    unmap(ring);
    memory_free(ring);
}

/* ---- Entering the kernel ---- */

void ring_enter(struct uring *ring, bool wait, int64_t wait_ns)
{
    unsigned flags = ring->enter_flags | IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    struct __kernel_timespec time = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
    struct io_uring_getevents_arg argument = {.ts = wait && wait_ns >= 0 ? (uint64_t)(uintptr_t)&time : 0};
    atomic_store_explicit(ring->sq_tail, ring->tail, memory_order_release);
    unsigned count = ring->tail - ring->submitted;
    long rc = syscall(SYS_io_uring_enter, ring->enter_fd, count, wait ? 1 : 0, flags, &argument, sizeof argument);
    if (rc < 0 && errno != EINTR && errno != ETIME && errno != EAGAIN && errno != EBUSY)
        misuse("io_uring_enter failed: %s. The ring is gone; was its descriptor closed?", wf_strerror(errno));
    ring->submitted = atomic_load_explicit(ring->sq_head, memory_order_acquire);
}

struct io_uring_sqe *ring_entry(struct uring *ring, uint8_t opcode, int fd, uint64_t user_data)
{
    while (ring->tail - ring->submitted == ring->sq_entries) ring_enter(ring, false, 0);
    struct io_uring_sqe *entry = &ring->sqes[ring->tail++ & ring->sq_mask];
    memset(entry, 0, sizeof *entry);
    entry->opcode = opcode;
    entry->fd = fd;
    entry->user_data = user_data;
    return entry;
}

void ring_arm_wake(struct uring *ring)
{
    struct io_uring_sqe *entry = ring_entry(ring, IORING_OP_READ, ring->wake_fd, RING_WAKE);
    entry->addr = (uint64_t)(uintptr_t)&ring->wake_count;
    entry->len = sizeof ring->wake_count;
}

void ring_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(uring_of(loop)->wake_fd, &one, sizeof one);
    (void)ignored;
}

/* ---- For a loop around this one ---- */

/* The ring itself does not tell of work that waits for the thread to enter the kernel (IORING_SETUP_DEFER_TASKRUN). */
int ring_fd(struct loop *loop)
{
    struct uring *ring = uring_of(loop);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return -errno;
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_EVENTFD, &fd, 1) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return ring->event_fd = fd;
}

/* Before looking: what comes from here on makes it readable again. */
void ring_clear_event(const struct uring *ring)
{
    uint64_t count;
    ssize_t ignored = read(ring->event_fd, &count, sizeof count);
    (void)ignored;
}
