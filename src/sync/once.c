/*
 * Once: one call at a time, until one has succeeded.
 *
 *     nobody at it --wf_once--> a runner --its call succeeded--> done: every waiter has its result
 *          ^                     |    ^
 *          +--failed, none waits-+    +-- failed: the first waiter is the runner
 */
#include "core/loop.h"
#include "sync/statistics.h"

#define YOUR_TURN INT64_MAX /* no result of a call */

static const struct wait_class once_class = {.name = "somebody's call, once", .cancel = queue_cancel};

static void pass_the_turn(struct wf_once *once)
{
    const struct wf_wait *first = once->waiters_.first;
    once->runner_ = first != NULL ? first->task : NULL;
    queue_grant(&once->waiters_, YOUR_TURN);
}

static int run(struct wf_once *once, int (*fn)(void *), const void *arg)
{
    int rc = fn((void *)(uintptr_t)arg);
    if (rc < 0) {
        pass_the_turn(once);
        return rc;
    }
    once->runner_ = NULL;
    once->done_ = true;
    once->result_ = rc;
    once->passed_++;
    while (queue_grant(&once->waiters_, rc)) once->passed_++;
    return rc;
}

int wf_once_(struct wf_once *once, int (*fn)(void *), const void *arg)
{
    struct loop *loop = LOOP_HERE();
    if (once->runner_ == loop->running) return -EDEADLK;
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    if (once->done_) {
        once->passed_++;
        return (int)wait_skipped_in(loop, once->result_);
    }
    if (once->runner_ != NULL) {
        once->waited_++;
        int64_t said = queue_wait(&once->waiters_, &once_class);
        if (said != YOUR_TURN) return (int)said;
    }
    once->runner_ = loop->running;
    return run(once, fn, arg);
}

bool wf_once_is_done(const struct wf_once *once)
{
    return once->done_;
}

void wf_once_statistics(const struct wf_once *once, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(once);
}
