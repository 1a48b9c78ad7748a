/* What a program does when a drain reaches a scope: inner scopes first. */
#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "core/scope.h"

struct wf_drain_hook_ {
    struct wf_drain_hook_ *next;
    void (*fn)(void *arg);
    void *arg;
};

int wf_scope_on_drain_(struct wf_scope *scope, void (*fn)(void *), const void *argument)
{
    struct loop *loop = LOOP_HERE();
    void *arg = (void *)(uintptr_t)argument;
    if (scope->loop_ != loop || scope->state_ != SCOPE_OPEN)
        misuse("wf_scope_on_drain was given a scope that is not open, or belongs to another loop.");
    if (scope->node_.flags & NODE_DRAINING) {
        fn(arg);
        return 0;
    }
    struct wf_drain_hook_ *hook = memory_alloc(sizeof *hook);
    if (hook == NULL) return -ENOMEM;
    *hook = (struct wf_drain_hook_){.next = scope->drain_hooks_, .fn = fn, .arg = arg};
    scope->drain_hooks_ = hook;
    loop->drain_hooks++;
    return 0;
}

static struct wf_drain_hook_ *take_first(struct wf_scope *scope)
{
    struct wf_drain_hook_ *hook = scope->drain_hooks_;
    if (hook == NULL) return NULL;
    scope->drain_hooks_ = hook->next;
    current_loop->drain_hooks--;
    return hook;
}

/* Off the list before it is called: it may look at the scope. */
static void run_hooks(struct wf_scope *scope)
{
    struct wf_drain_hook_ *hook;
    while ((hook = take_first(scope)) != NULL) {
        struct wf_drain_hook_ taken = *hook;
        memory_free(hook);
        taken.fn(taken.arg);
    }
}

void drain_hooks_free(struct wf_scope *scope)
{
    struct wf_drain_hook_ *hook;
    while ((hook = take_first(scope)) != NULL) memory_free(hook);
}

/* Where a walk begins that comes to a node after all that is below it. A shield kept the drain out. */
static struct wf_node_ *deepest(struct wf_node_ *node)
{
    while (node->flags & NODE_DRAINING) {
        struct wf_node_ *below = node_first_below(node);
        if (below == NULL) break;
        node = below;
    }
    return node;
}

void drain_hooks_run(struct wf_node_ *top)
{
    struct wf_node_ *node = deepest(top);
    for (;;) {
        bool drains = node->flags & NODE_DRAINING;
        if (drains && !(node->flags & NODE_TASK)) run_hooks((struct wf_scope *)node);
        if (node == top) return;
        struct wf_node_ *next = node_next_beside(node);
        node = next != NULL ? deepest(next) : node->parent;
    }
}
