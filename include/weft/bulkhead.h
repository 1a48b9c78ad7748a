/*
 * A bulkhead: at most so many inside at once, at most so many waiting to get in; the others are refused at once, so
 * that what is slow in one place does not fill the whole program with waiting tasks.
 *
 *     static struct wf_bulkhead database = WF_BULKHEAD(5, 100);       // 5 inside, 100 waiting
 *
 *     rc = wf_guarded(&database, query(&rows));                       // pipeline.h
 *     if (rc == WF_EFULL) return busy();
 *
 * Under load that lasts, a bounded queue is a full queue, and everybody waits for long. `.shed_after` says how long a
 * wait is acceptable: when every wait of the last .shed_interval took longer, waiters are refused at a growing rate
 * until the others' waits are short again. The method is CoDel (RFC 8289), with callers for packets.
 *
 * With `.latency` the number inside adapts: it goes up by one after as many successes as there are places, and down by
 * a tenth when a call takes longer than that (additive increase, multiplicative decrease: D.-M. Chiu, R. Jain,
 * "Analysis of the Increase and Decrease Algorithms for Congestion Avoidance", 1989; as Netflix' concurrency-limits
 * does). It begins at .inside, and learns from calls made by wf_guarded.
 *
 * Refused and shed calls are counted (weft_bulkhead_refused_total); the first since one came in without waiting is a
 * line of the log (module "bulkhead").
 *
 * The wait is first in, first out, with direct hand-over, and is bounded by the deadline of the caller's scope alone.
 * With `.waiting` 0 nobody waits. Static, or in your memory; needs no finishing, but nobody may be inside or waiting
 * when it goes out of use. Threads: the tasks of one loop.
 */
#ifndef WEFT_BULKHEAD_H
#define WEFT_BULKHEAD_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_bulkhead_options {
    size_t size;           /* filled by the macro */
    int inside;            /* at most so many at once; above 0 */
    int waiting;           /* at most so many before it; 0: nobody waits */
    const char *name;      /* for messages */
    int64_t shed_after;    /* waits that stay longer than that are too long; 0: nobody is shed */
    int64_t shed_interval; /* for how long they must; default 100 ms */
    int64_t latency;       /* a guarded call that takes longer means too much load; 0: the number inside is fixed */
    int inside_min;        /* the number never goes below; default 1 */
};

struct wf_bulkhead_statistics {
    int inside, waiting;           /* now */
    int limit;                     /* of those inside, now */
    int inside_peak, waiting_peak; /* at most, ever */
    uint64_t entered;              /* waited or not */
    uint64_t waited;               /* those of them that had to */
    uint64_t refused;              /* with WF_EFULL, at once */
    uint64_t shed;                 /* with WF_EFULL, after a wait */
    uint64_t cancelled;            /* while they waited */
};

/* The state of CoDel: private. */
struct wf_shed_ {
    int64_t above_since_; /* from when on waits count as too long; 0: the last was not */
    int64_t next_;        /* when the next one is shed */
    uint32_t count_, last_count_;
    bool shedding_;
};

struct wf_bulkhead {
    struct wf_bulkhead_options options;
    bool ready_, refusing_; /* refusing: nobody came in without waiting since a call was refused */
    struct wf_queue_ waiters_;
    struct wf_shed_ shed_;
    int successes_;      /* since the limit went up last */
    int64_t lowered_at_; /* when it went down last */
    struct wf_bulkhead_statistics statistics_;
    void *reserved_[4];
};
#define WF_BULKHEAD(inside_max, ...)                                                                                   \
    {                                                                                                                  \
        .options = {.size = sizeof(struct wf_bulkhead_options), .inside = (inside_max), .waiting = __VA_ARGS__ }       \
    }

/*
 * Goes in; leave it with wf_bulkhead_leave. Suspends: while it is full. On cancel: not inside.
 * Errors: WF_EFULL when as many wait as may, or the wait became too long; -ECANCELED; -EINVAL, with a message, for
 * options that make no sense.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_bulkhead_enter(struct wf_bulkhead *bulkhead);

/* The same without waiting. Suspends: never. Errors: WF_EFULL when it is full, or others wait; -EINVAL. */
WF_API WF_CHECKED int wf_bulkhead_try_enter(struct wf_bulkhead *bulkhead);

/* Hands the place to the first that waits. Suspends: never. Errors: -EPERM when nobody is inside. */
WF_API int wf_bulkhead_leave(struct wf_bulkhead *bulkhead);

/* Suspends: never. */
WF_API void wf_bulkhead_statistics(const struct wf_bulkhead *bulkhead, struct wf_bulkhead_statistics *statistics);

#ifdef __cplusplus
}
#endif
#endif
