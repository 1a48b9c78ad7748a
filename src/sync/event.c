/* An event: a flag to wait for. */
#include <weft/sync.h>

#include "core/loop.h"

static const struct wait_class event_class = {.name = "an event", .cancel = queue_cancel};

int wf_event_wait(struct wf_event *event)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (event->set_) return (int)wait_skipped(0);
    return (int)queue_wait(&event->waiters_, &event_class);
}

void wf_event_set(struct wf_event *event)
{
    (void)LOOP_ALIVE();
    event->set_ = true;
    while (queue_grant(&event->waiters_, 0)) {}
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
