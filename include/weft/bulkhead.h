/*
 * A bulkhead: at most so many inside at once, at most so many waiting to get in; the others are refused at once, so
 * that what is slow in one place does not fill the whole program with waiting tasks.
 *
 *     static struct wf_bulkhead database = WF_BULKHEAD(5, 100);       // 5 inside, 100 waiting
 *
 *     rc = wf_guarded(&database, query(&rows));                       // pipeline.h
 *     if (rc == WF_EFULL) return busy();
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
    size_t size;      /* filled by the macro */
    int inside;       /* at most so many at once; above 0 */
    int waiting;      /* at most so many before it; 0: nobody waits */
    const char *name; /* for messages */
};

struct wf_bulkhead_statistics {
    int inside, waiting;           /* now */
    int inside_peak, waiting_peak; /* at most, ever */
    uint64_t entered;              /* waited or not */
    uint64_t waited;               /* those of them that had to */
    uint64_t refused;              /* with WF_EFULL */
    uint64_t cancelled;            /* while they waited */
};

struct wf_bulkhead {
    struct wf_bulkhead_options options;
    bool ready_;
    struct wf_queue_ waiters_;
    struct wf_bulkhead_statistics statistics_;
    void *reserved_[4];
};
#define WF_BULKHEAD(inside_max, ...)                                                                                   \
    {                                                                                                                  \
        .options = {.size = sizeof(struct wf_bulkhead_options), .inside = (inside_max), .waiting = __VA_ARGS__ }       \
    }

/*
 * Goes in; leave it with wf_bulkhead_leave. Suspends: while it is full. On cancel: not inside.
 * Errors: WF_EFULL when as many wait as may; -ECANCELED; -EINVAL, with a message, for numbers that make no sense.
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
