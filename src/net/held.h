/* Bytes that are held between a stream and its user: what a reader has taken, what a writer has not sent. */
#ifndef WEFT_NET_HELD_H
#define WEFT_NET_HELD_H

#include <weft/stream.h>

static inline size_t held_size(const struct wf_bytes_ *held)
{
    return held->end_ - held->first_;
}

static inline char *held_first(const struct wf_bytes_ *held)
{
    return held->data_ == NULL ? NULL : held->data_ + held->first_;
}

/*
 * Makes room for `more` bytes behind the end, and one beyond them, in a buffer of at most `room_max`: moves what is
 * held to the front, or grows. Errors: -EMSGSIZE, -ENOMEM; nothing has changed then.
 */
int held_make_room(struct wf_bytes_ *held, size_t more, size_t room_max);

/* Forgets the first bytes. What lies behind them stays where it is. */
static inline void held_drop(struct wf_bytes_ *held, size_t size)
{
    held->first_ += size;
}

void held_free(struct wf_bytes_ *held);

#endif
