/*
 * The driver on io_uring, by its system calls.
 *
 * One ring per loop, entered once a pass: it submits what the tasks of the pass asked for and reaps what has completed.
 * Buffers are the tasks' own; a task stays suspended until its operation's completion has been reaped, so nothing here
 * owns memory. Completions are told apart by user_data: the operation's address, with the lowest bit set while it waits
 * for readiness only (a descriptor in non-blocking mode answered -EAGAIN); 0 for cancel requests, whose own answer says
 * nothing; WAKE for the read of the eventfd through which other threads end a wait.
 */
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "base/memory.h"
#include "base/report.h"
#include "driver/system.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(memory, size) ((void)(memory), (void)(size))
#endif

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

enum {
    SQ_ENTRIES = 1024,
    CQ_ENTRIES = 8 * SQ_ENTRIES,
    WAKE = 2,
    POLLING = 1,
    SIZE_LIMIT = 0x7ffff000, /* the most that one call transfers: read(2) */
};

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

static struct uring *uring_of(struct loop *loop)
{
    return loop->driver_state;
}

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

static void arm_wake(struct uring *ring);

static int uring_init(struct loop *loop)
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
    arm_wake(ring);
    return 0;
}

static void uring_finish(struct loop *loop)
{
    struct uring *ring = uring_of(loop);
    unregister_ring(ring);
    unmap(ring);
    memory_free(ring);
}

/* ---- Entering the kernel ---- */

static void enter(struct uring *ring, bool wait, int64_t wait_ns)
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

/* An empty entry; never fails: a full queue is handed to the kernel first. */
static struct io_uring_sqe *next_entry(struct uring *ring, uint8_t opcode, int fd, uint64_t user_data)
{
    while (ring->tail - ring->submitted == ring->sq_entries) enter(ring, false, 0);
    struct io_uring_sqe *entry = &ring->sqes[ring->tail++ & ring->sq_mask];
    memset(entry, 0, sizeof *entry);
    entry->opcode = opcode;
    entry->fd = fd;
    entry->user_data = user_data;
    return entry;
}

static void arm_wake(struct uring *ring)
{
    struct io_uring_sqe *entry = next_entry(ring, IORING_OP_READ, ring->wake_fd, WAKE);
    entry->addr = (uint64_t)(uintptr_t)&ring->wake_count;
    entry->len = sizeof ring->wake_count;
}

static void uring_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(uring_of(loop)->wake_fd, &one, sizeof one);
    (void)ignored;
}

/* ---- Operations ---- */

static uint32_t transfer(const struct op *op)
{
    return op->size > SIZE_LIMIT ? SIZE_LIMIT : (uint32_t)op->size;
}

static void fill_transfer(struct io_uring_sqe *entry, const struct op *op)
{
    entry->addr = (uint64_t)(uintptr_t)op->buffer;
    entry->len = transfer(op);
    entry->off = (uint64_t)op->offset;
}

/* 0: by a thread. */
static const uint8_t path_opcodes[PATH_VERBS] = {
    [PATH_RENAME] = IORING_OP_RENAMEAT, [PATH_LINK] = IORING_OP_LINKAT,    [PATH_SYMLINK] = IORING_OP_SYMLINKAT,
    [PATH_UNLINK] = IORING_OP_UNLINKAT, [PATH_RMDIR] = IORING_OP_UNLINKAT, [PATH_MKDIR] = IORING_OP_MKDIRAT,
};

static void fill_path(struct io_uring_sqe *entry, const struct op *op)
{
    entry->addr = (uint64_t)(uintptr_t)op->path;
    entry->addr2 = (uint64_t)(uintptr_t)op->other;
    entry->len = (uint32_t)AT_FDCWD;
    switch ((enum path_verb)op->flags) {
    case PATH_RENAME:
        entry->rename_flags = op->mode;
        break;
    case PATH_UNLINK:
    case PATH_RMDIR:
        entry->len = 0;
        entry->unlink_flags = op->flags == PATH_RMDIR ? AT_REMOVEDIR : 0;
        break;
    case PATH_SYMLINK:
        entry->len = 0;
        break;
    case PATH_MKDIR:
        entry->len = op->mode;
        break;
    default:
        break;
    }
}

/* 0: by a thread. */
static const uint8_t opcodes[OP_KINDS] = {
    [OP_ACCEPT] = IORING_OP_ACCEPT,
    [OP_CONNECT] = IORING_OP_CONNECT,
    [OP_RECV] = IORING_OP_RECV,
    [OP_SEND] = IORING_OP_SEND,
    [OP_READ] = IORING_OP_READ,
    [OP_WRITE] = IORING_OP_WRITE,
    [OP_OPEN] = IORING_OP_OPENAT,
    [OP_STAT] = IORING_OP_STATX,
    [OP_SYNC] = IORING_OP_FSYNC,
    [OP_ALLOCATE] = IORING_OP_FALLOCATE,
    [OP_POLL] = IORING_OP_POLL_ADD,
    [OP_RECEIVE_MESSAGE] = IORING_OP_RECVMSG,
    [OP_SEND_MESSAGE] = IORING_OP_SENDMSG,
};

static void wait_until_ready(struct uring *ring, struct op *op);
static bool submit_entry(struct loop *loop, struct op *op);

/*
 * By the ring only where a file may have to wait for the disk: there it takes one of the kernel's threads. Anything
 * else is in memory or in non-blocking mode, and tried here and now.
 */
static bool submit_splice(struct loop *loop, struct op *op)
{
    if (op->offset >= 0 && !system_splice_is_quick(op)) {
        struct io_uring_sqe *entry = next_entry(uring_of(loop), IORING_OP_SPLICE, op->fd, op->driver_data);
        entry->off = (uint64_t)-1;
        entry->splice_fd_in = op->desc->fd;
        entry->splice_off_in = (uint64_t)op->offset;
        entry->len = transfer(op);
        entry->splice_flags = SPLICE_F_MOVE;
        return false;
    }
    ssize_t rc;
    do {
        rc = system_splice(op);
    } while (rc < 0 && errno == EINTR);
    op->wait.result = rc < 0 ? -errno : rc;
    if (op->wait.result != -EAGAIN) return true;
    wait_until_ready(uring_of(loop), op);
    return false;
}

/*
 * Messages of sockets that are no streams are tried at once by the system's own calls: an operation of the ring costs
 * half as much again where nobody has to wait (bench/, udp_echo), and there is none for many. Where there is nothing to
 * receive, the ring brings it. What has to wait for room is tried again when there is some: the ring, having copied the
 * message to a Unix socket that had none, sends an empty one in its place (Linux 6.18).
 */
static bool submit_message(struct loop *loop, struct op *op)
{
    op->wait.result = system_transfer_message(op);
    if (op->wait.result != -EAGAIN) return true;
    if (op->kind == OP_RECEIVE_MESSAGE) return submit_entry(loop, op);
    wait_until_ready(uring_of(loop), op);
    return false;
}

static bool uring_submit(struct loop *loop, struct op *op)
{
    op->driver_data = (uint64_t)(uintptr_t)op;
    op->job.fn = NULL;
    switch (op->kind) {
    case OP_SPLICE_IN:
    case OP_SPLICE_OUT:
        return submit_splice(loop, op);
    case OP_RECEIVE_MESSAGE:
    case OP_SEND_MESSAGE:
        return op->desc->stream ? submit_entry(loop, op) : submit_message(loop, op);
    case OP_RECEIVE_MANY:
    case OP_SEND_MANY:
        return submit_message(loop, op);
    default:
        return submit_entry(loop, op);
    }
}

static bool submit_entry(struct loop *loop, struct op *op)
{
    int fd = op->desc != NULL ? op->desc->fd : op->kind == OP_POLL ? op->fd : AT_FDCWD;
    uint8_t opcode = op->kind == OP_PATH ? path_opcodes[op->flags] : opcodes[op->kind];
    if (opcode == 0) return system_submit_to_thread(loop, op);
    struct io_uring_sqe *entry = next_entry(uring_of(loop), opcode, fd, op->driver_data);
    switch (op->kind) {
    case OP_ACCEPT:
        entry->accept_flags = SOCK_CLOEXEC;
        break;
    case OP_CONNECT:
        entry->addr = (uint64_t)(uintptr_t)op->address;
        entry->off = op->address_size;
        break;
    case OP_RECV:
        entry->addr = (uint64_t)(uintptr_t)op->buffer;
        entry->len = transfer(op);
        break;
    case OP_SEND:
        entry->addr = (uint64_t)(uintptr_t)op->buffer;
        entry->len = transfer(op);
        entry->msg_flags = MSG_NOSIGNAL | op->flags;
        break;
    case OP_RECEIVE_MESSAGE:
    case OP_SEND_MESSAGE:
        entry->addr = (uint64_t)(uintptr_t)op->buffer;
        entry->len = 1;
        entry->msg_flags = MSG_NOSIGNAL | MSG_CMSG_CLOEXEC | op->flags;
        break;
    case OP_READ:
    case OP_WRITE:
        fill_transfer(entry, op);
        break;
    case OP_OPEN:
        entry->addr = (uint64_t)(uintptr_t)op->path;
        entry->len = op->mode;
        entry->open_flags = op->flags;
        break;
    case OP_STAT:
        entry->addr = (uint64_t)(uintptr_t)op->path;
        entry->len = STATX_BASIC_STATS;
        entry->off = (uint64_t)(uintptr_t)op->buffer;
        entry->statx_flags = op->flags;
        break;
    case OP_POLL:
        entry->poll32_events = (uint32_t)system_poll_events(op->flags);
        break;
    case OP_SYNC:
        entry->fsync_flags = op->flags & SYNC_DATA ? IORING_FSYNC_DATASYNC : 0;
        break;
    case OP_ALLOCATE:
        entry->off = (uint64_t)op->offset;
        entry->addr = op->size;
        entry->len = op->mode;
        break;
    case OP_PATH:
        fill_path(entry, op);
        break;
    case OP_TRUNCATE:
    case OP_LIST:
    case OP_RECEIVE_MANY:
    case OP_SEND_MANY:
    case OP_SPLICE_IN:
    case OP_SPLICE_OUT:
    case OP_KINDS:
        break;
    }
    return false;
}

static void uring_cancel(struct loop *loop, struct op *op)
{
    if (op->job.fn != NULL) {
        if (executor_cancel(loop, &op->job)) op_complete(op, -ECANCELED); /* else: begun, its result will come */
        return;
    }
    struct io_uring_sqe *entry = next_entry(uring_of(loop), IORING_OP_ASYNC_CANCEL, -1, 0);
    entry->addr = op->driver_data;
}

/* A descriptor in non-blocking mode: wait until it is ready, then try again. */
static void wait_until_ready(struct uring *ring, struct op *op)
{
    bool writes = op->kind == OP_SEND || op->kind == OP_SEND_MESSAGE || op->kind == OP_SEND_MANY ||
                  op->kind == OP_WRITE || op->kind == OP_SPLICE_OUT;
    op->driver_data |= POLLING;
    struct io_uring_sqe *entry = next_entry(ring, IORING_OP_POLL_ADD, op->desc->fd, op->driver_data);
    entry->poll32_events = writes ? POLLOUT : POLLIN;
}

/* Valgrind does not see what the kernel writes on behalf of a ring. */
static void tell_memcheck_of_message(const struct msghdr *message)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(message, sizeof *message);
    (void)VALGRIND_MAKE_MEM_DEFINED(message->msg_name, message->msg_namelen);
    (void)VALGRIND_MAKE_MEM_DEFINED(message->msg_control, message->msg_controllen);
    for (size_t i = 0; i < message->msg_iovlen; i++)
        (void)VALGRIND_MAKE_MEM_DEFINED(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
}

/*
 * To io_uring it is a success where an ICMP error comes while connect(2) still runs, as from a rule of the machine's
 * own packet filter. A connection that was made and has been reset since is one.
 */
static int connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0) return 0;
    struct tcp_info info;
    size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || info.tcpi_state != TCP_SYN_SENT) return 0;
    int error = 0;
    size = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error > 0 ? -error : -ENOTCONN;
}

/* What the ring's result means. */
static int meaning(const struct op *op, int result)
{
    switch (op->kind) {
    case OP_SEND:
    case OP_WRITE:
        return result;
    case OP_RECV:
    case OP_READ:
        if (result > 0) (void)VALGRIND_MAKE_MEM_DEFINED(op->buffer, (size_t)result);
        return result;
    case OP_RECEIVE_MESSAGE:
        if (result >= 0) tell_memcheck_of_message(op->buffer);
        return result;
    case OP_STAT:
        if (result == 0) (void)VALGRIND_MAKE_MEM_DEFINED(op->buffer, sizeof(struct statx));
        return result;
    case OP_CONNECT:
        return result == 0 ? connected(op->desc->fd) : result;
    case OP_POLL:
        return result > 0 ? system_readiness((unsigned)result) : result;
    default:
        return result;
    }
}

static void completed(struct loop *loop, struct op *op, uint64_t user_data, int result)
{
    if (op->cancel_code == 0) {
        if (user_data & POLLING) {
            if (result >= 0) {
                if (!uring_submit(loop, op)) return;
                result = (int)op->wait.result;
            }
        } else if (result == -EAGAIN && op->desc != NULL) {
            wait_until_ready(uring_of(loop), op);
            return;
        }
    } else if (user_data & POLLING) {
        result = -ECANCELED;
    }
    if (result == -EINVAL && op->kind == OP_PATH && op->cancel_code == 0) { /* or an older kernel cannot do it */
        if (system_submit_to_thread(loop, op)) op_complete(op, op->wait.result);
        return;
    }
    op_complete(op, meaning(op, result));
}

static void reap(struct loop *loop)
{
    struct uring *ring = uring_of(loop);
    unsigned head = atomic_load_explicit(ring->cq_head, memory_order_relaxed);
    unsigned tail = atomic_load_explicit(ring->cq_tail, memory_order_acquire);
    while (head != tail) {
        struct io_uring_cqe completion = ring->cqes[head++ & ring->cq_mask];
        atomic_store_explicit(ring->cq_head, head, memory_order_release);
        if (completion.user_data == WAKE) arm_wake(ring);
        else if (completion.user_data != 0)
            completed(loop, (struct op *)(uintptr_t)(completion.user_data & ~(uint64_t)POLLING), completion.user_data,
                      completion.res);
    }
}

static bool has_completions(const struct uring *ring)
{
    return atomic_load_explicit(ring->cq_head, memory_order_relaxed) !=
           atomic_load_explicit(ring->cq_tail, memory_order_acquire);
}

/* The ring itself does not tell of work that waits for the thread to enter the kernel (IORING_SETUP_DEFER_TASKRUN). */
static int uring_fd(struct loop *loop)
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
static void clear_event(const struct uring *ring)
{
    uint64_t count;
    ssize_t ignored = read(ring->event_fd, &count, sizeof count);
    (void)ignored;
}

static bool uring_poll(struct loop *loop, int64_t deadline)
{
    struct uring *ring = uring_of(loop);
    int64_t wait_ns = deadline == 0 ? 0 : deadline == WF_FOREVER ? -1 : deadline - system_now(loop);
    if (__builtin_expect(ring->event_fd >= 0, 0)) clear_event(ring);
    bool wait = deadline != 0 && (wait_ns > 0 || deadline == WF_FOREVER) && !has_completions(ring);
    unsigned flags = atomic_load_explicit(ring->sq_flags, memory_order_relaxed);
    bool work = ring->tail != ring->submitted || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
    if (wait || work) enter(ring, wait, wait_ns);
    reap(loop);
    return true;
}

/* ---- Descriptors ---- */

static int uring_socket(struct loop *loop, int family, int type, int protocol)
{
    (void)loop;
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    return fd < 0 ? -errno : fd;
}

static int uring_socket_pair(struct loop *loop, int type, int ends[2])
{
    (void)loop;
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

static int uring_pipe(struct loop *loop, int ends[2])
{
    (void)loop;
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}

static void uring_attach(struct loop *loop, struct desc *desc)
{
    (void)loop, (void)desc;
}

static void uring_close(struct loop *loop, struct desc *desc)
{
    (void)loop;
    close(desc->fd);
}

const struct driver uring_driver = {
    .name = "uring",
    .init = uring_init,
    .finish = uring_finish,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .poll = uring_poll,
    .wake = uring_wake,
    .fd = uring_fd,
    .now = system_now,
    .wall = system_wall,
    .random = system_random,
    .job_start = executor_start,
    .job_cancel = executor_cancel,
    .socket = uring_socket,
    .pipe = uring_pipe,
    .socket_pair = uring_socket_pair,
    .bind = system_bind,
    .listen = system_listen,
    .set_option = system_set_option,
    .set_option_bytes = system_set_option_bytes,
    .connect_now = system_connect_now,
    .send_now = system_send_now,
    .set_mode = system_set_mode,
    .lock_names = system_lock_names,
    .remove_name = system_remove_name,
    .peer_owner = system_peer_owner,
    .local_name = system_local_name,
    .peer_name = system_peer_name,
    .shutdown = system_shutdown,
    .status = system_status,
    .lock = system_lock,
    .watcher = system_watcher,
    .unwatch = system_unwatch,
    .attach = uring_attach,
    .close = uring_close,
    .close_fd = system_close_fd,
};
