/*
 * Copying to a stream. The first bytes go by a buffer, which is cheaper than a pipe where they are few; then, where
 * both sides are descriptors that the kernel can splice, the others go through a pipe of our own without being touched:
 *
 *     source --OP_SPLICE_IN--> [ pipe ] --OP_SPLICE_OUT--> destination
 *
 * One task fills the pipe and empties it in turn, so only the two ends are ever waited for. What was taken from the
 * source and has not reached the destination when a copy is cut is gone: the destination is broken then, so that
 * nobody takes what follows for what is missing.
 */
#include "net/copy.h"

#include <fcntl.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"
#include "net/stream.h"

enum {
    BUFFER_SIZE = 1 << 16,
    BUFFERED_FIRST = 1 << 16, /* so much goes by the buffer in any case */
    PIPE_LEAST = 1 << 16,     /* a system that gives less has run out of them */
    PIPE_MOST = 1 << 20,
};

static size_t least_of(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

/* Bytes are on their way to the destination; `rc` says why the rest of them do not arrive. */
static int arrived(struct copy *copy, size_t taken, size_t sent, int rc)
{
    copy->left -= taken;
    copy->done += sent;
    if (sent < taken) copy->to->broken_ = true;
    return rc;
}

/* ---- By a buffer ---- */

static ssize_t read_file(struct copy *copy, void *buffer, size_t size)
{
    struct op op = {.kind = OP_READ, .desc = copy->file, .buffer = buffer, .size = size, .offset = copy->offset};
    return op_run(&op);
}

static ssize_t read_source(struct copy *copy, void *buffer, size_t size)
{
    if (copy->from != NULL) return stream_read_some(copy->from, buffer, size);
    ssize_t got = read_file(copy, buffer, size);
    if (got > 0) copy->offset += got;
    return got;
}

static int move_by_buffer(struct copy *copy, char *buffer, uint64_t most)
{
    int rc = 0;
    for (uint64_t end = copy->done + least_of(copy->left, most); copy->done < end && rc == 0;) {
        ssize_t got = read_source(copy, buffer, least_of(BUFFER_SIZE, end - copy->done));
        if (got == 0) copy->left = 0;
        if (got <= 0) return (int)got;
        size_t sent = 0;
        rc = stream_write_bytes(copy->to, buffer, (size_t)got, &sent);
        rc = arrived(copy, (size_t)got, sent, rc);
    }
    return rc;
}

static int copy_by_buffer(struct copy *copy, uint64_t most)
{
    char *buffer = memory_alloc(least_of(BUFFER_SIZE, least_of(copy->left, most)));
    if (buffer == NULL) return -ENOMEM;
    int rc = move_by_buffer(copy, buffer, most);
    memory_free(buffer);
    return rc;
}

/* ---- By the kernel ---- */

struct splice {
    struct desc *from, *to;
    int pipe[2];
    size_t room;
};

static void count(struct wf_stream *stream, uint64_t *bytes, uint64_t *calls, int64_t moved)
{
    if (stream == NULL || moved <= 0) return;
    *bytes += (uint64_t)moved;
    ++*calls;
}

static int64_t fill_pipe(struct copy *copy, const struct splice *splice)
{
    struct op op = {.kind = OP_SPLICE_IN, .desc = splice->from, .fd = splice->pipe[1], .offset = -1};
    op.size = least_of(splice->room, copy->left);
    if (copy->from == NULL) op.offset = copy->offset;
    int64_t got = op_run(&op);
    if (copy->from == NULL) copy->offset += got > 0 ? got : 0;
    else count(copy->from, &copy->from->statistics_.bytes_read, &copy->from->statistics_.reads, got);
    return got;
}

static int empty_pipe(struct copy *copy, const struct splice *splice, size_t size)
{
    int64_t sent = 0;
    size_t total = 0;
    for (; total < size && sent >= 0; total += sent > 0 ? (size_t)sent : 0) {
        struct op op = {.kind = OP_SPLICE_OUT, .desc = splice->to, .fd = splice->pipe[0], .offset = -1};
        op.size = size - total;
        sent = op_run(&op);
        count(copy->to, &copy->to->statistics_.bytes_written, &copy->to->statistics_.writes, sent);
    }
    return arrived(copy, size, total, sent < 0 ? (int)sent : 0);
}

static int move_by_pipe(struct copy *copy, const struct splice *splice)
{
    int rc = 0;
    while (copy->left > 0 && rc == 0) {
        int64_t got = fill_pipe(copy, splice);
        if (got == 0) copy->left = 0;
        if (got <= 0) return (int)got;
        rc = empty_pipe(copy, splice, (size_t)got);
    }
    return rc;
}

/* A larger one for more bytes, where the system lets us. False: there is none that is worth it. */
static bool open_pipe(struct loop *loop, struct splice *splice, uint64_t left)
{
    if (loop->driver->pipe(loop, splice->pipe) < 0) return false;
    int size = PIPE_LEAST;
    if (!loop->driver->simulated) {
        fcntl(splice->pipe[1], F_SETPIPE_SZ, (int)least_of(PIPE_MOST, left > PIPE_LEAST ? left : PIPE_LEAST));
        size = fcntl(splice->pipe[1], F_GETPIPE_SZ);
    }
    splice->room = (size_t)size;
    return size >= PIPE_LEAST;
}

static void close_pipe(struct loop *loop, const struct splice *splice)
{
    loop->driver->close_fd(loop, splice->pipe[0]);
    loop->driver->close_fd(loop, splice->pipe[1]);
}

/* -EINVAL: it cannot, and nothing was moved. */
static int copy_by_pipe(struct copy *copy)
{
    struct loop *loop = current_loop;
    struct splice splice = {.from = copy->file, .to = fd_stream_spliced(copy->to), .pipe = {-1, -1}};
    if (copy->from != NULL) splice.from = fd_stream_spliced(copy->from);
    if (splice.from == NULL || splice.to == NULL) return -EINVAL;
    bool open = open_pipe(loop, &splice, copy->left);
    int rc = open ? move_by_pipe(copy, &splice) : -EINVAL;
    if (splice.pipe[0] >= 0) close_pipe(loop, &splice);
    return rc;
}

/* ---- Both ---- */

static int copy_all(struct copy *copy)
{
    if (copy->to->broken_) return (int)wait_refused(-EPIPE);
    if (copy->left == 0) return (int)wait_refused(0);
    int rc = copy_by_buffer(copy, BUFFERED_FIRST);
    if (rc < 0 || copy->left == 0) return rc;
    rc = copy_by_pipe(copy);
    return rc == -EINVAL && !copy->to->broken_ ? copy_by_buffer(copy, UINT64_MAX) : rc;
}

int copy_run(struct copy *copy)
{
    int rc = stream_enter(copy->to, &copy->to->writing_);
    if (rc < 0) return rc;
    rc = copy_all(copy);
    stream_leave(copy->to, &copy->to->writing_);
    return rc;
}

int wf_stream_copy(struct wf_stream *from, struct wf_stream *to, uint64_t size_max, uint64_t *done)
{
    (void)LOOP_HERE();
    struct copy copy = {.from = from, .to = to, .left = size_max};
    if (done != NULL) *done = 0;
    int rc = stream_enter(from, &from->reading_);
    if (rc < 0) return rc;
    rc = copy_run(&copy);
    stream_leave(from, &from->reading_);
    if (done != NULL) *done = copy.done;
    return rc;
}
