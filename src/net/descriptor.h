/* Streams over descriptors. */
#ifndef WEFT_NET_DESCRIPTOR_H
#define WEFT_NET_DESCRIPTOR_H

#include <weft/address.h>
#include <weft/extend.h>

#include "core/driver.h"

struct fd_stream {
    struct wf_stream stream;
    struct desc desc;
    bool foreign; /* the program's own descriptor: its mode is left as it is */
    int terminal; /* in raw mode: its number (base/terminal.h); else 0 */
};

/* One without a descriptor yet, for who must not fail once there is one; NULL: out of memory. */
struct fd_stream *fd_stream_alloc(bool is_socket, bool is_stream);
void fd_stream_begin(struct fd_stream *stream, int fd);

/*
 * The descriptor under a stream, for splicing: a socket or a pipe in non-blocking mode, into which it is put where it
 * is ours. NULL: there is none.
 */
struct desc *fd_stream_spliced(struct wf_stream *stream);

/* A terminal in raw mode is put back. */
int fd_stream_restore(struct fd_stream *stream);

/* Takes the descriptor over. On failure it is closed. */
int fd_stream_new(int fd, bool is_socket, bool is_stream, struct fd_stream **stream);

/* NULL: it is a stream of another class. */
struct fd_stream *fd_stream_from(struct wf_stream *stream);

/* Where a socket is, or its peer; -EOPNOTSUPP for what is none. */
int desc_address(const struct desc *desc, bool peer, struct wf_address *address);

#endif
