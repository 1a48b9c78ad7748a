/* An event for several loops, and threads without one. */
#include "base/memory.h"
#include "sync/shared.h"

struct wf_shared_event {
    struct shared shared;
    struct shared_queue waiters;
    bool set;
};

int wf_shared_event_create(enum wf_shared_with with, struct wf_shared_event **out)
{
    struct wf_shared_event *event = memory_zero(sizeof *event);
    if (event == NULL) return -ENOMEM;
    shared_init(&event->shared, with, __func__);
    *out = event;
    return 0;
}

void wf_shared_event_destroy(struct wf_shared_event *event)
{
    if (event == NULL) return;
    shared_lock(&event->shared, __func__);
    if (shared_finish(&event->shared, event->waiters.first != NULL, __func__)) memory_free(event);
}

void wf_shared_event_set(struct wf_shared_event *event)
{
    shared_lock(&event->shared, __func__);
    event->set = true;
    while (event->waiters.first != NULL) shared_grant(&event->waiters, 0);
    shared_unlock(&event->shared);
}

void wf_shared_event_clear(struct wf_shared_event *event)
{
    shared_lock(&event->shared, __func__);
    event->set = false;
    shared_unlock(&event->shared);
}

bool wf_shared_event_is_set(struct wf_shared_event *event)
{
    shared_lock(&event->shared, __func__);
    bool set = event->set;
    shared_unlock(&event->shared);
    return set;
}

static const struct wait_class event_class = {.name = "a shared event", .cancel = shared_cancel};

int wf_shared_event_wait(struct wf_shared_event *event)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    shared_lock(&event->shared, __func__);
    if (!event->set) return shared_wait(&event->shared, &event->waiters, NULL, &event_class);
    shared_unlock(&event->shared);
    return (int)wait_skipped(0);
}

void wf_shared_event_wait_blocking(struct wf_shared_event *event)
{
    shared_lock(&event->shared, __func__);
    if (!event->set) shared_block(&event->shared, &event->waiters, NULL, __func__);
    else shared_unlock(&event->shared);
}
