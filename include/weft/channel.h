/*
 * Channels: items that pass from task to task, first in, first out, with back-pressure. A channel is a queue of work
 * too, and, given an order, a priority queue.
 *
 *     WF_CHANNEL(jobs, struct job, 16);               // room for 16; 0: sender and receiver meet
 *     WF_SCOPE(scope);
 *     wf_spawn(&scope, produce, &jobs);               // wf_send(&jobs, &job) ..., then wf_channel_close(&jobs)
 *     struct job job;
 *     int rc;
 *     while ((rc = wf_receive(&jobs, &job)) > 0) work(&job);
 *     return wf_scope_end(&scope, rc);                // 0 when the channel was closed and is drained
 *
 * Items are copied, byte for byte, and pass directly: a receiver that waits is given the item into its own variable,
 * and a sender that waits has its item taken over as soon as there is room. So nobody overtakes anybody, and whoever
 * was granted an item, or was rid of one, returns success even if it is cancelled a moment later. Each item is received
 * exactly once or is still its sender's.
 *
 * A channel owns nothing but the bytes of its items; WF_CHANNEL needs no finishing, but nobody may be waiting when it
 * goes out of use.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_CHANNEL_H
#define WEFT_CHANNEL_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Making one ---- */

struct wf_channel {
    struct wf_queue_ senders_, receivers_, joiners_;
    char *slots_;
    size_t item_size_, slot_size_, capacity_;
    size_t first_, count_; /* of a ring; with an order, the slots are a heap and first_ is 0 */
    bool (*before_)(const void *one, const void *other);
    uint64_t sent_, received_;
    size_t unfinished_; /* sent and not yet said to be done */
    bool closed_;
    void *reserved_[2];
};

/*
 * WF_CHANNEL(name, type, capacity) declares `struct wf_channel name` for items of a type, with room for `capacity` of
 * them, a constant; 0 makes a rendezvous: a send goes on when its item has been received. It lives where it is
 * declared: in a block, or, with `static` before it, outside functions.
 */
#define WF_CHANNEL(name, type, capacity)                                                                               \
    struct wf_channel name = {                                                                                         \
        .slots_ = (char *)(WF_SLOT_(type)[(capacity) == 0 ? 1 : (capacity)]){[0].zero_ = 0},                           \
        .item_size_ = sizeof(type),                                                                                    \
        .slot_size_ = sizeof(type),                                                                                    \
        .capacity_ = (capacity),                                                                                       \
    }

/*
 * WF_PRIORITY_CHANNEL(name, type, capacity, before) declares a channel that gives, of what it holds, the item that
 * comes before the others by `bool before(const type *one, const type *other)`; equal ones in the order in which they
 * were sent. `capacity` is 1 at least. Senders that wait for room are not compared: they are first in, first out.
 */
#define WF_PRIORITY_CHANNEL(name, type, capacity, before)                                                              \
    struct wf_channel name = {.slots_ = (char *)(WF_ORDERED_SLOT_(type)[capacity]){[0].sequence_ = 0},                 \
                              .item_size_ = sizeof(type),                                                              \
                              .slot_size_ = sizeof(WF_ORDERED_SLOT_(type)),                                            \
                              .capacity_ = (capacity),                                                                 \
                              .before_ = WF_ORDER_(type, before)}

/*
 * A channel on the heap, for a capacity that is computed. `before`: as above, or NULL.
 * Suspends: never. Owns: the caller, who destroys it.
 * Errors: -EINVAL for an item size of 0, an order without room, sizes that overflow; -ENOMEM.
 */
WF_API int wf_channel_create(size_t item_size, size_t capacity, bool (*before)(const void *one, const void *other),
                             struct wf_channel **channel);

/* Frees it, and the bytes of the items that are in it; NULL is ignored. Aborts when a task waits. Suspends: never. */
WF_API void wf_channel_destroy(struct wf_channel *channel);

/* ---- Sending and receiving ---- */

/*
 * wf_send(channel, &item) sends a copy of the item, whose size must be the channel's (anything else aborts). Returns 0.
 * Suspends: while there is no room; on a rendezvous, until it is received. On cancel: not sent, the item is the
 * caller's.
 * Errors: -ECANCELED; -EPIPE when the channel is closed, before or while it waits: the item is still the caller's.
 */
#define wf_send(channel, item) wf_send_((channel), (item), sizeof *(item))

/*
 * wf_receive(channel, &item) takes the next item. Returns 1; 0 when the channel is closed and nothing is left in it.
 * Suspends: until there is an item. On cancel: no item was taken. Errors: -ECANCELED.
 */
#define wf_receive(channel, item) wf_receive_((channel), (item), sizeof *(item))

/*
 * The same without waiting. Suspends: never.
 * Errors: -EAGAIN when there is no room, and on a rendezvous no receiver that waits; or no item; -EPIPE.
 */
#define wf_try_send(channel, item) wf_try_send_((channel), (item), sizeof *(item))
#define wf_try_receive(channel, item) wf_try_receive_((channel), (item), sizeof *(item))

/* ---- Closing ---- */

/*
 * No more items: senders get -EPIPE, those that wait too; receivers get what is left, then 0.
 * Suspends: never. Errors: -EALREADY when it is closed.
 */
WF_API int wf_channel_close(struct wf_channel *channel);

/*
 * The same, and what is left goes to `drop`, item by item in the order of the channel, in place of to receivers; the
 * item is valid during the call. Items that own something are released there; NULL: nothing is to be done.
 * Suspends: never; nor may `drop`. Errors: -EALREADY when it was closed, and what was left is dropped all the same.
 */
WF_API int wf_channel_close_now(struct wf_channel *channel, void (*drop)(void *item));

/* Suspends: never. */
WF_API bool wf_channel_is_closed(const struct wf_channel *channel);

/* ---- A queue of work: who put it there waits until it is done ---- */

/*
 * An item that was received has been worked off. Suspends: never.
 * Errors: -EINVAL when every received item was said to be done already.
 */
WF_API int wf_channel_done(struct wf_channel *channel);

/*
 * Waits until every item that was sent is done: as many calls of wf_channel_done, or dropped by wf_channel_close_now.
 * Suspends: until then. On cancel: nothing. Errors: -ECANCELED.
 */
WF_API WF_SUSPENDS int wf_channel_join(struct wf_channel *channel);

/* ---- Looking ---- */

struct wf_channel_statistics {
    size_t capacity, count;             /* items that it may hold, and holds */
    size_t senders, receivers, joiners; /* that wait */
    size_t unfinished;                  /* sent and not yet done */
    uint64_t sent, received;            /* since it was made */
};
WF_API void wf_channel_statistics(const struct wf_channel *channel, struct wf_channel_statistics *statistics);

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS WF_CHECKED int wf_send_(struct wf_channel *channel, const void *item, size_t size);
WF_API WF_SUSPENDS WF_CHECKED int wf_receive_(struct wf_channel *channel, void *item, size_t size);
WF_API WF_CHECKED int wf_try_send_(struct wf_channel *channel, const void *item, size_t size);
WF_API WF_CHECKED int wf_try_receive_(struct wf_channel *channel, void *item, size_t size);

/* As large as an item; `zero_` is what an initialiser can name, whatever the type. */
#define WF_SLOT_(type)                                                                                                 \
    union {                                                                                                            \
        char zero_;                                                                                                    \
        __typeof__(type) item_;                                                                                        \
    }

/* An item and its age. */
#define WF_ORDERED_SLOT_(type)                                                                                         \
    struct {                                                                                                           \
        __typeof__(type) item_;                                                                                        \
        uint64_t sequence_;                                                                                            \
    }

/* The function as the library calls it, after the compiler has checked it against the type. */
#define WF_ORDER_(type, before)                                                                                        \
    (bool (*)(const void *, const void *))(1 ? (before)                                                                \
                                             : (bool (*)(const __typeof__(type) *, const __typeof__(type) *))0)

#ifdef __cplusplus
}
#endif
#endif
