/*
 * Waiting for the first of several things, of different kinds, and taking exactly that one.
 *
 *     struct wf_case cases[] = {
 *         WF_CASE_EVENT(&stop),
 *         WF_CASE_RECEIVE(&jobs, &job),
 *         WF_CASE_UNTIL(next_report),
 *     };
 *     switch (wf_select(cases, WF_COUNT(cases))) {
 *     case 0: return 0;
 *     case 1: if (cases[1].result == 0) return 0; work(&job); break;       // 0: closed
 *     case 2: report(); break;
 *     default: return -ECANCELED;
 *     }
 *
 * Exactly one case is carried out; the others are as if they had never been asked: no item is taken or sent by them.
 * Where several are ready at once, the first in the array is taken. So the array is an order of precedence, and one
 * that is always ready keeps those behind it from their turn; who wants turns, turns the array.
 *
 * An array may be used again and again. It may name a thing twice.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_SELECT_H
#define WEFT_SELECT_H

#include <weft/channel.h>
#include <weft/stream.h>
#include <weft/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WF_SELECT_MAX = 32,      /* cases of one select */
    WF_SELECT_READY_MAX = 4, /* and so many of them WF_CASE_READY */
};

enum wf_case_kind_ {
    WF_CASE_RECEIVE_ = 1,
    WF_CASE_SEND_,
    WF_CASE_EVENT_,
    WF_CASE_HANDLE_,
    WF_CASE_FUTURE_,
    WF_CASE_UNTIL_,
    WF_CASE_READY_,
};

struct wf_case {
    int result; /* of the one that was carried out: what its call would have returned */
    enum wf_case_kind_ kind_;
    union {
        struct wf_channel *channel;
        struct wf_event *event;
        struct wf_handle *handle;
        struct wf_future *future;
    } on_;
    void *item_;
    size_t item_size_;
    int64_t deadline_;
    int fd_;
    unsigned readiness_;
    void *reserved_[2];
};

/* As wf_receive: the result is 1, and the item is there; or 0, when the channel is closed and drained. */
#define WF_CASE_RECEIVE(from, item)                                                                                    \
    {                                                                                                                  \
        .kind_ = WF_CASE_RECEIVE_, .on_.channel = (from), .item_ = (item), .item_size_ = sizeof *(item)                \
    }

/* As wf_send: the result is 0, or -EPIPE when the channel is closed. */
#define WF_CASE_SEND(to, item)                                                                                         \
    {                                                                                                                  \
        .kind_ = WF_CASE_SEND_, .on_.channel = (to), .item_ = (void *)(uintptr_t)(item), .item_size_ = sizeof *(item)  \
    }

/* As wf_event_wait: the event is set; the result is 0. */
#define WF_CASE_EVENT(one)                                                                                             \
    {                                                                                                                  \
        .kind_ = WF_CASE_EVENT_, .on_.event = (one)                                                                    \
    }

/* As wf_handle_join: the child has ended, the result is its. */
#define WF_CASE_HANDLE(one)                                                                                            \
    {                                                                                                                  \
        .kind_ = WF_CASE_HANDLE_, .on_.handle = (one)                                                                  \
    }

/* As wf_future_wait, without the message: the future is set; the result is 0 or its error. */
#define WF_CASE_FUTURE(one)                                                                                            \
    {                                                                                                                  \
        .kind_ = WF_CASE_FUTURE_, .on_.future = (one)                                                                  \
    }

/* The time has come; the result is 0. WF_FOREVER: never. */
#define WF_CASE_UNTIL(deadline_ns)                                                                                     \
    {                                                                                                                  \
        .kind_ = WF_CASE_UNTIL_, .deadline_ = (deadline_ns)                                                            \
    }

/*
 * As wf_wait_fd: the descriptor is ready; the result is the readiness found, or an error. Only the kernel can tell, and
 * it is asked when none of the other cases is ready, wherever this one stands.
 */
#define WF_CASE_READY(descriptor, readiness)                                                                           \
    {                                                                                                                  \
        .kind_ = WF_CASE_READY_, .fd_ = (descriptor), .readiness_ = (readiness)                                        \
    }

/*
 * Waits until one of the cases can be carried out, does it, and returns its index; its result is in the case.
 * Suspends: until then; with WF_CASE_READY, also until the kernel has let go of the others. On cancel: none of them
 * happened.
 * Errors: -ECANCELED; -EINVAL for no cases, or one that cannot be waited for; -EBADF; -E2BIG for more than
 * WF_SELECT_MAX, or WF_SELECT_READY_MAX of the kernel.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_select(struct wf_case *cases, size_t count);

/* The same without waiting. Suspends: never. Errors: -EAGAIN when none is ready; -EINVAL also for WF_CASE_READY. */
WF_API WF_CHECKED int wf_try_select(struct wf_case *cases, size_t count);

#ifdef __cplusplus
}
#endif
#endif
