/*
 * Reading a stream by lines, by fields, by records: what came and was not asked for yet is kept for the next call.
 *
 *     WF_READER(reader, conn, 0);
 *     char *line;
 *     size_t size;
 *     int rc;
 *     while ((rc = wf_reader_line(&reader, &line, &size)) > 0) puts(line);
 *     return rc;                      // 0: the stream has ended
 *
 * The buffer begins with 4 KiB, at the first call that needs it, and grows up to the reader's limit, which is also the
 * longest line or record that it can give. No call that is cut short loses a byte: what has come stays for the next.
 * The stream is yours; whoever reads it beside the reader misses what the reader has taken already.
 *
 * At most one task is in a call at a time, another gets -EBUSY. An error of the stream is told again by every later
 * call that needs more than what is there, and the end stays the end.
 * Threads: the loop that opened the stream.
 */
#ifndef WEFT_READER_H
#define WEFT_READER_H

#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_READER_SIZE = 65536 }; /* the limit of one that was given none */

struct wf_reader {
    struct wf_stream *stream_;
    struct wf_bytes_ bytes_;
    size_t size_max_;
    int over_; /* 0: more may come; 1: the stream has ended; else its error */
    bool busy_, filled_;
    void *reserved_[4];
};

/* Over an open stream. `size_max` is the limit in bytes; 0: WF_READER_SIZE. Suspends: never. Owns: wf_reader_finish. */
WF_API void wf_reader_init(struct wf_reader *reader, struct wf_stream *stream, size_t size_max);

/* Gives the buffer back; what is in it is gone. The stream is left alone, and may be closed already. Not while a call
 * is under way. Suspends: never. */
WF_API void wf_reader_finish(struct wf_reader *reader);

/* Declares a reader that is finished when its block is left. */
#define WF_READER(reader, stream, size_max)                                                                            \
    struct wf_reader reader __attribute__((cleanup(wf_reader_finish), unused)) = wf_reader_new_((stream), (size_max))

/*
 * Reads up to the end of the line. Returns 1, and the line without its "\n" or "\r\n", a zero byte after it; 0 at the
 * end of the stream. The last line needs no "\n". It is yours to change, until the next call on the reader.
 * Suspends: until a line is there. On cancel: nothing was consumed.
 * Errors: -ECANCELED, -EBUSY, -ENOMEM; -EMSGSIZE for a line that, with its "\n", is over the limit: nothing was
 * consumed; the stream's.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_reader_line(struct wf_reader *reader, char **line, size_t *size);

/*
 * Reads up to a delimiter of one byte or more. Returns how many, the delimiter included; 0 at the end of the stream.
 * They are yours to change, until the next call on the reader.
 * Suspends: until the delimiter is there. On cancel: nothing was consumed.
 * Errors: as wf_reader_line; WF_EEND when the stream ended without a delimiter: what came stays for other calls;
 * -EINVAL for an empty one.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_reader_read_until(struct wf_reader *reader, const void *delimiter,
                                                           size_t delimiter_size, char **bytes);

/*
 * Looks at what comes next without consuming it: at least `least` bytes, and all that is there. Returns how many; 0 at
 * the end of the stream. With `least` 0, what is there without waiting, perhaps nothing. Valid until the next call.
 * Suspends: until `least` bytes are there. On cancel: nothing was consumed.
 * Errors: as wf_reader_line; WF_EEND when some came, but fewer: they stay; -EMSGSIZE for more than the limit.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_reader_peek(struct wf_reader *reader, size_t least, const char **bytes);

/* Consumes the first bytes of those that were looked at; more than are there is misuse. Suspends: never. */
WF_API void wf_reader_consume(struct wf_reader *reader, size_t size);

/*
 * As wf_stream_read and wf_stream_read_full, what is there already first.
 * Suspends: while nothing is there; until all came. On cancel: nothing was consumed; `*done` bytes were.
 * Errors: as theirs; -ENOMEM.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_reader_read(struct wf_reader *reader, void *buffer, size_t size);
WF_API WF_SUSPENDS WF_CHECKED int wf_reader_read_full(struct wf_reader *reader, void *buffer, size_t size,
                                                      size_t *done);

/* ---- What the macro stands on: private ---- */

static inline struct wf_reader wf_reader_new_(struct wf_stream *stream, size_t size_max)
{
    struct wf_reader reader;
    wf_reader_init(&reader, stream, size_max);
    return reader;
}

#ifdef __cplusplus
}
#endif
#endif
