/* A mutex that knows its owner, and learns of the owner's end. */
#include <weft/sync.h>

#include "core/loop.h"

static const struct wait_class mutex_class = {.name = "a mutex", .cancel = queue_cancel};

/* ---- Ownership ---- */

static void owner_ended(struct wf_end_hook_ *hook);

static void own(struct wf_mutex *mutex, struct wf_task *task)
{
    mutex->owner_ = task;
    mutex->abandoned_ = false;
    mutex->hook_.run = owner_ended;
    mutex->hook_.next = task->held;
    task->held = &mutex->hook_;
}

static void disown(struct wf_mutex *mutex)
{
    struct wf_end_hook_ **link = &mutex->owner_->held;
    while (*link != &mutex->hook_) link = &(*link)->next;
    *link = mutex->hook_.next;
    mutex->owner_ = NULL;
}

static void pass_on(struct wf_mutex *mutex, int result)
{
    struct wf_wait *first = mutex->waiters_.first;
    if (first == NULL) return;
    own(mutex, first->task);
    queue_grant(&mutex->waiters_, result);
}

static void owner_ended(struct wf_end_hook_ *hook)
{
    struct wf_mutex *mutex = (struct wf_mutex *)((char *)hook - offsetof(struct wf_mutex, hook_));
    mutex->owner_ = NULL;
    mutex->abandoned_ = true;
    pass_on(mutex, -EOWNERDEAD);
}

/* ---- The interface ---- */

int wf_mutex_try_lock(struct wf_mutex *mutex)
{
    struct wf_task *task = LOOP_HERE()->running;
    if (mutex->owner_ == task) return -EDEADLK;
    if (mutex->owner_ != NULL) return -EBUSY;
    int rc = mutex->abandoned_ ? -EOWNERDEAD : 0;
    own(mutex, task);
    return rc;
}

int wf_mutex_lock(struct wf_mutex *mutex)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    rc = wf_mutex_try_lock(mutex);
    if (rc == -EBUSY) return (int)queue_wait(&mutex->waiters_, &mutex_class);
    return (int)wait_skipped(rc);
}

int wf_mutex_unlock(struct wf_mutex *mutex)
{
    if (mutex->owner_ != LOOP_HERE()->running) return -EPERM;
    disown(mutex);
    pass_on(mutex, 0);
    return 0;
}
