/* The scheduler: switching, passes, and messages from other threads. */
#include "core/loop.h"

#include <stdio.h>
#include <time.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/report.h"
#include "core/probe.h"
#include "core/loops.h"
#include "fiber/modes.h"

_Thread_local struct loop *current_loop __attribute__((tls_model("initial-exec")));

void loop_required(const char *function)
{
    misuse("%s was called outside a task. It may have to wait, and only a task can: call it from a function that "
           "wf_run "
           "or wf_spawn started, on the thread of that loop.",
           function);
}

/* ---- Switching ---- */

static void fiber_main(void *argument);

static __attribute__((noinline)) void bind_stack(struct loop *loop, struct wf_task *task)
{
    task->stack = stack_take(&loop->stacks, task->stack_class);
    task->sp = weft_fiber_prepare(stack_top(task->stack), fiber_main, NULL);
}

/* The task's turn begins; what became of the one before: the wait it is in, or NULL. */
static inline void begin_turn(struct loop *loop, struct wf_task *task, const struct wait_class *before)
{
    trail_note(&loop->trail, TRAIL_TURN, task, (uintptr_t)before);
    loop->runs_left--;
    loop->running = task;
    loop->budget = BUDGET;
    task->resumes++;
    PROBE2(resume, task->id, task->name);
}

/* Where every fiber begins and, task after task, goes on: an ended task's stack serves the next fresh one at once. */
static void fiber_main(void *argument)
{
    (void)argument;
    fiber_entered();
    struct loop *loop = current_loop;
    modes_reset(loop->modes); /* not those of the task that was left for this one */
    for (;;) {
        struct wf_task *task = loop->running;
        struct stack *stack = task->stack;
        int rc = task->fn(task->arg);
        modes_reset(loop->modes); /* what it set goes with it */
        task_end(task, rc);
        struct wf_task *next = loop->runs_left > 0 ? run_pop(loop) : NULL;
        void *ignored;
        if (next == NULL) {
            trail_note(&loop->trail, TRAIL_TURN, NULL, 0);
            loop->running = NULL;
            stack_give(&loop->stacks, stack);
            fiber_switch(&ignored, stack, loop->sp, &loop->thread_stack, true);
            __builtin_trap();
        }
        begin_turn(loop, next, NULL);
        if (next->stack == NULL && next->stack_class == stack->class_index) {
            next->stack = stack;
            stack_unreserve(&loop->stacks, stack->class_index);
            continue;
        }
        if (next->stack == NULL) bind_stack(loop, next);
        stack_give(&loop->stacks, stack);
        fiber_switch(&ignored, stack, next->sp, next->stack, true);
        __builtin_trap();
    }
}

static inline void enter(struct loop *loop, struct wf_task *task, const struct wait_class *before)
{
    begin_turn(loop, task, before);
    if (task->stack == NULL) bind_stack(loop, task);
}

/* Leaves the running task, which has put itself where it will be found, for the next one. */
static inline void schedule(struct loop *loop, struct wf_task *task, const struct wait_class *why)
{
    struct wf_task *next = loop->runs_left > 0 ? run_pop(loop) : NULL;
    if (next == NULL) {
        trail_note(&loop->trail, TRAIL_TURN, NULL, (uintptr_t)why);
        loop->running = NULL;
        fiber_switch(&task->sp, task->stack, loop->sp, &loop->thread_stack, false);
        return;
    }
    enter(loop, next, why);
    if (next != task) fiber_switch(&task->sp, task->stack, next->sp, next->stack, false);
}

int64_t suspend(struct wf_wait *wait, const struct wait_class *class, const void *object)
{
    struct loop *loop = current_loop;
    struct wf_task *task = loop->running;
    wait->task = task;
    wait->class = class;
    wait->object = object;
    task->wait = wait;
    task->since = loop->now;
    PROBE3(suspend, task->id, task->name, class->name);
    if (__builtin_expect(task->current->flags & NODE_WATCHED, 0)) inject_cancel(loop, task, true);
    schedule(loop, task, class);
    return wait->result;
}

void wait_end(struct wf_wait *wait, int64_t result)
{
    struct loop *loop = current_loop;
    struct wf_task *task = wait->task;
    wait->result = result;
    task->wait = NULL;
    __builtin_prefetch(task->sp); /* it will be stood on soon; until then the miss costs nothing */
    trail_note(&loop->trail, TRAIL_WAKE, task, (uintptr_t)result);
    run_push(loop, task);
}

/* ---- Fairness ---- */

static inline void take_turns(struct loop *loop)
{
    struct wf_task *task = loop->running;
    PROBE2(yield, task->id, task->name);
    run_push(loop, task);
    schedule(loop, task, NULL);
}

/* Looks at the clock now and then: the first look of a turn only starts the measure. */
static bool slice_is_over(struct loop *loop)
{
    int64_t now = loop_now(loop);
    if (loop->budget == BUDGET - BUDGET_CLOCK) loop->slice_start = now;
    return now - loop->slice_start >= SLICE_NS;
}

void look_at_budget(struct loop *loop)
{
    if (loop->budget == 0 || slice_is_over(loop)) take_turns(loop);
}

int64_t wait_skipped(int64_t result)
{
    return wait_skipped_in(current_loop, result);
}

enum { STUBBORN_AFTER = 10000 };

static __attribute__((noinline, cold)) int refuse(struct loop *loop, struct wf_task *task, int code)
{
    if (++task->spins == STUBBORN_AFTER && !(task->flags & TASK_STUBBORN)) {
        task->flags |= TASK_STUBBORN;
        const struct wf_reason *reason = node_reason(task->current);
        char text[512];
        snprintf(text, sizeof text,
                 "task '%s' (#%llu, spawned at %s) ignores its cancellation: %d suspending calls in a row failed. It "
                 "was "
                 "cancelled because: %s (%s). Its stack:",
                 task->name, (unsigned long long)task->id, task->place, STUBBORN_AFTER,
                 reason != NULL ? reason->text : "?", reason != NULL ? reason->place : "?");
        report_with_stack(text);
    }
    return (int)wait_skipped_in(loop, code);
}

int wait_check_flagged(struct loop *loop, bool idle)
{
    struct wf_task *task = loop->running;
    uint32_t flags = task->current->flags;
    if (flags & (NODE_CANCELLED | NODE_WATCHED)) flags = inject_cancel(loop, task, false);
    if (flags & NODE_CANCELLED) return refuse(loop, task, -ECANCELED);
    bool waits_idly = idle || (task->flags & TASK_IDLE);
    if (waits_idly && (flags & NODE_DRAINING)) return refuse(loop, task, -ESHUTDOWN);
    task->spins = 0;
    return 0;
}

int wait_check(bool idle)
{
    return wait_check_in(current_loop, idle);
}

int wf_yield(void)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (rc == 0) take_turns(loop);
    return rc;
}

/* ---- Queues of waiting tasks ---- */

int64_t queue_wait(struct wf_queue_ *queue, const struct wait_class *class)
{
    struct wf_wait *wait = &current_loop->running->own_wait.wait;
    queue_append(queue, wait);
    return suspend(wait, class, queue);
}

int queue_wait_item(struct wf_queue_ *queue, const struct wait_class *class, void *item)
{
    current_loop->running->own_wait.item = item;
    return (int)queue_wait(queue, class);
}

void group_add(struct wait_group *group, size_t index, struct wf_queue_ *queue, void *item)
{
    struct wait_member *member = &group->members[index];
    *member = (struct wait_member){.node.item = item, .group = group, .queue = queue};
    queue_append(queue, &member->node.wait);
}

void group_leave(struct wait_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        struct wait_member *member = &group->members[i];
        if (member->queue != NULL) queue_remove(member->queue, &member->node.wait);
        member->queue = NULL;
    }
}

bool group_waits(const struct wait_group *group)
{
    return group->wait.task->wait == &group->wait;
}

void group_end(struct wait_group *group, int64_t result)
{
    group_leave(group);
    wait_end(&group->wait, result);
}

static void group_granted(struct wait_member *member, int64_t result)
{
    member->queue = NULL;
    member->node.wait.result = result;
    group_end(member->group, member - member->group->members);
}

void group_cancel(struct wf_wait *wait, int code)
{
    group_end((struct wait_group *)wait, code);
}

bool queue_grant(struct wf_queue_ *queue, int64_t result)
{
    struct wf_wait *first = queue->first;
    if (first == NULL) return false;
    queue_remove(queue, first);
    if (first->task == NULL) group_granted((struct wait_member *)first, result);
    else wait_end(first, result);
    return true;
}

void queue_cancel(struct wf_wait *wait, int code)
{
    queue_remove((struct wf_queue_ *)(uintptr_t)wait->object, wait);
    wait_end(wait, code);
}

size_t queue_length(const struct wf_queue_ *queue)
{
    size_t length = 0;
    for (const struct wf_wait *wait = queue->first; wait != NULL; wait = wait->next) length++;
    return length;
}

/* ---- Time ---- */

int64_t loop_now(struct loop *loop)
{
    return loop->driver->now(loop);
}

int64_t wf_now(void)
{
    if (current_loop != NULL) return loop_now(current_loop);
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t wf_wall_now(void)
{
    if (current_loop != NULL) return current_loop->driver->wall(current_loop);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void sleep_over(struct wf_timer_ *timer)
{
    struct wf_task *task = (struct wf_task *)((char *)timer - offsetof(struct wf_task, sleep_timer));
    trail_note(&current_loop->trail, TRAIL_TIMER, task, (uintptr_t)timer->deadline);
    wait_end(&task->own_wait.wait, 0);
}

static void sleep_cancelled(struct wf_wait *wait, int code)
{
    timer_disarm(&current_loop->timers, &wait->task->sleep_timer);
    wait_end(wait, code);
}

static void describe_sleep(const struct wf_wait *wait, struct wait_detail *detail)
{
    int64_t deadline = wait->task->sleep_timer.deadline;
    if (deadline == WF_FOREVER) snprintf(detail->text, sizeof detail->text, "for ever");
    else snprintf(detail->text, sizeof detail->text, "%.3f s left", (double)(deadline - wf_now()) / 1e9);
}

static const struct wait_class sleep_class = {
    .name = "sleep",
    .cancel = sleep_cancelled,
    .describe = describe_sleep,
};

int wf_sleep_until(int64_t deadline_ns)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct wf_task *task = loop->running;
    task->sleep_timer.deadline = deadline_ns < 0 ? 0 : deadline_ns;
    task->sleep_timer.fire = sleep_over;
    if (deadline_ns != WF_FOREVER) timer_arm(&loop->timers, &task->sleep_timer);
    return (int)suspend(&task->own_wait.wait, &sleep_class, NULL);
}

int wf_sleep(int64_t duration_ns)
{
    if (duration_ns <= 0) return wf_yield();
    (void)LOOP_HERE();
    return wf_sleep_until(wf_deadline_after(duration_ns));
}

/* ---- Messages from other threads ---- */

/* Pushed in reverse, taken all at once. A sender wakes the loop only when it sleeps: both sides write, then read. */
void loop_send(struct loop *loop, struct message *message)
{
    struct message *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        message->next = head;
    } while (!atomic_compare_exchange_weak(&loop->inbox, &head, message));
    if (atomic_exchange(&loop->sleeping, false)) loop->driver->wake(loop);
}

void loop_deliver(struct loop *loop)
{
    if (atomic_load_explicit(&loop->inbox, memory_order_relaxed) == NULL) return;
    struct message *newest = atomic_exchange(&loop->inbox, NULL), *oldest = NULL;
    while (newest != NULL) {
        struct message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct message *next = oldest->next;
        oldest->deliver(loop, oldest);
        oldest = next;
    }
}

/* ---- Passes ---- */

static bool nothing_is_timed(const struct loop *loop)
{
    bool guarded = loop->guard_timer != NULL && timer_armed(loop->guard_timer);
    return loop->timers.armed == (guarded ? 1 : 0);
}

/* Signals and wakers come from outside; a simulated world has no outside but its signals. */
static bool may_be_woken(const struct loop *loop)
{
    return loop->signals || (loop->wakers > 0 && !loop->driver->simulated);
}

bool loop_is_quiet(const struct loop *loop)
{
    return loop->run_first == NULL && !may_be_woken(loop) && loop->idlers.first == NULL && nothing_is_timed(loop) &&
           loop->pending_ops == 0 && loop->pending_jobs == 0 && atomic_load(&loop->inbox) == NULL;
}

/* Of several loops the last to come to rest sees it: loops_rest. */
static bool is_deadlock(const struct loop *loop)
{
    return loop_is_quiet(loop) && !loop->station->loops->threaded;
}

const char outlived_cancellation[] =
    "It outlived its cancellation: a wait or a task that cannot be cancelled is part of it.";

void loop_give_up(struct loop *loop, const char *why)
{
    loop_dump(loop, why);
    if (loop->broken < 0) misuse("%s", outlived_cancellation);
    loop->broken = -EDEADLK;
    node_cancel(&loop->root.node_, &loop->root.reason_, WF_REASON_MISUSE, "deadlock", "");
}

static const char deadlock[] = "deadlock: every task waits for another one, and nothing outside can wake them";

static void trim(struct loop *loop)
{
    if (loop->now < loop->trim_at) return;
    if (stack_trim(&loop->stacks)) loop->trim_at = loop->now + 1000000000;
}

/*
 * When to look at the timers again. Waking up costs more than anything else here, so with many timers the loop lets a
 * few fall due and fires them together: 1 us later for each that is armed, 1 ms at most. Ten sleepers do not notice; of
 * a hundred thousand, a hundred wake at once.
 */
static int64_t timer_deadline(const struct loop *loop)
{
    const struct timers *timers = &loop->timers;
    if (timers->next == WF_FOREVER || loop->driver->simulated) return timers->next;
    int64_t slack = timers->armed < 1000 ? (int64_t)timers->armed * 1000 : 1000000;
    int64_t deadline;
    return __builtin_add_overflow(timers->next, slack, &deadline) ? WF_FOREVER : deadline;
}

static bool is_busy(struct loop *loop)
{
    return loop->pending_jobs > 0 || (loop->driver->busy != NULL && loop->driver->busy(loop));
}

/* In a closed world nobody waits for a test's own deadline: when only that is left, it is a deadlock. */
static int64_t next_wake_up(struct loop *loop)
{
    if (loop->idlers.first != NULL && !is_busy(loop)) return 0;
    return loop->driver->simulated && nothing_is_timed(loop) ? WF_FOREVER : timer_deadline(loop);
}

/* Everybody waits, and nothing is on its way: those who waited for that go on, one after another. */
static void wake_idler(struct loop *loop)
{
    if (loop->run_first == NULL && !is_busy(loop)) queue_grant(&loop->idlers, 0);
}

/* Asks the kernel; waits there when nothing is runnable and the caller has the time. */
static void poll_once(struct loop *loop, bool may_wait)
{
    int64_t deadline = 0;
    bool rests = false;
    if (loop->run_first == NULL && may_wait) {
        trim(loop);
        deadline = next_wake_up(loop);
        trail_note(&loop->trail, TRAIL_TIME | TRAIL_SLEEPS, NULL, (uintptr_t)loop_now(loop));
        atomic_store(&loop->sleeping, true);
        rests = deadline != 0 && loops_rest(loop);
        if (atomic_load(&loop->inbox) != NULL || (loop->signals && signals_waiting(loop))) deadline = 0;
    }
    bool alive = loop->driver->poll(loop, deadline);
    if (rests) loops_go_on(loop);
    atomic_store_explicit(&loop->sleeping, false, memory_order_relaxed);
    loop_deliver(loop);
    loop->now = loop_now(loop);
    trail_note(&loop->trail, TRAIL_TIME, NULL, (uintptr_t)loop->now);
    timers_fire(&loop->timers, loop->now);
    if (loop->idlers.first != NULL) wake_idler(loop);
    if (!alive && loop->run_first == NULL && loop->alive > 0 && !may_be_woken(loop)) loop_give_up(loop, deadlock);
    if (loop->signals) signals_look(loop);
    if (__builtin_expect(loop->dumps_seen != signals_dumps_wanted(), 0)) signals_dump(loop);
}

static void run_pass(struct loop *loop)
{
    loop->passes++;
    loop->runnable = loop_runnable(loop);
    loop->runs_given = loop->runs_left = loop->runnable > RUNS_MIN ? loop->runnable : RUNS_MIN;
    struct wf_task *task = run_pop(loop);
    if (task == NULL) return;
    enter(loop, task, NULL);
    watchdog_look(); /* now that it can see the task */
    fiber_switch(&loop->sp, &loop->thread_stack, task->sp, task->stack, false);
}

/* Nobody is left who needs the daemons beside the main task. */
static void end_daemons(struct loop *loop)
{
    struct wf_scope *root = &loop->root;
    if (root->alive_ == 0 && root->daemons_ > 0 && !loop->stays && !(root->node_.flags & NODE_REQUESTED))
        node_cancel(&root->node_, &root->reason_, WF_REASON_PARENT_LEFT, "the main task has ended", root->place_);
}

void loop_work(struct loop *loop)
{
    for (;;) {
        run_pass(loop);
        end_daemons(loop);
        if (loop->alive == 0 && loop->pending_jobs == 0 && !loop->stays) return;
        if (is_deadlock(loop)) loop_give_up(loop, deadlock);
        poll_once(loop, true);
    }
}

/* What the tasks began has to reach the kernel, and who sends a message has to know that the loop sleeps. */
bool loop_turn(struct loop *loop)
{
    poll_once(loop, false);
    run_pass(loop);
    end_daemons(loop);
    if (loop->alive == 0 && loop->pending_jobs == 0) return false;
    if (is_deadlock(loop)) loop_give_up(loop, deadlock);
    poll_once(loop, false);
    atomic_store(&loop->sleeping, true);
    return true;
}

int64_t loop_patience(struct loop *loop)
{
    if (loop->run_first != NULL || atomic_load(&loop->inbox) != NULL) return 0;
    int64_t deadline = next_wake_up(loop);
    if (deadline == WF_FOREVER) return WF_FOREVER;
    int64_t left = deadline - loop_now(loop);
    return left > 0 ? left : 0;
}
