/*
 * A loop: the tasks of one thread, in turn.
 *
 * A pass reaps completions, fires timers, then runs the tasks that were runnable when it began; what becomes runnable
 * meanwhile waits at the end of the queue. Tasks switch directly to each other; only a pass's end goes through the
 * loop's own context, on the thread's stack. A pass of few tasks is stretched to RUNS_MIN runs before the kernel is
 * asked again, because a system call and a clock reading cost more than a switch; it ends early when nothing is
 * runnable.
 */
#ifndef WEFT_CORE_LOOP_H
#define WEFT_CORE_LOOP_H

#include <stdatomic.h>
#include <weft/run.h>

#include "core/driver.h"
#include "core/probe.h"
#include "core/task.h"
#include "core/timer.h"
#include "core/trail.h"
#include "core/watchdog.h"
#include "fiber/fiber.h"
#include "fiber/overflow.h"

enum {
    RUNS_MIN = 64,
    BUDGET = 128,          /* calls that complete without waiting, until a task yields */
    BUDGET_CLOCK = 16,     /* of these, between two looks at the clock */
    SLICE_NS = 500 * 1000, /* and it yields after so long in any case */
};

struct task_chunk;
struct executor;
struct station;

enum injection_kind {
    INJECT_NOTHING,
    INJECT_CANCEL_ENTRY,     /* a suspending call finds its scope cancelled */
    INJECT_CANCEL_IN_FLIGHT, /* the scope is cancelled once the call is under way */
    INJECT_CANCEL_COMPLETED, /* and an operation completes all the same */
    INJECT_FAILED_OPERATION,
    INJECT_SHORT_OPERATION, /* one byte is read or written; a thousand times at most */
};

/* What happens at the so-and-so-many-th chance inside a watched scope; see wf_test_cancel_at and the test kit. */
struct injection {
    enum injection_kind kind;
    struct wf_scope *scope; /* of cancels */
    uint64_t left;          /* chances until it happens */
    bool persistent;        /* and again at every later one */
    uint64_t times;         /* that it happened */
};

struct loop {
    struct wf_task *running; /* NULL while the loop itself runs */
    struct wf_task *run_first, *run_last;
    uint32_t runnable;              /* at the last pass's begin, and what was added since: see loop_runnable */
    uint32_t runs_given, runs_left; /* of this pass */
    uint32_t budget;                /* of the running task */
    int64_t slice_start;            /* when the running task was first seen to run; valid after its first look */
    int64_t now;                    /* the clock, read once a pass */

    pid_t thread; /* its number in the system, for who looks on */

    void *sp;            /* the loop's own context, while a task runs */
    unsigned long modes; /* of floating-point arithmetic, with which every task begins */
    struct stack thread_stack;
    struct stack_pool stacks;
    struct task_chunk *chunks, *free_chunks;
    uint64_t next_id;
    uint64_t alive, spawned, passes;
    uint64_t spawn_freely; /* while so many are alive nothing stands in a spawn's way: no limit, no log of tasks */
    uint32_t tasks_max;
    uint32_t default_class;

    struct timers timers;
    int64_t trim_at;

    const struct driver *driver;
    void *driver_state;
    char refusal[160];       /* why a better driver was not taken */
    uint64_t pending_ops;    /* operations of tasks */
    struct op_list path_ops; /* the pending ones without a descriptor */
    uint64_t pending_jobs;
    struct executor *executor;
    struct names *names; /* NULL until a name is looked up; then `names_finish` ends it with the loop */
    void (*names_finish)(struct loop *loop);

    struct station *station; /* of this loop among those of its wf_run; the first, where it has them all */
    bool stays;              /* goes on without tasks, until it is told to stop */
    _Atomic(struct message *) inbox;
    atomic_bool sleeping;
    struct birth *born; /* what is open, the last first */
    uint32_t wakers;    /* through which other threads may end a wait at any time */

    struct wf_scope root; /* the scope of the main task */
    int broken;           /* why the loop gave up: -EDEADLK, or 0 */
    bool signals;
    int64_t grace;
    uint32_t drain_hooks; /* that have not been called */
    int signals_seen;
    struct wf_timer_ grace_timer;
    unsigned dumps_seen; /* of those that were asked for by signal */
    struct wf_timer_ dump_timer;
    struct wf_run_options options;

    /* A test's affair */
    struct injection injection;
    struct wf_queue_ idlers;             /* wait until all the others do */
    const struct wf_timer_ *guard_timer; /* a test's own deadline: not something that the program waits for; or NULL */

    struct vigil watch;
    struct trail trail;
};

/* Nothing that it knows of will happen by itself, but mail of other loops may come. */
bool loop_is_quiet(const struct loop *loop);

extern const char outlived_cancellation[];

/* Runs out of hope: reports with the tree of tasks, and cancels everything; the second time it ends the process. */
void loop_give_up(struct loop *loop, const char *why);

extern _Thread_local struct loop *current_loop __attribute__((tls_model("initial-exec")));

/* Aborts with an explanation. */
_Noreturn void loop_required(const char *function);

/* The running loop of this thread, which must be inside a task. */
#define LOOP_HERE()                                                                                                    \
    (__builtin_expect(current_loop != NULL && current_loop->running != NULL, 1) ? (void)0 : loop_required(__func__),   \
     current_loop)

/* For calls that never suspend: the loop itself may make them too, in a callback. */
#define LOOP_ALIVE() (__builtin_expect(current_loop != NULL, 1) ? (void)0 : loop_required(__func__), current_loop)

static inline void run_push(struct loop *loop, struct wf_task *task)
{
    task->next_run = NULL;
    if (loop->run_last != NULL) loop->run_last->next_run = task;
    else loop->run_first = task;
    loop->run_last = task;
    loop->runnable++;
}

static inline struct wf_task *run_pop(struct loop *loop)
{
    struct wf_task *task = loop->run_first;
    if (task == NULL) return NULL;
    loop->run_first = task->next_run;
    if (task->next_run == NULL) loop->run_last = NULL;
    return task;
}

/* Who was taken off the queue is counted once a pass: each of them is a run. */
static inline uint32_t loop_runnable(const struct loop *loop)
{
    return loop->runnable - (loop->runs_given - loop->runs_left);
}

/* ---- inject.c ---- */

/* A task inside a watched scope makes a suspending call, or suspends in it: gives the flags that it then finds. */
uint32_t inject_cancel(struct loop *loop, struct wf_task *task, bool in_flight);
/* An operation is about to be submitted in a watched scope; true: it has failed, the code in op->wait.result. */
bool inject_operation(struct loop *loop, struct op *op);

/* ---- In line, for the shortest paths ---- */

/* Is the budget or the slice used up? Then the others have their turn. */
void look_at_budget(struct loop *loop);

/* A call completes without waiting. */
static inline void spend(struct loop *loop)
{
    if (__builtin_expect(--loop->budget % BUDGET_CLOCK == 0, 0)) look_at_budget(loop);
}

/* The ways of wait_check and wait_skipped that are short, for calls that know their loop. */
int wait_check_flagged(struct loop *loop, bool idle);

static inline int wait_check_in(struct loop *loop, bool idle)
{
    struct wf_task *task = loop->running;
    if (__builtin_expect(task->current->flags & (NODE_CANCELLED | NODE_WATCHED | NODE_DRAINING), 0))
        return wait_check_flagged(loop, idle);
    task->spins = 0;
    return 0;
}

static inline int64_t wait_skipped_in(struct loop *loop, int64_t result)
{
    spend(loop);
    return result;
}

/* The same, where that is not due; else false, and nothing is spent. */
static inline bool can_spend(struct loop *loop)
{
    if ((loop->budget - 1) % BUDGET_CLOCK == 0) return false;
    loop->budget--;
    return true;
}

/* wait_check would find nothing. */
static inline bool is_untouched(struct wf_task *task)
{
    return (task->current->flags & (NODE_CANCELLED | NODE_WATCHED)) == 0 && task->spins == 0;
}

/*
 * For two tasks that take turns: suspends the running one, which nothing must have happened to, ends the wait of the
 * other and switches to it directly, on the turn and the budget of the first. Both records say already whose they are
 * and what is waited for. Made to be a tail call.
 */
static inline int take_turn(struct loop *loop, struct wf_wait *wait, struct wf_wait *other, int64_t result)
{
    struct wf_task *task = loop->running, *next = other->task;
    task->wait = wait;
    task->since = loop->now;
    other->result = result;
    next->wait = NULL;
    next->resumes++;
    PROBE2(pass, task->id, next->id);
    loop->running = next;
    return fiber_pass(&task->sp, task->stack, next->sp, next->stack, &wait->result, (int)result);
}

/* Runs passes until every task has ended, and every job that was abandoned. */
void loop_work(struct loop *loop);

/* One turn of a loop that lives inside another one; it never waits. False: all has ended. */
bool loop_turn(struct loop *loop);

/* How long it may be left alone unless its descriptor becomes readable; WF_FOREVER: until then. */
int64_t loop_patience(struct loop *loop);

/* A monotonic time, read now. */
int64_t loop_now(struct loop *loop);

/* Sends a message from any thread; the loop must live until it is delivered. */
void loop_send(struct loop *loop, struct message *message);

/* Delivers what has come; the last time after the last task has ended. */
void loop_deliver(struct loop *loop);

/* ---- task.c ---- */
struct wf_task *task_new(struct loop *loop);
void task_free(struct loop *loop, struct wf_task *task);
void tasks_free_all(struct loop *loop);
int task_spawn(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options, struct wf_task **out);

/* The log of tasks was switched on or off. */
void loop_watch_tasks(struct loop *loop);

/* ---- executor.c ---- */
int executor_start(struct loop *loop, struct job *job);
bool executor_cancel(struct loop *loop, struct job *job);
void executor_finish(struct loop *loop);
void executor_statistics(struct loop *loop, struct wf_statistics *statistics);

/* ---- signals.c ---- */
int signals_take(struct loop *loop);
void signals_give_back(struct loop *loop);
/* What arrived since the last look; called once a pass. */
void signals_look(struct loop *loop);
/* How many dumps were asked for so far; one is due. */
unsigned signals_dumps_wanted(void);
void signals_dump(struct loop *loop);
/* Has one come that was not looked at? */
bool signals_waiting(const struct loop *loop);
/* The signal that ended the last loop which had taken them; 0: none. */
int signals_last(void);
void signals_forget(void);
/* A forked child is not the one that was asked to drain. */
void signals_in_forked_child(void);

/* ---- registry.c ---- */

/* From now on, until it is removed, other processes and debuggers find the loop. */
void registry_add(struct loop *loop);
void registry_remove(struct loop *loop);
/* A forked child has none of its parent's loops. */
void registry_in_forked_child(void);

/* ---- observe/crash.c ---- */

/* What is told of a crash, in its handler: every loop, and its first tasks. */
crash_tell crash_dump;

/* ---- observe/births.c ---- */

/* Reports what is still open, with where it was opened. */
void births_report(const struct loop *loop);

/* ---- observe/record.c ---- */

/* $WEFT_RECORD_DIR is where records go from now on. Into it goes the loop's; for signal handlers, too. */
void record_choose_folder(void);
void record_to_folder(const struct loop *loop);

/* ---- observe/dump.c ---- */

/* Reports the title, on a line of its own, and the tree of tasks. */
void loop_dump(struct loop *loop, const char *title);
/* Reports the text with the running task's stack below it: a line for each frame, as module(function+offset). */
void report_with_stack(const char *text);

#endif
