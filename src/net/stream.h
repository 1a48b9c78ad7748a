/* What composite calls on streams are made of. */
#ifndef WEFT_NET_STREAM_H
#define WEFT_NET_STREAM_H

#include <weft/extend.h>

/* One direction is the caller's, and the stream stays until it leaves: `busy` is &stream->reading_ or writing_. */
int stream_enter(struct wf_stream *stream, bool *busy);
void stream_leave(struct wf_stream *stream, bool *busy);

/* Inside: as wf_stream_read; as wf_stream_write_all, but a stream that was cut in the middle is not broken by it, and
 * `*sent` grows by what went out. */
ssize_t stream_read_some(struct wf_stream *stream, void *buffer, size_t size);
int stream_write_bytes(struct wf_stream *stream, const void *bytes, size_t size, size_t *sent);

#endif
