/*
 * The driver on io_uring, by its system calls.
 *
 * One ring per loop, entered once a pass: it submits what the tasks of the pass asked for and reaps what has completed.
 * Buffers are the tasks' own; a task stays suspended until its operation's completion has been reaped, so nothing here
 * owns memory. Completions are told apart by user_data: the operation's address, with the lowest bit set while it waits
 * for readiness only (a descriptor in non-blocking mode answered -EAGAIN); 0 for cancel requests, whose own answer says
 * nothing; RING_WAKE for the read of the eventfd through which other threads end a wait.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "driver/ring.h"
#include "driver/system.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_MAKE_MEM_DEFINED(memory, size) ((void)(memory), (void)(size))
#endif

enum {
    POLLING = 1,
    SIZE_LIMIT = 0x7ffff000, /* the most that one call transfers: read(2) */
};

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
        struct io_uring_sqe *entry = ring_entry(uring_of(loop), IORING_OP_SPLICE, op->fd, op->driver_data);
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
    case OP_READ:
        return (op->offset >= 0 && system_read_quickly(op)) || submit_entry(loop, op);
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
    struct io_uring_sqe *entry = ring_entry(uring_of(loop), opcode, fd, op->driver_data);
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
    struct io_uring_sqe *entry = ring_entry(uring_of(loop), IORING_OP_ASYNC_CANCEL, -1, 0);
    entry->addr = op->driver_data;
}

/* A descriptor in non-blocking mode: wait until it is ready, then try again. */
static void wait_until_ready(struct uring *ring, struct op *op)
{
    bool writes = op->kind == OP_SEND || op->kind == OP_SEND_MESSAGE || op->kind == OP_SEND_MANY ||
                  op->kind == OP_WRITE || op->kind == OP_SPLICE_OUT;
    op->driver_data |= POLLING;
    struct io_uring_sqe *entry = ring_entry(ring, IORING_OP_POLL_ADD, op->desc->fd, op->driver_data);
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
        if (completion.user_data == RING_WAKE) ring_arm_wake(ring);
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

static bool uring_poll(struct loop *loop, int64_t deadline)
{
    struct uring *ring = uring_of(loop);
    int64_t wait_ns = deadline == 0 ? 0 : deadline == WF_FOREVER ? -1 : deadline - system_now(loop);
    if (__builtin_expect(ring->event_fd >= 0, 0)) ring_clear_event(ring);
    bool wait = deadline != 0 && (wait_ns > 0 || deadline == WF_FOREVER) && !has_completions(ring);
    unsigned flags = atomic_load_explicit(ring->sq_flags, memory_order_relaxed);
    bool work = ring->tail != ring->submitted || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
    if (wait || work) ring_enter(ring, wait, wait_ns);
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
    .init = ring_open,
    .finish = ring_close,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .poll = uring_poll,
    .wake = ring_wake,
    .fd = ring_fd,
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
    .ready = system_ready,
    .duplicate = system_duplicate,
    .describe = system_describe,
    .let_wait = system_let_wait,
    .process_start = system_process_start,
    .process_ended = system_process_ended,
    .process_signal = system_process_signal,
    .status = system_status,
    .lock = system_lock,
    .watcher = system_watcher,
    .unwatch = system_unwatch,
    .attach = uring_attach,
    .close = uring_close,
    .close_fd = system_close_fd,
};
