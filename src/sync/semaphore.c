/* A counting semaphore with hand-over: permits are free only while nobody waits. */
#include "core/loop.h"
#include "sync/statistics.h"

static const struct wait_class semaphore_class = {.name = "a semaphore", .cancel = queue_cancel};

static inline bool take(struct wf_semaphore *semaphore)
{
    if (__builtin_expect(semaphore->permits_ == 0, 0)) return false;
    semaphore->permits_--;
    semaphore->passed_++;
    return true;
}

int wf_semaphore_acquire(struct wf_semaphore *semaphore)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (__builtin_expect(rc < 0, 0)) return rc;
    if (take(semaphore)) return (int)wait_skipped_in(loop, 0);
    semaphore->waited_++;
    return (int)queue_wait(&semaphore->waiters_, &semaphore_class);
}

int wf_semaphore_try_acquire(struct wf_semaphore *semaphore)
{
    (void)LOOP_HERE();
    return take(semaphore) ? 0 : -EAGAIN;
}

int wf_semaphore_release(struct wf_semaphore *semaphore)
{
    (void)LOOP_ALIVE();
    if (__builtin_expect(semaphore->waiters_.first == NULL, 1)) {
        if (semaphore->permits_ == SIZE_MAX) return -EOVERFLOW;
        semaphore->permits_++;
        return 0;
    }
    semaphore->passed_++;
    queue_grant(&semaphore->waiters_, 0);
    return 0;
}

size_t wf_semaphore_available(const struct wf_semaphore *semaphore)
{
    return semaphore->permits_;
}

void wf_semaphore_statistics(const struct wf_semaphore *semaphore, struct wf_sync_statistics *statistics)
{
    *statistics = STATISTICS_OF(semaphore);
}
