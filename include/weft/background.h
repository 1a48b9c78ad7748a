/*
 * Background tasks: work that outlives the request which asked for it, but not the program's part that it belongs to.
 *
 *     static int serve(struct app *app)
 *     {
 *         WF_BACKGROUND(background, .grace = WF_SECONDS(10), .on_error = tell_operator);
 *         app->background = &background;
 *         wf_background_every(&background, WF_SECONDS(1), refresh, app, .name = "refresh");
 *         int rc = serve_requests(app); // a request: wf_background_start_copy(app->background, send_mail, &mail)
 *         wf_background_shutdown(&background);
 *         return rc;
 *     }
 *
 * They are tasks of a scope that WF_BACKGROUND opens for itself in the block of its opener. Whoever starts one may end,
 * fail or be cancelled: the task goes on, and keeps the starter's task-locals, so that its log lines say which request
 * it was for. One that fails is logged and told to .on_error, once; the others go on. What has ended leaves no record.
 *
 * The starter's frame is usually gone before the task is: give it a copy (the _copy forms), or memory that it owns.
 *
 * The end has two phases. The drain: nothing new is started, periodic tasks that wait for their time end, everything
 * under way goes on for up to .grace. The cancel: what is left is cancelled, and after .stubborn whoever still goes on
 * is named. A task never outlives its scope, so leaving the block waits for that one all the same, however long it
 * takes; a process that must end sooner is ended by the third signal (run.h), or from outside.
 *
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_BACKGROUND_H
#define WEFT_BACKGROUND_H

#include <weft/scope.h>
#include <weft/sync.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The set ---- */

struct wf_background;

struct wf_background_options {
    size_t size; /* filled by the macro */
    struct wf_background *background_;
    uint32_t limit;   /* of tasks alive at once; default 10,000 */
    int64_t grace;    /* how long what is under way may go on in a shutdown; default 5 s; negative: not at all */
    int64_t stubborn; /* how long after their cancel those that go on are named; default 5 s */
    /* A task failed, or a run of a periodic one. Called once, on that task and before it ends: it may suspend, and
     * start others. `name` is the task's, `message` what wf_fail said or the text of the code; both are valid during
     * the call. */
    void (*on_error)(void *context, const char *name, int code, const char *message);
    void *context;    /* for on_error */
    const char *name; /* for the log, metrics and dumps; must outlive the set */
    const char *place_;
};

struct wf_background_statistics {
    uint32_t active, active_peak; /* tasks alive now, and at most so far */
    uint64_t started;             /* = finished + failed + cancelled + active */
    uint64_t finished;            /* without an error; also a periodic one that a shutdown ended */
    uint64_t failed;
    uint64_t cancelled;
    uint64_t replaced;     /* cancelled for another one of their name */
    uint64_t refused;      /* not started: too many, or a shutdown */
    uint64_t runs;         /* of periodic tasks, begun */
    uint64_t runs_failed;  /* with an error */
    uint64_t runs_skipped; /* due while the one before was still under way */
};

/* A task that lives. */
struct wf_background_task {
    const char *name;  /* its own, or its function's */
    const char *place; /* where it was started */
    int64_t started;   /* when */
    uint64_t runs;     /* of a periodic one */
    struct wf_background_task *next;
};

enum { WF_BACKGROUND_BUCKETS_ = 64 };

/* Fixed size; every member is private and named here only so that the struct can live on your stack. */
struct wf_background {
    struct wf_scope scope_;
    struct wf_background_options options_; /* with defaults filled in */
    struct wf_event idle_;                 /* set while no task lives */
    struct wf_background_task *first_, *last_;
    struct wf_background_task *named_[WF_BACKGROUND_BUCKETS_]; /* by a hash of the name */
    uint64_t secret_[2];                                       /* of that hash */
    struct wf_background_statistics statistics_;
    bool closing_;   /* nothing new is started */
    bool cancelled_; /* and what lives was cancelled */
    bool reported_, refusing_;
    void *reserved_[4];
};

/*
 * WF_BACKGROUND(name, .option = value, ...) declares the variable `name`: an empty set of background tasks. It belongs
 * to the block and is closed when the block ends, or the scope around it, in reverse order of opening, as scopes are.
 * What its tasks use is declared before it. Closing without wf_background_shutdown is a shutdown without the grace.
 * Suspends: opening never; leaving, until the last task has ended. On cancel: goes on waiting for the tasks, which are
 * cancelled too.
 */
#define WF_BACKGROUND(...) WF_BACKGROUND_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/* ---- Tasks ---- */

struct wf_background_task_options {
    size_t size; /* filled by the macro */
    const void *arg_;
    const char *name;           /* copied; another task of that name is replaced. Default: unnamed */
    size_t stack_size;          /* bytes; default 48 KiB */
    void (*release)(void *arg); /* called once with the argument when the task has ended, on it */
    int64_t first;              /* periodic: until the first run; default: the period; negative: at once */
    int64_t jitter;             /* periodic: each run is late by chance, by up to that; less than the period */
    bool stop_on_error;         /* periodic: a run that fails is the last one */
    bool periodic_;
    int64_t period_;
    size_t copy_size_;
    const char *function_;
    const char *place_;
};

/*
 * wf_background_start(background, fn, arg, .option = value, ...) starts `int fn(T *arg)`. The compiler checks that `fn`
 * takes a pointer of arg's type and returns int. The task sees the starter's task-locals; it starts after the starter's
 * next suspension, and is not cancelled with it.
 *
 * Where a task of that .name lives, it is cancelled, and the new one begins when it has ended: of one name, never two
 * run. Of several started in a row the last one stays; those between run as cancelled ones do, to their first
 * suspension, one after another.
 * Returned 0: the function will run, at least to its first suspension point.
 * Suspends: never. Owns: the task, once 0 was returned, what `arg` points to; else the caller.
 * Errors: -EAGAIN when .limit tasks live (those that wait for one they replace, too); -ESHUTDOWN once a shutdown began;
 * -ECANCELED when the scope around the set is cancelled; -EINVAL for options that make no sense; each with a message;
 * -ENOMEM; -EAGAIN past .tasks_max.
 * Threads: tasks of the loop.
 */
#define wf_background_start(background, fn, ...)                                                                       \
    wf_background_start_((background), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                        \
                         WF_BACKGROUND_TASK_(fn, false, 0, 0, __VA_ARGS__))

/* The same with a shallow copy of `*arg`, freed when the task has ended (after .release). Suspends: never. */
#define wf_background_start_copy(background, fn, ...)                                                                  \
    wf_background_start_((background), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                        \
                         WF_BACKGROUND_TASK_(fn, false, 0, sizeof(*(WF_FIRST_(__VA_ARGS__))), __VA_ARGS__))

/*
 * wf_background_every(background, period_ns, fn, arg, .option = value, ...) starts a task that calls `int fn(T *arg)`
 * again and again: .first after the start, then at every multiple of the period from there, however long the runs take
 * or late they are. Times that come while a run is under way are skipped, and counted. A run that fails is reported,
 * and the next one comes all the same (but see .stop_on_error). The task's arena (wf_task_arena) is emptied after each
 * run. In a shutdown the run under way is the last.
 * Suspends: never. Owns: as wf_background_start. Errors: as wf_background_start; -EINVAL for a period that is not above
 * 0. Threads: tasks of the loop.
 */
#define wf_background_every(background, period_ns, fn, ...)                                                            \
    wf_background_start_((background), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                        \
                         WF_BACKGROUND_TASK_(fn, true, period_ns, 0, __VA_ARGS__))

/* The same with a shallow copy of `*arg`, the same one for all runs. Suspends: never. */
#define wf_background_every_copy(background, period_ns, fn, ...)                                                       \
    wf_background_start_((background), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                        \
                         WF_BACKGROUND_TASK_(fn, true, period_ns, sizeof(*(WF_FIRST_(__VA_ARGS__))), __VA_ARGS__))

/*
 * Cancels the task of that name, and waits until it has ended, and those it replaced before.
 * Suspends: until then. On cancel: the task stays cancelled, and ends when it does.
 * Errors: -ENOENT where none of that name lives; -EDEADLK from that task itself; -ECANCELED.
 */
WF_API WF_SUSPENDS int wf_background_stop(struct wf_background *background, const char *name);

/* ---- The end ---- */

/*
 * Ends all tasks, politely: first the drain, for up to .grace, then the cancel. 0: none is left; where none was alive,
 * that is at once. -ETIME: some had not ended .stubborn after their cancel; the message (wf_failure), a report and a
 * line of the log name them, wf_each_background finds them, and leaving the block waits on. May be called again, and by
 * several tasks.
 * Suspends: until all have ended, .grace and .stubborn at most. On cancel: what was begun stays so, and nothing new is
 * started any more; a later call, or leaving the block, goes on from there.
 * Errors: -ETIME; -EDEADLK from one of the tasks, or a child of theirs; -ECANCELED.
 */
WF_API WF_SUSPENDS int wf_background_shutdown(struct wf_background *background);

/* ---- Asking ---- */

/* Tasks that were started and have not ended, exactly, at any time. Suspends: never. */
WF_API size_t wf_background_active(const struct wf_background *background);

/* Suspends: never. */
WF_API void wf_background_statistics(const struct wf_background *background,
                                     struct wf_background_statistics *statistics);

/*
 * Those that live, in the order of their starts, valid until the caller suspends.
 *
 *     wf_each_background(&background, task)
 *         printf("%s, started at %s\n", task->name, task->place);
 *
 * Suspends: never.
 */
#define wf_each_background(background, task)                                                                           \
    for (const struct wf_background_task *task = wf_background_tasks(background); task != NULL; task = task->next)
/* The first of them, or NULL. Suspends: never. */
WF_API const struct wf_background_task *wf_background_tasks(const struct wf_background *background);

/* ---- What the macros stand on: private ---- */

WF_API void wf_background_open_(const struct wf_background_options *options);
WF_API WF_SUSPENDS WF_UNCANCELLABLE void wf_background_leave_(struct wf_background *background);
WF_API int wf_background_start_(struct wf_background *background, int (*fn)(void *),
                                const struct wf_background_task_options *options);

#define WF_BACKGROUND_(background_name, ...)                                                                           \
    struct wf_background background_name __attribute__((cleanup(wf_background_leave_))) = {.closing_ = true};          \
    wf_background_open_(&(struct wf_background_options){.size = sizeof(struct wf_background_options),                  \
                                                        .place_ = WF_HERE_,                                            \
                                                        .background_ = &__VA_ARGS__})

#define WF_BACKGROUND_TASK_(fn, periodic, period, copy, ...)                                                           \
    (&(struct wf_background_task_options){.size = sizeof(struct wf_background_task_options),                           \
                                          .function_ = #fn,                                                            \
                                          .place_ = WF_HERE_,                                                          \
                                          .periodic_ = (periodic),                                                     \
                                          .period_ = (period),                                                         \
                                          .copy_size_ = (copy),                                                        \
                                          .arg_ = __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
