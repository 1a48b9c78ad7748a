/* Streams: bytes to and from a descriptor, one reader and one writer at a time. */
#include "net/stream.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

/* ---- Making ---- */

static void drop(struct wf_stream *stream)
{
    if (--stream->references == 0) memory_free(stream);
}

static void stream_release(struct desc *desc)
{
    drop((struct wf_stream *)((char *)desc - offsetof(struct wf_stream, desc)));
}

struct wf_stream *stream_alloc(bool is_socket, bool is_stream)
{
    struct wf_stream *stream = memory_zero(sizeof *stream);
    if (stream == NULL) return NULL;
    stream->references = 1;
    stream->desc.socket = is_socket;
    stream->desc.stream = is_stream;
    return stream;
}

void stream_begin(struct wf_stream *stream, int fd)
{
    desc_init(&stream->desc, fd, stream_release);
}

int stream_new(int fd, bool is_socket, bool is_stream, struct wf_stream **out)
{
    struct wf_stream *stream = stream_alloc(is_socket, is_stream);
    if (stream == NULL) {
        current_loop->driver->close_fd(current_loop, fd);
        return -ENOMEM;
    }
    stream_begin(stream, fd);
    *out = stream;
    return 0;
}

int stream_new_socket(int family, struct wf_stream **stream)
{
    struct loop *loop = current_loop;
    int fd = loop->driver->socket(loop, family, SOCK_STREAM, 0);
    return fd < 0 ? fd : stream_new(fd, true, true, stream);
}

int wf_stream_wrap(int fd, struct wf_stream **stream)
{
    (void)LOOP_HERE();
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &status) < 0) return -errno;
    bool is_socket = S_ISSOCK(status.st_mode);
    int type = 0;
    socklen_t size = sizeof type;
    if (is_socket && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return -errno;
    struct wf_stream *made = stream_alloc(is_socket, type == SOCK_STREAM);
    if (made == NULL) return -ENOMEM;
    made->desc.non_blocking = flags & O_NONBLOCK;
    stream_begin(made, fd);
    *stream = made;
    return 0;
}

static int wrap_copy(int fd, struct wf_stream **stream)
{
    (void)LOOP_HERE();
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return -errno;
    int rc = wf_stream_wrap(copy, stream);
    if (rc < 0) close(copy);
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

int wf_pipe(struct wf_stream **reader, struct wf_stream **writer)
{
    struct loop *loop = LOOP_HERE();
    int ends[2];
    int rc = loop->driver->pipe(loop, ends);
    if (rc < 0) return rc;
    struct wf_stream *made;
    rc = stream_new(ends[0], false, false, &made);
    if (rc < 0) {
        loop->driver->close_fd(loop, ends[1]);
        return rc;
    }
    made->desc.non_blocking = true;
    rc = stream_new(ends[1], false, false, writer);
    if (rc < 0) {
        wf_stream_close(made);
        return rc;
    }
    (*writer)->desc.non_blocking = true;
    *reader = made;
    return 0;
}

/* ---- One task a direction ---- */

static int enter(struct wf_stream *stream, bool *busy)
{
    if (*busy) return (int)wait_refused(-EBUSY);
    *busy = true;
    stream->references++;
    return 0;
}

static void leave(struct wf_stream *stream, bool *busy)
{
    *busy = false;
    drop(stream);
}

/* ---- Reading ---- */

static ssize_t read_some(struct wf_stream *stream, void *buffer, size_t size)
{
    struct op op;
    op.kind = stream->desc.socket ? OP_RECV : OP_READ;
    op.desc = &stream->desc;
    op.buffer = buffer;
    op.size = size;
    op.offset = -1;
    op.flags = 0;
    return op_run(&op);
}

ssize_t wf_stream_read(struct wf_stream *stream, void *buffer, size_t size)
{
    (void)LOOP_HERE();
    if (size == 0) return -EINVAL;
    ssize_t rc = enter(stream, &stream->reading);
    if (rc < 0) return rc;
    rc = read_some(stream, buffer, size);
    leave(stream, &stream->reading);
    return rc;
}

int wf_stream_read_full(struct wf_stream *stream, void *buffer, size_t size, size_t *done)
{
    (void)LOOP_HERE();
    size_t got = 0;
    if (done != NULL) *done = 0;
    ssize_t rc = enter(stream, &stream->reading);
    if (rc < 0) return (int)rc;
    if (size == 0) rc = wait_refused(0);
    while (got < size) {
        rc = read_some(stream, (char *)buffer + got, size - got);
        if (rc <= 0) break;
        got += (size_t)rc;
    }
    leave(stream, &stream->reading);
    if (done != NULL) *done = got;
    if (rc < 0) return (int)rc;
    return got == size ? 0 : WF_EEND;
}

/* ---- Writing ---- */

static ssize_t write_some(struct wf_stream *stream, const void *bytes, size_t size, unsigned flags)
{
    struct op op;
    op.kind = stream->desc.socket ? OP_SEND : OP_WRITE;
    op.desc = &stream->desc;
    op.buffer = (void *)(uintptr_t)bytes;
    op.size = size;
    op.offset = -1;
    op.flags = flags;
    return op_run(&op);
}

ssize_t wf_stream_write(struct wf_stream *stream, const void *bytes, size_t size)
{
    (void)LOOP_HERE();
    if (size == 0) return -EINVAL;
    ssize_t rc = enter(stream, &stream->writing);
    if (rc < 0) return rc;
    rc = stream->broken ? wait_refused(-EPIPE) : write_some(stream, bytes, size, 0);
    leave(stream, &stream->writing);
    return rc;
}

int wf_stream_write_all(struct wf_stream *stream, const void *bytes, size_t size, size_t *done)
{
    (void)LOOP_HERE();
    size_t sent = 0;
    if (done != NULL) *done = 0;
    ssize_t rc = enter(stream, &stream->writing);
    if (rc < 0) return (int)rc;
    if (stream->broken || size == 0) rc = wait_refused(stream->broken ? -EPIPE : 0);
    while (sent < size && rc >= 0) {
        rc = write_some(stream, (const char *)bytes + sent, size - sent, MSG_WAITALL);
        if (rc > 0) sent += (size_t)rc;
    }
    if (sent > 0 && sent < size) stream->broken = true;
    leave(stream, &stream->writing);
    if (done != NULL) *done = sent;
    return rc < 0 ? (int)rc : 0;
}

/* ---- The end ---- */

int wf_stream_shutdown(struct wf_stream *stream)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (!stream->desc.socket) return 0; /* a pipe's end is its close */
    return loop->driver->shutdown(loop, stream->desc.fd, SHUT_WR);
}

void wf_stream_close(struct wf_stream *stream)
{
    if (stream == NULL) return;
    (void)LOOP_ALIVE();
    desc_close(&stream->desc);
}

void wf_stream_abort(struct wf_stream *stream)
{
    if (stream == NULL) return;
    struct loop *loop = LOOP_ALIVE();
    if (stream->desc.socket) loop->driver->set_option(loop, stream->desc.fd, SOL_SOCKET, SO_LINGER, 0);
    desc_close(&stream->desc);
}

int wf_stream_fd(const struct wf_stream *stream)
{
    return stream->desc.fd;
}

int wf_wait_fd(int fd, unsigned readiness)
{
    (void)LOOP_HERE();
    if (fd < 0) return -EBADF;
    if (readiness == 0 || (readiness & ~(unsigned)(WF_READABLE | WF_WRITABLE)) != 0) return -EINVAL;
    struct op op = {.kind = OP_POLL, .fd = fd, .flags = readiness};
    int64_t found = op_run(&op);
    return found < 0 ? (int)found : (int)(found & readiness);
}
