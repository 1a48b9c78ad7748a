/*
 * A bridge: plain threads call functions that suspend, and wait for the result. For code that is not yet on weft: a
 * callback on a thread of another library, an old worker that needs one answer.
 *
 *     struct wf_bridge *bridge;
 *     int rc = wf_bridge_create(&scope, &bridge);      // in a task
 *     ...
 *     struct lookup lookup = {.name = name};           // on another thread
 *     rc = wf_bridge_call(bridge, look_up, &lookup);   // look_up runs as a task of that loop; this thread blocks
 *     ...
 *     stop_threads();
 *     wf_bridge_destroy(bridge);                       // in a task again
 *
 * A call is a task in the scope of the bridge, but its result is its caller's and not the scope's. A drain lets no more
 * calls in; those under way go on. When the scope is cancelled, or ends, they are cancelled. While a bridge is open, a
 * loop whose tasks all wait is not a deadlock.
 */
#ifndef WEFT_BRIDGE_H
#define WEFT_BRIDGE_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_bridge;

/*
 * Opens a bridge to this loop. What serves it is a daemon of the scope.
 * Suspends: never. Owns: wf_bridge_destroy. Errors: -ECANCELED, -EAGAIN, -ENOMEM.
 */
WF_API WF_CHECKED int wf_bridge_create(struct wf_scope *scope, struct wf_bridge **bridge);

/*
 * wf_bridge_call(bridge, fn, arg) runs `int fn(T *arg)` as a task and blocks the thread until it has ended. `arg` may
 * be on its stack.
 * Suspends: never: it aborts on a thread that runs a loop, which it would stop. (In a task there is wf_call_on.)
 * Errors: the function's own; -ESHUTDOWN when the bridge takes no more calls; -ECANCELED, -ENOMEM, -EAGAIN when there
 * was no task for it. Threads: any without a loop.
 */
#define wf_bridge_call(bridge, fn, arg) wf_bridge_call_((bridge), WF_TASK_FN_(fn, arg), (arg), #fn, WF_HERE_)

/* NULL is ignored. Calls under way go on; nobody may begin one any more. Suspends: never. */
WF_API void wf_bridge_destroy(struct wf_bridge *bridge);

/* ---- What the macro stands on: private ---- */

WF_API int wf_bridge_call_(struct wf_bridge *bridge, int (*fn)(void *), void *arg, const char *function,
                           const char *place);

#ifdef __cplusplus
}
#endif
#endif
