/* wf_run: a loop from its making to its end. */
#include <weft/run.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loops.h"
#include "core/registry.h"
#include "core/scope.h"
#include "fiber/modes.h"
#include "fiber/overflow.h"

enum {
    STACK_CACHE_DEFAULT = 256,
    MAIN_STACK_DEFAULT = 1000 * 1024, /* with its guard, a slot of 1 MiB */
    TASK_STACK_DEFAULT = 48 * 1024,
};

/* What the last loop of this thread left for wf_exit_status. */
static _Thread_local char last_failure[512];
static _Thread_local int last_failure_code;

/* The loop that this thread has, though it may be between two turns. */
static _Thread_local const struct run *running_here;

/* ---- The process ---- */

/* A peer that hangs up is -EPIPE, a file that is too large -EFBIG, and neither is a death; a program's own choice of
 * disposition is left alone. */
static void ignore_failed_writes(void)
{
    static const int numbers[] = {SIGPIPE, SIGXFSZ};
    struct sigaction action;
    for (size_t i = 0; i < WF_COUNT(numbers); i++)
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL) signal(numbers[i], SIG_IGN);
}

/* A child has the parent's tasks in memory, but not its threads and not its ring: only exec is safe there. */
static void in_forked_child(void)
{
    signals_in_forked_child();
    watchdog_in_forked_child();
    registry_in_forked_child();
    current_loop = NULL;
}

static void prepare_process(void)
{
    pthread_atfork(NULL, NULL, in_forked_child);
    ignore_failed_writes();
}

/* ---- Drivers ---- */

static int choose_driver(struct loop *loop, const char *wanted)
{
    if (wanted == NULL) wanted = getenv("WEFT_DRIVER");
    if (wanted != NULL && wanted[0] == '\0') wanted = NULL;
    int rc = -EINVAL;
    for (const struct driver *const *driver = drivers; *driver != NULL; driver++) {
        if (wanted != NULL ? strcmp(wanted, (*driver)->name) != 0 : (*driver)->simulated) continue;
        loop->driver = *driver;
        rc = (*driver)->init(loop);
        if (rc == 0) return 0;
        snprintf(loop->refusal, sizeof loop->refusal, "%s: %s", (*driver)->name, wf_strerror(rc));
    }
    if (wanted != NULL && rc == -EINVAL)
        wf_report("there is no driver called '%s'; WEFT_DRIVER may be uring, epoll or sim", wanted);
    return rc;
}

const char *wf_driver_name(void)
{
    return LOOP_HERE()->driver->name;
}

const char *wf_driver_refusal(void)
{
    return LOOP_HERE()->refusal;
}

/* ---- The loop ---- */

static bool describe_stack(const struct stack *stack, char *text, size_t size)
{
    const struct wf_task *task = current_loop != NULL ? current_loop->running : NULL;
    if (task == NULL || task->stack != stack) return false;
    snprintf(text, size, "task '%s' (#%llu, spawned at %s)", task->name, (unsigned long long)task->id, task->place);
    return true;
}

static int loop_init(struct loop *loop, const struct wf_run_options *options)
{
    loop->options = *options;
    loop->thread = gettid();
    loop->tasks_max = options->tasks_max;
    loop_watch_tasks(loop);
    loop->signals = options->signals;
    loop->grace = options->grace;
    loop->dumps_seen = signals_dumps_wanted();
    loop->default_class = (uint32_t)stack_class_for(TASK_STACK_DEFAULT);
    stack_pool_init(&loop->stacks, options->stack_cache > 0 ? options->stack_cache : STACK_CACHE_DEFAULT);
    stack_adopt_thread(&loop->thread_stack);
    loop->modes = modes_now();
    loop->root =
        (struct wf_scope){.loop_ = loop, .state_ = SCOPE_OPEN, .policy_ = WF_COLLECT, .place_ = options->place_};
    loop->root.timer_.deadline = WF_FOREVER;
    int rc = choose_driver(loop, options->driver);
    if (rc < 0) return rc;
    loop->now = loop_now(loop);
    trail_note(&loop->trail, TRAIL_TIME, NULL, (uintptr_t)loop->now);
    timers_init(&loop->timers, loop->now);
    if (loop->driver->simulated) loop->driver->random(loop, &loop->timers.step, sizeof loop->timers.step);
    loop->timers.step |= 1;
    registry_add(loop);
    return 0;
}

static void begin_to_watch(struct loop *loop)
{
    int rc = watchdog_begin(loop);
    if (rc < 0) wf_report("there is no watchdog: its thread could not be started (%s)", wf_strerror(rc));
}

static void loop_finish(struct loop *loop)
{
    registry_remove(loop);
    watchdog_end(loop);
    executor_finish(loop);
    if (loop->names != NULL) loop->names_finish(loop);
    loop_deliver(loop);
    births_report(loop);
    loop->driver->finish(loop);
    errors_free(loop->root.errors_);
    tasks_free_all(loop);
    stack_pool_finish(&loop->stacks);
}

static void keep_failure(const struct wf_scope *root)
{
    const struct wf_error *error = root->errors_;
    last_failure_code = error != NULL ? error->code : 0;
    if (error != NULL) snprintf(last_failure, sizeof last_failure, "%s", error->message);
}

static int spawn_main(struct loop *loop, int (*fn)(void *), const struct wf_run_options *options,
                      struct wf_handle *handle)
{
    *handle = (struct wf_handle){.state_ = HANDLE_UNUSED};
    struct wf_spawn_options spawn = {
        .size = sizeof spawn,
        .arg_ = options->arg_,
        .handle = handle,
        .stack_size = options->stack_size > 0 ? options->stack_size : MAIN_STACK_DEFAULT,
        .function_ = options->function_,
        .place_ = options->place_,
    };
    struct wf_task *task;
    int rc = task_spawn(&loop->root, fn, &spawn, &task);
    if (rc < 0) return rc;
    if (loop->signals) {
        rc = signals_take(loop);
        if (rc < 0) {
            loop->signals = false;
            wf_report("signals are taken by another loop of this process; only one can have them");
        }
    }
    return 0;
}

/* The thread may have another loop. */
static void leave_thread(struct run *run)
{
    current_loop = NULL;
    overflow_unwatch_thread(run->signal_stack);
    running_here = NULL;
}

int loop_make(struct run *run, const struct wf_run_options *options)
{
    struct loop *loop = memory_zero(sizeof *loop);
    if (loop == NULL) return -ENOMEM;
    int rc = overflow_watch_thread(describe_stack, &run->signal_stack);
    if (rc == 0) {
        running_here = run;
        current_loop = loop;
        rc = loop_init(loop, options);
        if (rc < 0) leave_thread(run);
    }
    if (rc < 0) {
        memory_free(loop);
        return rc;
    }
    begin_to_watch(loop);
    run->loop = loop;
    return 0;
}

void loop_take_apart(struct run *run)
{
    loop_finish(run->loop);
    leave_thread(run);
}

static void run_free(struct run *run)
{
    struct loops *loops = run->loop->station != NULL ? run->loop->station->loops : NULL;
    loop_take_apart(run);
    if (loops != NULL) loops_free(loops);
    memory_free(run->loop);
}

int run_begin(struct run *run, int (*fn)(void *), const struct wf_run_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (current_loop != NULL || running_here != NULL) return -EBUSY;
    if (options->size != sizeof *options || fn == NULL) return -EINVAL;
    if (stack_class_for(options->stack_size) < 0) return -EINVAL;
    pthread_once(&once, prepare_process);
    signals_forget();
    last_failure_code = 0;
    int rc = loop_make(run, options);
    if (rc < 0) return rc;
    struct loop *loop = run->loop;
    if (run->embedded) rc = run->fd = loop->driver->fd != NULL ? loop->driver->fd(loop) : -EOPNOTSUPP;
    if (rc >= 0) rc = loops_begin(loop, options);
    if (rc == 0) {
        rc = spawn_main(loop, fn, options, &run->main);
        if (rc == 0) return 0;
        loops_end(loop);
    }
    run_free(run);
    return rc;
}

int run_end(struct run *run)
{
    struct loop *loop = run->loop;
    loop_work(loop);
    loops_end(loop);
    if (loop->signals) signals_give_back(loop);
    keep_failure(&loop->root);
    int rc = loop->broken < 0 ? loop->broken : run->main.result_;
    run_free(run);
    return rc;
}

int wf_run_(int (*fn)(void *), const struct wf_run_options *options)
{
    struct run run = {.embedded = false};
    int rc = run_begin(&run, fn, options);
    return rc < 0 ? rc : run_end(&run);
}

int wf_exit_status(int rc)
{
    if (rc >= 0) return 0;
    int number = signals_last();
    if (number != 0 && rc == -ECANCELED) return 128 + number;
    const char *detail = rc == last_failure_code ? last_failure : wf_strerror(rc);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, detail);
    return 1;
}

void wf_loop_statistics(struct wf_statistics *statistics)
{
    struct loop *loop = LOOP_HERE();
    *statistics = (struct wf_statistics){
        .tasks_alive = loop->alive,
        .tasks_spawned = loop->spawned,
        .passes = loop->passes,
        .timers_armed = loop->timers.armed,
        .operations_pending = loop->pending_ops,
        .blocked = atomic_load(&loop->watch.blocked),
        .blocked_max_ns = atomic_load(&loop->watch.longest_ns),
    };
    for (unsigned i = 0; i < STACK_CLASSES; i++) {
        const struct stack_class *class = &loop->stacks.classes[i];
        statistics->stacks_bound += class->bound;
        statistics->stacks_cached += class->touched > class->bound ? class->touched - class->bound : 0;
    }
    executor_statistics(loop, statistics);
}
