/* What spawners see of their children: spawning with its limit, readiness, handles. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "core/scope.h"

/* ---- Spawning ---- */

static void check_scope(const struct wf_scope *scope)
{
    struct loop *loop = LOOP_HERE();
    if (scope->loop_ == loop && (scope->state_ == SCOPE_OPEN || scope->state_ == SCOPE_ENDING)) return;
    misuse("task '%s' spawned into a scope that is not open%s%s: it was already ended, or belongs to another loop.",
           loop->running->name, scope->place_ != NULL ? ", opened at " : "",
           scope->place_ != NULL ? scope->place_ : "");
}

static bool is_full(const struct wf_scope *scope)
{
    return scope->limit_ > 0 && (scope->alive_ + scope->granted_ >= scope->limit_ || scope->spawners_.first != NULL);
}

/* What was to run in a cancelled scope does not, so the scope did not succeed. */
static void note_refusal(struct wf_scope *scope)
{
    if (scope->node_.flags & NODE_CANCELLED) scope->cut_ = true;
}

/* Now: the scope may be gone when the spawner runs. */
static void room_cancelled(struct wf_wait *wait, int code)
{
    char *queue = (char *)(uintptr_t)wait->object;
    note_refusal((struct wf_scope *)(queue - offsetof(struct wf_scope, spawners_)));
    queue_cancel(wait, code);
}

static const struct wait_class room_class = {.name = "room under the scope's limit", .cancel = room_cancelled};

/* A grant reserves the room until the waiter runs, whatever is cancelled meanwhile; who was not granted is refused. */
static int wait_for_room(struct wf_scope *scope)
{
    int rc = (int)queue_wait(&scope->spawners_, &room_class);
    if (rc == 0) scope->granted_--;
    return rc;
}

/* A cancelled task starts nothing, and in a cancelled scope nothing is started. */
static __attribute__((noinline, cold)) int refuse_if_cancelled(const struct wf_scope *scope)
{
    int rc = wait_check(false);
    if (rc == 0 && (scope->node_.flags & NODE_CANCELLED)) rc = (int)wait_skipped(-ECANCELED);
    return rc;
}

static inline int may_spawn(const struct wf_scope *scope)
{
    uint32_t flags = scope->node_.flags | current_loop->running->current->flags;
    return __builtin_expect(flags & (NODE_CANCELLED | NODE_WATCHED), 0) ? refuse_if_cancelled(scope) : 0;
}

int spawn_failed(struct wf_scope *scope, const char *place, int rc)
{
    scope_note_error(scope, current_loop->running, rc);
    if (scope->policy_ == WF_FAIL_FAST)
        node_cancel(&scope->node_, &scope->reason_, WF_REASON_SIBLING, "a child could not be spawned", place);
    return rc;
}

static int spawn(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options,
                 struct wf_task **task)
{
    check_scope(scope);
    note_refusal(scope);
    int rc = may_spawn(scope);
    if (rc == 0 && is_full(scope) && !options->daemon) rc = wait_for_room(scope);
    if (rc < 0) return rc; /* the scope may be gone by now */
    rc = task_spawn(scope, fn, options, task);
    if (rc == 0) return 0;
    scope_room_left(scope);
    return spawn_failed(scope, options->place_, rc);
}

int wf_spawn_(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options)
{
    struct wf_task *task;
    return spawn(scope, fn, options, &task);
}

int wf_try_spawn_(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options)
{
    check_scope(scope);
    if (scope->node_.flags & NODE_CANCELLED) return -ECANCELED;
    if (is_full(scope) && !options->daemon) return -EAGAIN;
    struct wf_task *task;
    return task_spawn(scope, fn, options, &task);
}

/* ---- Readiness ---- */

/*
 * The spawner waits with this on its stack until the child says wf_ready or ends. Cancelled, it cancels the child and
 * goes on waiting, so that nothing of the child is left when it returns.
 */
struct ready {
    struct wf_wait wait;
    struct wf_handle child;
    bool abandoned;
};

static void ready_cancelled(struct wf_wait *wait, int code)
{
    struct ready *ready = (struct ready *)wait;
    (void)code;
    ready->abandoned = true;
    node_cancel(&ready->child.task_->node, &ready->child.reason_, WF_REASON_EXPLICIT,
                "the task that waited for it to be ready was cancelled", ready->child.task_->place);
}

static const struct wait_class ready_class = {.name = "a child to be ready", .cancel = ready_cancelled};

int wf_spawn_ready_(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options)
{
    struct ready ready = {.abandoned = false};
    struct wf_spawn_options own = *options;
    if (own.handle == NULL) own.handle = &ready.child;
    check_scope(scope);
    note_refusal(scope);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct task_extra *extra = memory_zero(sizeof *extra); /* before the child exists: then it cannot fail half-way */
    if (extra == NULL) return spawn_failed(scope, own.place_, -ENOMEM);
    struct wf_task *task;
    rc = spawn(scope, fn, &own, &task);
    if (rc < 0) {
        memory_free(extra);
        return rc;
    }
    task->extra = extra;
    extra->ready = &ready;
    ready.child.task_ = task;
    if (wf_cancelled()) ready_cancelled(&ready.wait, -ECANCELED); /* while it waited for room */
    rc = (int)suspend(&ready.wait, &ready_class, scope);
    return ready.abandoned && rc < 0 ? -ECANCELED : rc;
}

void wf_ready(int value)
{
    struct wf_task *task = LOOP_HERE()->running;
    if (task->extra == NULL || task->extra->ready == NULL || value < 0) return;
    struct ready *ready = task->extra->ready;
    if (ready->abandoned) return;
    task->extra->ready = NULL;
    if (task->handle == &ready->child) task->handle = NULL;
    wait_end(&ready->wait, value);
}

bool ready_ended(struct wf_task *task, int rc)
{
    struct ready *ready = task->extra->ready;
    task->extra->ready = NULL;
    if (task->handle == &ready->child) task->handle = NULL;
    wait_end(&ready->wait, rc < 0 ? rc : -EPROTO);
    return ready->abandoned && rc < 0 && rc != -ECANCELED; /* nobody else would hear of it */
}

/* ---- Handles ---- */

static void describe_handle(const struct wf_wait *wait, struct wait_detail *detail)
{
    const char *queue = wait->object;
    const struct wf_handle *handle = (const struct wf_handle *)(queue - offsetof(struct wf_handle, waiters_));
    if (handle->task_ != NULL)
        snprintf(detail->text, sizeof detail->text, "of '%s' #%" PRIu64, handle->task_->name, handle->task_->id);
}

static const struct wait_class handle_class = {
    .name = "a handle",
    .cancel = queue_cancel,
    .describe = describe_handle,
};

static void check_handle(const struct loop *loop, const struct wf_handle *handle, const char *what)
{
    if (handle->task_ != NULL && task_home(handle->task_)->loop_ != loop)
        misuse("a task of another loop was %s by its handle; a handle belongs to its scope's loop.", what);
}

int wf_handle_join(struct wf_handle *handle)
{
    check_handle(LOOP_HERE(), handle, "joined");
    if (handle->state_ == HANDLE_UNUSED) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (handle->state_ == HANDLE_ENDED) return (int)wait_skipped(handle->result_);
    return (int)queue_wait(&handle->waiters_, &handle_class);
}

void wf_handle_cancel_at_(struct wf_handle *handle, const char *why, const char *place)
{
    check_handle(LOOP_ALIVE(), handle, "cancelled");
    if (handle->task_ == NULL) return;
    node_cancel(&handle->task_->node, &handle->reason_, WF_REASON_EXPLICIT, why, place);
}

bool wf_handle_done(const struct wf_handle *handle)
{
    return handle->state_ == HANDLE_ENDED;
}

int wf_handle_result(const struct wf_handle *handle)
{
    if (handle->state_ == HANDLE_ALIVE) return -EINPROGRESS;
    return handle->state_ == HANDLE_ENDED ? handle->result_ : -EINVAL;
}

/* ---- Sets of handles ---- */

static int count_ended(struct wf_handle *const *handles, size_t count, bool *failed)
{
    int ended = 0;
    for (size_t i = 0; i < count; i++) {
        if (!wf_handle_done(handles[i])) continue;
        ended++;
        if (handles[i]->result_ < 0) *failed = true;
    }
    return ended;
}

static const struct wait_class handles_class = {.name = "handles", .cancel = group_cancel};

static int wait_for_any(struct wf_handle *const *handles, size_t count)
{
    struct wait_group group = {.members = memory_zero(count * sizeof(struct wait_member)), .count = count};
    if (group.members == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!wf_handle_done(handles[i])) group_add(&group, i, &handles[i]->waiters_, NULL);
    int rc = (int)suspend(&group.wait, &handles_class, NULL);
    memory_free(group.members);
    return rc;
}

int wf_wait_handles(struct wf_handle *const *handles, size_t count, enum wf_wait_for condition)
{
    (void)LOOP_HERE();
    for (size_t i = 0; i < count; i++)
        if (handles[i]->state_ == HANDLE_UNUSED) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    for (;;) {
        bool failed = false;
        int ended = count_ended(handles, count, &failed);
        bool enough =
            (size_t)ended == count || (condition == WF_ANY_DONE && ended > 0) || (condition == WF_ANY_FAILED && failed);
        if (enough) return (int)wait_skipped(ended);
        rc = wait_check(false);
        if (rc == 0) rc = wait_for_any(handles, count);
        if (rc < 0) return rc;
    }
}
