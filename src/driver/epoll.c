/*
 * The driver on epoll, for kernels and containers that refuse io_uring; equal in behaviour.
 *
 * It is level with completions: when a descriptor becomes ready, the driver makes the call for the task that waits,
 * into the task's buffer, and completes the operation with the result. Each descriptor is registered once,
 * edge-triggered for both directions; `ready` remembers what is worth trying. On a stream a short read or write means
 * that the kernel had no more, so a request costs one epoll_wait (shared), one recv and one send, as in a hand-written
 * loop.
 *
 * Files are always ready and never fast: their operations run on threads of the executor.
 */
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "base/memory.h"
#include "base/report.h"
#include "driver/system.h"

enum {
    EVENTS_MAX = 512,
    LOOK_FIRST_MAX = 4096, /* a pipe that is writable takes so much without waiting: PIPE_BUF */
};

struct epoll {
    int fd, wake_fd;
    bool coarse; /* the kernel has no epoll_pwait2: waits in milliseconds */
    struct epoll_event events[EVENTS_MAX];
};

/* data.ptr of an event: NULL for the wake-up, a descriptor, or an OP_POLL with this bit set. */
#define FOREIGN ((uintptr_t)1)

static struct epoll *epoll_of(struct loop *loop)
{
    return loop->driver_state;
}

/* ---- Set-up ---- */

static int epoll_init(struct loop *loop)
{
    struct epoll *epoll = memory_zero(sizeof *epoll);
    if (epoll == NULL) return -ENOMEM;
    epoll->fd = epoll_create1(EPOLL_CLOEXEC);
    epoll->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll->fd < 0 || epoll->wake_fd < 0 || epoll_ctl(epoll->fd, EPOLL_CTL_ADD, epoll->wake_fd, &event) < 0) {
        int rc = -errno;
        if (epoll->fd >= 0) close(epoll->fd);
        if (epoll->wake_fd >= 0) close(epoll->wake_fd);
        memory_free(epoll);
        return rc;
    }
    loop->driver_state = epoll;
    return 0;
}

static void epoll_finish(struct loop *loop)
{
    struct epoll *epoll = epoll_of(loop);
    close(epoll->wake_fd);
    close(epoll->fd);
    memory_free(epoll);
}

static void epoll_wake(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t ignored = write(epoll_of(loop)->wake_fd, &one, sizeof one);
    (void)ignored;
}

/* ---- Trying ---- */

static unsigned direction(enum op_kind kind)
{
    const unsigned writing = 1U << OP_CONNECT | 1U << OP_SEND | 1U << OP_SEND_MESSAGE | 1U << OP_SEND_MANY |
                             1U << OP_WRITE | 1U << OP_SPLICE_OUT;
    return (writing >> kind) & 1 ? WF_WRITABLE : WF_READABLE;
}

/* For a descriptor that cannot be tried without waiting (a terminal): looks first, then makes the plain call. */
static ssize_t look_and_transfer(struct op *op)
{
    bool writes = op->kind == OP_WRITE;
    struct pollfd look = {.fd = op->desc->fd, .events = writes ? POLLOUT : POLLIN};
    if (poll(&look, 1, 0) == 0) {
        errno = EAGAIN;
        return -1;
    }
    size_t size = writes && op->size > LOOK_FIRST_MAX ? LOOK_FIRST_MAX : op->size;
    return writes ? write(look.fd, op->buffer, size) : read(look.fd, op->buffer, size);
}

static ssize_t transfer(struct op *op)
{
    struct desc *desc = op->desc;
    if (desc->non_blocking)
        return op->kind == OP_READ ? read(desc->fd, op->buffer, op->size) : write(desc->fd, op->buffer, op->size);
    if (desc->epoll.no_wait_unknown) return look_and_transfer(op);
    struct iovec vector = {.iov_base = op->buffer, .iov_len = op->size};
    ssize_t rc = op->kind == OP_READ ? preadv2(desc->fd, &vector, 1, -1, RWF_NOWAIT)
                                     : pwritev2(desc->fd, &vector, 1, -1, RWF_NOWAIT);
    if (rc >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS)) return rc;
    desc->epoll.no_wait_unknown = true;
    return look_and_transfer(op);
}

static int connect_step(struct op *op)
{
    if (op->driver_data == 0) {
        op->driver_data = 1;
        int rc = connect(op->desc->fd, op->address, op->address_size);
        if (rc < 0 && errno == EINPROGRESS) errno = EAGAIN;
        return rc;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(op->desc->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

static ssize_t message_step(const struct op *op)
{
    int64_t rc = system_transfer_message(op);
    errno = (int)-rc;
    return rc < 0 ? -1 : rc;
}

static __attribute__((noinline)) ssize_t call_other(struct op *op)
{
    switch (op->kind) {
    case OP_ACCEPT:
        return accept4(op->desc->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    case OP_CONNECT:
        return connect_step(op);
    case OP_RECEIVE_MESSAGE:
        if (!op->desc->stream) return message_step(op);
        return recvmsg(op->desc->fd, op->buffer, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | (int)op->flags);
    case OP_SEND_MESSAGE:
        if (!op->desc->stream) return message_step(op);
        return sendmsg(op->desc->fd, op->buffer, MSG_DONTWAIT | MSG_NOSIGNAL | ((int)op->flags & ~MSG_WAITALL));
    case OP_SPLICE_IN:
    case OP_SPLICE_OUT:
        return system_splice(op);
    case OP_RECEIVE_MANY:
    case OP_SEND_MANY:
        return message_step(op);
    default:
        return transfer(op);
    }
}

/* recv(3) and send(3) are points where a thread may be cancelled, which costs more than the rest of them. */
static ssize_t call(struct op *op)
{
    if (op->kind == OP_RECV) return syscall(SYS_recvfrom, op->desc->fd, op->buffer, op->size, MSG_DONTWAIT, NULL, NULL);
    if (op->kind == OP_SEND)
        return syscall(SYS_sendto, op->desc->fd, op->buffer, op->size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
    return call_other(op);
}

/* A short transfer on a stream means that there is no more; of a splice it may mean that the pipe is full. */
static bool is_drained(const struct op *op, ssize_t moved)
{
    return op->desc->stream && moved > 0 && (size_t)moved < op->size && op->kind != OP_SPLICE_IN &&
           op->kind != OP_SPLICE_OUT;
}

/* Gives false when the call would wait; then the descriptor is known not to be ready. */
static bool try_op(struct op *op, int64_t *result)
{
    struct desc *desc = op->desc;
    unsigned way = direction(op->kind);
    ssize_t rc;
    do {
        rc = call(op);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno == EAGAIN) {
        desc->epoll.ready &= (uint8_t)~way;
        return false;
    }
    if (is_drained(op, rc) && !(way == WF_READABLE && desc->epoll.hung_up)) desc->epoll.ready &= (uint8_t)~way;
    *result = rc < 0 ? -errno : rc;
    return true;
}

/* ---- Foreign descriptors: a duplicate, so that several tasks may wait on one, and nothing of it is changed ---- */

static void forget_foreign(struct loop *loop, struct op *op)
{
    int copy = (int)op->driver_data;
    epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_DEL, copy, NULL);
    close(copy);
}

static bool submit_poll(struct loop *loop, struct op *op)
{
    int copy = fcntl(op->fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        op->wait.result = -errno;
        return true;
    }
    struct epoll_event event = {.events = (uint32_t)system_poll_events(op->flags),
                                .data.ptr = (void *)((uintptr_t)op | FOREIGN)};
    if (epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_ADD, copy, &event) < 0) {
        op->wait.result = errno == EPERM ? (int64_t)op->flags : -errno; /* EPERM: a file, always ready */
        close(copy);
        return true;
    }
    op->driver_data = (uint64_t)copy;
    return false;
}

/* ---- Operations ---- */

/* Two streams over one descriptor: epoll knows it by number, so the second is watched by a duplicate. */
static int register_alias(struct loop *loop, struct desc *desc, struct epoll_event *event)
{
    int alias = fcntl(desc->fd, F_DUPFD_CLOEXEC, 3);
    if (alias < 0) return -errno;
    if (epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_ADD, alias, event) < 0) {
        int rc = -errno;
        close(alias);
        return rc;
    }
    desc->epoll.alias = alias;
    return 0;
}

/* What it is watched for. A socket of messages becomes writable anew with each message that its peer takes, which
 * nobody wants to be woken for unless somebody waits to send. */
static struct epoll_event event_of(struct desc *desc)
{
    bool writes = !desc->socket || desc->stream || desc->epoll.writer_waits;
    return (struct epoll_event){.events = EPOLLIN | (writes ? EPOLLOUT : 0) | EPOLLRDHUP | EPOLLET, .data.ptr = desc};
}

static int register_desc(struct loop *loop, struct desc *desc)
{
    struct epoll_event event = event_of(desc);
    int rc = epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_ADD, desc->fd, &event) < 0 ? -errno : 0;
    if (rc == -EEXIST) rc = register_alias(loop, desc, &event);
    desc->epoll.registered = rc == 0;
    return rc;
}

static int watch_writing(struct loop *loop, struct desc *desc, bool waits)
{
    desc->epoll.writer_waits = waits;
    if (!desc->epoll.registered) return register_desc(loop, desc);
    struct epoll_event event = event_of(desc);
    int watched = desc->epoll.alias > 0 ? desc->epoll.alias : desc->fd;
    return epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_MOD, watched, &event) < 0 ? -errno : 0;
}

static bool is_of_disk(enum op_kind kind)
{
    return kind == OP_SYNC || kind == OP_TRUNCATE || kind == OP_ALLOCATE || kind == OP_LIST;
}

/* A file's operation goes to a thread, unless it is known to be quick. */
static bool submit_file(struct loop *loop, struct op *op)
{
    if (system_read_quickly(op)) return true;
    bool quick = op->kind == OP_SPLICE_IN && system_splice_is_quick(op);
    return (quick && try_op(op, &op->wait.result)) || system_submit_to_thread(loop, op);
}

/* Has it to be told to the kernel that somebody waits? */
static bool is_unwatched(const struct op *op)
{
    const struct desc *desc = op->desc;
    return desc->socket && !desc->stream && !desc->epoll.writer_waits && direction(op->kind) == WF_WRITABLE;
}

static __attribute__((noinline)) bool submit_other(struct loop *loop, struct op *op)
{
    if (op->kind == OP_POLL) return submit_poll(loop, op);
    struct desc *desc = op->desc;
    if (desc == NULL || is_of_disk(op->kind)) return system_submit_to_thread(loop, op);
    if (desc->epoll.on_thread) return submit_file(loop, op);
    if ((desc->epoll.ready & direction(op->kind)) && try_op(op, &op->wait.result)) return true;
    bool unwatched = is_unwatched(op);
    if (desc->epoll.registered && !unwatched) return false;
    int rc = unwatched ? watch_writing(loop, desc, true) : register_desc(loop, desc);
    if (rc == 0) return false;
    if (rc == -EPERM && !desc->socket) {
        desc->epoll.on_thread = true;
        return system_submit_to_thread(loop, op);
    }
    op->wait.result = rc;
    return true;
}

/* The short way is that of a socket that is known. */
static bool epoll_submit(struct loop *loop, struct op *op)
{
    op->job.fn = NULL;
    op->driver_data = 0;
    if (op->kind != OP_RECV && op->kind != OP_SEND) return submit_other(loop, op);
    const struct desc *desc = op->desc;
    if ((desc->epoll.ready & direction(op->kind)) && try_op(op, &op->wait.result)) return true;
    return desc->epoll.registered && !is_unwatched(op) ? false : submit_other(loop, op);
}

static void epoll_cancel(struct loop *loop, struct op *op)
{
    if (op->job.fn != NULL) {
        if (!executor_cancel(loop, &op->job)) return; /* begun: its result will come */
    } else if (op->kind == OP_POLL) {
        forget_foreign(loop, op);
    }
    op_complete(op, -ECANCELED);
}

static void foreign_ready(struct loop *loop, struct op *op, uint32_t events)
{
    forget_foreign(loop, op);
    op_complete(op, system_readiness(events) & (int)op->flags);
}

static void desc_ready(struct loop *loop, struct desc *desc, uint32_t events)
{
    bool writer_waits = false;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) desc->epoll.hung_up = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) desc->epoll.ready |= WF_READABLE;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) desc->epoll.ready |= WF_WRITABLE;
    for (struct op *op = desc->ops.first, *next; op != NULL; op = next) {
        next = op->next;
        int64_t result;
        writer_waits |= direction(op->kind) == WF_WRITABLE;
        if (op->job.fn == NULL && (desc->epoll.ready & direction(op->kind)) && try_op(op, &result))
            op_complete(op, result);
    }
    if (desc->epoll.writer_waits && !writer_waits) watch_writing(loop, desc, false);
}

static int wait_for_events(struct loop *loop, int64_t deadline)
{
    struct epoll *epoll = epoll_of(loop);
    int64_t wait_ns = deadline == 0 ? 0 : deadline - system_now(loop);
    if (wait_ns < 0) wait_ns = 0;
    if (!epoll->coarse) {
        struct timespec time = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
        int count = epoll_pwait2(epoll->fd, epoll->events, EVENTS_MAX, deadline == WF_FOREVER ? NULL : &time, NULL);
        if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count; /* EPERM: an older container's filter */
        epoll->coarse = true;
    }
    int64_t milliseconds = (wait_ns + 999999) / 1000000;
    int timeout = deadline == WF_FOREVER ? -1 : milliseconds > INT32_MAX ? INT32_MAX : (int)milliseconds;
    return epoll_wait(epoll->fd, epoll->events, EVENTS_MAX, timeout);
}

static bool epoll_poll(struct loop *loop, int64_t deadline)
{
    struct epoll *epoll = epoll_of(loop);
    int count = wait_for_events(loop, deadline);
    for (int i = 0; i < count; i++) {
        struct epoll_event *event = &epoll->events[i];
        if (event->data.ptr == NULL) {
            uint64_t ignored;
            ssize_t rc = read(epoll->wake_fd, &ignored, sizeof ignored);
            (void)rc;
        } else if ((uintptr_t)event->data.ptr & FOREIGN) {
            foreign_ready(loop, (struct op *)((uintptr_t)event->data.ptr & ~FOREIGN), event->events);
        } else {
            desc_ready(loop, event->data.ptr, event->events);
        }
    }
    return true;
}

/* ---- Descriptors ---- */

static int epoll_socket(struct loop *loop, int family, int type, int protocol)
{
    (void)loop;
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    return fd < 0 ? -errno : fd;
}

static int epoll_socket_pair(struct loop *loop, int type, int ends[2])
{
    (void)loop;
    return socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0 ? -errno : 0;
}

static int epoll_pipe(struct loop *loop, int ends[2])
{
    (void)loop;
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

static void epoll_attach(struct loop *loop, struct desc *desc)
{
    (void)loop;
    desc->epoll.ready = WF_READABLE | WF_WRITABLE;
    if (desc->socket) return;
    struct stat status;
    if (fstat(desc->fd, &status) == 0)
        desc->epoll.on_thread = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode);
}

/* Taken out by hand: a duplicate somewhere else would keep a mere close from doing it. */
static void epoll_close(struct loop *loop, struct desc *desc)
{
    int watched = desc->epoll.alias > 0 ? desc->epoll.alias : desc->fd;
    if (desc->epoll.registered) epoll_ctl(epoll_of(loop)->fd, EPOLL_CTL_DEL, watched, NULL);
    if (desc->epoll.alias > 0) close(desc->epoll.alias);
    close(desc->fd);
}

static int epoll_fd(struct loop *loop)
{
    return epoll_of(loop)->fd;
}

const struct driver epoll_driver = {
    .name = "epoll",
    .init = epoll_init,
    .finish = epoll_finish,
    .submit = epoll_submit,
    .cancel = epoll_cancel,
    .poll = epoll_poll,
    .wake = epoll_wake,
    .fd = epoll_fd,
    .now = system_now,
    .wall = system_wall,
    .random = system_random,
    .job_start = executor_start,
    .job_cancel = executor_cancel,
    .socket = epoll_socket,
    .pipe = epoll_pipe,
    .socket_pair = epoll_socket_pair,
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
    .attach = epoll_attach,
    .close = epoll_close,
    .close_fd = system_close_fd,
};
