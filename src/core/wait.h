/*
 * Waiting: the one mechanism under every suspending call.
 *
 * A task that suspends leaves a wait record on its own stack. Whoever ends the wait, the waker or the canceller, takes
 * the record off its queue and makes the task runnable in one step, so there is exactly one outcome, and a record is
 * never both cancelled and queued. All of it happens on the loop's thread.
 *
 *     running --suspend()--> suspended --wait_end()--> runnable --switched to--> running
 *                                 |
 *                                 +-- a cancelled scope: class->cancel(), which calls wait_end() now (queues, timers)
 *                                     or asks the kernel, whose answer does (operations)
 */
#ifndef WEFT_CORE_WAIT_H
#define WEFT_CORE_WAIT_H

#include <weft/scope.h>

/* What a dump says of a wait beyond its class. */
struct wait_detail {
    int descriptor; /* -1: none */
    char peer[80];  /* "" where there is none */
    char text[160]; /* for people, all of it; "" */
};

struct wait_class {
    const char *name; /* "sleep", "recv": for dumps */
    /* Ends the wait with `code`, now or when the kernel has answered. NULL: cannot be cancelled. */
    void (*cancel)(struct wf_wait *wait, int code);
    bool idle;      /* a drain ends it too, with -ESHUTDOWN */
    bool operation; /* the record is the beginning of a struct op: for who looks on */
    /* NULL: there is nothing more to say. The detail is empty before. */
    void (*describe)(const struct wf_wait *wait, struct wait_detail *detail);
};

struct wf_wait {
    struct wf_wait *next, *prev; /* neighbours in a queue */
    struct wf_task *task;
    const struct wait_class *class;
    const void *object; /* what is waited on: the queue, the descriptor */
    int64_t result;     /* valid once the wait has ended */
};

/*
 * Suspends the running task until wait_end. The caller has checked for cancellation, if its class can be cancelled, and
 * has put the record where a waker will find it.
 */
int64_t suspend(struct wf_wait *wait, const struct wait_class *class, const void *object);

/* Ends the wait: its task becomes runnable and suspend() returns `result` there. Unlink the record first. */
void wait_end(struct wf_wait *wait, int64_t result);

/*
 * What every cancellable suspending call does first: 0, or -ECANCELED. A failing check uses budget, so that a loop that
 * ignores it cannot starve the others. `idle`: also -ESHUTDOWN when the task drains.
 */
int wait_check(bool idle);

/* A call that completed without waiting uses budget and yields when it is used up. Returns `result`. */
int64_t wait_skipped(int64_t result);

/* A call that cannot begin and says why: inside a cancelled scope the code is -ECANCELED all the same. */
static inline int64_t wait_refused(int code)
{
    int rc = wait_check(false);
    return rc < 0 ? rc : wait_skipped(code);
}

/* ---- Queues: first in, first out ---- */

static inline void queue_append(struct wf_queue_ *queue, struct wf_wait *wait)
{
    wait->next = NULL;
    wait->prev = queue->last;
    if (queue->last != NULL) queue->last->next = wait;
    else queue->first = wait;
    queue->last = wait;
}

static inline void queue_remove(struct wf_queue_ *queue, struct wf_wait *wait)
{
    if (wait->next != NULL) wait->next->prev = wait->prev;
    else queue->last = wait->prev;
    if (wait->prev != NULL) wait->prev->next = wait->next;
    else queue->first = wait->next;
}

/* Waits in the queue until someone grants: gives what was granted, or the cancel's code (by queue_cancel). */
int64_t queue_wait(struct wf_queue_ *queue, const struct wait_class *class);

/* Hands `result` to the first waiter, if there is one: it has it, whatever happens to it before it runs. */
bool queue_grant(struct wf_queue_ *queue, int64_t result);

/* The cancel function of waits whose object is their queue. */
void queue_cancel(struct wf_wait *wait, int code);

/* Counts those who wait: for statistics, it walks the queue. */
size_t queue_length(const struct wf_queue_ *queue);

/* ---- Waits that carry an item: who grants copies into it, or out of it, before ---- */

struct item_wait {
    struct wf_wait wait;
    void *item;
};

int queue_wait_item(struct wf_queue_ *queue, const struct wait_class *class, void *item);

/* ---- Waiting in several queues at once: exactly one of them wakes the task ---- */

struct wait_member {
    struct item_wait node; /* in the queue; its result is what was granted */
    struct wait_group *group;
    struct wf_queue_ *queue; /* NULL: not queued */
};

/* A member's record has no task: a grant to it ends the group's wait, whose result is then the member's index. */
struct wait_group {
    struct wf_wait wait;
    struct wait_member *members;
    size_t count;
};

void group_add(struct wait_group *group, size_t index, struct wf_queue_ *queue, void *item);

/* Does the group's task still wait? Else its wait has ended, and the task is on its way. */
bool group_waits(const struct wait_group *group);

/* Its members leave their queues; group_end: and its wait is over. */
void group_leave(struct wait_group *group);
void group_end(struct wait_group *group, int64_t result);

/* The cancel function of a group's wait. */
void group_cancel(struct wf_wait *wait, int code);

#endif
