/*
 * What every kind of stream has: one reader and one writer at a time, reading exactly, writing all, counting. The bytes
 * themselves move in the stream's class.
 *
 *     open --wf_stream_close()--> closed --wf_stream_release()--> released --the last call returns--> destroyed
 */
#include <limits.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/stream.h"

enum { PARTS_MAX = 16 }; /* of one write; the others follow */

/* A call must not cost more because it is made of parts that others use, too. */
#define INLINE __attribute__((always_inline)) static inline

/* ---- Beginning and end ---- */

void wf_stream_init(struct wf_stream *stream, const struct wf_stream_class *stream_class)
{
    *stream = (struct wf_stream){.class_ = stream_class, .references_ = 1};
}

INLINE void drop(struct wf_stream *stream)
{
    if (--stream->references_ == 0) stream->class_->destroy(stream);
}

void wf_stream_release(struct wf_stream *stream)
{
    drop(stream);
}

static void end(struct wf_stream *stream, bool abort)
{
    if (stream == NULL) return;
    (void)LOOP_ALIVE();
    stream->closed_ = true;
    stream->class_->close(stream, abort);
}

void wf_stream_close(struct wf_stream *stream)
{
    end(stream, false);
}

void wf_stream_abort(struct wf_stream *stream)
{
    end(stream, true);
}

void wf_random_bytes(void *bytes, size_t size)
{
    struct loop *loop = LOOP_HERE();
    loop->driver->random(loop, bytes, size);
}

int wf_checkpoint(void)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    return rc < 0 ? rc : (int)wait_skipped_in(loop, 0);
}

void wf_random(void *bytes, size_t size)
{
    struct loop *loop = LOOP_HERE();
    loop->driver->random(loop, bytes, size);
}

/* ---- One task a direction; a close may come meanwhile ---- */

INLINE int enter(struct wf_stream *stream, bool *busy)
{
    if (*busy) return (int)wait_refused(-EBUSY);
    *busy = true;
    stream->references_++;
    return 0;
}

INLINE void leave(struct wf_stream *stream, bool *busy)
{
    *busy = false;
    drop(stream);
}

int stream_enter(struct wf_stream *stream, bool *busy)
{
    return enter(stream, busy);
}

void stream_leave(struct wf_stream *stream, bool *busy)
{
    leave(stream, busy);
}

/* ---- Reading ---- */

INLINE ssize_t read_some(struct wf_stream *stream, void *buffer, size_t size)
{
    if (stream->closed_) return wait_refused(-EBADF);
    ssize_t got = stream->class_->read(stream, buffer, size);
    if (got <= 0) return got;
    stream->statistics_.bytes_read += (uint64_t)got;
    stream->statistics_.reads++;
    return got;
}

ssize_t stream_read_some(struct wf_stream *stream, void *buffer, size_t size)
{
    return read_some(stream, buffer, size);
}

ssize_t wf_stream_read(struct wf_stream *stream, void *buffer, size_t size)
{
    (void)LOOP_HERE();
    if (size == 0) return -EINVAL;
    ssize_t rc = enter(stream, &stream->reading_);
    if (rc < 0) return rc;
    rc = read_some(stream, buffer, size);
    leave(stream, &stream->reading_);
    return rc;
}

int wf_stream_read_full(struct wf_stream *stream, void *buffer, size_t size, size_t *done)
{
    (void)LOOP_HERE();
    size_t got = 0;
    if (done != NULL) *done = 0;
    ssize_t rc = enter(stream, &stream->reading_);
    if (rc < 0) return (int)rc;
    if (size == 0) rc = wait_refused(0);
    while (got < size) {
        rc = read_some(stream, (char *)buffer + got, size - got);
        if (rc <= 0) break;
        got += (size_t)rc;
    }
    leave(stream, &stream->reading_);
    if (done != NULL) *done = got;
    if (rc < 0) return (int)rc;
    return got == size ? 0 : WF_EEND;
}

/* ---- Writing ---- */

INLINE ssize_t write_some(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    if (stream->closed_) return wait_refused(-EBADF);
    ssize_t sent = stream->class_->write(stream, parts, count, all);
    if (sent <= 0) return sent;
    stream->statistics_.bytes_written += (uint64_t)sent;
    stream->statistics_.writes++;
    return sent;
}

static ssize_t write_once(struct wf_stream *stream, const struct iovec *parts, int count)
{
    ssize_t rc = enter(stream, &stream->writing_);
    if (rc < 0) return rc;
    rc = stream->broken_ ? wait_refused(-EPIPE) : write_some(stream, parts, count, false);
    leave(stream, &stream->writing_);
    return rc;
}

ssize_t wf_stream_write(struct wf_stream *stream, const void *bytes, size_t size)
{
    (void)LOOP_HERE();
    if (size == 0 || size > SSIZE_MAX) return -EINVAL;
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    return write_once(stream, &part, 1);
}

/* Gives 1 when there is something to write: the direction is then the caller's, until finish_all. */
INLINE int begin_all(struct wf_stream *stream, size_t size, size_t *done)
{
    if (done != NULL) *done = 0;
    if (size > SSIZE_MAX) return -EINVAL;
    int rc = enter(stream, &stream->writing_);
    if (rc < 0 || (size > 0 && !stream->broken_)) return rc < 0 ? rc : 1;
    rc = (int)wait_refused(stream->broken_ ? -EPIPE : 0);
    leave(stream, &stream->writing_);
    return rc;
}

INLINE int finish_all(struct wf_stream *stream, int rc, size_t size, size_t sent, size_t *done)
{
    if (sent > 0 && sent < size) stream->broken_ = true;
    leave(stream, &stream->writing_);
    if (done != NULL) *done = sent;
    return rc;
}

INLINE int write_bytes(struct wf_stream *stream, const void *bytes, size_t size, size_t *sent)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    while (part.iov_len > 0) {
        ssize_t rc = write_some(stream, &part, 1, true);
        if (rc < 0) return (int)rc;
        *sent += (size_t)rc;
        part.iov_base = (char *)part.iov_base + rc;
        part.iov_len -= (size_t)rc;
    }
    return 0;
}

int stream_write_bytes(struct wf_stream *stream, const void *bytes, size_t size, size_t *sent)
{
    return write_bytes(stream, bytes, size, sent);
}

int wf_stream_write_all(struct wf_stream *stream, const void *bytes, size_t size, size_t *done)
{
    (void)LOOP_HERE();
    size_t sent = 0;
    int rc = begin_all(stream, size, done);
    if (rc <= 0) return rc;
    rc = write_bytes(stream, bytes, size, &sent);
    return finish_all(stream, rc, size, sent, done);
}

/* ---- Writing parts ---- */

/* What is still to be written. */
struct rest {
    const struct iovec *parts;
    int count;
    size_t skip; /* of the first part */
};

/* The next parts of it, without the empty ones. */
static int window(const struct rest *rest, struct iovec parts[PARTS_MAX])
{
    int count = 0;
    size_t skip = rest->skip;
    for (int i = 0; i < rest->count && count < PARTS_MAX; i++, skip = 0) {
        const struct iovec *part = &rest->parts[i];
        if (part->iov_len == skip) continue;
        parts[count++] = (struct iovec){.iov_base = (char *)part->iov_base + skip, .iov_len = part->iov_len - skip};
    }
    return count;
}

static void advance(struct rest *rest, size_t size)
{
    rest->skip += size;
    while (rest->count > 0 && rest->skip >= rest->parts->iov_len) {
        rest->skip -= rest->parts->iov_len;
        rest->parts++;
        rest->count--;
    }
}

/* The sum of the parts; SIZE_MAX: there is none. */
static size_t sum(const struct iovec *parts, int count)
{
    size_t total = 0;
    if (count < 0) return SIZE_MAX;
    for (int i = 0; i < count; i++)
        if (__builtin_add_overflow(total, parts[i].iov_len, &total) || total > SSIZE_MAX) return SIZE_MAX;
    return total;
}

ssize_t wf_stream_writev(struct wf_stream *stream, const struct iovec *parts, int count)
{
    (void)LOOP_HERE();
    struct iovec first[PARTS_MAX];
    struct rest rest = {.parts = parts, .count = count};
    size_t size = sum(parts, count);
    if (size == 0 || size > SSIZE_MAX) return -EINVAL;
    return write_once(stream, first, window(&rest, first));
}

static int write_parts(struct wf_stream *stream, struct rest *rest, size_t size, size_t *sent)
{
    while (*sent < size) {
        struct iovec parts[PARTS_MAX];
        ssize_t rc = write_some(stream, parts, window(rest, parts), true);
        if (rc < 0) return (int)rc;
        *sent += (size_t)rc;
        advance(rest, (size_t)rc);
    }
    return 0;
}

int wf_stream_writev_all(struct wf_stream *stream, const struct iovec *parts, int count, size_t *done)
{
    (void)LOOP_HERE();
    struct rest rest = {.parts = parts, .count = count};
    size_t size = sum(parts, count), sent = 0;
    int rc = begin_all(stream, size, done);
    if (rc <= 0) return rc;
    rc = write_parts(stream, &rest, size, &sent);
    return finish_all(stream, rc, size, sent, done);
}

int wf_stream_shutdown(struct wf_stream *stream)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    stream->references_++;
    rc = stream->class_->shutdown(stream);
    drop(stream);
    return rc;
}

/* ---- Asking ---- */

void wf_stream_statistics(const struct wf_stream *stream, struct wf_stream_statistics *statistics)
{
    *statistics = stream->statistics_;
}

static int address_of(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    (void)LOOP_HERE();
    return stream->class_->address != NULL ? stream->class_->address(stream, peer, address) : -EOPNOTSUPP;
}

int wf_stream_peer(const struct wf_stream *stream, struct wf_address *address)
{
    return address_of(stream, true, address);
}

int wf_stream_local(const struct wf_stream *stream, struct wf_address *address)
{
    return address_of(stream, false, address);
}

int wf_stream_fd(const struct wf_stream *stream)
{
    return stream->class_->fd != NULL ? stream->class_->fd(stream) : -1;
}
