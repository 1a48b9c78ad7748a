/*
 * A waker sets an event of a loop from anywhere: another thread, a signal handler.
 *
 *     struct wf_event arrived = WF_EVENT;
 *     struct wf_waker *waker;
 *     int rc = wf_waker_create(&arrived, &waker);
 *     if (rc < 0) return rc;
 *     start_thread(waker);                    // there: wf_waker_wake(waker)
 *     rc = wf_event_wait(&arrived);
 *     stop_thread();                          // nobody wakes any more
 *     wf_waker_destroy(waker);
 *
 * While a waker exists, a loop whose tasks all wait is not a deadlock: it waits too. (In a simulated world, which is
 * closed, it still is one.)
 */
#ifndef WEFT_WAKER_H
#define WEFT_WAKER_H

#include <weft/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_waker;

/*
 * A waker for an event, which must live as long. Suspends: never. Owns: the caller, who destroys it before the loop
 * ends.
 * Errors: -ENOMEM. Threads: the loop's.
 */
WF_API WF_CHECKED int wf_waker_create(struct wf_event *event, struct wf_waker **waker);

/*
 * Sets the event in the loop's next pass. Several calls before that are one. Errno is left alone.
 * Suspends: never. Threads: any, and signal handlers.
 */
WF_API void wf_waker_wake(struct wf_waker *waker);

/* NULL is ignored. Nobody may call wf_waker_wake any more, or at the same time; what was on its way is forgotten.
 * Suspends: never. Threads: the loop's. */
WF_API void wf_waker_destroy(struct wf_waker *waker);

#ifdef __cplusplus
}
#endif
#endif
