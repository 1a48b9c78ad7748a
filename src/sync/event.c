/* An event: a flag to wait for. */
#include "core/loop.h"
#include "sync/statistics.h"

static const struct wait_class event_class = {.name = "an event", .cancel = queue_cancel};

int wf_event_wait(struct wf_event *event)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (rc < 0) return rc;
    if (event->set_) {
        event->passed_++;
        return (int)wait_skipped_in(loop, 0);
    }
    event->waited_++;
    return (int)queue_wait(&event->waiters_, &event_class);
}

void wf_event_set(struct wf_event *event)
{
    (void)LOOP_ALIVE();
    event->set_ = true;
    while (queue_grant(&event->waiters_, 0)) event->passed_++;
}

void wf_event_clear(struct wf_event *event)
{
    (void)LOOP_ALIVE();
    event->set_ = false;
}

bool wf_event_is_set(const struct wf_event *event)
{
    return event->set_;
}

void wf_event_statistics(const struct wf_event *event, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(event);
}
