/* A counting semaphore with hand-over. */
#include <weft/sync.h>

#include "core/loop.h"

static const struct wait_class semaphore_class = {.name = "a semaphore", .cancel = queue_cancel};

static bool take(struct wf_semaphore *semaphore)
{
    if (semaphore->permits_ == 0 || semaphore->waiters_.first != NULL) return false;
    semaphore->permits_--;
    return true;
}

int wf_semaphore_acquire(struct wf_semaphore *semaphore)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (take(semaphore)) return (int)wait_skipped(0);
    return (int)queue_wait(&semaphore->waiters_, &semaphore_class);
}

int wf_semaphore_try_acquire(struct wf_semaphore *semaphore)
{
    (void)LOOP_HERE();
    return take(semaphore) ? 0 : -EAGAIN;
}

void wf_semaphore_release(struct wf_semaphore *semaphore)
{
    (void)LOOP_ALIVE();
    if (!queue_grant(&semaphore->waiters_, 0)) semaphore->permits_++;
}

size_t wf_semaphore_available(const struct wf_semaphore *semaphore)
{
    return semaphore->permits_;
}
