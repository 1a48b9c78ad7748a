/*
 * Tasks of one loop waiting on each other: mutex, semaphore, event. All are first in, first out, with direct hand-over:
 * release grants to the first waiter, and a granted waiter has it even if it is cancelled a moment later. A newcomer
 * queues behind the waiters.
 *
 *     struct wf_semaphore permits = WF_SEMAPHORE(10);
 *     int rc = wf_semaphore_acquire(&permits);
 *     if (rc < 0) return rc;
 *     rc = work();
 *     wf_semaphore_release(&permits);
 *
 * None owns memory; none needs finishing, but nobody may hold a mutex or be waiting when it goes out of use.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_SYNC_H
#define WEFT_SYNC_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Mutex ---- */

struct wf_mutex {
    struct wf_task *owner_;
    struct wf_queue_ waiters_;
    struct wf_end_hook_ hook_;
    bool abandoned_;
    void *reserved_[2];
};
#define WF_MUTEX                                                                                                       \
    {                                                                                                                  \
        .owner_ = NULL                                                                                                 \
    }

/*
 * Suspends: while another task holds it. On cancel: not acquired.
 * Errors: -ECANCELED; -EDEADLK when the caller holds it; -EOWNERDEAD when the owner ended without unlocking: the lock
 * is then held by the caller, who must repair what it guards.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_mutex_lock(struct wf_mutex *mutex);
/* Suspends: never. Errors: -EBUSY, and as above. */
WF_API WF_CHECKED int wf_mutex_try_lock(struct wf_mutex *mutex);
/* Suspends: never. Errors: -EPERM when the caller does not hold it. */
WF_API int wf_mutex_unlock(struct wf_mutex *mutex);

/* ---- Semaphore ---- */

struct wf_semaphore {
    size_t permits_;
    struct wf_queue_ waiters_;
    void *reserved_[2];
};
#define WF_SEMAPHORE(count)                                                                                            \
    {                                                                                                                  \
        .permits_ = (count)                                                                                            \
    }

/* Suspends: until a permit is free. On cancel: none taken. Errors: -ECANCELED. */
WF_API WF_SUSPENDS WF_CHECKED int wf_semaphore_acquire(struct wf_semaphore *semaphore);
/* Suspends: never. Errors: -EAGAIN when none is free or others wait. */
WF_API WF_CHECKED int wf_semaphore_try_acquire(struct wf_semaphore *semaphore);
/* Suspends: never. */
WF_API void wf_semaphore_release(struct wf_semaphore *semaphore);
WF_API size_t wf_semaphore_available(const struct wf_semaphore *semaphore);

/* ---- Event ---- */

struct wf_event {
    bool set_;
    struct wf_queue_ waiters_;
    void *reserved_[2];
};
#define WF_EVENT                                                                                                       \
    {                                                                                                                  \
        .set_ = false                                                                                                  \
    }

/* Suspends: until it is set; not at all when it is. On cancel: nothing. Errors: -ECANCELED. */
WF_API WF_SUSPENDS int wf_event_wait(struct wf_event *event);
/* Wakes every waiter once; later waits return at once until it is cleared. Suspends: never. */
WF_API void wf_event_set(struct wf_event *event);
WF_API void wf_event_clear(struct wf_event *event);
WF_API bool wf_event_is_set(const struct wf_event *event);

#ifdef __cplusplus
}
#endif
#endif
