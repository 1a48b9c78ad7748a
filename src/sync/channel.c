/*
 * A channel: a buffer between two queues, of which one at least is empty.
 *
 *     senders wait   only while the buffer is full     a receive makes room, and takes over the first one's item
 *     receivers wait only while the buffer is empty    a send copies straight into the first one's variable
 *
 * A task that waits in a select may stand in both queues; it never meets itself, because only newcomers look.
 */
#include "sync/channel.h"

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "sync/buffer.h"

static const struct wait_class send_class = {.name = "room in a channel", .cancel = queue_cancel};
static const struct wait_class receive_class = {.name = "an item of a channel", .cancel = queue_cancel};
static const struct wait_class join_class = {.name = "the work of a channel to be done", .cancel = queue_cancel};

/* ---- Making ---- */

enum { HEADER = (sizeof(struct wf_channel) + 15) / 16 * 16 };

/* An item, its age behind it, and the next item as well aligned as the size of one lets suppose. */
static bool ordered_slot(size_t item_size, size_t *slot_size)
{
    size_t alignment = item_size % 16 == 0 ? 16 : sizeof(uint64_t);
    if (__builtin_add_overflow(item_size, sizeof(uint64_t) + alignment - 1, slot_size)) return false;
    *slot_size -= *slot_size % alignment;
    return true;
}

int wf_channel_create(size_t item_size, size_t capacity, bool (*before)(const void *one, const void *other),
                      struct wf_channel **channel)
{
    size_t slot_size = item_size, size;
    if (item_size == 0 || (before != NULL && capacity == 0)) return -EINVAL;
    if (before != NULL && !ordered_slot(item_size, &slot_size)) return -EINVAL;
    if (__builtin_mul_overflow(slot_size, capacity, &size)) return -EINVAL;
    if (__builtin_add_overflow(size, (size_t)HEADER, &size)) return -EINVAL;
    struct wf_channel *made = memory_alloc(size);
    if (made == NULL) return -ENOMEM;
    *made = (struct wf_channel){.slots_ = (char *)made + HEADER,
                                .item_size_ = item_size,
                                .slot_size_ = slot_size,
                                .capacity_ = capacity,
                                .before_ = before};
    *channel = made;
    return 0;
}

void wf_channel_destroy(struct wf_channel *channel)
{
    if (channel == NULL) return;
    size_t waiting =
        queue_length(&channel->senders_) + queue_length(&channel->receivers_) + queue_length(&channel->joiners_);
    if (waiting > 0)
        misuse("a channel was destroyed while %zu tasks waited at it. Close it, and wait for the scope that its users "
               "run in, before it goes.",
               waiting);
    memory_free(channel);
}

/* ---- Passing items ---- */

static __attribute__((noinline, cold)) void refuse_item(const struct wf_channel *channel, size_t size,
                                                        const char *function)
{
    misuse("%s was given an item of %zu bytes, and the channel is one for items of %zu. Pass a pointer to a variable "
           "of "
           "the type that the channel was made with.",
           function, size, channel->item_size_);
}

static inline void check_item(const struct wf_channel *channel, size_t size, const char *function)
{
    if (__builtin_expect(size != channel->item_size_, 0)) refuse_item(channel, size, function);
}

void channel_check_item(const struct wf_channel *channel, size_t size, const char *function)
{
    check_item(channel, size, function);
}

static inline void *item_of(const struct wf_wait *wait)
{
    return ((const struct item_wait *)wait)->item;
}

/* One less to be worked off. */
static void finish_one(struct wf_channel *channel)
{
    if (--channel->unfinished_ > 0) return;
    while (queue_grant(&channel->joiners_, 0)) {}
}

static inline void count_sent(struct wf_channel *channel)
{
    channel->sent_++;
    channel->unfinished_++;
}

static inline int try_send(struct wf_channel *channel, const void *item)
{
    struct wf_wait *receiver = channel->receivers_.first;
    if (receiver != NULL) {
        item_copy(item_of(receiver), item, channel->item_size_);
        channel->received_++;
        queue_grant(&channel->receivers_, 1);
    } else if (channel->closed_) {
        return -EPIPE;
    } else if (channel->count_ < channel->capacity_) {
        buffer_put(channel, item);
    } else {
        return -EAGAIN;
    }
    count_sent(channel);
    return 0;
}

/* The first sender that waits is rid of its item. */
static inline void release_sender(struct wf_channel *channel)
{
    count_sent(channel);
    queue_grant(&channel->senders_, 0);
}

static inline int try_receive(struct wf_channel *channel, void *item)
{
    const struct wf_wait *sender = channel->senders_.first;
    if (channel->count_ > 0) {
        item_copy(item, buffer_take(channel), channel->item_size_);
        if (sender != NULL) {
            buffer_put(channel, item_of(sender));
            release_sender(channel);
        }
    } else if (sender != NULL) {
        item_copy(item, item_of(sender), channel->item_size_);
        release_sender(channel);
    } else {
        return channel->closed_ ? 0 : -EAGAIN;
    }
    channel->received_++;
    return 1;
}

int channel_try_send(struct wf_channel *channel, const void *item)
{
    return try_send(channel, item);
}

int channel_try_receive(struct wf_channel *channel, void *item)
{
    return try_receive(channel, item);
}

int wf_send_(struct wf_channel *channel, const void *item, size_t size)
{
    struct loop *loop = LOOP_HERE();
    check_item(channel, size, "wf_send");
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    rc = try_send(channel, item);
    if (rc != -EAGAIN) return (int)wait_skipped_in(loop, rc);
    return queue_wait_item(&channel->senders_, &send_class, (void *)(uintptr_t)item);
}

int wf_receive_(struct wf_channel *channel, void *item, size_t size)
{
    struct loop *loop = LOOP_HERE();
    check_item(channel, size, "wf_receive");
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    rc = try_receive(channel, item);
    if (rc != -EAGAIN) return (int)wait_skipped_in(loop, rc);
    return queue_wait_item(&channel->receivers_, &receive_class, item);
}

int wf_try_send_(struct wf_channel *channel, const void *item, size_t size)
{
    (void)LOOP_ALIVE();
    check_item(channel, size, "wf_try_send");
    return try_send(channel, item);
}

int wf_try_receive_(struct wf_channel *channel, void *item, size_t size)
{
    (void)LOOP_ALIVE();
    check_item(channel, size, "wf_try_receive");
    return try_receive(channel, item);
}

/* ---- Closing ---- */

int wf_channel_close(struct wf_channel *channel)
{
    (void)LOOP_ALIVE();
    if (channel->closed_) return -EALREADY;
    channel->closed_ = true;
    while (queue_grant(&channel->receivers_, 0)) {}
    while (queue_grant(&channel->senders_, -EPIPE)) {}
    return 0;
}

int wf_channel_close_now(struct wf_channel *channel, void (*drop)(void *item))
{
    int rc = wf_channel_close(channel);
    while (channel->count_ > 0) {
        void *item = buffer_take(channel);
        finish_one(channel);
        if (drop != NULL) drop(item);
    }
    return rc;
}

bool wf_channel_is_closed(const struct wf_channel *channel)
{
    return channel->closed_;
}

/* ---- Work ---- */

int wf_channel_done(struct wf_channel *channel)
{
    (void)LOOP_ALIVE();
    if (channel->unfinished_ == channel->count_) return -EINVAL;
    finish_one(channel);
    return 0;
}

int wf_channel_join(struct wf_channel *channel)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    if (channel->unfinished_ == 0) return (int)wait_skipped_in(loop, 0);
    return (int)queue_wait(&channel->joiners_, &join_class);
}

/* ---- Looking ---- */

void wf_channel_statistics(const struct wf_channel *channel, struct wf_channel_statistics *statistics)
{
    *statistics = (struct wf_channel_statistics){
        .capacity = channel->capacity_,
        .count = channel->count_,
        .senders = queue_length(&channel->senders_),
        .receivers = queue_length(&channel->receivers_),
        .joiners = queue_length(&channel->joiners_),
        .unfinished = channel->unfinished_,
        .sent = channel->sent_,
        .received = channel->received_,
    };
}
