/*
 * Blocking or CPU-bound work goes to threads. The calling task waits; the loop goes on.
 *
 *     struct digest job = {.path = path};
 *     int rc = wf_offload(hash_file, &job);
 *
 * Each loop has one executor: at most .threads_max workers (wf_run), started when there is work and joined when the
 * loop ends; at most .queue_max jobs wait for a worker, and past that the callers wait, first in, first out.
 * Operations on files use the same workers on the epoll driver, and do not count.
 */
#ifndef WEFT_EXECUTOR_H
#define WEFT_EXECUTOR_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * wf_offload(fn, arg) runs `int fn(T *arg)` on a worker thread and returns its result. `arg` may live on the caller's
 * stack: a job that has begun is always waited for.
 * Suspends: until the job has ended. On cancel: a job that has not begun never runs; one that has is waited for.
 * WF_UNCANCELLABLE from there on, bounded by the job.
 * Errors: -ECANCELED; -EAGAIN when no thread can be started; the job's own.
 */
#define wf_offload(fn, arg) wf_offload_(WF_TASK_FN_(fn, arg), (arg), #fn, WF_HERE_)

/*
 * The abandoning form: on cancel it returns at once and the job's result is dropped. `destroy(arg)` is run exactly
 * once, on the loop's thread, when the job has ended or never ran. It must not suspend; closing, setting and releasing
 * things is fine.
 * Suspends: until the job has ended. On cancel: the job goes on without the caller.
 * Owns: the call, from the start and whatever it returns, what `arg` points to. Errors: as above; -ENOMEM.
 */
#define wf_offload_abandon(fn, arg, destroy)                                                                           \
    wf_offload_abandon_(WF_TASK_FN_(fn, arg), (arg), ((void)sizeof(((destroy)(arg), 0)), (void (*)(void *))(destroy)), \
                        #fn, WF_HERE_)

WF_API WF_SUSPENDS int wf_offload_(int (*fn)(void *), void *arg, const char *name, const char *place);
WF_API WF_SUSPENDS int wf_offload_abandon_(int (*fn)(void *), void *arg, void (*destroy)(void *), const char *name,
                                           const char *place);

#ifdef __cplusplus
}
#endif
#endif
