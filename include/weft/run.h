/*
 * A loop: where tasks run. wf_run makes one on the calling thread, runs a function as its first task, and returns that
 * function's result when it and everything it started has ended.
 *
 *     static int hello(void *unused) { ... }
 *     int main(void) { return wf_main(hello, NULL); }
 *
 * Threads: each thread may run a loop of its own; nothing is shared between them. With .threads = N one run has N
 * loops, which can give each other work (weft/loops.h).
 */
#ifndef WEFT_RUN_H
#define WEFT_RUN_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_EVERY_CPU = -1 };

struct wf_run_options {
    size_t size; /* filled by the macro */
    const void *arg_;
    const char *driver;   /* "uring" or "epoll"; default: $WEFT_DRIVER, else the best that the kernel allows */
    bool signals;         /* SIGINT and SIGTERM: the first drains, the second cancels, the third ends the process; */
                          /* and SIGUSR1, SIGQUIT and crashes tell what the tasks do: see below */
    int dump_signal;      /* instead of SIGUSR1; WF_NO_SIGNAL: none */
    int64_t grace;        /* from the drain to the cancel; 0: the first signal cancels at once */
    size_t stack_size;    /* of the main task; default 1 MiB; only touched pages cost */
    size_t stack_cache;   /* stacks kept warm after use; default 256 */
    int threads;          /* loops, each with a thread (weft/loops.h): 1 by default, 256 at most, or WF_EVERY_CPU */
    uint32_t tasks_max;   /* of each loop: spawning past that is -EAGAIN; default: memory decides */
    uint32_t threads_max; /* workers of each loop's executor; default 4 */
    uint32_t queue_max;   /* jobs that may wait for a worker before callers do; default 1024 */
    int64_t watchdog_ns;  /* a task that holds the loop for longer is reported; default 100 ms; negative: none is */
    const char *function_;
    const char *place_;
};

/*
 * wf_run(fn, arg, .option = value, ...) runs `int fn(T *arg)` as the main task of a new loop on this thread.
 * Returns its result. Errors: -EDEADLK after a deadlock was reported and broken by cancelling (one that
 * cannot be cancelled ends the process); -EBUSY inside a running loop; -EINVAL; -ENOMEM;
 * what the driver's set-up said when no driver could be had.
 */
#define wf_run(fn, ...)                                                                                                \
    wf_run_(WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)), &(struct wf_run_options){.size = sizeof(struct wf_run_options),   \
                                                                              .function_ = #fn,                        \
                                                                              .place_ = WF_HERE_,                      \
                                                                              .arg_ = __VA_ARGS__})

/* wf_run for `main`: an error is written to standard error, and the result becomes the exit status. */
#define wf_main(fn, ...) wf_exit_status(wf_run(fn, __VA_ARGS__))

/*
 * The exit status for the result of a main task: 0 for success; 128 + signal when a signal ended the last loop; else 1,
 * with the message on standard error.
 */
WF_API int wf_exit_status(int rc);

/* Name of the running loop's driver, and why a better one was refused ("" when none was). Threads: inside a loop. */
WF_API const char *wf_driver_name(void);
WF_API const char *wf_driver_refusal(void);

enum { WF_NO_SIGNAL = -1 };

/*
 * With .signals the process can be asked what it does. SIGUSR1, where the program has left it at its default, has every
 * loop write its tree of tasks (weft/dump.h), at the next pass of each; no more than five a second. SIGQUIT, where it
 * is at its default, and any crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) write to standard error what runs, with
 * its calls, and the first 50 tasks of each loop, from the signal's handler; then the signal does what it would have
 * done: a core file has the true place. Where $WEFT_RECORD_DIR names a folder, all of these leave the flight record of
 * every loop there, too (weft/record.h).
 */

/*
 * The watchdog is a thread of the process that looks at its loops every 50 ms. A task that has held its loop for longer
 * than .watchdog_ns, without suspending or ending, is reported (wf_report, on that thread) while it still does: its
 * name, where it was spawned, its stack. Waiting in a blocking call counts, and computing as far as the thread had a
 * processor; what a debugger or a stop does to the process does not. Those who do it again and again are told ever more
 * rarely. $WEFT_WATCHDOG=off switches it off, and so does the test kit. While every loop sleeps, it sleeps too.
 *
 * Its question is a signal, one of the real-time signals that the program has left alone; a system call that the signal
 * ends, and that the kernel does not begin again by itself (sleep, poll), is begun again, with its whole time.
 */

/* What the loop is doing, in numbers. */
struct wf_statistics {
    uint64_t tasks_alive, tasks_spawned;
    uint64_t passes; /* of the loop */
    uint64_t stacks_bound, stacks_cached;
    uint64_t timers_armed, operations_pending;
    uint64_t jobs_queued, jobs_running;
    int64_t job_wait_max_ns; /* longest time a job waited for a worker */
    uint64_t blocked;        /* times that the watchdog saw a task hold the loop for too long */
    int64_t blocked_max_ns;  /* the longest of them, as far as it was seen */
};
WF_API void wf_loop_statistics(struct wf_statistics *statistics);

WF_API int wf_run_(int (*fn)(void *), const struct wf_run_options *options);

#ifdef __cplusplus
}
#endif
#endif
