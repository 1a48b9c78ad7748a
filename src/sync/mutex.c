/* A mutex that knows its owner, and learns of the owner's end. */
#include "sync/mutex.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/loop.h"
#include "sync/statistics.h"

static void describe_mutex(const struct wf_wait *wait, struct wait_detail *detail)
{
    const char *queue = wait->object;
    const struct wf_mutex *mutex = (const struct wf_mutex *)(queue - offsetof(struct wf_mutex, waiters_));
    if (mutex->owner_ != NULL)
        snprintf(detail->text, sizeof detail->text, "held by '%s' #%" PRIu64, mutex->owner_->name, mutex->owner_->id);
}

static const struct wait_class mutex_class = {
    .name = "a mutex",
    .cancel = queue_cancel,
    .describe = describe_mutex,
};
static const struct wait_class again_class = {.name = "a mutex, after a condition"};

/* ---- Ownership ---- */

static void owner_ended(struct wf_end_hook_ *hook);

static inline void own(struct wf_mutex *mutex, struct wf_task *task)
{
    mutex->owner_ = task;
    mutex->passed_++;
    mutex->hook_.run = owner_ended;
    mutex->hook_.next = task->held;
    task->held = &mutex->hook_;
}

static inline void disown(struct wf_mutex *mutex)
{
    struct wf_end_hook_ **link = &mutex->owner_->held;
    while (*link != &mutex->hook_) link = &(*link)->next;
    *link = mutex->hook_.next;
    mutex->owner_ = NULL;
}

static void pass_on(struct wf_mutex *mutex, int result)
{
    own(mutex, mutex->waiters_.first->task);
    queue_grant(&mutex->waiters_, result);
}

/* An owner is told once that the one before it had ended; until there is one, the mutex remembers. */
static void owner_ended(struct wf_end_hook_ *hook)
{
    struct wf_mutex *mutex = (struct wf_mutex *)((char *)hook - offsetof(struct wf_mutex, hook_));
    mutex->owner_ = NULL;
    if (mutex->waiters_.first != NULL) pass_on(mutex, -EOWNERDEAD);
    else mutex->abandoned_ = true;
}

static int own_free(struct wf_mutex *mutex, struct wf_task *task)
{
    own(mutex, task);
    if (__builtin_expect(!mutex->abandoned_, 1)) return 0;
    mutex->abandoned_ = false;
    return -EOWNERDEAD;
}

void mutex_take_for(struct wf_mutex *mutex, struct wf_wait *wait)
{
    if (mutex->owner_ == NULL) {
        wait_end(wait, own_free(mutex, wait->task));
        return;
    }
    wait->class = &again_class;
    wait->object = &mutex->waiters_;
    mutex->waited_++;
    queue_append(&mutex->waiters_, wait);
}

/* ---- The interface ---- */

int wf_mutex_try_lock(struct wf_mutex *mutex)
{
    struct wf_task *task = LOOP_HERE()->running;
    if (mutex->owner_ == NULL) return own_free(mutex, task);
    return mutex->owner_ == task ? -EDEADLK : -EBUSY;
}

static __attribute__((noinline)) int wait_for_lock(struct loop *loop, struct wf_mutex *mutex)
{
    if (mutex->owner_ == loop->running) return (int)wait_skipped_in(loop, -EDEADLK);
    mutex->waited_++;
    return (int)queue_wait(&mutex->waiters_, &mutex_class);
}

int wf_mutex_lock(struct wf_mutex *mutex)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (__builtin_expect(rc < 0, 0)) return rc;
    if (__builtin_expect(mutex->owner_ != NULL, 0)) return wait_for_lock(loop, mutex);
    return (int)wait_skipped_in(loop, own_free(mutex, loop->running));
}

int wf_mutex_unlock(struct wf_mutex *mutex)
{
    if (mutex->owner_ != LOOP_HERE()->running) return -EPERM;
    disown(mutex);
    if (__builtin_expect(mutex->waiters_.first != NULL, 0)) pass_on(mutex, 0);
    return 0;
}

void wf_mutex_statistics(const struct wf_mutex *mutex, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(mutex);
}
