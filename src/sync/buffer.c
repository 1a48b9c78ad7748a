/* The items of a channel: a ring, or a heap whose equal items stay in order. */
#include "sync/buffer.h"

static char *slot(const struct wf_channel *channel, size_t index)
{
    return channel->slots_ + index * channel->slot_size_;
}

/* ---- The heap ---- */

static uint64_t age_of(const struct wf_channel *channel, const char *slot)
{
    uint64_t sequence;
    memcpy(&sequence, slot + channel->slot_size_ - sizeof sequence, sizeof sequence);
    return sequence;
}

static bool comes_before(const struct wf_channel *channel, const char *one, const char *other)
{
    if (channel->before_(one, other)) return true;
    if (channel->before_(other, one)) return false;
    return age_of(channel, one) < age_of(channel, other);
}

/* A new item is the youngest, so it stays below its equals. */
static void heap_put(struct wf_channel *channel, const void *item)
{
    size_t hole = channel->count_;
    while (hole > 0) {
        size_t parent = (hole - 1) / 2;
        if (!channel->before_(item, slot(channel, parent))) break;
        memcpy(slot(channel, hole), slot(channel, parent), channel->slot_size_);
        hole = parent;
    }
    char *place = slot(channel, hole);
    memcpy(place, item, channel->item_size_);
    memcpy(place + channel->slot_size_ - sizeof channel->sent_, &channel->sent_, sizeof channel->sent_);
}

/* Slots of a heap are whole words. */
static void swap(char *one, char *other, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t first, second;
        memcpy(&first, one + i, sizeof first);
        memcpy(&second, other + i, sizeof second);
        memcpy(one + i, &second, sizeof second);
        memcpy(other + i, &first, sizeof first);
    }
}

/* The first changes places with the last, which then sinks; the first is left behind the end. */
static char *heap_take(struct wf_channel *channel)
{
    size_t count = channel->count_ - 1, at = 0;
    if (count > 0) swap(slot(channel, 0), slot(channel, count), channel->slot_size_);
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && comes_before(channel, slot(channel, child + 1), slot(channel, child))) child++;
        if (!comes_before(channel, slot(channel, child), slot(channel, at))) break;
        swap(slot(channel, child), slot(channel, at), channel->slot_size_);
        at = child;
    }
    return slot(channel, count);
}

/* ---- Either ---- */

void buffer_put(struct wf_channel *channel, const void *item)
{
    if (channel->before_ != NULL) {
        heap_put(channel, item);
    } else {
        size_t last = channel->first_ + channel->count_;
        if (last >= channel->capacity_) last -= channel->capacity_;
        item_copy(slot(channel, last), item, channel->item_size_);
    }
    channel->count_++;
}

char *buffer_take(struct wf_channel *channel)
{
    char *taken;
    if (channel->before_ != NULL) {
        taken = heap_take(channel);
    } else {
        taken = slot(channel, channel->first_);
        if (++channel->first_ == channel->capacity_) channel->first_ = 0;
    }
    channel->count_--;
    return taken;
}
