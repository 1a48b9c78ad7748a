/*
 * A task on another loop, and who waits for it here.
 *
 *     here: the proxy                         there
 *       mail start ----------------------->   the task is spawned; refused: dropped, done
 *       cancelled: mail stop ------------->   the task is cancelled, or has ended
 *       drained:   mail drain ------------>   ...
 *                     <------------------   it returned: mail done
 *       goes on
 *
 * The record is of both. It is freed by whoever uses it last: the proxy, when it is done, or a stop that came too late.
 */
#include <weft/loops.h>

#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loops.h"
#include "core/scope.h"

enum { WHY_MAX = 128 };

struct remote {
    struct mail start, stop, drain, done;
    atomic_uint references; /* one of who waits, one for each stop and drain under way */
    struct station *here, *there;
    int (*fn)(void *);
    void *arg;
    void (*drop)(void *arg);
    const struct wf_context *context; /* the task's, until it is made */
    int64_t deadline;
    size_t stack_size;
    const char *name, *function, *place;
    bool watched; /* by a test of this one world */
    /* there */
    struct wf_task *task; /* NULL: not begun, or ended */
    struct wf_reason reason;
    char why[WHY_MAX];
    /* here */
    struct wf_wait wait;
    bool stopping, draining;
    /* the answer */
    int result;
    struct wf_error *failure;
    _Alignas(max_align_t) char copy[];
};

static struct remote *remote_of(const struct mail *mail, size_t offset)
{
    return (struct remote *)((char *)(uintptr_t)mail - offset);
}

#define REMOTE_OF(mail, member) remote_of((mail), offsetof(struct remote, member))

static void leave(struct remote *remote)
{
    if (atomic_fetch_sub(&remote->references, 1) > 1) return;
    errors_free(remote->failure);
    context_release(remote->context);
    memory_free(remote);
}

/* ---- Here: the answer ---- */

static void arrive_done(struct mail *mail)
{
    struct remote *remote = REMOTE_OF(mail, done);
    wait_end(&remote->wait, remote->result);
}

/* ---- There ---- */

static void answer(struct remote *remote, int result)
{
    remote->result = result;
    remote->done.arrive = arrive_done;
    atomic_fetch_sub_explicit(&remote->there->load, 1, memory_order_relaxed);
    mail_send(remote->here, &remote->done);
}

/* The caller's deadline can be read here. What makes it felt is the stop. */
static int call_under_deadline(struct remote *remote)
{
    WF_SCOPE(scope, .name = "deadline of the other loop");
    scope.timer_.deadline = remote->deadline;
    return wf_scope_end(&scope, remote->fn(remote->arg));
}

static int run_there(struct remote *remote)
{
    struct wf_task *task = current_loop->running;
    int rc = remote->deadline == WF_FOREVER ? remote->fn(remote->arg) : call_under_deadline(remote);
    if (rc >= 0 && task->stray_error < 0) rc = task->stray_error;
    task->stray_error = 0;
    if (rc < 0) remote->failure = failure_take(task, rc);
    remote->task = NULL;
    answer(remote, rc);
    return 0;
}

static void refuse(struct remote *remote, int code)
{
    if (remote->drop != NULL) remote->drop(remote->arg);
    answer(remote, code);
}

static void arrive_start(struct mail *mail)
{
    struct remote *remote = REMOTE_OF(mail, start);
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = remote,
        .name = remote->name,
        .stack_size = remote->stack_size,
        .function_ = remote->function,
        .place_ = remote->place,
    };
    struct wf_task *task;
    int rc = task_spawn(&remote->there->root, (int (*)(void *))run_there, &options, &task);
    if (rc < 0) {
        refuse(remote, rc);
        return;
    }
    remote->task = task;
    task->context = remote->context;
    task->flags |= TASK_OWNS_CONTEXT;
    remote->context = NULL;
    if (remote->watched) task->node.flags |= NODE_WATCHED;
}

static void arrive_stop(struct mail *mail)
{
    struct remote *remote = REMOTE_OF(mail, stop);
    if (remote->task != NULL) {
        char by[sizeof remote->reason.task];
        memcpy(by, remote->reason.task, sizeof by);
        node_cancel(&remote->task->node, &remote->reason, remote->reason.kind, remote->why, remote->reason.place);
        memcpy(remote->reason.task, by, sizeof by);
    }
    leave(remote);
}

static void arrive_drain(struct mail *mail)
{
    struct remote *remote = REMOTE_OF(mail, drain);
    if (remote->task != NULL) node_drain(&remote->task->node);
    leave(remote);
}

/* ---- Here ---- */

static void send_stop(struct remote *remote, const struct wf_task *task)
{
    if (remote->stopping) return;
    remote->stopping = true;
    const struct wf_reason *reason = node_reason(task->current);
    if (reason != NULL) remote->reason = *reason;
    snprintf(remote->why, sizeof remote->why, "%s", reason != NULL ? reason->text : "");
    atomic_fetch_add(&remote->references, 1);
    remote->stop.arrive = arrive_stop;
    mail_send(remote->there, &remote->stop);
}

static void send_drain(struct remote *remote)
{
    if (remote->draining) return;
    remote->draining = true;
    atomic_fetch_add(&remote->references, 1);
    remote->drain.arrive = arrive_drain;
    mail_send(remote->there, &remote->drain);
}

/* The wait goes on until the task there has ended. */
static void pass_on(struct wf_wait *wait, int code)
{
    struct remote *remote = (struct remote *)((char *)wait - offsetof(struct remote, wait));
    if (code == -ESHUTDOWN) send_drain(remote);
    else send_stop(remote, wait->task);
}

static const struct wait_class remote_class = {.name = "a task of another loop", .cancel = pass_on, .idle = true};

/* Gives the result of the task there. The record is gone then. */
static int run_and_wait(struct remote *remote, bool proxy)
{
    struct wf_task *task = current_loop->running;
    remote->here = station_here();
    remote->deadline = wf_deadline();
    remote->watched = current_loop->driver->simulated && (task->current->flags & NODE_WATCHED);
    remote->start.arrive = arrive_start;
    mail_send(remote->there, &remote->start);
    if (task->current->flags & NODE_DRAINING) send_drain(remote);
    if (task->current->flags & NODE_CANCELLED) send_stop(remote, task);
    int rc = (int)suspend(&remote->wait, &remote_class, remote);
    if (remote->failure != NULL) failure_adopt(task, remote->failure, proxy);
    remote->failure = NULL;
    leave(remote);
    return rc;
}

static int run_elsewhere(struct remote *remote)
{
    struct wf_task *task = current_loop->running;
    bool failed = false;
    remote->context = context_copy(task->context, &failed);
    if (remote->name != NULL) remote->name = task->name; /* the copy */
    task->arg = NULL;                                    /* for wf_scope_next: what the child had was a copy */
    if (!failed) return run_and_wait(remote, true);
    if (remote->drop != NULL) remote->drop(remote->arg);
    atomic_fetch_sub_explicit(&remote->there->load, 1, memory_order_relaxed);
    leave(remote);
    return -ENOMEM;
}

/* ---- Asking for it ---- */

static int remote_new(int index, size_t copy_size, struct remote **out)
{
    struct loops *loops = current_loop->station->loops;
    struct station *there = station_take(loops, index);
    if (there == NULL) {
        wf_fail(-EINVAL, "there is no loop %d: this run has %u", index, loops->count);
        return -EINVAL;
    }
    struct remote *remote = memory_alloc(sizeof *remote + copy_size);
    if (remote == NULL) {
        atomic_fetch_sub_explicit(&there->load, 1, memory_order_relaxed);
        return -ENOMEM;
    }
    *remote = (struct remote){.references = 1, .there = there};
    *out = remote;
    return 0;
}

static void take_back(struct remote *remote)
{
    atomic_fetch_sub_explicit(&remote->there->load, 1, memory_order_relaxed);
    leave(remote);
}

int wf_spawn_on_(struct wf_scope *scope, int index, int (*fn)(void *), const struct wf_spawn_on_options *options)
{
    (void)LOOP_HERE();
    struct remote *remote = NULL;
    size_t copy_size = options->arg_ != NULL ? options->copy_size_ : 0;
    int rc = options->size == sizeof *options && fn != NULL ? remote_new(index, copy_size, &remote) : -EINVAL;
    if (rc == 0 && options->stack_size > 0 && stack_class_for(options->stack_size) < 0) {
        take_back(remote);
        rc = -EINVAL;
    }
    if (rc != 0) return spawn_failed(scope, options->place_, rc);
    remote->fn = fn;
    remote->arg = (void *)(uintptr_t)options->arg_;
    if (copy_size > 0) remote->arg = memcpy(remote->copy, options->arg_, copy_size);
    remote->drop = options->drop;
    remote->stack_size = options->stack_size;
    remote->name = options->name;
    remote->function = options->function_;
    remote->place = options->place_;
    const struct wf_spawn_options proxy = {
        .size = sizeof proxy,
        .arg_ = remote,
        .name = options->name,
        .handle = options->handle,
        .daemon = options->daemon,
        .context = options->context,
        .function_ = options->function_,
        .place_ = options->place_,
    };
    rc = wf_spawn_(scope, (int (*)(void *))run_elsewhere, &proxy);
    if (rc < 0) take_back(remote);
    return rc;
}

int wf_call_on_(int index, int (*fn)(void *), void *arg, const char *function, const char *place)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct remote *remote;
    rc = remote_new(index, 0, &remote);
    if (rc != 0) return rc;
    bool failed = false;
    remote->context = context_copy(loop->running->context, &failed);
    if (failed) {
        take_back(remote);
        return -ENOMEM;
    }
    remote->fn = fn;
    remote->arg = arg;
    remote->function = function;
    remote->place = place;
    return run_and_wait(remote, false);
}

int wf_everywhere_(int (*fn)(void *), const void *arg, const char *function, const char *place)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    const struct wf_spawn_on_options options = {.size = sizeof options,
                                                .arg_ = arg,
                                                .function_ = function,
                                                .place_ = place};
    WF_SCOPE(everywhere, .name = "everywhere");
    int count = wf_loops_count();
    for (int i = 0; i < count && rc == 0; i++) rc = wf_spawn_on_(&everywhere, i, fn, &options);
    return wf_scope_end(&everywhere, rc);
}
