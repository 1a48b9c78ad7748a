/*
 * What a task may ask and say about itself: its name, why it was cancelled, what went wrong, and its task-locals.
 *
 *     if (!vin_is_valid(vin)) return wf_fail(-EINVAL, "bad VIN %s", vin);
 *
 *     static struct wf_local request_id = {.name = "request_id"};
 *     WF_BIND(bound, &request_id, "r-17");             // visible here and in the scopes opened below
 *     log_line("handling %s", (const char *)wf_local_get(&request_id));
 *
 * Threads: every call here belongs inside a task.
 */
#ifndef WEFT_TASK_H
#define WEFT_TASK_H

#include <weft/base.h>
#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Is the caller running inside a task of a loop? Threads: any. */
WF_API bool wf_in_task(void);

/* The name and the number (unique in its loop, from 1) of the running task. Valid while it runs. */
WF_API const char *wf_task_name(void);
WF_API uint64_t wf_task_id(void);

/* Is the running task effectively cancelled, and why? NULL when it is not. Suspends: never. */
WF_API bool wf_cancelled(void);
WF_API const struct wf_reason *wf_cancel_reason(void);

/* The reason that a scope of this task (a wf_within too) last ended for. NULL: none yet. Suspends: never. */
WF_API const struct wf_reason *wf_caught_reason(void);

/* Has the running task been asked to finish what is in flight and take nothing new? Suspends: never. */
WF_API bool wf_draining(void);

/* The effective deadline: the minimum up to and including the nearest shield; WF_FOREVER when there is none.
 * wf_remaining is never 0: negative once the deadline has passed, so that `.timeout = wf_remaining()` stays expired. */
WF_API int64_t wf_deadline(void);
WF_API int64_t wf_remaining(void);

/*
 * Returns `code`, and sets the message that the scope's error list will carry for it: copied, cut at 512 bytes.
 * Suspends: never. Use: return wf_fail(-EINVAL, "bad VIN %s", vin);
 */
WF_API int wf_fail(int code, const char *format, ...) WF_PRINTF_(2, 3);

/* The message of the task's last failure (wf_fail, or a scope that ended with errors); NULL when there is none. It is
 * the task's and lasts until its next failure or end. */
WF_API const char *wf_failure(void);

/* Forgets that message: said by a task that turns to somebody else's work. Suspends: never. */
WF_API void wf_forget_failure(void);

/* An arena for scratch; dies with the task. NULL: out of memory; allocating from it fails, too. */
WF_API struct wf_arena *wf_task_arena(void);

/* ---- Task-locals ---- */

/* A key: declare it static. */
struct wf_local {
    const char *name;
    void *(*retain)(void *value); /* a value that is captured past its binding is retained, and released when the */
    void (*release)(void *value); /* last task that captured it has ended; NULL: values outlive their captures. */
    /* `retain` may give another value, a copy; NULL means that there is no memory for it. */
};

/* One binding of the chain that a task sees: private. */
struct wf_context {
    const struct wf_local *key;
    void *value;
    const struct wf_context *outer;
    size_t references; /* of a captured one; 0: lives on a stack */
};

struct wf_binding {
    struct wf_context context_;
    void *reserved_[2];
};

/*
 * WF_BIND(variable, key, value) binds a value (a pointer) to a key until the C block is left. Bindings are immutable:
 * tasks spawned in scopes that were opened inside the block see it; the parent and siblings never do.
 */
#define WF_BIND(variable, key, bound)                                                                                  \
    struct wf_binding variable                                                                                         \
        __attribute__((cleanup(wf_unbind_))) = {{(key), (void *)(uintptr_t)(bound), NULL, 0}, {NULL}};                 \
    wf_bind_(&variable)

/* The innermost value of a key, or NULL. A job on a thread (wf_offload) sees those of the task that gave it.
 * Threads: any; outside tasks and jobs there is none. */
WF_API void *wf_local_get(const struct wf_local *key);

WF_API void wf_bind_(struct wf_binding *binding);
WF_API void wf_unbind_(struct wf_binding *binding);

#ifdef __cplusplus
}
#endif
#endif
