/*
 * A condition: who is notified goes straight to the lock's queue, without a turn of its own in between.
 *
 *     unlock, wait --notify--> in line for the lock --unlock of its holder--> awake, and holds it
 *          |                          ^
 *          +--cancel (code: -ECANCELED)
 */
#include "core/loop.h"
#include "sync/mutex.h"
#include "sync/statistics.h"

struct condition_wait {
    struct wf_wait wait;
    struct wf_mutex *mutex;
    int code; /* what the call returns once it has the lock */
};

static void cancelled(struct wf_wait *wait, int code)
{
    struct condition_wait *waiting = (struct condition_wait *)wait;
    queue_remove((struct wf_queue_ *)(uintptr_t)wait->object, wait);
    waiting->code = code;
    mutex_take_for(waiting->mutex, wait);
}

static const struct wait_class condition_class = {.name = "a condition", .cancel = cancelled};

int wf_condition_wait(struct wf_condition *condition, struct wf_mutex *mutex)
{
    struct loop *loop = LOOP_HERE();
    if (mutex->owner_ != loop->running) return -EPERM;
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    struct condition_wait waiting = {.wait.task = loop->running, .mutex = mutex};
    condition->waited_++;
    queue_append(&condition->waiters_, &waiting.wait);
    wf_mutex_unlock(mutex);
    rc = (int)suspend(&waiting.wait, &condition_class, &condition->waiters_);
    return rc < 0 ? rc : waiting.code;
}

static bool notify(struct wf_condition *condition)
{
    struct wf_wait *first = condition->waiters_.first;
    if (first == NULL) return false;
    queue_remove(&condition->waiters_, first);
    condition->passed_++;
    mutex_take_for(((struct condition_wait *)first)->mutex, first);
    return true;
}

void wf_condition_notify(struct wf_condition *condition)
{
    (void)LOOP_ALIVE();
    notify(condition);
}

void wf_condition_notify_all(struct wf_condition *condition)
{
    (void)LOOP_ALIVE();
    while (notify(condition)) {}
}

void wf_condition_statistics(const struct wf_condition *condition, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(condition);
}
