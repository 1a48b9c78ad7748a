/* One task a direction, for calls on streams that are made elsewhere than in stream.c. */
#ifndef WEFT_NET_STREAM_H
#define WEFT_NET_STREAM_H

#include <weft/extend.h>

/* Takes the direction whose flag is given: &stream->reading_ or &stream->writing_; -EBUSY where it is taken. */
int stream_enter(struct wf_stream *stream, bool *busy);
void stream_leave(struct wf_stream *stream, bool *busy);

#endif
