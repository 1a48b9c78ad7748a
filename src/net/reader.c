/*
 * Buffered reading. One way in: `fill` reads behind what is held, and whatever a call gives to its caller lies in the
 * buffer before anything of it is consumed. So a call that is cut short has consumed nothing.
 *
 *     data    first             end         room
 *      |  gone  | held, not consumed | to read into | 0
 */
#include <weft/reader.h>

#include <string.h>

#include "base/report.h"
#include "core/loop.h"
#include "net/held.h"

enum { DIRECT_MIN = 4096 }; /* a read of so much goes past an empty buffer */

void wf_reader_init(struct wf_reader *reader, struct wf_stream *stream, size_t size_max)
{
    *reader = (struct wf_reader){.stream_ = stream, .size_max_ = size_max > 0 ? size_max : WF_READER_SIZE};
}

void wf_reader_finish(struct wf_reader *reader)
{
    if (reader->busy_)
        misuse("wf_reader_finish was called while another task waits in a call on the reader. Its buffer is in use: "
               "end that task first; what children use is declared before their scope.");
    held_free(&reader->bytes_);
}

/* ---- One call at a time ---- */

/* The budget is spent before anything is looked at, because others may run then. */
static int enter(struct loop *loop, struct wf_reader *reader)
{
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    wait_skipped_in(loop, 0);
    if (reader->busy_) return -EBUSY;
    reader->busy_ = true;
    return 0;
}

static void leave(struct wf_reader *reader)
{
    reader->busy_ = false;
}

/* ---- More from the stream ---- */

/* What the stream said about itself is kept; what it said about this one call is not. */
static ssize_t note(struct wf_reader *reader, ssize_t got)
{
    if (got == 0) reader->over_ = 1;
    else if (got < 0 && got != -ECANCELED && got != -EBUSY && got != -ENOMEM) reader->over_ = (int)got;
    return got;
}

/*
 * How much room is worth making. A quarter of the buffer, so that what is held moves at most a few times; more than the
 * whole of it where the last read has filled the buffer, because then the stream has more.
 */
static size_t room_wanted(const struct wf_reader *reader)
{
    size_t left = reader->size_max_ - held_size(&reader->bytes_), room = reader->bytes_.room_;
    size_t wanted = reader->filled_ ? room + 1 : room / 4 + 1;
    if (wanted > left) wanted = left;
    return wanted > 0 ? wanted : 1;
}

/* Reads some more behind what is held: how much, 0 at the end. */
static ssize_t fill(struct wf_reader *reader)
{
    struct wf_bytes_ *bytes = &reader->bytes_;
    if (reader->over_ != 0) return reader->over_ < 0 ? reader->over_ : 0;
    int rc = held_make_room(bytes, room_wanted(reader), reader->size_max_);
    if (rc < 0) return rc;
    size_t room = bytes->room_ - bytes->end_;
    ssize_t got = wf_stream_read(reader->stream_, bytes->data_ + bytes->end_, room);
    if (got <= 0) return note(reader, got);
    bytes->end_ += (size_t)got;
    reader->filled_ = (size_t)got == room;
    return got;
}

/* ---- Looking ---- */

ssize_t wf_reader_peek(struct wf_reader *reader, size_t least, const char **bytes)
{
    ssize_t rc = enter(LOOP_HERE(), reader);
    if (rc < 0) return rc;
    const struct wf_bytes_ *held = &reader->bytes_;
    rc = least > reader->size_max_ ? -EMSGSIZE : 1;
    while (held_size(held) < least && rc > 0) rc = fill(reader);
    leave(reader);
    if (rc < 0) return rc;
    if (held_size(held) < least) return held_size(held) == 0 ? 0 : WF_EEND;
    *bytes = held_size(held) > 0 ? held_first(held) : "";
    return (ssize_t)held_size(held);
}

void wf_reader_consume(struct wf_reader *reader, size_t size)
{
    if (size > held_size(&reader->bytes_))
        misuse("wf_reader_consume was asked for %zu bytes where only %zu are there. Consume at most what "
               "wf_reader_peek gave; wf_reader_read_full reads a number of bytes that have not come yet.",
               size, held_size(&reader->bytes_));
    held_drop(&reader->bytes_, size);
}

/* ---- Up to a delimiter ---- */

/* How long it is up to the delimiter and with it; 0: not there yet. What was searched is not searched again. */
static size_t find(const struct wf_bytes_ *held, const void *delimiter, size_t size, size_t *searched)
{
    size_t left = held_size(held) - *searched;
    if (left < size) return 0;
    const char *found = memmem(held_first(held) + *searched, left, delimiter, size);
    if (found != NULL) return (size_t)(found - held_first(held)) + size;
    *searched += left - (size - 1);
    return 0;
}

/* The same, with waiting: 0 at the end of the stream, whatever is held then. */
static ssize_t wait_for(struct wf_reader *reader, const void *delimiter, size_t size)
{
    size_t length, searched = 0;
    while ((length = find(&reader->bytes_, delimiter, size, &searched)) == 0) {
        ssize_t got = fill(reader);
        if (got <= 0) return got;
    }
    return (ssize_t)length;
}

/* Of what is held, so that there is a buffer. */
static char *consume(struct wf_reader *reader, size_t size)
{
    char *first = reader->bytes_.data_ + reader->bytes_.first_;
    held_drop(&reader->bytes_, size);
    return first;
}

ssize_t wf_reader_read_until(struct wf_reader *reader, const void *delimiter, size_t delimiter_size, char **bytes)
{
    struct loop *loop = LOOP_HERE();
    if (delimiter_size == 0) return -EINVAL;
    ssize_t length = enter(loop, reader);
    if (length < 0) return length;
    length = wait_for(reader, delimiter, delimiter_size);
    leave(reader);
    if (length == 0 && held_size(&reader->bytes_) > 0) return WF_EEND;
    if (length > 0) *bytes = consume(reader, (size_t)length);
    return length;
}

/* How much of a line that is held is its end. */
static size_t end_of_line(const char *line, size_t length)
{
    if (line[length - 1] != '\n') return 0;
    return length > 1 && line[length - 2] == '\r' ? 2 : 1;
}

int wf_reader_line(struct wf_reader *reader, char **line, size_t *size)
{
    ssize_t length = enter(LOOP_HERE(), reader);
    if (length < 0) return (int)length;
    length = wait_for(reader, "\n", 1);
    leave(reader);
    if (length == 0) length = (ssize_t)held_size(&reader->bytes_);
    if (length <= 0) return (int)length;
    *line = consume(reader, (size_t)length);
    *size = (size_t)length - end_of_line(*line, (size_t)length);
    (*line)[*size] = '\0';
    return 1;
}

/* ---- Into memory of the caller ---- */

static ssize_t take(struct wf_reader *reader, void *buffer, size_t size_max)
{
    size_t size = held_size(&reader->bytes_);
    if (size > size_max) size = size_max;
    memcpy(buffer, consume(reader, size), size);
    return (ssize_t)size;
}

/* What is held first. Much goes past the buffer, where that is empty. */
static ssize_t read_some(struct wf_reader *reader, void *buffer, size_t size)
{
    if (held_size(&reader->bytes_) > 0) return take(reader, buffer, size);
    if (size >= DIRECT_MIN && size >= reader->bytes_.room_ && reader->over_ == 0)
        return note(reader, wf_stream_read(reader->stream_, buffer, size));
    ssize_t got = fill(reader);
    return got > 0 ? take(reader, buffer, size) : got;
}

ssize_t wf_reader_read(struct wf_reader *reader, void *buffer, size_t size)
{
    struct loop *loop = LOOP_HERE();
    if (size == 0) return -EINVAL;
    ssize_t rc = enter(loop, reader);
    if (rc < 0) return rc;
    rc = read_some(reader, buffer, size);
    leave(reader);
    return rc;
}

int wf_reader_read_full(struct wf_reader *reader, void *buffer, size_t size, size_t *done)
{
    size_t got = 0;
    if (done != NULL) *done = 0;
    ssize_t rc = enter(LOOP_HERE(), reader);
    if (rc < 0) return (int)rc;
    while (got < size && (rc = read_some(reader, (char *)buffer + got, size - got)) > 0) got += (size_t)rc;
    leave(reader);
    if (done != NULL) *done = got;
    if (rc < 0) return (int)rc;
    return got == size ? 0 : WF_EEND;
}
