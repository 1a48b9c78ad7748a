/*
 * The life of a scope.
 *
 *     unopened --wf_scope_open_()--> open --wf_scope_end()--> ending --last child ended--> closed --block left--> gone
 *                                     |                                                      |
 *                                     +-- block left: reported if children run, then ended --+
 *
 * What wf_scope_end returns is decided in one place, outcome() below.
 */
#include "core/scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "fiber/stack.h"

/* ---- Opening ---- */

static void deadline_passed(struct wf_timer_ *timer)
{
    struct wf_scope *scope = (struct wf_scope *)((char *)timer - offsetof(struct wf_scope, timer_));
    trail_note(&current_loop->trail, TRAIL_TIMER, scope->owner_, (uintptr_t)timer->deadline);
    node_cancel(&scope->node_, &scope->reason_, WF_REASON_DEADLINE, "the deadline passed", scope->place_);
}

static void set_deadline(struct loop *loop, struct wf_scope *scope, int64_t deadline, int64_t now)
{
    scope->timer_.deadline = deadline;
    if (scope->node_.flags & NODE_REQUESTED) return;
    if (deadline <= now) deadline_passed(&scope->timer_);
    else if (deadline != WF_FOREVER) timer_arm(&loop->timers, &scope->timer_);
}

static int64_t effective_deadline(const struct wf_scope_options *options, int64_t now)
{
    int64_t deadline = options->deadline != 0 ? options->deadline : WF_FOREVER;
    if (options->timeout == 0) return deadline;
    int64_t after;
    if (__builtin_add_overflow(now, options->timeout, &after)) after = WF_FOREVER;
    return after < deadline ? after : deadline;
}

void wf_scope_open_(const struct wf_scope_options *options)
{
    struct loop *loop = LOOP_HERE();
    struct wf_task *task = loop->running;
    struct wf_scope *scope = options->scope_;
    if (options->size != sizeof *options)
        misuse("the scope at %s was compiled against another version of weft's headers.", options->place_);
    if (options->shield && options->timeout == 0 && options->deadline == 0)
        misuse("the scope at %s is a shield without a bound. A shield hides every outer cancellation, so it must end "
               "by "
               "itself: give it a .timeout or a .deadline; WF_FOREVER, if it must be.",
               options->place_);

    uint32_t outer = task->current->flags;
    uint32_t inherited = options->shield ? NODE_SHIELD : outer & (NODE_CANCELLED | NODE_DRAINING);
    inherited |= outer & NODE_WATCHED;
    scope->node_.parent = task->current;
    scope->node_.flags = inherited;
    scope->loop_ = loop;
    scope->owner_ = task;
    scope->context_ = task->context;
    scope->name_ = options->name;
    scope->place_ = options->place_;
    scope->limit_ = options->limit;
    scope->policy_ = (uint8_t)options->policy;
    scope->keep_finished_ = options->keep_finished;
    scope->state_ = SCOPE_OPEN;
    scope->timer_.deadline = WF_FOREVER;
    scope->timer_.fire = deadline_passed;
    task->current->inner = &scope->node_;
    task->current = &scope->node_;
    if (options->timeout != 0 || options->deadline != 0) {
        int64_t now = loop_now(loop);
        set_deadline(loop, scope, effective_deadline(options, now), now);
    }
    if (__builtin_expect(options->token != NULL, 0)) token_link(options->token, scope);
}

static void check_loop(const struct loop *loop, const struct wf_scope *scope, const char *what)
{
    if (scope->loop_ != loop && scope->state_ != SCOPE_UNOPENED)
        misuse("the scope opened at %s was %s from another loop's thread; a scope belongs to its own loop.",
               scope->place_, what);
}

void wf_scope_set_deadline(struct wf_scope *scope, int64_t deadline_ns)
{
    struct loop *loop = LOOP_ALIVE();
    check_loop(loop, scope, "given a deadline");
    if (scope->state_ != SCOPE_OPEN && scope->state_ != SCOPE_ENDING) return;
    timer_disarm(&loop->timers, &scope->timer_);
    set_deadline(loop, scope, deadline_ns, loop_now(loop));
}

/* ---- Children ---- */

void scope_add_child(struct wf_scope *scope, struct wf_task *task)
{
    task->node.flags |= scope->node_.flags & NODE_CANCELLED;
    task->prev = scope->last_child_;
    if (scope->last_child_ != NULL) scope->last_child_->next = task;
    else scope->children_ = task;
    scope->last_child_ = task;
    if (task->flags & TASK_DAEMON) scope->daemons_++;
    else scope->alive_++;
}

static void remove_child(struct wf_scope *scope, struct wf_task *task)
{
    if (task->next != NULL) task->next->prev = task->prev;
    else scope->last_child_ = task->prev;
    if (task->prev != NULL) task->prev->next = task->next;
    else scope->children_ = task->next;
    if (task->flags & TASK_DAEMON) scope->daemons_--;
    else scope->alive_--;
}

static void cancel_siblings(struct wf_scope *scope, const char *why, const struct wf_task *because)
{
    node_cancel(&scope->node_, &scope->reason_, WF_REASON_SIBLING, why, because->place);
}

static void decide(struct wf_scope *scope, const struct wf_task *task, int rc, const char *why)
{
    scope->decided_ = true;
    scope->outcome_ = rc;
    cancel_siblings(scope, why, task);
}

static void apply_policy(struct wf_scope *scope, const struct wf_task *task, int rc)
{
    switch ((enum wf_policy)scope->policy_) {
    case WF_FAIL_FAST:
        if (rc < 0) cancel_siblings(scope, "another child failed", task);
        break;
    case WF_COLLECT:
        break;
    case WF_FIRST_SUCCESS:
        if (rc >= 0 && !scope->decided_) decide(scope, task, rc, "another child succeeded first");
        break;
    case WF_FIRST_DONE:
        if (!scope->decided_) decide(scope, task, rc, "another child ended first");
        break;
    }
}

/* The opener waits in wf_scope_next for one to be handed out, or in wf_scope_end for the last. */
static bool joiner_may_go_on(const struct wf_scope *scope)
{
    bool none_left = scope->alive_ == 0 && scope->granted_ == 0;
    if (none_left && scope->daemons_ == 0) return true;
    if (scope->state_ == SCOPE_OPEN) return scope->finished_ != NULL || none_left;
    return none_left && !(scope->node_.flags & NODE_REQUESTED);
}

static void wake_joiner(struct wf_scope *scope)
{
    struct wf_wait *joiner = scope->joiner_;
    if (joiner == NULL || !joiner_may_go_on(scope)) return;
    scope->joiner_ = NULL;
    wait_end(joiner, 0);
}

void scope_room_left(struct wf_scope *scope)
{
    while (scope->spawners_.first != NULL && scope->alive_ + scope->granted_ < scope->limit_) {
        scope->granted_++;
        queue_grant(&scope->spawners_, 0);
    }
    wake_joiner(scope);
}

void scope_child_ended(struct wf_scope *scope, struct wf_task *task, int rc, bool cancelled, bool counts)
{
    remove_child(scope, task);
    if (cancelled) {
        if (scope->node_.flags & NODE_CANCELLED) scope->cut_ = true;
    } else if (counts) {
        if (rc < 0) scope_note_error(scope, task, rc);
        if (!(task->flags & TASK_DAEMON) || rc < 0) apply_policy(scope, task, rc);
    }
    if (scope->limit_ > 0) scope_room_left(scope);
}

bool scope_keeps(struct wf_scope *scope, struct wf_task *task, int rc)
{
    bool keeps = scope->keep_finished_ && !(task->flags & TASK_DAEMON);
    if (keeps) {
        task->flags |= TASK_ENDED;
        task->result = rc;
        task->next = NULL;
        if (scope->last_finished_ != NULL) scope->last_finished_->next = task;
        else scope->finished_ = task;
        scope->last_finished_ = task;
    }
    wake_joiner(scope);
    return keeps;
}

static void next_cancelled(struct wf_wait *wait, int code)
{
    struct wf_scope *scope = (struct wf_scope *)(uintptr_t)wait->object;
    scope->joiner_ = NULL;
    wait_end(wait, code);
}

static void describe_join(const struct wf_wait *wait, struct wait_detail *detail)
{
    const struct wf_scope *scope = wait->object;
    snprintf(detail->text, sizeof detail->text, "%" PRIu32 " left", scope->alive_ + scope->daemons_);
}

static const struct wait_class next_class = {
    .name = "next child to end",
    .cancel = next_cancelled,
    .describe = describe_join,
};

int wf_scope_next(struct wf_scope *scope, struct wf_finished *finished)
{
    struct loop *loop = LOOP_HERE();
    if (!scope->keep_finished_ || scope->owner_ != loop->running) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (scope->finished_ == NULL && scope->alive_ + scope->granted_ > 0) {
        struct wf_wait wait;
        scope->joiner_ = &wait;
        rc = (int)suspend(&wait, &next_class, scope);
        if (rc < 0) return rc;
    }
    struct wf_task *task = scope->finished_;
    if (task == NULL) return (int)wait_skipped(0);
    scope->finished_ = task->next;
    if (task->next == NULL) scope->last_finished_ = NULL;
    void *arg = task->flags & TASK_OWNS_ARG ? NULL : task->arg;
    *finished = (struct wf_finished){.arg = arg, .handle = task->handle, .result = task->result};
    task_free(loop, task);
    return (int)wait_skipped(1);
}

static void forget_finished(struct loop *loop, struct wf_scope *scope)
{
    while (scope->finished_ != NULL) {
        struct wf_task *task = scope->finished_;
        scope->finished_ = task->next;
        task_free(loop, task);
    }
}

/* ---- Ending ---- */

static void check_way_out(const struct loop *loop, const struct wf_scope *scope)
{
    if (scope->loop_ != loop || scope->owner_ != loop->running)
        misuse("the scope opened at %s was ended by %s, which did not open it. A scope is ended by its opener.",
               scope->place_, loop->running->name);
    if (scope->state_ != SCOPE_OPEN)
        misuse("the scope opened at %s was ended twice. wf_scope_end is the one way out: call it once, in the return.",
               scope->place_);
    const struct wf_node_ *innermost = loop->running->current;
    if (innermost != &scope->node_)
        misuse("the scope opened at %s was ended while the scope opened at %s, inside it, was still open. Scopes are "
               "left "
               "in the reverse order of opening.",
               scope->place_, innermost->flags & NODE_TASK ? "?" : ((const struct wf_scope *)innermost)->place_);
}

/* A generator inside, and the like, ends with the scope around it. */
static void end_what_is_inside(const struct loop *loop, const struct wf_scope *scope)
{
    const struct wf_task *task = loop->running;
    while (task->current != &scope->node_ && !(task->current->flags & NODE_TASK)) {
        struct wf_scope *inner = (struct wf_scope *)task->current;
        if (inner->leave_ == NULL) return;
        inner->leave_(inner);
    }
}

static const struct wait_class join_class = {.name = "children", .describe = describe_join};

static void join_children(struct wf_scope *scope)
{
    while (scope->alive_ + scope->granted_ > 0) {
        struct wf_wait wait;
        scope->joiner_ = &wait;
        suspend(&wait, &join_class, scope);
    }
    if (scope->daemons_ == 0) return;
    bool was_requested = scope->node_.flags & NODE_REQUESTED;
    bool was_cut = scope->cut_;
    node_cancel(&scope->node_, &scope->reason_, WF_REASON_PARENT_LEFT, "the scope is over", scope->place_);
    while (scope->daemons_ > 0) {
        struct wf_wait wait;
        scope->joiner_ = &wait;
        suspend(&wait, &join_class, scope);
    }
    if (!was_requested) scope->cut_ = was_cut;
}

/* What the scope returns; the order of the lines is the rule. */
static int outcome(struct wf_scope *scope, int rc, bool body_failed)
{
    const struct wf_node_ *node = &scope->node_;
    if (body_failed) return rc;
    if (scope->decided_) return scope->outcome_;
    if (scope->first_error_ < 0) return scope->first_error_;
    if (!scope->cut_) return rc;
    bool outer = !(node->flags & NODE_SHIELD) && (node->parent->flags & NODE_CANCELLED);
    if (outer) return -ECANCELED;
    if (scope->reason_.kind == WF_REASON_DEADLINE) return -ETIME;
    if (scope->reason_.kind == WF_REASON_TOKEN) return -ECANCELED;
    return rc >= 0 ? rc : 0;
}

static void remember_reason(struct wf_scope *scope, struct wf_task *task)
{
    scope->caught_ = scope->cut_ && (scope->node_.flags & NODE_REQUESTED);
    const struct wf_reason *reason = node_reason(&scope->node_);
    struct task_extra *extra = reason != NULL ? task_extra(task) : NULL;
    if (extra != NULL) extra->caught = *reason;
}

int wf_scope_end(struct wf_scope *scope, int rc)
{
    struct loop *loop = LOOP_HERE();
    struct wf_task *task = loop->running;
    if (__builtin_expect(task->current != &scope->node_, 0)) end_what_is_inside(loop, scope);
    check_way_out(loop, scope);
    scope->state_ = SCOPE_ENDING;
    bool body_failed = false;
    if (rc < 0) {
        if (rc == -ECANCELED && (scope->node_.flags & NODE_CANCELLED)) {
            scope->cut_ = true;
        } else {
            body_failed = scope->first_error_ == 0 && !scope->decided_;
            scope_note_error(scope, task, rc);
            node_cancel(&scope->node_, &scope->reason_, WF_REASON_PARENT_LEFT, "the scope's body failed",
                        scope->place_);
        }
    }
    if (scope->alive_ + scope->granted_ + scope->daemons_ > 0) join_children(scope);
    timer_disarm(&loop->timers, &scope->timer_);
    if (__builtin_expect(scope->token_ != NULL, 0)) token_unlink(scope);
    int result = outcome(scope, rc, body_failed);
    scope->result_ = result;
    if (scope->cut_) remember_reason(scope, task);
    task->current = scope->node_.parent;
    task->current->inner = NULL;
    scope->state_ = SCOPE_CLOSED;
    return result;
}

void scope_hand_up(struct wf_task *task, struct wf_scope *scope, int result)
{
    scope_pass_errors(scope, task);
    if (task->current->flags & NODE_TASK) {
        if (task->stray_error == 0) task->stray_error = result;
        return;
    }
    struct wf_scope *enclosing = (struct wf_scope *)task->current;
    if (result == -ECANCELED && (task->current->flags & NODE_CANCELLED)) {
        enclosing->cut_ = true;
        return;
    }
    scope_note_error(enclosing, task, result);
    if (enclosing->policy_ == WF_FAIL_FAST) cancel_siblings(enclosing, "an inner scope failed", task);
}

static int leave_without_end(struct loop *loop, struct wf_scope *scope)
{
    size_t alive = scope->alive_;
    if (alive > 0)
        wf_report("the scope opened at %s by task '%s' was left with %zu children running (the first: '%s', spawned at "
                  "%s); "
                  "they were cancelled. End it by `return wf_scope_end(&scope, rc)`.",
                  scope->place_, loop->running->name, alive, scope->children_->name, scope->children_->place);
    node_cancel(&scope->node_, &scope->reason_, WF_REASON_PARENT_LEFT, "the block was left without wf_scope_end",
                scope->place_);
    return wf_scope_end(scope, 0);
}

static void free_arena(struct wf_scope *scope)
{
    if (scope->arena_ == NULL) return;
    wf_arena_finish(scope->arena_);
    memory_free(scope->arena_);
    scope->arena_ = NULL;
}

void wf_scope_leave_(struct wf_scope *scope)
{
    if (scope->state_ == SCOPE_UNOPENED) return;
    struct loop *loop = scope->loop_;
    if (scope->state_ == SCOPE_OPEN) {
        struct wf_task *task = loop->running;
        int result = leave_without_end(loop, scope);
        if (result < 0) scope_hand_up(task, scope, result);
    }
    if (__builtin_expect(scope->errors_ != NULL, 0)) scope_pass_errors(scope, scope->owner_);
    if (__builtin_expect(scope->finished_ != NULL, 0)) forget_finished(loop, scope);
    free_arena(scope);
    if (__builtin_expect(scope->drain_hooks_ != NULL, 0)) drain_hooks_free(scope);
}

/* ---- Asking ---- */

void wf_scope_cancel_at_(struct wf_scope *scope, const char *why, const char *place)
{
    check_loop(LOOP_ALIVE(), scope, "cancelled");
    if (scope->state_ == SCOPE_OPEN || scope->state_ == SCOPE_ENDING)
        node_cancel(&scope->node_, &scope->reason_, WF_REASON_EXPLICIT, why, place);
}

void wf_scope_drain(struct wf_scope *scope)
{
    check_loop(LOOP_ALIVE(), scope, "drained");
    node_drain(&scope->node_);
}

void wf_scope_trim(struct wf_scope *scope)
{
    const struct wf_task *task = scope->owner_;
    if (task != LOOP_HERE()->running && task->wait != NULL) stack_trim_below(task->stack, task->sp);
}

bool wf_scope_cancelled(const struct wf_scope *scope)
{
    return scope->node_.flags & NODE_REQUESTED;
}

bool wf_scope_expired(const struct wf_scope *scope)
{
    return scope->reason_.kind == WF_REASON_DEADLINE;
}

bool wf_scope_caught(const struct wf_scope *scope)
{
    return scope->caught_;
}

const struct wf_reason *wf_scope_reason(const struct wf_scope *scope)
{
    return &scope->reason_;
}

size_t wf_scope_alive(const struct wf_scope *scope)
{
    return (size_t)scope->alive_ + scope->daemons_;
}

struct wf_arena *wf_scope_arena(struct wf_scope *scope)
{
    if (scope->arena_ == NULL) scope->arena_ = memory_zero(sizeof *scope->arena_);
    return scope->arena_;
}
