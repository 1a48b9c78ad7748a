/*
 * Cancellation: a flag that is spread down the tree once, so that every suspending call checks one bit.
 *
 *     scope S  requested ---> its owner's scopes inside S  ---> their children ...
 *                        \--> its children (tasks)         ---> the scopes they opened ---> their children ...
 *
 * A shield stops the spreading below it; what is opened later inside a flagged node is born flagged. A task is woken
 * when its innermost node gets the flag. The walk needs no stack of its own: nodes know their parents.
 */
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "core/loop.h"
#include "core/probe.h"

/* ---- Walking the tree ---- */

struct wf_node_ *node_first_below(const struct wf_node_ *node)
{
    if (node->inner != NULL) return node->inner;
    if (node->flags & NODE_TASK) return NULL;
    struct wf_task *child = ((const struct wf_scope *)node)->children_;
    return child != NULL ? &child->node : NULL;
}

struct wf_node_ *node_next_beside(struct wf_node_ *node)
{
    if (node->flags & NODE_TASK) {
        struct wf_task *next = node_owner(node)->next;
        return next != NULL ? &next->node : NULL;
    }
    struct wf_node_ *parent = node->parent;
    if (parent->flags & NODE_TASK) return NULL;
    struct wf_task *child = ((struct wf_scope *)parent)->children_;
    return child != NULL ? &child->node : NULL;
}

/* ---- Spreading a flag ---- */

static void interrupt(struct wf_node_ *node, uint32_t flag)
{
    struct wf_task *task = node_owner(node);
    if (task == NULL || task->current != node || task->wait == NULL) return;
    const struct wait_class *class = task->wait->class;
    if (class->cancel == NULL) return;
    if (flag == NODE_CANCELLED) class->cancel(task->wait, -ECANCELED);
    else if (class->idle || (task->flags & TASK_IDLE)) class->cancel(task->wait, -ESHUTDOWN);
}

/* Nobody gets room in a cancelled scope any more. */
static void refuse_spawners(struct wf_scope *scope)
{
    while (queue_grant(&scope->spawners_, -ECANCELED)) scope->cut_ = true;
}

/* Gives true when what is below the node must be visited too. */
static bool set_flag(struct wf_node_ *node, uint32_t flag)
{
    if (node->flags & flag) return false;
    node->flags |= flag;
    if (flag == NODE_CANCELLED && (node->flags & NODE_TASK))
        trail_note(&current_loop->trail, TRAIL_CANCEL, node_owner(node), 0);
    interrupt(node, flag);
    if (flag == NODE_CANCELLED && !(node->flags & NODE_TASK)) refuse_spawners((struct wf_scope *)node);
    return true;
}

static void spread(struct wf_node_ *top, uint32_t flag)
{
    if (!set_flag(top, flag)) return;
    struct wf_node_ *node = node_first_below(top);
    while (node != NULL) {
        struct wf_node_ *next = NULL;
        if (!(node->flags & NODE_SHIELD) && set_flag(node, flag)) next = node_first_below(node);
        while (next == NULL) {
            next = node_next_beside(node);
            if (next != NULL) break;
            node = node->parent;
            if (node == top) return;
        }
        node = next;
    }
}

/* ---- Requests ---- */

void node_cancel(struct wf_node_ *node, struct wf_reason *storage, enum wf_reason_kind kind, const char *text,
                 const char *place)
{
    if (node->flags & NODE_REQUESTED) return;
    node->flags |= NODE_REQUESTED;
    storage->kind = kind;
    storage->text = text != NULL ? text : "no reason given";
    storage->place = place;
    const struct wf_task *by = current_loop->running;
    snprintf(storage->task, sizeof storage->task, "%s", by != NULL ? by->name : "");
    node->reason = storage;
    PROBE2(cancel, storage->text, storage->place);
    spread(node, NODE_CANCELLED);
}

void node_drain(struct wf_node_ *node)
{
    spread(node, NODE_DRAINING);
    if (current_loop->drain_hooks > 0) drain_hooks_run(node);
}

const struct wf_reason *node_reason(const struct wf_node_ *node)
{
    for (; node != NULL; node = node->parent) {
        if (node->flags & NODE_REQUESTED) return node->reason;
        if (node->flags & NODE_SHIELD) return NULL;
    }
    return NULL;
}

/* ---- Asking ---- */

bool wf_cancelled(void)
{
    return LOOP_HERE()->running->current->flags & NODE_CANCELLED;
}

const struct wf_reason *wf_cancel_reason(void)
{
    return node_reason(LOOP_HERE()->running->current);
}

const struct wf_reason *wf_caught_reason(void)
{
    const struct task_extra *extra = LOOP_HERE()->running->extra;
    return extra != NULL && extra->caught.kind != WF_REASON_NONE ? &extra->caught : NULL;
}

bool wf_draining(void)
{
    return LOOP_HERE()->running->current->flags & NODE_DRAINING;
}

bool wf_idle_begin_(void)
{
    struct wf_task *task = LOOP_HERE()->running;
    bool before = task->flags & TASK_IDLE;
    task->flags |= TASK_IDLE;
    return before;
}

void wf_idle_end_(const bool *before)
{
    if (!*before) LOOP_HERE()->running->flags &= (uint8_t)~TASK_IDLE;
}

int64_t wf_deadline(void)
{
    int64_t deadline = WF_FOREVER;
    for (const struct wf_node_ *node = LOOP_HERE()->running->current; node != NULL; node = node->parent) {
        if (node->flags & NODE_TASK) continue;
        int64_t own = ((const struct wf_scope *)node)->timer_.deadline;
        if (own < deadline) deadline = own;
        if (node->flags & NODE_SHIELD) break;
    }
    return deadline;
}

int64_t wf_remaining(void)
{
    int64_t deadline = wf_deadline();
    if (deadline == WF_FOREVER) return WF_FOREVER;
    int64_t left = deadline - wf_now();
    return left > 0 ? left : -1;
}
