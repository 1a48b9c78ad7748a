/* A channel between loops, and threads without one. */
#include <string.h>

#include "base/memory.h"
#include "base/report.h"
#include "sync/shared.h"

struct wf_shared_channel {
    struct shared shared;
    size_t item_size, capacity;
    struct shared_queue senders, receivers;
    size_t first, count; /* of the ring */
    bool closed;
    uint64_t sent, received;
    _Alignas(max_align_t) char slots[];
};

/* ---- Its life ---- */

int wf_shared_channel_create(size_t item_size, size_t capacity, enum wf_shared_with with,
                             struct wf_shared_channel **out)
{
    size_t size;
    if (item_size == 0 || __builtin_mul_overflow(item_size, capacity, &size) ||
        __builtin_add_overflow(size, sizeof(struct wf_shared_channel), &size))
        return -EINVAL;
    struct wf_shared_channel *channel = memory_zero(size);
    if (channel == NULL) return -ENOMEM;
    shared_init(&channel->shared, with, __func__);
    channel->item_size = item_size;
    channel->capacity = capacity;
    *out = channel;
    return 0;
}

void wf_shared_channel_destroy(struct wf_shared_channel *channel)
{
    if (channel == NULL) return;
    shared_lock(&channel->shared, __func__);
    bool waited_for = channel->senders.first != NULL || channel->receivers.first != NULL;
    if (shared_finish(&channel->shared, waited_for, __func__)) memory_free(channel);
}

/* ---- The ring ---- */

static char *slot(struct wf_shared_channel *channel, size_t index)
{
    return channel->slots + (channel->first + index) % channel->capacity * channel->item_size;
}

static void put(struct wf_shared_channel *channel, const void *item)
{
    memcpy(slot(channel, channel->count++), item, channel->item_size);
}

static void take(struct wf_shared_channel *channel, void *item)
{
    memcpy(item, slot(channel, 0), channel->item_size);
    channel->first = (channel->first + 1) % channel->capacity;
    channel->count--;
}

/* ---- Without waiting, under the lock ---- */

static int send_now(struct wf_shared_channel *channel, const void *item)
{
    if (channel->closed) return -EPIPE;
    if (channel->receivers.first != NULL) {
        memcpy(channel->receivers.first->item, item, channel->item_size);
        channel->received++;
        shared_grant(&channel->receivers, 1);
    } else if (channel->count < channel->capacity) {
        put(channel, item);
    } else {
        return -EAGAIN;
    }
    channel->sent++;
    return 0;
}

/* The first sender that waits is rid of its item. */
static void take_from_sender(struct wf_shared_channel *channel, void *item)
{
    memcpy(item, channel->senders.first->item, channel->item_size);
    channel->sent++;
    shared_grant(&channel->senders, 0);
}

static int receive_now(struct wf_shared_channel *channel, void *item)
{
    if (channel->count > 0) {
        take(channel, item);
        if (channel->senders.first != NULL) take_from_sender(channel, slot(channel, channel->count++));
    } else if (channel->senders.first != NULL) {
        take_from_sender(channel, item);
    } else {
        return channel->closed ? 0 : -EAGAIN;
    }
    channel->received++;
    return 1;
}

/* ---- Sending and receiving ---- */

static void enter(struct wf_shared_channel *channel, size_t size, const char *function)
{
    if (size != channel->item_size)
        misuse("an item of %zu bytes was given to a shared channel for items of %zu bytes.", size, channel->item_size);
    shared_lock(&channel->shared, function);
}

static const struct wait_class send_class = {.name = "room in a shared channel", .cancel = shared_cancel};
static const struct wait_class receive_class = {.name = "an item in a shared channel", .cancel = shared_cancel};

/* The item of a sender that waits is only read. */
static void *as_item(const void *item)
{
    return (void *)(uintptr_t)item;
}

int wf_shared_send_(struct wf_shared_channel *channel, const void *item, size_t size)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    enter(channel, size, "wf_shared_send");
    rc = send_now(channel, item);
    if (rc == -EAGAIN) return shared_wait(&channel->shared, &channel->senders, as_item(item), &send_class);
    shared_unlock(&channel->shared);
    return (int)wait_skipped(rc);
}

int wf_shared_receive_(struct wf_shared_channel *channel, void *item, size_t size)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    enter(channel, size, "wf_shared_receive");
    rc = receive_now(channel, item);
    if (rc == -EAGAIN) return shared_wait(&channel->shared, &channel->receivers, item, &receive_class);
    shared_unlock(&channel->shared);
    return (int)wait_skipped(rc);
}

int wf_shared_try_send_(struct wf_shared_channel *channel, const void *item, size_t size)
{
    enter(channel, size, "wf_shared_try_send");
    int rc = send_now(channel, item);
    shared_unlock(&channel->shared);
    return rc;
}

int wf_shared_try_receive_(struct wf_shared_channel *channel, void *item, size_t size)
{
    enter(channel, size, "wf_shared_try_receive");
    int rc = receive_now(channel, item);
    shared_unlock(&channel->shared);
    return rc;
}

int wf_shared_send_blocking_(struct wf_shared_channel *channel, const void *item, size_t size)
{
    const char *function = "wf_shared_send_blocking";
    enter(channel, size, function);
    int rc = send_now(channel, item);
    if (rc == -EAGAIN) return shared_block(&channel->shared, &channel->senders, as_item(item), function);
    shared_unlock(&channel->shared);
    return rc;
}

int wf_shared_receive_blocking_(struct wf_shared_channel *channel, void *item, size_t size)
{
    const char *function = "wf_shared_receive_blocking";
    enter(channel, size, function);
    int rc = receive_now(channel, item);
    if (rc == -EAGAIN) return shared_block(&channel->shared, &channel->receivers, item, function);
    shared_unlock(&channel->shared);
    return rc;
}

/* ---- Closing ---- */

static int close_locked(struct wf_shared_channel *channel)
{
    if (channel->closed) return -EALREADY;
    channel->closed = true;
    while (channel->senders.first != NULL) shared_grant(&channel->senders, -EPIPE);
    while (channel->receivers.first != NULL) shared_grant(&channel->receivers, 0);
    return 0;
}

int wf_shared_channel_close(struct wf_shared_channel *channel)
{
    shared_lock(&channel->shared, __func__);
    int rc = close_locked(channel);
    shared_unlock(&channel->shared);
    return rc;
}

int wf_shared_channel_close_now(struct wf_shared_channel *channel, void (*drop)(void *item))
{
    shared_lock(&channel->shared, __func__);
    int rc = close_locked(channel);
    for (; channel->count > 0; channel->count--) {
        if (drop != NULL) drop(slot(channel, 0));
        channel->first = (channel->first + 1) % channel->capacity;
    }
    shared_unlock(&channel->shared);
    return rc;
}

void wf_shared_channel_statistics(struct wf_shared_channel *channel, struct wf_shared_statistics *statistics)
{
    shared_lock(&channel->shared, __func__);
    *statistics = (struct wf_shared_statistics){
        .capacity = channel->capacity,
        .count = channel->count,
        .senders = shared_length(&channel->senders),
        .receivers = shared_length(&channel->receivers),
        .sent = channel->sent,
        .received = channel->received,
    };
    shared_unlock(&channel->shared);
}
