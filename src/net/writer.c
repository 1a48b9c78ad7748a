/*
 * Buffered writing: pieces are held until they do not fit any more. What is held goes out by single writes, each of
 * which happened or did not, so that a flush that is cut short knows what is left.
 */
#include <weft/writer.h>

#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "core/loop.h"
#include "net/held.h"

void wf_writer_init(struct wf_writer *writer, struct wf_stream *stream, size_t size)
{
    *writer = (struct wf_writer){.stream_ = stream, .size_max_ = size > 0 ? size : WF_WRITER_SIZE};
}

void wf_writer_finish(struct wf_writer *writer)
{
    if (writer->busy_)
        misuse("wf_writer_finish was called while another task waits in a call on the writer. Its buffer is in use: "
               "end that task first; what children use is declared before their scope.");
    held_free(&writer->bytes_);
}

/* ---- One call at a time, until one has failed ---- */

/* The budget is spent before anything is looked at, because others may run then. */
static int enter(struct loop *loop, struct wf_writer *writer)
{
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    wait_skipped_in(loop, 0);
    if (writer->busy_) return -EBUSY;
    if (writer->error_ < 0) return writer->error_;
    writer->busy_ = true;
    return 0;
}

/* Gives the result of the call. What is no refusal stays. */
static int leave(struct wf_writer *writer, int rc)
{
    writer->busy_ = false;
    bool refused = rc == -ECANCELED || rc == -EBUSY || rc == -EMSGSIZE || rc == -EINVAL;
    if (rc < 0 && !refused && writer->error_ == 0) writer->error_ = rc;
    return rc;
}

/* ---- Sending ---- */

static int send_held(struct wf_writer *writer)
{
    struct wf_bytes_ *held = &writer->bytes_;
    while (held_size(held) > 0) {
        ssize_t sent = wf_stream_write(writer->stream_, held_first(held), held_size(held));
        if (sent < 0) return (int)sent;
        held_drop(held, (size_t)sent);
    }
    held->first_ = held->end_ = 0;
    return 0;
}

int wf_writer_flush(struct wf_writer *writer)
{
    int rc = enter(LOOP_HERE(), writer);
    return rc < 0 ? rc : leave(writer, send_held(writer));
}

/* What can never be held goes out at once, together with what is. */
static int send_large(struct wf_writer *writer, const void *bytes, size_t size)
{
    struct wf_bytes_ *held = &writer->bytes_;
    const struct iovec parts[] = {
        {.iov_base = held_first(held), .iov_len = held_size(held)},
        {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size},
    };
    size_t done, first = held_size(held);
    int rc = wf_stream_writev_all(writer->stream_, parts, 2, &done);
    held_drop(held, done < first ? done : first);
    if (rc < 0 && done > 0) writer->error_ = rc == -ECANCELED || rc == -EBUSY ? -EPIPE : rc;
    return rc;
}

/* ---- Pieces ---- */

/* Room for a piece: what is held goes, where it is in the way. */
static int make_room(struct wf_writer *writer, size_t size)
{
    int rc = size > writer->size_max_ - held_size(&writer->bytes_) ? send_held(writer) : 0;
    return rc < 0 ? rc : held_make_room(&writer->bytes_, size, writer->size_max_);
}

static int put(struct wf_writer *writer, const void *bytes, size_t size)
{
    if (size == 0) return 0;
    if (size > writer->size_max_) return send_large(writer, bytes, size);
    int rc = make_room(writer, size);
    if (rc < 0) return rc;
    memcpy(writer->bytes_.data_ + writer->bytes_.end_, bytes, size);
    writer->bytes_.end_ += size;
    return 0;
}

int wf_writer_write(struct wf_writer *writer, const void *bytes, size_t size)
{
    int rc = enter(LOOP_HERE(), writer);
    return rc < 0 ? rc : leave(writer, put(writer, bytes, size));
}

/* Prints behind what is held: how long the text is, whether it fitted or not. */
static WF_PRINTF_(2, 0) int print_behind(struct wf_bytes_ *held, const char *format, va_list arguments)
{
    va_list copy;
    va_copy(copy, arguments);
    size_t room = held->room_ - held->end_;
    int length = vsnprintf(held->data_ + held->end_, room + 1, format, copy);
    va_end(copy);
    if (length < 0) return -EINVAL;
    if ((size_t)length <= room) held->end_ += (size_t)length;
    return length;
}

/* Usually there is room. Where there was not, another task may have changed the arguments meanwhile. */
static WF_PRINTF_(2, 0) int print(struct wf_writer *writer, const char *format, va_list arguments)
{
    struct wf_bytes_ *held = &writer->bytes_;
    int length = held_make_room(held, 0, writer->size_max_);
    for (int tries = 0; tries < 2 && length >= 0; tries++) {
        size_t end = held->end_;
        length = print_behind(held, format, arguments);
        if (length <= 0 || held->end_ > end) return length < 0 ? length : 0;
        if ((size_t)length > writer->size_max_) return -EMSGSIZE;
        int rc = make_room(writer, (size_t)length);
        if (rc < 0) return rc;
    }
    return length < 0 ? length : -EMSGSIZE;
}

int wf_writer_printf(struct wf_writer *writer, const char *format, ...)
{
    int rc = enter(LOOP_HERE(), writer);
    if (rc < 0) return rc;
    va_list arguments;
    va_start(arguments, format);
    rc = leave(writer, print(writer, format, arguments));
    va_end(arguments);
    return rc;
}

/* ---- Asking ---- */

size_t wf_writer_pending(const struct wf_writer *writer)
{
    return held_size(&writer->bytes_);
}

size_t wf_writer_room(const struct wf_writer *writer)
{
    return writer->size_max_ - held_size(&writer->bytes_);
}
