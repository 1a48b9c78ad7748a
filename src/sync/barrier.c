/* A barrier: the last to come lets everybody go on. */
#include "core/loop.h"
#include "sync/statistics.h"

static void cancelled(struct wf_wait *wait, int code)
{
    struct wf_barrier *barrier = (struct wf_barrier *)(uintptr_t)wait->object; /* it begins with its queue */
    barrier->arrived_--;
    queue_cancel(wait, code);
}

static const struct wait_class barrier_class = {.name = "a barrier", .cancel = cancelled};

int wf_barrier_wait(struct wf_barrier *barrier)
{
    struct loop *loop = LOOP_HERE();
    if (barrier->parties_ < 1) return -EINVAL;
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    if (barrier->broken_) return (int)wait_skipped_in(loop, -EPIPE);
    if (barrier->arrived_ + 1 < barrier->parties_) {
        barrier->arrived_++;
        barrier->waited_++;
        return (int)queue_wait(&barrier->waiters_, &barrier_class);
    }
    int place = 0;
    while (queue_grant(&barrier->waiters_, place)) place++;
    barrier->arrived_ = 0;
    barrier->passed_ += (uint64_t)barrier->parties_;
    return (int)wait_skipped_in(loop, place);
}

static void send_away(struct wf_barrier *barrier)
{
    (void)LOOP_ALIVE();
    while (queue_grant(&barrier->waiters_, -EPIPE)) {}
    barrier->arrived_ = 0;
}

void wf_barrier_abort(struct wf_barrier *barrier)
{
    send_away(barrier);
    barrier->broken_ = true;
}

void wf_barrier_reset(struct wf_barrier *barrier)
{
    send_away(barrier);
    barrier->broken_ = false;
}

void wf_barrier_statistics(const struct wf_barrier *barrier, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(barrier);
}
