/* A bounded number inside, a bounded number waiting, the others refused. */
#include <weft/bulkhead.h>

#include <weft/task.h>

#include "core/loop.h"

static const char *name_of(const struct wf_bulkhead *bulkhead)
{
    return bulkhead->options.name != NULL ? bulkhead->options.name : "bulkhead";
}

static int prepare(struct wf_bulkhead *bulkhead)
{
    const struct wf_bulkhead_options *options = &bulkhead->options;
    if (bulkhead->ready_) return 0;
    if (options->size != sizeof *options)
        return wf_fail(-EINVAL, "%s: it was not made by WF_BULKHEAD(...), or for another version of weft",
                       name_of(bulkhead));
    if (options->inside <= 0 || options->waiting < 0)
        return wf_fail(-EINVAL, "%s: %d inside, %d waiting", name_of(bulkhead), options->inside, options->waiting);
    bulkhead->ready_ = true;
    return 0;
}

static void raise_to(int *peak, int value)
{
    if (value > *peak) *peak = value;
}

/* ---- Going in ---- */

static bool take_place(struct wf_bulkhead *bulkhead)
{
    struct wf_bulkhead_statistics *statistics = &bulkhead->statistics_;
    if (statistics->inside >= bulkhead->options.inside || bulkhead->waiters_.first != NULL) return false;
    statistics->entered++;
    raise_to(&statistics->inside_peak, ++statistics->inside);
    return true;
}

static int refuse(struct wf_bulkhead *bulkhead)
{
    bulkhead->statistics_.refused++;
    return wf_fail(WF_EFULL, "%s: full, with %d inside and %d waiting", name_of(bulkhead), bulkhead->statistics_.inside,
                   bulkhead->statistics_.waiting);
}

static void wait_cancelled(struct wf_wait *wait, int code)
{
    struct wf_queue_ *queue = (struct wf_queue_ *)(uintptr_t)wait->object;
    struct wf_bulkhead *bulkhead = (struct wf_bulkhead *)((char *)queue - offsetof(struct wf_bulkhead, waiters_));
    bulkhead->statistics_.waiting--;
    bulkhead->statistics_.cancelled++;
    queue_cancel(wait, code);
}

static const struct wait_class bulkhead_class = {.name = "room in a bulkhead", .cancel = wait_cancelled};

int wf_bulkhead_enter(struct wf_bulkhead *bulkhead)
{
    (void)LOOP_HERE();
    struct wf_bulkhead_statistics *statistics = &bulkhead->statistics_;
    int rc = prepare(bulkhead);
    if (rc == 0) rc = wait_check(false);
    if (rc < 0) return rc;
    if (take_place(bulkhead)) return (int)wait_skipped(0);
    if (statistics->waiting >= bulkhead->options.waiting) return refuse(bulkhead);
    statistics->waited++;
    raise_to(&statistics->waiting_peak, ++statistics->waiting);
    return (int)queue_wait(&bulkhead->waiters_, &bulkhead_class);
}

int wf_bulkhead_try_enter(struct wf_bulkhead *bulkhead)
{
    (void)LOOP_HERE();
    int rc = prepare(bulkhead);
    if (rc < 0) return rc;
    return take_place(bulkhead) ? 0 : refuse(bulkhead);
}

/* ---- Leaving ---- */

int wf_bulkhead_leave(struct wf_bulkhead *bulkhead)
{
    (void)LOOP_ALIVE();
    struct wf_bulkhead_statistics *statistics = &bulkhead->statistics_;
    if (statistics->inside == 0) return -EPERM;
    if (queue_grant(&bulkhead->waiters_, 0)) {
        statistics->waiting--;
        statistics->entered++;
    } else {
        statistics->inside--;
    }
    return 0;
}

void wf_bulkhead_statistics(const struct wf_bulkhead *bulkhead, struct wf_bulkhead_statistics *statistics)
{
    *statistics = bulkhead->statistics_;
}
