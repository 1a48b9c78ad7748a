/*
 * A loop inside another library's loop: GLib, libuv, Qt, or a poll(2) of one's own. The other loop watches a descriptor
 * and a time, and gives weft a turn, which never blocks.
 *
 *     struct wf_embedded *weft;
 *     int rc = wf_embed_begin(&weft, my_main_task, &app);
 *     while ((rc = wf_embed_turn(weft)) > 0) {
 *         struct pollfd fds[] = {{.fd = wf_embed_fd(weft), .events = POLLIN}, mine};
 *         poll(fds, 2, milliseconds(wf_embed_patience(weft)));
 *         ...
 *     }
 *     rc = wf_embed_finish(weft);                              // the main task's result
 *
 * Tasks run only inside wf_embed_turn and wf_embed_finish. Code of the other loop hands something to a task by a waker
 * (weft/waker.h), like any other thread; a task calls into the other library as it likes, for it is on its thread.
 * A turn runs what can run, and asks the kernel once; a task that does not give way holds both loops.
 *
 * Threads: the one that began it, outside of tasks; in a task everything gives -EBUSY. A thread has one loop: wf_run
 * gives -EBUSY until this one is finished. Suspends: never, none of them is for tasks.
 */
#ifndef WEFT_EMBED_H
#define WEFT_EMBED_H

#include <weft/run.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_embedded;

/*
 * wf_embed_begin(&embedded, fn, arg, .option = value, ...) makes a loop with `int fn(T *arg)` as its main task, which
 * has not begun yet. The options are those of wf_run. Suspends: never. Owns: wf_embed_finish.
 * Errors: -EOPNOTSUPP on the simulated driver, which has no descriptor; -EBUSY; as wf_run.
 */
#define wf_embed_begin(embedded, fn, ...)                                                                              \
    wf_embed_begin_((embedded), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                               \
                    &(struct wf_run_options){.size = sizeof(struct wf_run_options),                                    \
                                             .function_ = #fn,                                                         \
                                             .place_ = WF_HERE_,                                                       \
                                             .arg_ = __VA_ARGS__})

/* The descriptor to watch: when it is readable, a turn is due. It stays the loop's. Suspends: never. Errors: -EBADF for
 * NULL. */
WF_API int wf_embed_fd(const struct wf_embedded *embedded);

/* Nanoseconds until a turn is due although the descriptor is not readable; 0: now; WF_FOREVER: never. It changes with
 * every turn. Suspends: never. */
WF_API int64_t wf_embed_patience(const struct wf_embedded *embedded);

/* A turn: returns 1, or 0 once all has ended. A turn too many does no harm. Suspends: never. Errors: -EBUSY in a task,
 * -EINVAL for NULL. */
WF_API int wf_embed_turn(struct wf_embedded *embedded);

/*
 * Ends the loop and gives the main task's result. What has not ended is cancelled, and waited for: this may block for
 * as long as that takes. NULL: 0. Suspends: never. Errors: -EBUSY in a task; as wf_run.
 */
WF_API int wf_embed_finish(struct wf_embedded *embedded);

/* ---- What the macro stands on: private ---- */

WF_API int wf_embed_begin_(struct wf_embedded **embedded, int (*fn)(void *), const struct wf_run_options *options);

#ifdef __cplusplus
}
#endif
#endif
