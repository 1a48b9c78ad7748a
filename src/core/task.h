/*
 * A task: a function on its way, its place in the tree, and the stack it stands on.
 *
 *     spawned --first switch--> running <--> suspended        (wait.h)
 *        |                         |
 *        |                         +-- the function returned --> ended: task_end() tells its scope and its handle,
 *        |                                                        frees the record, gives the stack back
 *        +-- queued, without a stack: it is bound to the hottest one when it is first switched to
 */
#ifndef WEFT_CORE_TASK_H
#define WEFT_CORE_TASK_H

#include <weft/arena.h>
#include <weft/scope.h>

#include "core/wait.h"

enum node_flags {
    NODE_CANCELLED = 1, /* effectively cancelled: requested here, or above with no shield in between */
    NODE_REQUESTED = 2, /* cancelled itself */
    NODE_DRAINING = 4,
    NODE_SHIELD = 8,
    NODE_TASK = 16,    /* the node is a task's, else a scope's */
    NODE_WATCHED = 32, /* a test counts the suspending calls made here */
};

enum task_flags {
    TASK_DAEMON = 1,
    TASK_OWNS_ARG = 2,
    TASK_OWNS_CONTEXT = 4,
    TASK_OWNS_NAME = 8,
    TASK_STUBBORN = 16, /* was reported for ignoring its cancellation */
    TASK_LOGGED = 32,   /* its start was, so its end will be */
    TASK_IDLE = 64,     /* whatever it waits for now is an idle wait */
    TASK_ENDED = 128,   /* and is kept until its scope hands it out */
};

/* What few tasks need, made when one does. */
struct task_extra {
    struct wf_error *failure; /* of the last wf_fail, or of a scope that ended with errors */
    struct wf_reason caught;
    struct wf_arena scratch;
    struct ready *ready; /* who waits for wf_ready */
};

struct stack;

struct wf_task {
    struct wf_task *next_run;
    void *sp; /* where it is suspended; NULL before its first run */
    struct stack *stack;
    struct wf_node_ *current; /* innermost node: a scope it opened, or its own */
    struct wf_wait *wait;     /* what it is suspended on; NULL while runnable or running */
    int64_t since;            /* the pass's time when it was suspended; valid with `wait` */
    struct wf_node_ node;     /* parent: the scope it was spawned into */
    int (*fn)(void *);
    void *arg;
    struct wf_task *next, *prev; /* siblings */
    struct wf_handle *handle;
    const char *name, *place;
    const struct wf_context *context;
    struct task_extra *extra;
    struct wf_end_hook_ *held; /* what it must not end with */
    uint64_t id;
    uint32_t resumes; /* how often it was switched to, for dumps */
    uint32_t spins;   /* suspending calls in a row that failed because it is cancelled */
    int result;       /* of an ended one that its scope keeps */
    int stray_error;  /* handed up by a scope that was left without its end */
    uint8_t flags, stack_class, chunk_index;
    /* Records of a sleep and of a wait in one queue lie here, not on the stack: firing a batch of timers then walks
     * dense memory, and each stack, a page of its own and so a miss in every cache there is, is only touched when its
     * task runs. */
    struct item_wait own_wait;
    struct wf_timer_ sleep_timer;
};

enum { CHUNK_TASKS = 64 };

/* Records in chunks with a bit for each, taken as stacks are: from the chunk last given back to, the lowest first. */
struct task_chunk {
    struct task_chunk *next, *prev; /* among those with a free record */
    struct task_chunk *older;       /* of all */
    uint64_t free;
    struct wf_task tasks[CHUNK_TASKS];
};

static inline struct wf_scope *task_home(const struct wf_task *task)
{
    return (struct wf_scope *)task->node.parent; /* a scope begins with its node */
}

static inline struct wf_task *node_owner(const struct wf_node_ *node)
{
    if (node->flags & NODE_TASK) return (struct wf_task *)((char *)(uintptr_t)node - offsetof(struct wf_task, node));
    return ((const struct wf_scope *)node)->owner_;
}

/* NULL: out of memory. */
struct task_extra *task_extra(struct wf_task *task);

/* ---- task.c ---- */

/* The function ended: everything but giving the stack back. Called on the task's own stack. */
void task_end(struct wf_task *task, int rc);

/* ---- observe/tasks.c, which hears of tasks where a program wants to see them start and end ---- */

bool tasks_are_logged(void);
void task_log_start(const struct wf_task *task);
void task_log_end(const struct wf_task *task, int rc);

/* ---- cancel.c ---- */

/* Requests the node; wakes or interrupts every task that is now effectively cancelled. The first reason wins. */
void node_cancel(struct wf_node_ *node, struct wf_reason *storage, enum wf_reason_kind kind, const char *text,
                 const char *place);
void node_drain(struct wf_node_ *node);
/* What is directly below a node, and its neighbour there; NULL: there is none. */
struct wf_node_ *node_first_below(const struct wf_node_ *node);
struct wf_node_ *node_next_beside(struct wf_node_ *node);
/* The reason of the nearest cancelled node that the task can feel; NULL when there is none. */
const struct wf_reason *node_reason(const struct wf_node_ *node);

/* ---- drain.c ---- */

/* Calls those of everything under the node that drains. */
void drain_hooks_run(struct wf_node_ *top);
void drain_hooks_free(struct wf_scope *scope);

/* ---- errors.c ---- */

/* Notes a real error of `task` in the scope: the details are the task's last failure where the codes agree. */
void scope_note_error(struct wf_scope *scope, struct wf_task *task, int code);
/* What the block of a scope leaves behind: errors not taken become the owner's last failure, the rest is freed. */
void scope_pass_errors(struct wf_scope *scope, struct wf_task *owner);
/* The task's own words for a failure with that code (wf_fail), else the code's text. */
const char *failure_text(const struct wf_task *task, int code);
/* The details of one task's failure become another's. */
void failure_move(struct wf_task *from, struct wf_task *to, int code);
/* The same in two steps, from loop to loop: what it took is on its way, and belongs to nobody. Its paths are continued
 * from the task that adopts it, whose name they begin with where that is the proxy of the other. */
struct wf_error *failure_take(struct wf_task *task, int code);
void failure_adopt(struct wf_task *task, struct wf_error *errors, bool proxy);
void errors_free(struct wf_error *errors);

/* ---- context.c ---- */

/* The bindings that the caller sees: in a task, in its job on a thread; NULL elsewhere. */
const struct wf_context *context_here(void);

/* A copy of the bindings that outlives them. NULL with *failed set: out of memory. */
const struct wf_context *context_capture(const struct wf_context *context, bool *failed);
void context_release(const struct wf_context *context);
/* The same for another thread, with which nothing is shared. */
const struct wf_context *context_copy(const struct wf_context *context, bool *failed);

#endif
