/* Streams over descriptors: sockets, pipes, terminals, and whatever else the system gives as one. */
#include "net/descriptor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/terminal.h"
#include "core/loop.h"

static struct fd_stream *fd_stream_of(struct wf_stream *stream)
{
    return (struct fd_stream *)stream;
}

/* ---- Bytes ---- */

static ssize_t fd_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct desc *desc = &fd_stream_of(stream)->desc;
    struct op op;
    op.kind = desc->socket ? OP_RECV : OP_READ;
    op.desc = desc;
    op.buffer = buffer;
    op.size = size;
    op.offset = -1;
    op.flags = 0;
    return op_run(&op);
}

__attribute__((always_inline)) static inline ssize_t write_one(struct desc *desc, const struct iovec *part, bool all)
{
    struct op op;
    op.kind = desc->socket ? OP_SEND : OP_WRITE;
    op.desc = desc;
    op.buffer = part->iov_base;
    op.size = part->iov_len;
    op.offset = -1;
    op.flags = all ? MSG_WAITALL : 0;
    return op_run(&op);
}

static __attribute__((noinline)) ssize_t send_several(struct desc *desc, const struct iovec *parts, int count, bool all)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)count};
    struct op op;
    op.kind = OP_SEND_MESSAGE;
    op.desc = desc;
    op.buffer = &message;
    op.size = 0;
    for (int i = 0; i < count; i++) op.size += parts[i].iov_len;
    op.flags = all ? MSG_WAITALL : 0;
    return op_run(&op);
}

/* Only sockets take several parts at once: elsewhere the parts are few and the calls cheap. */
static ssize_t fd_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    struct desc *desc = &fd_stream_of(stream)->desc;
    if (count > 1 && desc->socket) return send_several(desc, parts, count, all);
    return write_one(desc, parts, all && count == 1);
}

/* ---- The end ---- */

static int fd_shutdown(struct wf_stream *stream)
{
    const struct desc *desc = &fd_stream_of(stream)->desc;
    if (!desc->socket) return 0; /* a pipe's end is its close */
    return current_loop->driver->shutdown(current_loop, desc->fd, SHUT_WR);
}

int fd_stream_restore(struct fd_stream *stream)
{
    int number = stream->terminal;
    stream->terminal = 0;
    return number > 0 ? terminal_restore(number) : 0;
}

static void fd_close(struct wf_stream *stream, bool abort)
{
    struct desc *desc = &fd_stream_of(stream)->desc;
    fd_stream_restore(fd_stream_of(stream));
    if (abort && desc->socket) current_loop->driver->set_option(current_loop, desc->fd, SOL_SOCKET, SO_LINGER, 0);
    desc_close(desc);
}

/* Nothing is pending any more, and the descriptor is closed. */
static void fd_released(struct desc *desc)
{
    struct fd_stream *stream = (struct fd_stream *)((char *)desc - offsetof(struct fd_stream, desc));
    wf_stream_release(&stream->stream);
}

static void fd_destroy(struct wf_stream *stream)
{
    memory_free(stream);
}

static int fd_of(const struct wf_stream *stream)
{
    return ((const struct fd_stream *)stream)->desc.fd;
}

/* A socket of both families has peers of IPv4 as ::ffff:1.2.3.4. */
static void unmap(struct wf_address *address)
{
    if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) return;
    struct wf_address plain = {.size = sizeof plain.v4};
    plain.v4.sin_family = AF_INET;
    plain.v4.sin_port = address->v6.sin6_port;
    memcpy(&plain.v4.sin_addr, &address->v6.sin6_addr.s6_addr[12], sizeof plain.v4.sin_addr);
    *address = plain;
}

int desc_address(const struct desc *desc, bool peer, struct wf_address *address)
{
    struct loop *loop = current_loop;
    struct wf_address found = {.size = sizeof found - offsetof(struct wf_address, any)};
    if (!desc->socket) return -EOPNOTSUPP;
    int rc = peer ? loop->driver->peer_name(loop, desc->fd, &found.any, &found.size)
                  : loop->driver->local_name(loop, desc->fd, &found.any, &found.size);
    if (rc < 0) return rc;
    unmap(&found);
    return wf_address_from(&found.any, found.size, address);
}

static int fd_address(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    return desc_address(&((const struct fd_stream *)stream)->desc, peer, address);
}

static const struct wf_stream_class fd_class = {
    .name = "descriptor",
    .read = fd_read,
    .write = fd_write,
    .shutdown = fd_shutdown,
    .close = fd_close,
    .destroy = fd_destroy,
    .fd = fd_of,
    .address = fd_address,
};

/* ---- For splicing ---- */

static bool make_non_blocking(struct fd_stream *stream)
{
    int flags = fcntl(stream->desc.fd, F_GETFL);
    if (flags < 0) return false;
    if (flags & O_NONBLOCK) return true;
    if (stream->foreign || fcntl(stream->desc.fd, F_SETFL, flags | O_NONBLOCK) < 0) return false;
    stream->desc.non_blocking = true;
    return true;
}

struct desc *fd_stream_spliced(struct wf_stream *stream)
{
    struct fd_stream *made = fd_stream_of(stream);
    struct stat status;
    if (stream->class_ != &fd_class || stream->closed_) return NULL;
    if (current_loop->driver->simulated) return !made->desc.socket || made->desc.stream ? &made->desc : NULL;
    if (fstat(made->desc.fd, &status) < 0) return NULL;
    bool suits = made->desc.socket ? made->desc.stream : S_ISFIFO(status.st_mode);
    return suits && make_non_blocking(made) ? &made->desc : NULL;
}

struct fd_stream *fd_stream_from(struct wf_stream *stream)
{
    return stream->class_ == &fd_class ? fd_stream_of(stream) : NULL;
}

/* ---- Making ---- */

struct fd_stream *fd_stream_alloc(bool is_socket, bool is_stream)
{
    struct fd_stream *stream = memory_zero(sizeof *stream);
    if (stream == NULL) return NULL;
    wf_stream_init(&stream->stream, &fd_class);
    stream->desc.socket = is_socket;
    stream->desc.stream = is_stream;
    return stream;
}

void fd_stream_begin(struct fd_stream *stream, int fd)
{
    desc_init(&stream->desc, fd, fd_released);
}

int fd_stream_new(int fd, bool is_socket, bool is_stream, struct fd_stream **out)
{
    struct fd_stream *stream = fd_stream_alloc(is_socket, is_stream);
    if (stream == NULL) {
        current_loop->driver->close_fd(current_loop, fd);
        return -ENOMEM;
    }
    fd_stream_begin(stream, fd);
    *out = stream;
    return 0;
}

static int wrap(int fd, const struct described *described, struct wf_stream **stream)
{
    struct fd_stream *made = fd_stream_alloc(described->type == S_IFSOCK, described->socket_type == SOCK_STREAM);
    if (made == NULL) return -ENOMEM;
    made->desc.non_blocking = described->non_blocking;
    made->foreign = true;
    fd_stream_begin(made, fd);
    *stream = &made->stream;
    return 0;
}

/* What others write, and when, no seed decides; and whoever waits for it stops the whole world. */
static bool is_of_another_world(const struct described *described)
{
    return described->elsewhere && (described->type == S_IFSOCK || described->type == S_IFIFO);
}

int wf_stream_wrap(int fd, struct wf_stream **stream)
{
    struct loop *loop = LOOP_HERE();
    struct described described;
    int rc = loop->driver->describe(loop, fd, &described);
    if (rc < 0) return rc;
    if (is_of_another_world(&described))
        return wf_fail(-EOPNOTSUPP, "descriptor %d is a real %s: there are none in a simulated world", fd,
                       described.type == S_IFSOCK ? "socket" : "pipe");
    return wrap(fd, &described, stream);
}

void wf_close_fd(int fd)
{
    struct loop *loop = LOOP_HERE();
    if (fd >= 0) loop->driver->close_fd(loop, fd);
}

static int wrap_copy(int fd, struct wf_stream **stream)
{
    struct loop *loop = LOOP_HERE();
    struct described described;
    int copy = loop->driver->duplicate(loop, fd);
    if (copy < 0) return copy;
    int rc = loop->driver->describe(loop, copy, &described);
    if (rc == 0) rc = wrap(copy, &described, stream);
    if (rc < 0) loop->driver->close_fd(loop, copy);
    return rc;
}

int wf_stdin(struct wf_stream **stream)
{
    return wrap_copy(STDIN_FILENO, stream);
}

int wf_stdout(struct wf_stream **stream)
{
    return wrap_copy(STDOUT_FILENO, stream);
}

int wf_stderr(struct wf_stream **stream)
{
    return wrap_copy(STDERR_FILENO, stream);
}

static int pipe_end(int fd, struct fd_stream **stream)
{
    int rc = fd_stream_new(fd, false, false, stream);
    if (rc == 0) (*stream)->desc.non_blocking = true;
    return rc;
}

int wf_pipe(struct wf_stream **reader, struct wf_stream **writer)
{
    struct loop *loop = LOOP_HERE();
    int ends[2];
    int rc = loop->driver->pipe(loop, ends);
    if (rc < 0) return rc;
    struct fd_stream *first, *second;
    rc = pipe_end(ends[0], &first);
    if (rc < 0) {
        loop->driver->close_fd(loop, ends[1]);
        return rc;
    }
    rc = pipe_end(ends[1], &second);
    if (rc < 0) {
        wf_stream_close(&first->stream);
        return rc;
    }
    *reader = &first->stream;
    *writer = &second->stream;
    return 0;
}

static int check_readiness(int fd, unsigned readiness)
{
    if (fd < 0) return -EBADF;
    return readiness == 0 || (readiness & ~(unsigned)(WF_READABLE | WF_WRITABLE)) != 0 ? -EINVAL : 0;
}

int wf_poll_fd(int fd, unsigned readiness)
{
    struct loop *loop = LOOP_HERE();
    int rc = check_readiness(fd, readiness);
    return rc < 0 ? rc : loop->driver->ready(loop, fd, readiness);
}

int wf_wait_fd(int fd, unsigned readiness)
{
    (void)LOOP_HERE();
    int rc = check_readiness(fd, readiness);
    if (rc < 0) return rc;
    struct op op = {.kind = OP_POLL, .fd = fd, .flags = readiness};
    int64_t found = op_run(&op);
    return found < 0 ? (int)found : (int)(found & readiness);
}
