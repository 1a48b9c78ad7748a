/*
 * Rate limiters: at most so many in so long, evenly spaced, with bursts where they are allowed.
 *
 *     static struct wf_rate rate = WF_RATE(10, WF_SECONDS(1));          // one each 100 ms
 *
 *     int rc = wf_rate_wait(&rate);                                     // its turn, first in, first out
 *     if (rc == 0) rc = fetch(url, &page);
 *
 *     rc = wf_guarded(&rate, fetch(url, &page));                        // the same (pipeline.h)
 *
 * The method is the generic cell rate algorithm (ITU-T I.371): one number, the time at which the next one would be due
 * if all came evenly. No window has an edge at which twice the rate could pass. Those that wait are let go one by one
 * at their times, so a waiter that is cancelled costs the others nothing: all behind it move up.
 *
 * Static, or in your memory; needs no finishing, but nobody may be waiting when it goes out of use.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_RATE_H
#define WEFT_RATE_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_rate_options {
    size_t size;      /* filled by the macro */
    int64_t count;    /* so many ... */
    int64_t per;      /* ... in so long, a duration; at most 1 a nanosecond */
    int64_t burst;    /* so many at once, after a pause; default 1: always spaced */
    const char *name; /* for messages */
};

struct wf_rate_statistics {
    uint64_t passed;    /* waited or not */
    uint64_t waited;    /* those of them that had to */
    uint64_t refused;   /* by wf_rate_try */
    uint64_t cancelled; /* while they waited */
};

struct wf_rate {
    struct wf_rate_options options;
    int64_t interval_, tolerance_; /* interval 0: not checked yet */
    int64_t due_;                  /* when the next one is due, if all come evenly */
    uint64_t waiting_;
    struct wf_queue_ waiters_;
    struct wf_timer_ timer_; /* armed for the first waiter's turn */
    struct wf_rate_statistics statistics_;
    void *reserved_[4];
};
#define WF_RATE(count_of, ...)                                                                                         \
    {                                                                                                                  \
        .options = {.size = sizeof(struct wf_rate_options), .count = (count_of), .per = __VA_ARGS__ }                  \
    }

/*
 * Waits for the caller's turn. Suspends: until then. On cancel: the turn is the next waiter's.
 * Errors: -ECANCELED; -EINVAL, with a message, for a rate that makes no sense.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_rate_wait(struct wf_rate *rate);

/*
 * Passes now or not at all; writes how long until it would pass, 0 when it did (NULL: nobody asks).
 * Suspends: never. Errors: -EAGAIN when it is not its time, or others wait; -EINVAL as above.
 */
WF_API WF_CHECKED int wf_rate_try(struct wf_rate *rate, int64_t *retry_after_ns);

/* Gives a turn back that was not used; the next one comes so much earlier. Suspends: never. Errors: -EPERM when nobody
 * has passed. */
WF_API int wf_rate_return(struct wf_rate *rate);

/* How many wait. Suspends: never. */
WF_API size_t wf_rate_waiting(const struct wf_rate *rate);

/* Suspends: never. */
WF_API void wf_rate_statistics(const struct wf_rate *rate, struct wf_rate_statistics *statistics);

/* ---- One rate for each of many keys ---- */

struct wf_rate_keys;

struct wf_rate_keys_statistics {
    uint64_t passed, refused;
    uint64_t evicted; /* keys forgotten to make room: they had been quiet long enough to be like new */
    uint64_t crowded; /* refused for want of room */
    size_t keys;      /* held now */
};

/*
 * A limiter with the same rate for every key (a user, an address), at most `keys_max` of them at a time: some 48 bytes
 * each, taken at once. The options are those of a WF_RATE:
 *
 *     static const struct wf_rate each = WF_RATE(10, WF_SECONDS(1), .burst = 20);
 *     int rc = wf_rate_keys_create(&each.options, 10000, &users);
 *
 * A key that has been quiet until its whole burst is free again is forgotten when room is wanted; that changes nothing
 * for it. Owns: the caller, until wf_rate_keys_destroy. Suspends: never.
 * Errors: -EINVAL, with a message, for a rate without sense, or keys_max 0 or over 2^30; -ENOMEM.
 */
WF_API int wf_rate_keys_create(const struct wf_rate_options *options, size_t keys_max, struct wf_rate_keys **keys);

/* NULL is ignored. Suspends: never. */
WF_API void wf_rate_keys_destroy(struct wf_rate_keys *keys);

/*
 * Passes now or not at all, as wf_rate_try, for the key of `size` bytes (0 is a key like any other). Keys are told
 * apart by a keyed 64-bit hash, so two of them share a rate once in a great while.
 * Suspends: never. Errors: -EAGAIN; -ENOBUFS when there is no room and no key that could be forgotten.
 */
WF_API WF_CHECKED int wf_rate_keys_try(struct wf_rate_keys *keys, const void *key, size_t size,
                                       int64_t *retry_after_ns);

/* Suspends: never. */
WF_API void wf_rate_keys_statistics(const struct wf_rate_keys *keys, struct wf_rate_keys_statistics *statistics);

#ifdef __cplusplus
}
#endif
#endif
