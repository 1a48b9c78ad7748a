/*
 * A body in chunks (RFC 9112 section 7.1), taken apart.
 *
 *     SIZE --;--> EXTENSION <--"--> QUOTED        DATA --all of it--> DATA_CR -> DATA_LF -> SIZE
 *       \           /                              ^
 *        CR -> SIZE_LF ------- size > 0 -----------+
 *                 \----------- size = 0 --> LINE <--> IN_LINE -> LINE_LF    the trailers, up to an empty line
 *                                             \-- CR --> END_LF --> ENDED
 *
 * llhttp can do this too, but Debian's takes a line that ends with LF alone, which is one of the ways to smuggle a
 * request past a proxy, and refuses extensions with a quoted ";".
 */
#ifndef WEFT_HTTP_H1_CHUNKS_H
#define WEFT_HTTP_H1_CHUNKS_H

#include <weft/message.h>

enum chunk_state {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_QUOTED,
    CHUNK_ESCAPED,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    CHUNK_LINE,
    CHUNK_IN_LINE,
    CHUNK_LINE_LF,
    CHUNK_END_LF,
    CHUNK_ENDED,
};

/* All zero: at the beginning of a body. */
struct chunks {
    enum chunk_state state;
    unsigned digits; /* of the size */
    uint64_t left;   /* of the chunk */
    size_t extras;   /* bytes of extensions and trailers so far */
    char *trailers;  /* the lines, CR LF and all, while they come */
    size_t trailers_size;
};

/*
 * Puts what the bytes hold of the body at `to`, which has room for `size`, and gives how many there were; `*used` of
 * the bytes were looked at. Trailers are added to `trailers` at the end. -EBADMSG: these are no chunks, or more than
 * 16 KiB of extensions and trailers.
 */
ssize_t chunks_take(struct chunks *chunks, const char *bytes, size_t size, char *to, size_t *used,
                    struct wf_headers *trailers, struct wf_arena *arena);

#endif
