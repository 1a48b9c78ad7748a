/* Streams over descriptors, and what every kind of stream has. */
#ifndef WEFT_NET_STREAM_H
#define WEFT_NET_STREAM_H

#include <weft/stream.h>

#include "core/driver.h"

struct wf_stream {
    struct desc desc;
    uint32_t references;   /* the descriptor's, and one for each call that is under way: a close may come meanwhile */
    bool reading, writing; /* one task each */
    bool broken;           /* a write was cut in the middle: what the peer has is not what was meant */
};

/* One without a descriptor yet, for who must not fail once there is one; NULL: out of memory. */
struct wf_stream *stream_alloc(bool is_socket, bool is_stream);
void stream_begin(struct wf_stream *stream, int fd);

/* Takes the descriptor over. On failure it is closed. */
int stream_new(int fd, bool is_socket, bool is_stream, struct wf_stream **stream);

/* A socket of the driver's, for connecting. */
int stream_new_socket(int family, struct wf_stream **stream);

#endif
