/*
 * Jobs in other processes: for code that may crash, leak or never be trusted, and for work on all processors. A worker
 * that dies takes its job with it and nothing else; the next job gets a new worker.
 *
 *     struct question { char text[64]; };
 *     struct answer { int value; };
 *
 *     static int parse(const struct question *question, struct answer *answer) { ... }       // in the worker
 *
 *     int main(int argc, char **argv)
 *     {
 *         if (argc > 1 && strcmp(argv[1], "--worker") == 0) return wf_process_worker(parse);
 *         return wf_main(ask, NULL);
 *     }
 *
 *     static int ask(void *unused)                                                           // here
 *     {
 *         struct wf_process_pool *pool;
 *         const char *const argv[] = {"/proc/self/exe", "--worker", NULL};
 *         int rc = wf_process_pool_open(&pool, argv, .workers = 4, .question = sizeof(struct question),
 *                                       .answer = sizeof(struct answer));
 *         if (rc < 0) return rc;
 *         struct question question = {"1 + 1"};
 *         struct answer answer;
 *         rc = wf_process_pool_run(pool, &question, &answer);
 *         return wf_process_pool_close(pool, rc);
 *     }
 *
 * Questions and answers are structs without pointers, of one size each; both sides are the same program, or are
 * compiled with the same structs. A worker does one job at a time, and need not know of tasks.
 * Threads: the loop that opened it.
 */
#ifndef WEFT_PROCESS_POOL_H
#define WEFT_PROCESS_POOL_H

#include <weft/process.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_process_pool;

enum { WF_PROCESS_WORKERS_MAX = 256 };

struct wf_process_pool_options {
    size_t size;              /* filled by the macro */
    const char *const *argv_; /* as well */
    int workers;              /* at most so many processes; default: one for each processor; at most 256 */
    size_t question, answer;  /* bytes of each; at most 1 MiB */
    uint64_t jobs_max;        /* a worker that has done so many is replaced; default: never */
    uint64_t memory_max;      /* bytes of address space of each worker (RLIMIT_AS); default: no limit */
};

struct wf_process_pool_statistics {
    uint64_t jobs, failed; /* that ended; of them by the end of their worker */
    uint64_t started;      /* workers, ever */
    int workers;           /* now */
};

/*
 * wf_process_pool_open(&pool, argv, .option = value, ...): workers are started when there are jobs for them.
 * Suspends: never. Owns: wf_process_pool_close. Errors: -EINVAL, with a message; -ENOMEM.
 */
#define wf_process_pool_open(pool, ...)                                                                                \
    wf_process_pool_open_((pool), &(struct wf_process_pool_options){.size = sizeof(struct wf_process_pool_options),    \
                                                                    .argv_ = __VA_ARGS__})

/*
 * Has a worker do a job, and returns what its function returned. Who asked first is served first.
 * Suspends: until there is a worker and it has answered. On cancel: a job that had begun is given up: its worker is
 * killed, in bounded time.
 * Errors: -EPIPE when the worker ended before it had answered, and the message says by what; as wf_process_start; the
 * function's own.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_process_pool_run(struct wf_process_pool *pool, const void *question, void *answer);

/* Suspends: never. */
WF_API void wf_process_pool_statistics(const struct wf_process_pool *pool,
                                       struct wf_process_pool_statistics *statistics);

/*
 * Ends the workers; no job may be under way. NULL is ignored. Returns `rc`.
 * Suspends: until they are gone. On cancel: it goes on. WF_UNCANCELLABLE, bounded by the kernel: they are killed.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_process_pool_close(struct wf_process_pool *pool, int rc);

/*
 * wf_process_worker(fn): the whole main of a worker. Answers questions by `int fn(const Q *question, A *answer)` until
 * nobody asks any more; returns the exit status: 0, or 2 when nobody ever asked. Its standard input is the pool's;
 * output and errors are the parent's. Outside any loop it waits in system calls; in a task, where the function may
 * suspend too, by a stream, as the program of a simulated worker (wf_sim_set_program) does.
 * Suspends: in a task, between the questions. On cancel: -ECANCELED; the question that it had is not answered.
 */
#define wf_process_worker(fn) wf_process_worker_((int (*)(const void *, void *))(fn))

WF_API int wf_process_pool_open_(struct wf_process_pool **pool, const struct wf_process_pool_options *options);
WF_API WF_SUSPENDS int wf_process_worker_(int (*fn)(const void *question, void *answer));

#ifdef __cplusplus
}
#endif
#endif
