/*
 * What a channel holds: a ring, or, where the channel has an order, a heap.
 *
 * A slot of the heap is an item and, in its last eight bytes, the number of its sending, which keeps equal ones in
 * order.
 */
#ifndef WEFT_SYNC_BUFFER_H
#define WEFT_SYNC_BUFFER_H

#include <string.h>
#include <weft/channel.h>

static inline void item_copy(void *to, const void *from, size_t size)
{
    if (size == sizeof(void *)) memcpy(to, from, sizeof(void *)); /* the usual size, without a call */
    else memcpy(to, from, size);
}

/* There must be room. */
void buffer_put(struct wf_channel *channel, const void *item);

/* Takes the next item out and gives its slot, valid until something is put. There must be one. */
char *buffer_take(struct wf_channel *channel);

#endif
