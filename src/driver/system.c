#include "driver/system.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <weft/stream.h>

extern const struct driver uring_driver, epoll_driver, sim_driver;
const struct driver *const drivers[] = {&uring_driver, &epoll_driver, &sim_driver, NULL};

static int code(int rc)
{
    return rc < 0 ? -errno : rc;
}

int64_t system_now(struct loop *loop)
{
    (void)loop;
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t system_wall(struct loop *loop)
{
    (void)loop;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void system_random(struct loop *loop, void *bytes, size_t size)
{
    (void)loop;
    char *next = bytes;
    while (size > 0) {
        ssize_t got = getrandom(next, size, 0);
        if (got < 0) continue;
        next += got;
        size -= (size_t)got;
    }
}

int system_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size)
{
    (void)loop;
    return code(bind(fd, address, size));
}

int system_listen(struct loop *loop, int fd, int backlog)
{
    (void)loop;
    return code(listen(fd, backlog));
}

int system_set_option(struct loop *loop, int fd, int level, int name, int value)
{
    (void)loop;
    if (level == SOL_SOCKET && name == SO_LINGER) {
        struct linger linger = {.l_onoff = 1, .l_linger = value};
        return code(setsockopt(fd, level, name, &linger, sizeof linger));
    }
    return code(setsockopt(fd, level, name, &value, sizeof value));
}

int system_set_option_bytes(struct loop *loop, int fd, int level, int name, const void *bytes, socklen_t size)
{
    (void)loop;
    return code(setsockopt(fd, level, name, bytes, size));
}

/* A socket in blocking mode would wait for room at a Unix socket's listener. */
int system_connect_now(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size)
{
    (void)loop;
    int flags = fcntl(fd, F_GETFL);
    bool blocks = address->sa_family == AF_UNIX && (flags & O_NONBLOCK) == 0;
    if (blocks) fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    int rc = code(connect(fd, address, size));
    if (blocks) fcntl(fd, F_SETFL, flags);
    return rc;
}

int64_t system_send_now(struct loop *loop, int fd, const struct msghdr *message)
{
    (void)loop;
    ssize_t rc = sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    return rc < 0 ? -errno : rc;
}

/* What bind(2) makes has the mode of the socket, less the umask. */
int system_set_mode(struct loop *loop, int fd, mode_t mode)
{
    (void)loop;
    return code(fchmod(fd, mode));
}

int system_lock_names(struct loop *loop, const char *path)
{
    (void)loop;
    char directory[sizeof((struct sockaddr_un *)NULL)->sun_path + 1] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) snprintf(directory, sizeof directory, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) return code(fd);
    int rc = -errno;
    close(fd);
    return rc;
}

int system_remove_name(struct loop *loop, const char *path)
{
    (void)loop;
    struct stat status;
    if (lstat(path, &status) < 0) return -errno;
    return S_ISSOCK(status.st_mode) ? code(unlink(path)) : -ENOTSOCK;
}

int system_peer_owner(struct loop *loop, int fd, struct ucred *owner)
{
    (void)loop;
    socklen_t size = sizeof *owner;
    return code(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, owner, &size));
}

int system_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    (void)loop;
    return code(getsockname(fd, address, size));
}

int system_peer_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    (void)loop;
    return code(getpeername(fd, address, size));
}

void system_close_fd(struct loop *loop, int fd)
{
    (void)loop;
    close(fd);
}

int system_shutdown(struct loop *loop, int fd, int how)
{
    (void)loop;
    return code(shutdown(fd, how));
}

int system_ready(struct loop *loop, int fd, unsigned readiness)
{
    (void)loop;
    short events = (short)((readiness & WF_READABLE ? POLLIN : 0) | (readiness & WF_WRITABLE ? POLLOUT : 0));
    struct pollfd poll_fd = {.fd = fd, .events = events};
    int rc = code(poll(&poll_fd, 1, 0));
    if (rc <= 0) return rc;
    if (poll_fd.revents & POLLNVAL) return -EBADF;
    unsigned found = poll_fd.revents & (POLLERR | POLLHUP) ? readiness : 0;
    if (poll_fd.revents & POLLIN) found |= WF_READABLE;
    if (poll_fd.revents & POLLOUT) found |= WF_WRITABLE;
    return (int)(found & readiness);
}

int system_duplicate(struct loop *loop, int fd)
{
    (void)loop;
    return code(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int system_describe(struct loop *loop, int fd, struct described *described)
{
    (void)loop;
    struct stat status;
    int flags = fcntl(fd, F_GETFL), type = 0;
    socklen_t size = sizeof type;
    if (flags < 0 || fstat(fd, &status) < 0) return -errno;
    bool is_socket = S_ISSOCK(status.st_mode);
    if (is_socket && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
    *described = (struct described){.type = status.st_mode & S_IFMT, .socket_type = type};
    described->non_blocking = flags & O_NONBLOCK;
    return 0;
}

/* Of a pipe or a socket, which has no other flags that could be lost. */
int system_let_wait(struct loop *loop, int fd)
{
    (void)loop;
    return code(fcntl(fd, F_SETFL, 0));
}

int system_status(struct loop *loop, int fd, struct stat *status)
{
    (void)loop;
    return code(fstat(fd, status));
}

int system_lock(struct loop *loop, int fd, int type)
{
    (void)loop;
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
    int rc = code(fcntl(fd, F_OFD_SETLK, &lock));
    return rc == -EACCES ? -EAGAIN : rc;
}

int system_watcher(struct loop *loop)
{
    (void)loop;
    return code(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
}

int system_unwatch(struct loop *loop, int fd, int watch)
{
    (void)loop;
    return code(inotify_rm_watch(fd, watch));
}

/* So much is copied while the loop stands still. */
enum { QUICK_READ_MAX = 64 * 1024 };

/* An error too is left to the other way, which may not have it. */
bool system_read_quickly(struct op *op)
{
    if (op->kind != OP_READ || op->offset < 0 || op->size > QUICK_READ_MAX) return false;
    struct iovec part = {.iov_base = op->buffer, .iov_len = op->size};
    ssize_t got = preadv2(op->desc->fd, &part, 1, op->offset, RWF_NOWAIT);
    op->wait.result = got;
    return got >= 0;
}

ssize_t system_splice(const struct op *op)
{
    enum { FLAGS = SPLICE_F_MOVE | SPLICE_F_NONBLOCK };
    loff_t offset = op->offset;
    if (op->kind == OP_SPLICE_OUT) return splice(op->fd, NULL, op->desc->fd, NULL, op->size, FLAGS);
    return splice(op->desc->fd, offset >= 0 ? &offset : NULL, op->fd, NULL, op->size, FLAGS);
}

static bool byte_is_in_memory(int fd, int64_t offset)
{
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    return preadv2(fd, &part, 1, offset, RWF_NOWAIT) >= 0;
}

bool system_splice_is_quick(const struct op *op)
{
    struct stat status;
    if (fstat(op->desc->fd, &status) < 0) return false;
    int64_t left = status.st_size - op->offset;
    if (left > (int64_t)op->size) left = (int64_t)op->size;
    return left > 0 && byte_is_in_memory(op->desc->fd, op->offset) &&
           byte_is_in_memory(op->desc->fd, op->offset + left - 1);
}

/* ---- Messages ---- */

/* recvfrom(2) and sendto(2) cost less than their counterparts for messages. Asked for, the size of all that
 * came tells whether it was cut. */
static ssize_t receive_plain(int fd, struct msghdr *message)
{
    const struct iovec *part = message->msg_iov;
    socklen_t *size = message->msg_name != NULL ? &message->msg_namelen : NULL;
    ssize_t got = recvfrom(fd, part->iov_base, part->iov_len, MSG_DONTWAIT | MSG_TRUNC, message->msg_name, size);
    if (got < 0) return got;
    bool cut = (size_t)got > part->iov_len;
    message->msg_flags = cut ? MSG_TRUNC : 0;
    return cut ? (ssize_t)part->iov_len : got;
}

static ssize_t send_plain(int fd, const struct msghdr *message)
{
    const struct iovec *part = message->msg_iov;
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return sendto(fd, part->iov_base, part->iov_len, flags, message->msg_name, message->msg_namelen);
}

static ssize_t transfer_message(const struct op *op)
{
    struct msghdr *message = op->buffer;
    int fd = op->desc->fd;
    unsigned count = (unsigned)op->size;
    bool plain = message->msg_iovlen == 1 && message->msg_controllen == 0;
    switch (op->kind) {
    case OP_RECEIVE_MESSAGE:
        return plain ? receive_plain(fd, message) : recvmsg(fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    case OP_SEND_MESSAGE:
        return plain ? send_plain(fd, message) : sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
    case OP_RECEIVE_MANY:
        return recvmmsg(fd, op->buffer, count, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
    default:
        return sendmmsg(fd, op->buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

int64_t system_transfer_message(const struct op *op)
{
    ssize_t rc;
    do {
        rc = transfer_message(op);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

/* ---- On a thread ---- */

/* A FIFO without a peer would hold the thread for ever: opened as io_uring does it, and made blocking again. */
static int open_without_waiting(const char *path, int flags, mode_t mode)
{
    int fd = open(path, flags | O_NONBLOCK, mode);
    if (fd >= 0 && !(flags & O_NONBLOCK)) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static ssize_t blocking_call(struct op *op)
{
    switch (op->kind) {
    case OP_OPEN:
        return open_without_waiting(op->path, (int)op->flags, op->mode);
    case OP_STAT:
        return statx(AT_FDCWD, op->path, (int)op->flags, STATX_BASIC_STATS, op->buffer);
    case OP_SYNC:
        return op->flags & SYNC_DATA ? fdatasync(op->desc->fd) : fsync(op->desc->fd);
    case OP_TRUNCATE:
        return ftruncate(op->desc->fd, op->offset);
    case OP_ALLOCATE:
        return fallocate(op->desc->fd, (int)op->mode, op->offset, (off_t)op->size);
    case OP_LIST:
        return system_list(op);
    case OP_PATH:
        return system_path_call(op);
    case OP_READ:
        if (op->offset < 0) return read(op->desc->fd, op->buffer, op->size);
        return pread(op->desc->fd, op->buffer, op->size, op->offset);
    case OP_WRITE:
        if (op->offset < 0) return write(op->desc->fd, op->buffer, op->size);
        return pwrite(op->desc->fd, op->buffer, op->size, op->offset);
    case OP_SPLICE_IN:
        return system_splice(op);
    default:
        errno = EOPNOTSUPP;
        return -1;
    }
}

int64_t system_blocking_call(struct op *op)
{
    ssize_t rc;
    do {
        rc = blocking_call(op);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

static int run_on_thread(void *argument)
{
    return (int)system_blocking_call(argument);
}

static void back_from_thread(struct loop *loop, struct message *message)
{
    (void)loop;
    struct op *op = (struct op *)((char *)message - offsetof(struct op, job.message));
    op_complete(op, op->job.result);
}

bool system_submit_to_thread(struct loop *loop, struct op *op)
{
    op->job = (struct job){.message = {.deliver = back_from_thread}, .fn = run_on_thread, .arg = op};
    int rc = executor_start(loop, &op->job);
    if (rc == 0) return false;
    op->wait.result = rc;
    return true;
}

/* ---- Readiness ---- */

short system_poll_events(unsigned readiness)
{
    return (short)((readiness & WF_READABLE ? POLLIN : 0) | (readiness & WF_WRITABLE ? POLLOUT : 0));
}

int system_readiness(unsigned events)
{
    int readiness = 0;
    if (events & (POLLIN | POLLHUP | POLLERR)) readiness |= WF_READABLE;
    if (events & (POLLOUT | POLLHUP | POLLERR)) readiness |= WF_WRITABLE;
    return readiness;
}
