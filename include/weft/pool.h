/*
 * A pool of resources that are dear to open: connections, sessions, workers. Never more than `.max` of them exist.
 *
 *     struct wf_pool *pool;
 *     WF_SCOPE(scope);
 *     int rc = wf_pool_create(&pool, &scope, .open = open_connection, .close = close_connection, .check = ping,
 *                             .context = &config, .min = 2, .max = 10, .name = "db");
 *     ...
 *     WF_BORROW(lease, pool);                             // given back when the block is left
 *     if (lease.code < 0) return lease.code;
 *     return query(lease.resource, "select 1");
 *
 * A borrower gets one that lies idle; else, below `.max`, its own task opens one; else it waits, first in, first out,
 * and is handed what comes back, or the right to open one in its place. Nobody is passed by: an open that fails is the
 * failure of that borrower alone, and the next that waits may try. What is broken, too old or idle for too long is
 * closed; what is given back can be reset, and what lay idle can be checked, before anybody gets it.
 *
 * A pool belongs to a scope, in which its keeper runs, a daemon: it keeps `.min` of them open, closes what is idle or
 * old, and resets what comes back while nobody waits. When the scope ends or is cancelled the pool closes; what is lent
 * at that time is closed when it comes back. So a pool belongs into a scope around the scopes of its borrowers.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_POOL_H
#define WEFT_POOL_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_pool;
struct wf_pool_slot_;

/* ---- Making one ---- */

/* Which of those that are idle is lent next. */
enum wf_pool_order {
    WF_POOL_LIFO, /* what came back last: the others grow old and go (default) */
    WF_POOL_FIFO, /* what is idle for the longest time: all are kept in use */
};

/* For .check_after: before every borrowing. */
#define WF_POOL_ALWAYS INT64_C(-1)

struct wf_pool_options {
    size_t size; /* filled by the macro */
    struct wf_scope *scope_;
    int (*open)(void *context, void **resource);  /* makes one; may suspend; negative: failed, nothing was made */
    void (*close)(void *context, void *resource); /* ends one; must neither suspend nor use the pool */
    int (*check)(void *context, void *resource);  /* is it alive? may suspend; negative: no; NULL: nobody asks */
    int (*reset)(void *context, void *resource);  /* after each use, before the next; may suspend; negative: it is
                                                      broken; NULL: nothing to reset */
    void *context;                                /* of these four; must live until the last lease is given back */
    int min;                                      /* the keeper keeps so many open; default 0 */
    int max;                                      /* at most so many exist; default 10, at most 65,536 */
    int waiting_max;                              /* at most so many borrowers wait; default 10,000 */
    enum wf_pool_order order;                     /* default WF_POOL_LIFO */
    int64_t idle;        /* beyond .min, closed after having been idle for so long; default 10 min; WF_FOREVER: never */
    int64_t lifetime;    /* closed when so old, less a random part of a tenth, so that those that were opened together
                            are not closed together; default 30 min; WF_FOREVER: never */
    int64_t check_after; /* asks .check of what was idle for longer; default 1 s; WF_POOL_ALWAYS */
    int64_t care;        /* bounds each .check and each .reset, and the keeper's calls of .open; default 5 s */
    size_t stack_size;   /* of the tasks that open and reset for the keeper; default 48 KiB */
    const char *name;    /* for messages, logs and dumps, copied; default "pool" */
    const char *place_;
};

/*
 * wf_pool_create(&pool, &scope, .open = ..., .close = ..., .option = value, ...) makes a pool that is kept by the
 * scope. Nothing is opened yet: the keeper opens .min of them when it first runs, wf_pool_warm waits for that.
 * Suspends: never. Owns: the caller, who destroys it; after a failure it is NULL.
 * Errors: -EINVAL, with a message, for options that make no sense; -ENOMEM, -EAGAIN as of wf_try_spawn; -ECANCELED.
 */
#define wf_pool_create(pool, ...)                                                                                      \
    wf_pool_create_((pool), &(struct wf_pool_options){.size = sizeof(struct wf_pool_options),                          \
                                                      .place_ = WF_HERE_,                                              \
                                                      .scope_ = __VA_ARGS__})

/*
 * Waits until .min of them are open. They are opened at once and at the same time, and the first failure is returned;
 * the keeper goes on trying, at growing intervals.
 * Suspends: until they are open, or one could not be opened. On cancel: the keeper goes on.
 * Errors: -ECANCELED; those of .open, -ETIME after .care; -ESHUTDOWN when the pool is closed, before or meanwhile.
 */
WF_API WF_SUSPENDS int wf_pool_warm(struct wf_pool *pool);

/* ---- Borrowing ---- */

/* What a borrower holds. In its own memory, all zero at first; given back before the task that borrowed it ends. */
struct wf_lease {
    void *resource; /* NULL: nothing is held */
    int code;       /* of the last acquire: 0, or why nothing is held */
    struct wf_pool_slot_ *slot_;
    uint64_t turn_; /* the slot is lent for the so-and-so-many-th time */
    void *reserved_[2];
};

/* Declares an empty lease; what it holds is given back when its block is left. */
#define WF_LEASE(lease) struct wf_lease lease __attribute__((cleanup(wf_lease_leave_), unused)) = {.resource = NULL}

/*
 * WF_BORROW(lease, pool) declares a lease and acquires; lease.code says how that went. With a deadline:
 *
 *     WF_LEASE(lease);
 *     int rc = wf_within(WF_SECONDS(1), wf_pool_acquire(pool, &lease));
 *     if (rc < 0) return rc;
 *
 * Suspends: as wf_pool_acquire; leaving the block never. On cancel: nothing is held.
 */
#define WF_BORROW(lease, pool)                                                                                         \
    WF_LEASE(lease);                                                                                                   \
    wf_ignore(wf_pool_acquire_((pool), &lease, WF_HERE_))

/*
 * wf_pool_acquire(pool, lease) borrows one. What was checked or reset in vain is closed, and another one is opened for
 * this borrower. A task that ends while it holds a lease is reported, with the place of this call, and what it held is
 * closed.
 * Suspends: while .max are lent, and where .open, .check and .reset do; not at all for one that is idle and fresh.
 * On cancel: nothing is held; what was being opened or looked at is closed, its place goes to the next that waits.
 * Errors: -ECANCELED; those of .open; WF_EFULL when .waiting_max borrowers wait; -ESHUTDOWN when the pool is closed,
 * before or meanwhile; -EALREADY for a lease in use. All but that one stand in lease->code, too.
 */
#define wf_pool_acquire(pool, lease) wf_pool_acquire_((pool), (lease), WF_HERE_)

/* Gives it back: to the first that waits, else it is idle. Any task of the loop may.
 * Suspends: never. Errors: -EPERM when nothing is held, so a second time does no harm. */
WF_API int wf_pool_release(struct wf_lease *lease);

/* Gives it back as broken: it is closed, and the first that waits may open another one.
 * Suspends: never. Errors: as wf_pool_release. */
WF_API int wf_pool_discard(struct wf_lease *lease);

/* ---- Looking ---- */

/* Why one was closed. */
enum wf_pool_loss {
    WF_POOL_IDLE,      /* idle for longer than .idle */
    WF_POOL_OLD,       /* older than .lifetime */
    WF_POOL_UNHEALTHY, /* .check said no, or did not answer */
    WF_POOL_UNRESET,   /* .reset failed, or did not end */
    WF_POOL_DISCARDED, /* its borrower said so */
    WF_POOL_ABANDONED, /* its borrower ended without giving it back */
    WF_POOL_SHUTDOWN,  /* the pool was closed */
    WF_POOL_LOSSES,
};

struct wf_pool_statistics {
    int idle, lent, opening, caring;        /* now; `caring`: being checked or reset, or about to be */
    int waiting;                            /* borrowers, now */
    int open_peak, lent_peak, waiting_peak; /* at most, ever; open_peak counts those being opened, too */
    uint64_t opened, open_failures;         /* by borrowers and by the keeper */
    uint64_t closed[WF_POOL_LOSSES];        /* by reason */
    uint64_t borrowed;                      /* waited or not */
    uint64_t waited;                        /* those who had to, cancelled ones included */
    uint64_t refused;                       /* with WF_EFULL */
    uint64_t cancelled;                     /* while they waited */
    int64_t wait_total_ns, wait_longest_ns; /* of those that were handed something */
};

/* Suspends: never. */
WF_API void wf_pool_statistics(const struct wf_pool *pool, struct wf_pool_statistics *statistics);

/* ---- Closing ---- */

/*
 * Closes the pool and waits until everything is given back: who waits or comes gets -ESHUTDOWN, what is idle is closed
 * at once, the rest as it comes back.
 * Suspends: until nothing is lent. On cancel: it stays closed; which tasks have not given back what is reported, with
 * the places where they borrowed it. Errors: -ECANCELED (-ETIME by wf_within); -EDEADLK when the caller holds a lease
 * of this pool itself: then nothing was closed.
 */
WF_API WF_SUSPENDS int wf_pool_drain(struct wf_pool *pool);

/*
 * Closes the pool and lets go of it; NULL is ignored. What is still lent is reported as by wf_pool_drain, closed when
 * it comes back, and the memory goes with the last of it.
 * Suspends: never.
 */
WF_API void wf_pool_destroy(struct wf_pool *pool);

/* ---- What the macros stand on: private ---- */

WF_API int wf_pool_create_(struct wf_pool **pool, const struct wf_pool_options *options);
WF_API WF_SUSPENDS WF_CHECKED int wf_pool_acquire_(struct wf_pool *pool, struct wf_lease *lease, const char *place);
WF_API void wf_lease_leave_(struct wf_lease *lease);

#ifdef __cplusplus
}
#endif
#endif
