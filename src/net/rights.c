/*
 * Descriptors that go along with bytes (SCM_RIGHTS, unix(7)). The kernel duplicates them into the receiver when it
 * takes the bytes, so they are the caller's, or closed, before the call returns.
 */
#include <weft/unix.h>

#include <string.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/descriptor.h"
#include "net/socket.h"
#include "net/stream.h"

union control {
    char bytes[CMSG_SPACE(sizeof(int) * WF_UNIX_FDS_MAX)];
    struct cmsghdr align;
};

static int64_t run(struct desc *desc, enum op_kind kind, struct msghdr *message)
{
    struct op op;
    op.kind = kind;
    op.desc = desc;
    op.buffer = message;
    op.size = message->msg_iov->iov_len;
    op.flags = kind == OP_SEND_MESSAGE ? MSG_WAITALL : 0;
    return op_run(&op);
}

/* ---- Sending ---- */

static void fill(struct msghdr *message, union control *control, const int *fds, int count)
{
    size_t size = sizeof(int) * (size_t)count;
    memset(control, 0, sizeof *control);
    message->msg_control = control;
    message->msg_controllen = CMSG_SPACE(size);
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(part), fds, size);
}

/* By a stream, or by a socket of messages. */
static int64_t send_with(struct desc *desc, struct wf_socket *socket, const char *bytes, size_t size, const int *fds,
                         int count)
{
    union control control;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) fill(&message, &control, fds, count);
    return socket != NULL ? socket_send(socket, &message) : run(desc, OP_SEND_MESSAGE, &message);
}

/* ---- Receiving ---- */

/* Gives how many there are. */
static int take(struct msghdr *message, int *fds)
{
    int count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        size_t size = part->cmsg_len - CMSG_LEN(0);
        memcpy(fds + count, CMSG_DATA(part), size);
        count += (int)(size / sizeof(int));
    }
    return count;
}

/* The room is cut to what was asked for exactly: CMSG_SPACE would let one more in. */
static int64_t receive_with(struct desc *desc, void *buffer, size_t size, int *fds, int *count)
{
    union control control;
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    message.msg_control = &control;
    message.msg_controllen = CMSG_LEN(sizeof(int) * (size_t)*count);
    *count = 0;
    int64_t got = run(desc, OP_RECEIVE_MESSAGE, &message);
    if (got < 0) return got;
    int came = take(&message, fds);
    if ((message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0) {
        *count = came;
        return got;
    }
    for (int i = 0; i < came; i++) current_loop->driver->close_fd(current_loop, fds[i]);
    return -EMSGSIZE;
}

/* ---- Streams ---- */

/* The descriptor of a stream that is a Unix socket; NULL: it is something else. */
static struct desc *local_desc_of(struct wf_stream *stream)
{
    struct fd_stream *found = fd_stream_from(stream);
    struct wf_address address;
    if (found == NULL || desc_address(&found->desc, false, &address) < 0) return NULL;
    return address.any.sa_family == AF_UNIX ? &found->desc : NULL;
}

static int64_t send_all(struct wf_stream *stream, struct desc *desc, const char *bytes, size_t size, const int *fds,
                        int count, size_t *sent)
{
    int64_t rc = stream->broken_ ? wait_refused(-EPIPE) : 0;
    while (*sent < size && rc >= 0) {
        rc = send_with(desc, NULL, bytes + *sent, size - *sent, fds, *sent == 0 ? count : 0);
        if (rc <= 0) continue;
        *sent += (size_t)rc;
        stream->statistics_.bytes_written += (uint64_t)rc;
        stream->statistics_.writes++;
    }
    return rc;
}

int wf_unix_send_fds(struct wf_stream *stream, const void *bytes, size_t size, const int *fds, int count)
{
    (void)LOOP_HERE();
    size_t sent = 0;
    if (size == 0 || count < 0 || count > WF_UNIX_FDS_MAX) return -EINVAL;
    int64_t rc = stream_enter(stream, &stream->writing_);
    if (rc < 0) return (int)rc;
    struct desc *desc = local_desc_of(stream);
    rc = desc != NULL ? send_all(stream, desc, bytes, size, fds, count, &sent) : wait_refused(-EOPNOTSUPP);
    if (sent > 0 && sent < size) stream->broken_ = true;
    stream_leave(stream, &stream->writing_);
    return rc < 0 ? (int)rc : 0;
}

ssize_t wf_unix_receive_fds(struct wf_stream *stream, void *buffer, size_t size, int *fds, int *count)
{
    (void)LOOP_HERE();
    if (size == 0 || *count < 0 || *count > WF_UNIX_FDS_MAX) return -EINVAL;
    int64_t rc = stream_enter(stream, &stream->reading_);
    if (rc < 0) return rc;
    struct desc *desc = local_desc_of(stream);
    rc = desc != NULL ? receive_with(desc, buffer, size, fds, count) : wait_refused(-EOPNOTSUPP);
    if (rc > 0) {
        stream->statistics_.bytes_read += (uint64_t)rc;
        stream->statistics_.reads++;
    }
    stream_leave(stream, &stream->reading_);
    return rc;
}

/* ---- Messages ---- */

ssize_t wf_unix_send_message(struct wf_socket *socket, const void *bytes, size_t size, const int *fds, int count)
{
    (void)LOOP_HERE();
    if (size == 0 || count < 0 || count > WF_UNIX_FDS_MAX) return -EINVAL;
    if (socket->family != AF_UNIX) return wait_refused(-EOPNOTSUPP);
    return send_with(NULL, socket, bytes, size, fds, count);
}

ssize_t wf_unix_receive_message(struct wf_socket *socket, void *buffer, size_t size, int *fds, int *count)
{
    (void)LOOP_HERE();
    if (*count < 0 || *count > WF_UNIX_FDS_MAX) return -EINVAL;
    if (socket->family != AF_UNIX) return wait_refused(-EOPNOTSUPP);
    bool packets = socket->packets; /* it may be gone when the call returns */
    int64_t got = receive_with(&socket->desc, buffer, size, fds, count);
    return got == 0 && packets ? WF_EEND : got;
}
