/*
 * The body of a request: bytes, a form, a file, a generator, a stream, a form with files; piece by piece.
 *
 *     payload_open: what kind it is, its type and its length
 *     payload_next, until it gives 0: its pieces, each valid until the next call
 */
#ifndef WEFT_CLIENT_PAYLOAD_H
#define WEFT_CLIENT_PAYLOAD_H

#include <sys/uio.h>
#include <weft/client.h>

struct multipart;
struct wf_file;

struct payload {
    const struct wf_fetch_options *options;
    struct wf_arena *arena;
    const char *content_type; /* NULL: there is no body */
    struct iovec whole;       /* all of it, where it is in memory; iov_base NULL: it is not */
    int64_t length;           /* in bytes; -1: not known before its end */
    bool once;                /* cannot be sent a second time */
    bool told;                /* the whole, or some of the stream, was given */
    struct wf_file *file;
    char *buffer;
    int64_t offset;
    struct multipart *multipart;
};

/* Suspends for files. Errors: -EINVAL, with a message, for several bodies; those of the file, of the model; -ENOMEM. */
int payload_open(struct payload *payload, const struct wf_fetch_options *options, struct wf_arena *arena);

/* 1, or 0 at the end. Suspends. Errors: those of its source. */
int payload_next(struct payload *payload, struct iovec *piece);

/* To be sent again. False: it cannot be. */
bool payload_rewind(struct payload *payload);

/* Never suspends. */
void payload_close(struct payload *payload);

/* ---- multipart_out.c ---- */

/* Sets content_type and length. Suspends to see how long files are. */
int multipart_open(struct payload *payload);
int multipart_next(struct payload *payload, struct iovec *piece);
void multipart_rewind(struct payload *payload);
void multipart_close(struct payload *payload);

#endif
