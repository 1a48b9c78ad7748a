/*
 * Where tasks of several loops meet, and threads that have none: a channel and an event that belong to no loop.
 *
 *     struct wf_shared_channel *jobs;
 *     int rc = wf_shared_channel_create(sizeof(struct job), 64, WF_WITH_LOOPS, &jobs);
 *     if (rc < 0) return rc;
 *     {
 *         WF_SCOPE(scope);
 *         for (int i = 0; i < wf_loops_count(); i++) wf_spawn_on(&scope, i, work_off, &jobs);
 *         rc = produce(jobs);                                  // wf_shared_send(jobs, &job) ...
 *         wf_shared_channel_close(jobs);
 *         rc = wf_scope_end(&scope, rc);
 *     }
 *     wf_shared_channel_destroy(jobs);
 *
 *     static int work_off(struct wf_shared_channel **jobs)     // on each loop
 *     {
 *         struct job job;
 *         int rc;
 *         while ((rc = wf_shared_receive(*jobs, &job)) > 0) do_it(&job);
 *         return rc;
 *     }
 *
 * They keep the promises of wf_channel and wf_event: first in, first out, whatever loop they wait on; items pass
 * directly; what a waker and a cancel both want has exactly one outcome, and no item is lost or doubled. They cost a
 * lock, and a message where the other one waits on another loop; within one loop, take wf_channel and wf_event.
 */
#ifndef WEFT_SHARED_H
#define WEFT_SHARED_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_shared_channel;
struct wf_shared_event;

/*
 * Who may use it. WF_WITH_LOOPS: tasks of this run, on all its loops, and their jobs (wf_offload). WF_WITH_THREADS:
 * other threads too, and loops of other runs; then, as with a waker, a task that waits for it is no deadlock.
 */
enum wf_shared_with {
    WF_WITH_LOOPS,
    WF_WITH_THREADS,
};

/* ---- Channels ---- */

/*
 * A channel for items of a size, with room for `capacity` of them; 0: sender and receiver meet.
 * Suspends: never. Owns: wf_shared_channel_destroy. Errors: -EINVAL for an item size of 0 and sizes that overflow;
 * -ENOMEM. Threads: any; outside of loops only WF_WITH_THREADS.
 */
WF_API WF_CHECKED int wf_shared_channel_create(size_t item_size, size_t capacity, enum wf_shared_with with,
                                               struct wf_shared_channel **channel);

/* Frees it, and the bytes of the items that are in it; NULL is ignored. Nobody may use it any more; aborts when someone
 * waits. Suspends: never. Threads: any. */
WF_API void wf_shared_channel_destroy(struct wf_shared_channel *channel);

/*
 * wf_shared_send(channel, &item) sends a copy of the item, whose size must be the channel's (anything else aborts).
 * Returns 0.
 * Suspends: while there is no room; on a rendezvous, until it is received. On cancel: not sent, the item is the
 * caller's. Errors: -ECANCELED; -EPIPE when the channel is closed, before or while it waits: the item is the caller's.
 */
#define wf_shared_send(channel, item) wf_shared_send_((channel), (item), sizeof *(item))

/*
 * wf_shared_receive(channel, &item) takes the next item. Returns 1; 0 when the channel is closed and nothing is left.
 * Suspends: until there is an item. On cancel: no item was taken. Errors: -ECANCELED.
 */
#define wf_shared_receive(channel, item) wf_shared_receive_((channel), (item), sizeof *(item))

/* The same without waiting. Suspends: never. Errors: -EAGAIN for no room, or no item; -EPIPE. Threads: any. */
#define wf_shared_try_send(channel, item) wf_shared_try_send_((channel), (item), sizeof *(item))
#define wf_shared_try_receive(channel, item) wf_shared_try_receive_((channel), (item), sizeof *(item))

/*
 * The same for threads that run no loop, and jobs: they block. In a task that aborts, for it would stop the loop.
 * Suspends: never. Errors: -EPIPE. Threads: those without a loop.
 */
#define wf_shared_send_blocking(channel, item) wf_shared_send_blocking_((channel), (item), sizeof *(item))
#define wf_shared_receive_blocking(channel, item) wf_shared_receive_blocking_((channel), (item), sizeof *(item))

/*
 * No more items: senders get -EPIPE, those that wait too; receivers get what is left, then 0.
 * Suspends: never. Errors: -EALREADY when it is closed. Threads: any.
 */
WF_API int wf_shared_channel_close(struct wf_shared_channel *channel);

/* The same, and what is left goes to `drop`, item by item, in place of to receivers; it must not use the channel.
 * Suspends: never. Errors: -EALREADY when it was closed, and what was left is dropped all the same. Threads: any. */
WF_API int wf_shared_channel_close_now(struct wf_shared_channel *channel, void (*drop)(void *item));

struct wf_shared_statistics {
    size_t capacity, count;    /* items that it may hold, and holds */
    size_t senders, receivers; /* that wait */
    uint64_t sent, received;   /* since it was made */
};
/* At one moment. Suspends: never. Threads: any. */
WF_API void wf_shared_channel_statistics(struct wf_shared_channel *channel, struct wf_shared_statistics *statistics);

/* ---- Events ---- */

/* An event that is not set. Suspends: never. Owns: wf_shared_event_destroy. Errors: -ENOMEM. Threads: as a channel. */
WF_API WF_CHECKED int wf_shared_event_create(enum wf_shared_with with, struct wf_shared_event **event);

/* NULL is ignored. Nobody may use it any more; aborts when someone waits. Suspends: never. Threads: any. */
WF_API void wf_shared_event_destroy(struct wf_shared_event *event);

/* Wakes all who wait, and who comes from now on does not wait; until it is cleared. Suspends: never. Threads: any. */
WF_API void wf_shared_event_set(struct wf_shared_event *event);
WF_API void wf_shared_event_clear(struct wf_shared_event *event);
WF_API bool wf_shared_event_is_set(struct wf_shared_event *event);

/* Suspends: until it is set. On cancel: nothing. Errors: -ECANCELED. */
WF_API WF_SUSPENDS int wf_shared_event_wait(struct wf_shared_event *event);

/* The same for threads that run no loop, and jobs: they block. Suspends: never. Threads: those without a loop. */
WF_API void wf_shared_event_wait_blocking(struct wf_shared_event *event);

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS WF_CHECKED int wf_shared_send_(struct wf_shared_channel *channel, const void *item, size_t size);
WF_API WF_SUSPENDS WF_CHECKED int wf_shared_receive_(struct wf_shared_channel *channel, void *item, size_t size);
WF_API WF_CHECKED int wf_shared_try_send_(struct wf_shared_channel *channel, const void *item, size_t size);
WF_API WF_CHECKED int wf_shared_try_receive_(struct wf_shared_channel *channel, void *item, size_t size);
WF_API WF_CHECKED int wf_shared_send_blocking_(struct wf_shared_channel *channel, const void *item, size_t size);
WF_API WF_CHECKED int wf_shared_receive_blocking_(struct wf_shared_channel *channel, void *item, size_t size);

#ifdef __cplusplus
}
#endif
#endif
