/*
 * Tasks of one loop waiting on each other: mutex, semaphore, event, condition, barrier, once, future, limiter. All are
 * first in, first out, with direct hand-over: release grants to the first waiter, and a granted waiter has it even if
 * it is cancelled a moment later. A newcomer queues behind the waiters.
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

/* Of each of them: wf_mutex_statistics(&mutex, &statistics), and so on. Suspends: never. */
struct wf_sync_statistics {
    size_t waiting;          /* tasks that wait now */
    uint64_t passed, waited; /* how often one got through; how often one had to wait, cancelled ones included */
};

/* ---- Mutex ---- */

struct wf_mutex {
    struct wf_task *owner_;
    struct wf_queue_ waiters_;
    struct wf_end_hook_ hook_;
    uint64_t passed_, waited_;
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
/* Suspends: never. */
WF_API void wf_mutex_statistics(const struct wf_mutex *mutex, struct wf_sync_statistics *statistics);

/* ---- Semaphore ---- */

struct wf_semaphore {
    size_t permits_;
    struct wf_queue_ waiters_;
    uint64_t passed_, waited_;
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
/* Any task may; permits beyond the first count are new ones. Suspends: never. Errors: -EOVERFLOW. */
WF_API int wf_semaphore_release(struct wf_semaphore *semaphore);
/* Suspends: never. */
WF_API size_t wf_semaphore_available(const struct wf_semaphore *semaphore);
WF_API void wf_semaphore_statistics(const struct wf_semaphore *semaphore, struct wf_sync_statistics *statistics);

/* ---- Event ---- */

struct wf_event {
    bool set_;
    struct wf_queue_ waiters_;
    uint64_t passed_, waited_;
    void *reserved_[2];
};
#define WF_EVENT                                                                                                       \
    {                                                                                                                  \
        .set_ = false                                                                                                  \
    }

/* Suspends: until it is set; not at all when it is. On cancel: nothing. Errors: -ECANCELED. */
WF_API WF_SUSPENDS int wf_event_wait(struct wf_event *event);
/* Wakes every waiter once; later waits return at once until it is cleared. Suspends: never. For another thread, or a
 * signal handler: weft/waker.h. */
WF_API void wf_event_set(struct wf_event *event);
WF_API void wf_event_clear(struct wf_event *event);
WF_API bool wf_event_is_set(const struct wf_event *event);
WF_API void wf_event_statistics(const struct wf_event *event, struct wf_sync_statistics *statistics);

/* ---- Condition ---- */

/*
 * For a state that a mutex guards:
 *
 *     int rc = wf_mutex_lock(&mutex);
 *     if (rc < 0) return rc;
 *     while (rc == 0 && queue_is_empty(queue)) rc = wf_condition_wait(&filled, &mutex);
 *     ...
 *     wf_mutex_unlock(&mutex);        // held in any case, whatever the wait returned
 */
struct wf_condition {
    struct wf_queue_ waiters_;
    uint64_t passed_, waited_;
    void *reserved_[2];
};
#define WF_CONDITION                                                                                                   \
    {                                                                                                                  \
        .passed_ = 0                                                                                                   \
    }

/*
 * Unlocks the mutex, waits until notified, and locks it again: it is held on every return but -EPERM.
 * Suspends: always, but for the errors below. On cancel: no longer waits to be notified, but locks again, which cannot
 * be cut short: bounded by the lock's holders.
 * Errors: -ECANCELED; -EPERM when the caller does not hold the mutex; -EOWNERDEAD as of wf_mutex_lock.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_condition_wait(struct wf_condition *condition, struct wf_mutex *mutex);
/* The first that waits, or all of them, go on as they get the lock. The caller need not hold it. Suspends: never. */
WF_API void wf_condition_notify(struct wf_condition *condition);
WF_API void wf_condition_notify_all(struct wf_condition *condition);
WF_API void wf_condition_statistics(const struct wf_condition *condition, struct wf_sync_statistics *statistics);

/* ---- Barrier ---- */

struct wf_barrier {
    struct wf_queue_ waiters_;
    int parties_, arrived_;
    uint64_t passed_, waited_;
    bool broken_;
    void *reserved_[2];
};
#define WF_BARRIER(parties)                                                                                            \
    {                                                                                                                  \
        .parties_ = (parties)                                                                                          \
    }

/*
 * Waits until as many tasks wait as there are parties; then all go on, and the barrier stands again. Returns the place
 * of the caller among them in the order of arrival, from 0.
 * Suspends: until the last has come, who does not. On cancel: it has not come, and is not counted.
 * Errors: -ECANCELED; -EPIPE when the barrier is broken, before or meanwhile; -EINVAL for less than one party.
 */
WF_API WF_SUSPENDS int wf_barrier_wait(struct wf_barrier *barrier);
/* Breaks it for good: those who wait, and who comes, get -EPIPE. Suspends: never. */
WF_API void wf_barrier_abort(struct wf_barrier *barrier);
/* Whole again and empty; those who wait get -EPIPE. Suspends: never. */
WF_API void wf_barrier_reset(struct wf_barrier *barrier);
/* Suspends: never. */
WF_API void wf_barrier_statistics(const struct wf_barrier *barrier, struct wf_sync_statistics *statistics);

/* ---- Once ---- */

struct wf_once {
    struct wf_task *runner_;
    struct wf_queue_ waiters_;
    uint64_t passed_, waited_;
    int result_;
    bool done_;
    void *reserved_[2];
};
#define WF_ONCE                                                                                                        \
    {                                                                                                                  \
        .done_ = false                                                                                                 \
    }

/*
 * wf_once(once, fn, arg) calls `int fn(T *arg)` in the caller's task, unless that has succeeded before: then, and when
 * another task is at it and succeeds, it returns that call's result. A call that fails, cancelled ones included, fails
 * for its own caller only: the next that waits, or comes, tries again.
 * Suspends: while another task is at it, and where `fn` does. On cancel: nothing was called; inside `fn`, as `fn` does.
 * Errors: -ECANCELED; those of `fn`; -EDEADLK when called inside its own `fn`.
 */
#define wf_once(once, fn, arg) wf_once_((once), WF_TASK_FN_(fn, arg), (arg))
/* Suspends: never. */
WF_API bool wf_once_is_done(const struct wf_once *once);
WF_API void wf_once_statistics(const struct wf_once *once, struct wf_sync_statistics *statistics);

/* ---- Future ---- */

/*
 * A result that is set elsewhere.
 *
 *     struct wf_future answer = WF_FUTURE;
 *     ...                                         // elsewhere: wf_future_set(&answer, &user), or
 *                                                 // wf_future_fail(&answer, -ENOENT, "no user %d", id)
 *     int rc = wf_future_wait(&answer);
 *     if (rc == 0) show(wf_future_value(&answer));
 */
struct wf_future {
    struct wf_queue_ waiters_;
    void *value_;
    uint64_t passed_, waited_;
    int code_;
    bool set_;
    char message_[96];
    void *reserved_[2];
};
#define WF_FUTURE                                                                                                      \
    {                                                                                                                  \
        .set_ = false                                                                                                  \
    }

/* Sets the value, and wakes every waiter. Suspends: never. Owns: the value stays yours.
 * Errors: -EALREADY when it was set, or failed. */
WF_API int wf_future_set(struct wf_future *future, const void *value);
/* The same with an error for every waiter, and its message, cut at 95 bytes, which becomes theirs as by wf_fail.
 * Suspends: never. Errors: -EALREADY; -EINVAL for a code that is no error. */
WF_API int wf_future_fail(struct wf_future *future, int code, const char *format, ...) WF_PRINTF_(3, 4);
/*
 * Suspends: until it is set; not at all when it is. On cancel: nothing; the future and its other waiters are untouched.
 * Errors: -ECANCELED; the code of wf_future_fail.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_future_wait(struct wf_future *future);
/* The value; NULL before it is set, and of one that failed. Suspends: never. */
WF_API void *wf_future_value(const struct wf_future *future);
/* 0 or the error; -EINPROGRESS before that. Suspends: never. */
WF_API int wf_future_result(const struct wf_future *future);
WF_API void wf_future_statistics(const struct wf_future *future, struct wf_sync_statistics *statistics);

/* ---- Limiter ---- */

/*
 * A semaphore that knows who holds its permits, and whose number may change.
 *
 *     WF_PERMIT(permit);                          // given back when the block is left, if not before
 *     int rc = wf_limiter_acquire(&connections, &permit);
 *     if (rc < 0) return rc;
 *     return work();
 */
struct wf_permit {
    struct wf_limiter *limiter_; /* NULL: neither held nor waited for */
    struct wf_task *holder_;     /* NULL: not held */
    struct wf_end_hook_ hook_;
    struct wf_permit *next_, *prev_; /* of the same limiter, in the order of acquiring */
    const char *place, *task;        /* of the acquiring call, and its task's name; valid while it is held */
    void *reserved_[2];
};

struct wf_limiter {
    int limit_, held_;
    struct wf_permit *permits_, *last_permit_;
    struct wf_queue_ waiters_;
    uint64_t passed_, waited_;
    void *reserved_[2];
};
#define WF_LIMITER(limit)                                                                                              \
    {                                                                                                                  \
        .limit_ = (limit)                                                                                              \
    }

/* Declares a permit that is given back when its block is left. A permit elsewhere (in a struct) begins as zeros, and
 * must live until it is given back. */
#define WF_PERMIT(permit)                                                                                              \
    struct wf_permit permit __attribute__((cleanup(wf_permit_leave_), unused)) = {.limiter_ = NULL}

/*
 * wf_limiter_acquire(limiter, permit): a task that ends while it holds a permit is reported, with the place of this
 * call, and the permit is given back.
 * Suspends: while the limit is reached, or others wait. On cancel: nothing is held.
 * Errors: -ECANCELED; -EALREADY for a permit in use; -EINVAL for a limiter of less than 0.
 */
#define wf_limiter_acquire(limiter, permit) wf_limiter_acquire_((limiter), (permit), WF_HERE_)
/* Suspends: never. Errors: -EAGAIN, and as above. */
#define wf_limiter_try_acquire(limiter, permit) wf_limiter_try_acquire_((limiter), (permit), WF_HERE_)
/* Suspends: never. Errors: -EPERM when the caller does not hold it. */
WF_API int wf_limiter_release(struct wf_permit *permit);
/* Another limit. More: waiters are let in. Less: nobody is thrown out, and the first permits that come back are not
 * given again. 0: nobody is let in. Suspends: never. Errors: -EINVAL below 0. */
WF_API int wf_limiter_resize(struct wf_limiter *limiter, int limit);
/* Suspends: never. */
WF_API int wf_limiter_held(const struct wf_limiter *limiter);
WF_API void wf_limiter_statistics(const struct wf_limiter *limiter, struct wf_sync_statistics *statistics);

/* The permits that are held: wf_each_permit(&limiter, permit) puts(permit->place); */
#define wf_each_permit(limiter, permit)                                                                                \
    for (const struct wf_permit *permit = (limiter)->permits_; permit != NULL; permit = permit->next_)

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_once_(struct wf_once *once, int (*fn)(void *), const void *arg);
WF_API WF_SUSPENDS WF_CHECKED int wf_limiter_acquire_(struct wf_limiter *limiter, struct wf_permit *permit,
                                                      const char *place);
WF_API WF_CHECKED int wf_limiter_try_acquire_(struct wf_limiter *limiter, struct wf_permit *permit, const char *place);
WF_API void wf_permit_leave_(struct wf_permit *permit);

#ifdef __cplusplus
}
#endif
#endif
