/* A limiter: permits whose holders are known, and a limit that may change. */
#include <weft/task.h>

#include "base/report.h"
#include "core/loop.h"
#include "sync/statistics.h"

static const struct wait_class limiter_class = {.name = "a limiter", .cancel = queue_cancel};

/* ---- Holding ---- */

static void holder_ended(struct wf_end_hook_ *hook);

static void give(struct wf_limiter *limiter, struct wf_permit *permit, struct wf_task *task)
{
    limiter->held_++;
    limiter->passed_++;
    permit->holder_ = task;
    permit->task = task->name;
    permit->hook_ = (struct wf_end_hook_){.next = task->held, .run = holder_ended};
    task->held = &permit->hook_;
    permit->next_ = NULL;
    permit->prev_ = limiter->last_permit_;
    if (limiter->last_permit_ != NULL) limiter->last_permit_->next_ = permit;
    else limiter->permits_ = permit;
    limiter->last_permit_ = permit;
}

static bool has_room(const struct wf_limiter *limiter)
{
    return limiter->held_ < limiter->limit_;
}

static void let_in(struct wf_limiter *limiter)
{
    struct wf_wait *first;
    while (has_room(limiter) && (first = limiter->waiters_.first) != NULL) {
        give(limiter, ((struct item_wait *)first)->item, first->task);
        queue_grant(&limiter->waiters_, 0);
    }
}

static void take_back(struct wf_permit *permit)
{
    struct wf_limiter *limiter = permit->limiter_;
    if (permit->next_ != NULL) permit->next_->prev_ = permit->prev_;
    else limiter->last_permit_ = permit->prev_;
    if (permit->prev_ != NULL) permit->prev_->next_ = permit->next_;
    else limiter->permits_ = permit->next_;
    permit->holder_ = NULL;
    permit->limiter_ = NULL;
    limiter->held_--;
    let_in(limiter);
}

static void unhook(struct wf_permit *permit)
{
    struct wf_end_hook_ **link = &permit->holder_->held;
    while (*link != &permit->hook_) link = &(*link)->next;
    *link = permit->hook_.next;
}

static void holder_ended(struct wf_end_hook_ *hook)
{
    struct wf_permit *permit = (struct wf_permit *)((char *)hook - offsetof(struct wf_permit, hook_));
    wf_report("task '%s' (spawned at %s) ended while it held a permit of a limiter, acquired at %s; the permit was "
              "given back. Release it on every way out, or declare it by WF_PERMIT.",
              permit->holder_->name, permit->holder_->place, permit->place);
    take_back(permit);
}

/* ---- The interface ---- */

static int check(const struct wf_limiter *limiter, struct wf_permit *permit, const char *place)
{
    if (limiter->limit_ < 0) return -EINVAL;
    if (permit->limiter_ != NULL) return -EALREADY;
    permit->place = place;
    return 0;
}

int wf_limiter_acquire_(struct wf_limiter *limiter, struct wf_permit *permit, const char *place)
{
    struct loop *loop = LOOP_HERE();
    int rc = check(limiter, permit, place);
    if (rc == 0) rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    permit->limiter_ = limiter;
    if (has_room(limiter)) {
        give(limiter, permit, loop->running);
        return (int)wait_skipped_in(loop, 0);
    }
    limiter->waited_++;
    rc = queue_wait_item(&limiter->waiters_, &limiter_class, permit);
    if (rc < 0) permit->limiter_ = NULL;
    return rc;
}

int wf_limiter_try_acquire_(struct wf_limiter *limiter, struct wf_permit *permit, const char *place)
{
    struct loop *loop = LOOP_HERE();
    int rc = check(limiter, permit, place);
    if (rc < 0) return rc;
    if (!has_room(limiter)) return -EAGAIN;
    permit->limiter_ = limiter;
    give(limiter, permit, loop->running);
    return 0;
}

int wf_limiter_release(struct wf_permit *permit)
{
    if (permit->holder_ == NULL || permit->holder_ != LOOP_HERE()->running) return -EPERM;
    wf_permit_leave_(permit);
    return 0;
}

void wf_permit_leave_(struct wf_permit *permit)
{
    if (permit->holder_ == NULL) return;
    unhook(permit);
    take_back(permit);
}

int wf_limiter_resize(struct wf_limiter *limiter, int limit)
{
    (void)LOOP_ALIVE();
    if (limit < 0) return -EINVAL;
    limiter->limit_ = limit;
    let_in(limiter);
    return 0;
}

int wf_limiter_held(const struct wf_limiter *limiter)
{
    return limiter->held_;
}

void wf_limiter_statistics(const struct wf_limiter *limiter, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(limiter);
}
