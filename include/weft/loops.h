/*
 * Several loops: one for each core, in one run. Loop 0 is the thread of wf_run and has the main task; the others have
 * threads of their own and live as long as the main task does.
 *
 *     static int serve(const struct app *app)           // on every loop: a listener of its own, on one port
 *     {
 *         struct wf_listener *listener;
 *         int rc = wf_tcp_listen(NULL, 8080, &listener, .reuse_port = true);
 *         if (rc == 0) rc = wf_serve_streams(listener, handle, app);
 *         wf_listener_close(listener);
 *         return rc;
 *     }
 *
 *     static int run(struct app *app) { return wf_everywhere(serve, app); }
 *     int main(void) { return wf_main(run, &app, .threads = WF_EVERY_CPU, .signals = true); }
 *
 * A task never moves: it ends on the loop on which it began. Loops share nothing, so what belongs to one (streams,
 * locks, channels, arenas, scopes, handles) is for its tasks alone, and a task on another loop gets values: its
 * argument, and its result. Where several must meet, weft/shared.h has what is made for that.
 *
 * A child on another loop has a proxy here, a child of the scope like any other: it waits for the real one. So joins,
 * limits, policies, handles, names and error paths are as for every child. What is cancelled or drained here is
 * cancelled or drained there, with the same reason, as soon as the message has come; and the real end is waited for.
 * Task-locals that the child would inherit are copied: `retain` of their keys is called here, `release` there. So is
 * the deadline, as it is when the child starts.
 *
 * When every loop waits, and for nothing but another one, that is a deadlock as it is for one loop alone (weft/run.h).
 *
 * In a simulated world N loops are one thread, and messages between them take their time: tests run such code as it is,
 * and the same in every run. WF_EVERY_CPU is 4 there.
 */
#ifndef WEFT_LOOPS_H
#define WEFT_LOOPS_H

#include <weft/run.h>
#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many loops this run has, and on which of them the caller is, from 0. Suspends: never. Threads: inside a loop. */
WF_API int wf_loops_count(void);
WF_API int wf_loop_index(void);

/* Tasks that others, or itself, have sent to a loop, and that have not ended. Suspends: never. Errors: -EINVAL.
 * Threads: inside a loop. */
WF_API int wf_loop_load(int index);

/* In place of an index: the loop with the least of these; of equal ones, the next in turn. */
enum { WF_LEAST_LOADED = -1 };

struct wf_spawn_on_options {
    size_t size; /* filled by the macro */
    const void *arg_;
    const char *name;             /* as for wf_spawn */
    struct wf_handle *handle;     /* of the proxy: where the result goes, and by which it is cancelled */
    size_t stack_size;            /* of the task there; default 48 KiB */
    bool daemon;                  /* as for wf_spawn */
    enum wf_context_from context; /* as for wf_spawn */
    void (*drop)(void *arg);      /* releases what its copy of the argument owns, where the task could not be made after
                                     all; on either loop, perhaps outside of tasks: it must not suspend */
    size_t copy_size_;
    const char *function_;
    const char *place_;
};

/*
 * wf_spawn_on(scope, index, fn, arg, .option = value, ...) starts `int fn(T *arg)` on another loop, or on this one, as
 * a child of the scope. It gets its own shallow copy of `*arg`, freed when it ends; NULL stays NULL.
 * Returned 0: the function will run, even if it is cancelled meanwhile, unless there is no memory for it on the other
 * loop, or no room under its .tasks_max: then the child fails with -ENOMEM or -EAGAIN.
 * Suspends: only while the scope's limit is reached. On cancel: nothing runs, nothing was copied.
 * Owns: the child, once 0 was returned, what its copy owns; until then, and after a failure, the caller.
 * Errors: -ECANCELED; -EINVAL, with a message, where there is no such loop; -ENOMEM, -EAGAIN. They count as a failed
 * child. Threads: tasks of the scope's loop.
 */
#define wf_spawn_on(scope, index, fn, ...)                                                                             \
    wf_spawn_on_((scope), (index), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                            \
                 &(struct wf_spawn_on_options){.size = sizeof(struct wf_spawn_on_options),                             \
                                               .function_ = #fn,                                                       \
                                               .place_ = WF_HERE_,                                                     \
                                               .copy_size_ = sizeof(*(WF_FIRST_(__VA_ARGS__))),                        \
                                               .arg_ = __VA_ARGS__})

/*
 * wf_call_on(index, fn, arg) calls `int fn(T *arg)` in a task on another loop and returns its result. `arg` may be on
 * the caller's stack: it is the caller's own memory, which it must leave alone until then.
 * Suspends: until it has ended. On cancel: it is cancelled there, and has ended.
 * Errors: its own, with its message; -ECANCELED; -EINVAL; -ENOMEM; -EAGAIN.
 */
#define wf_call_on(index, fn, arg) wf_call_on_((index), WF_TASK_FN_(fn, arg), (arg), #fn, WF_HERE_)

/*
 * wf_everywhere(fn, arg) calls `int fn(T *arg)` on every loop, this one too, and waits for all of them. The first that
 * fails cancels the others, and is the result. All get the same pointer: what it points to is shared between threads,
 * and so is best not written to.
 * Suspends: until all have ended. On cancel: they are cancelled there, and have ended. Errors: as wf_call_on.
 */
#define wf_everywhere(fn, arg) wf_everywhere_(WF_TASK_FN_(fn, arg), (arg), #fn, WF_HERE_)

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_spawn_on_(struct wf_scope *scope, int index, int (*fn)(void *),
                                    const struct wf_spawn_on_options *options);
WF_API WF_SUSPENDS int wf_call_on_(int index, int (*fn)(void *), void *arg, const char *function, const char *place);
WF_API WF_SUSPENDS int wf_everywhere_(int (*fn)(void *), const void *arg, const char *function, const char *place);

#ifdef __cplusplus
}
#endif
#endif
