/*
 * Writing a stream in small pieces that go out together.
 *
 *     WF_WRITER(writer, conn, 0);
 *     for (size_t i = 0; i < count; i++) wf_writer_printf(&writer, "%s: %d\r\n", names[i], values[i]);
 *     wf_writer_write(&writer, "\r\n", 2);
 *     return wf_writer_flush(&writer);     // 0, or the first thing that went wrong
 *
 * Pieces are kept until they are more than the writer's size, or until they are told to go. So only a call that does
 * not fit suspends, and the bytes go out in few system calls.
 *
 * An error of the stream stays: every later call gives it again, so that the flush at the end answers for all of them.
 * -ECANCELED, -EBUSY and -EMSGSIZE are refusals: nothing of the piece was taken, and the call may be made again.
 * At most one task is in a call at a time, another gets -EBUSY. Threads: the loop that opened the stream.
 */
#ifndef WEFT_WRITER_H
#define WEFT_WRITER_H

#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_WRITER_SIZE = 16384 }; /* of one that was given none */

struct wf_writer {
    struct wf_stream *stream_;
    struct wf_bytes_ bytes_;
    size_t size_max_;
    int error_;
    bool busy_;
    void *reserved_[4];
};

/* Over an open stream. `size` is how many bytes are kept at most; 0: WF_WRITER_SIZE. The memory is taken as it is
 * needed. Suspends: never. Owns: wf_writer_finish. */
WF_API void wf_writer_init(struct wf_writer *writer, struct wf_stream *stream, size_t size);

/* Gives the buffer back. What was not flushed is thrown away, as a close does it: flush first. The stream is left
 * alone, and may be closed already. Not while a call is under way. Suspends: never. */
WF_API void wf_writer_finish(struct wf_writer *writer);

/* Declares a writer that is finished when its block is left. */
#define WF_WRITER(writer, stream, size)                                                                                \
    struct wf_writer writer __attribute__((cleanup(wf_writer_finish), unused)) = wf_writer_new_((stream), (size))

/*
 * Writes a piece. Returns 0.
 * Suspends: while it does not fit. On cancel: nothing of it was taken, and what was kept stays. Only where it is larger
 * than the whole buffer it may have been cut in the middle; then every later call gives -EPIPE.
 * Errors: -ECANCELED, -EBUSY, -ENOMEM, the stream's.
 */
WF_API WF_SUSPENDS int wf_writer_write(struct wf_writer *writer, const void *bytes, size_t size);

/*
 * The same with a text, by the rules of printf(3).
 * Suspends: while it does not fit. On cancel: nothing of it was taken. Errors: as above; -EMSGSIZE for more than the
 * whole buffer; -EINVAL for what printf refuses.
 */
WF_API WF_SUSPENDS int wf_writer_printf(struct wf_writer *writer, const char *format, ...) WF_PRINTF_(2, 3);

/*
 * Sends what is kept. Returns 0.
 * Suspends: until the stream has taken all. On cancel: what was not sent stays, and goes with the next flush.
 * Errors: as above.
 */
WF_API WF_SUSPENDS int wf_writer_flush(struct wf_writer *writer);

/* How many bytes are kept, and how many more would be without waiting. Suspends: never. */
WF_API size_t wf_writer_pending(const struct wf_writer *writer);
WF_API size_t wf_writer_room(const struct wf_writer *writer);

/* ---- What the macro stands on: private ---- */

static inline struct wf_writer wf_writer_new_(struct wf_stream *stream, size_t size)
{
    struct wf_writer writer;
    wf_writer_init(&writer, stream, size);
    return writer;
}

#ifdef __cplusplus
}
#endif
#endif
