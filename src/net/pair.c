/*
 * Streams in memory: two ends, a ring of bytes for each direction. Whoever waits is woken directly; nothing of it
 * passes the kernel.
 *
 *     end A --out--> [ ring ] --in--> end B
 *
 * The pair belongs to both ends and goes with the last that is released.
 */
#include <string.h>
#include <weft/extend.h>

#include "base/memory.h"
#include "core/loop.h"

static const size_t capacity_max = (size_t)1 << 30;

struct pair;

/* One direction. At most one reads and one writes, so a queue holds at most one waiter. */
struct ring {
    struct wf_queue_ readers, writers;
    size_t first, used;
    bool ended;       /* nothing more is written */
    bool reader_gone; /* nothing more is read */
    char *bytes;
};

struct end {
    struct wf_stream stream;
    struct pair *pair;
    struct ring *in, *out;
};

struct pair {
    struct end ends[2];
    struct ring rings[2];
    int open;
    size_t capacity;
    char bytes[];
};

static struct end *end_of(struct wf_stream *stream)
{
    return (struct end *)stream;
}

static const struct wait_class reading = {.name = "bytes in memory", .cancel = queue_cancel};
static const struct wait_class writing = {.name = "room in memory", .cancel = queue_cancel};

/* ---- Bytes ---- */

static size_t take(struct ring *ring, size_t capacity, char *buffer, size_t size_max)
{
    size_t size = ring->used < size_max ? ring->used : size_max;
    size_t straight = capacity - ring->first < size ? capacity - ring->first : size;
    memcpy(buffer, ring->bytes + ring->first, straight);
    memcpy(buffer + straight, ring->bytes, size - straight);
    ring->used -= size;
    ring->first = ring->used == 0 ? 0 : (ring->first + size) % capacity;
    return size;
}

static size_t put(struct ring *ring, size_t capacity, const char *bytes, size_t size_max)
{
    size_t room = capacity - ring->used, at = (ring->first + ring->used) % capacity;
    size_t size = room < size_max ? room : size_max;
    size_t straight = capacity - at < size ? capacity - at : size;
    memcpy(ring->bytes + at, bytes, straight);
    memcpy(ring->bytes, bytes + straight, size - straight);
    ring->used += size;
    return size;
}

/* A wait is granted 0 when there is something to look at, an end too; a code when there is not. */
static ssize_t pair_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct end *end = end_of(stream);
    struct ring *ring = end->in;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    bool waits = ring->used == 0 && !ring->ended;
    if (waits) rc = (int)queue_wait(&ring->readers, &reading);
    if (rc < 0) return rc;
    size_t got = take(ring, end->pair->capacity, buffer, size);
    if (got > 0) queue_grant(&ring->writers, 0);
    return waits ? (ssize_t)got : wait_skipped((int64_t)got);
}

static size_t put_parts(struct ring *ring, size_t capacity, const struct iovec *parts, int count)
{
    size_t total = 0;
    for (int i = 0; i < count && ring->used < capacity; i++)
        total += put(ring, capacity, parts[i].iov_base, parts[i].iov_len);
    return total;
}

static ssize_t pair_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)all;
    struct end *end = end_of(stream);
    struct ring *ring = end->out;
    size_t capacity = end->pair->capacity;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    bool waits = ring->used == capacity && !ring->reader_gone && !ring->ended;
    if (waits) rc = (int)queue_wait(&ring->writers, &writing);
    if (rc < 0) return rc;
    if (ring->reader_gone || ring->ended) return waits ? -EPIPE : wait_skipped(-EPIPE);
    size_t sent = put_parts(ring, capacity, parts, count);
    queue_grant(&ring->readers, 0);
    return waits ? (ssize_t)sent : wait_skipped((int64_t)sent);
}

/* ---- The end ---- */

static void end_writing(struct ring *ring)
{
    ring->ended = true;
    queue_grant(&ring->readers, 0);
    queue_grant(&ring->writers, -EPIPE);
}

static int pair_shutdown(struct wf_stream *stream)
{
    end_writing(end_of(stream)->out);
    return 0;
}

static void pair_close(struct wf_stream *stream, bool abort)
{
    (void)abort;
    struct end *end = end_of(stream);
    queue_grant(&end->in->readers, -EBADF);
    queue_grant(&end->out->writers, -EBADF);
    end_writing(end->out);
    end->in->reader_gone = true;
    queue_grant(&end->in->writers, -EPIPE);
    wf_stream_release(stream);
}

static void pair_destroy(struct wf_stream *stream)
{
    struct pair *pair = end_of(stream)->pair;
    if (--pair->open == 0) memory_free(pair);
}

static const struct wf_stream_class pair_class = {
    .name = "memory",
    .read = pair_read,
    .write = pair_write,
    .shutdown = pair_shutdown,
    .close = pair_close,
    .destroy = pair_destroy,
};

/* ---- Making ---- */

static void begin(struct pair *pair, int index)
{
    struct end *end = &pair->ends[index];
    wf_stream_init(&end->stream, &pair_class);
    end->pair = pair;
    end->out = &pair->rings[index];
    end->in = &pair->rings[1 - index];
    end->out->bytes = pair->bytes + (size_t)index * pair->capacity;
}

int wf_stream_pair(size_t capacity, struct wf_stream **a, struct wf_stream **b)
{
    (void)LOOP_HERE();
    if (capacity == 0 || capacity > capacity_max) return -EINVAL;
    struct pair *pair = memory_alloc(sizeof *pair + 2 * capacity);
    if (pair == NULL) return -ENOMEM;
    memset(pair, 0, sizeof *pair);
    pair->open = 2;
    pair->capacity = capacity;
    begin(pair, 0);
    begin(pair, 1);
    *a = &pair->ends[0].stream;
    *b = &pair->ends[1].stream;
    return 0;
}
