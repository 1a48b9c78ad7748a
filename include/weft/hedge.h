/*
 * Another source when the first one is slow or fails: one after the other (fallback), or overlapping (hedge).
 *
 *     rc = wf_fallback(wf_within(WF_SECONDS(1), fetch(url, &page)), cached(url, &page));
 *
 *     struct lookup lookups[] = {{.host = "a"}, {.host = "b"}};        // inputs and outputs, one for each attempt
 *     size_t winner;
 *     rc = wf_hedge(lookups, WF_COUNT(lookups), look_up, .delay = WF_MILLISECONDS(50), .winner = &winner);
 *
 * The hedged request is that of "The Tail at Scale" (J. Dean, L. A. Barroso, CACM 56(2), 2013): a delay at the 95th
 * percentile of the latency costs about five per cent more calls, and cuts the tail of the slow ones off.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_HEDGE_H
#define WEFT_HEDGE_H

#include <weft/group.h>
#include <weft/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * wf_fallback(primary, fallback) gives the value of the first expression; where that fails, of the second. When both
 * fail, the second's code comes back with a message that names both. In a cancelled scope the fallback is left out.
 * A deadline belongs around each of them (wf_within): one around both covers both. Neither may jump out.
 * Suspends: as they do. On cancel: as they do. Errors: the second's. Threads: inside a task.
 */
#define wf_fallback(primary, ...) WF_FALLBACK_(WF_JOIN_(wf_fallback_, __COUNTER__), primary, __VA_ARGS__)

struct wf_hedge_options {
    size_t size; /* filled by the macro */
    size_t checked_;
    int (*call_)(void *);
    int64_t delay;     /* until the next attempt is started beside those under way; above 0 */
    size_t *winner;    /* index of the one that won; untouched when none did */
    size_t *started;   /* how many were started */
    const char *name;  /* of the tasks; default: the function's name */
    size_t stack_size; /* of the tasks */
    const char *function_;
    const char *place_;
};

/*
 * wf_hedge(items, count, fn, .delay = ..., .option = value, ...) runs fn(&items[0]), and the next item after each
 * delay, or as soon as one has failed and none is under way. The first success wins; the others are cancelled and have
 * ended when it returns. Returns the winner's result; the first error when all failed.
 * Suspends: until all have ended. On cancel: every attempt is cancelled and has ended.
 * Errors: the first attempt's to fail; -ECANCELED; -EINVAL for no items, or no delay.
 */
#define wf_hedge(items, count, ...)                                                                                    \
    wf_hedge_((items), (count), sizeof((items)[0]),                                                                    \
              &(struct wf_hedge_options){WF_GROUP_(wf_hedge_options, items, __VA_ARGS__)})

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_hedge_(void *items, size_t count, size_t item_size, const struct wf_hedge_options *options);

/* What the primary said; only written when it failed. */
struct wf_fallback_ {
    char said[160];
};

/* True: the fallback is to be evaluated. */
WF_API bool wf_fallback_begin_(struct wf_fallback_ *fallback, int code);
/* Gives the code back, with a message that names both. */
WF_API int wf_fallback_failed_(const struct wf_fallback_ *fallback, int code);

#define WF_FALLBACK_(fallback_name, primary, ...)                                                                      \
    __extension__({                                                                                                    \
        struct wf_fallback_ fallback_name;                                                                             \
        __typeof__(primary) WF_JOIN_(fallback_name, _value) = (primary);                                               \
        if (WF_JOIN_(fallback_name, _value) < 0 &&                                                                     \
            wf_fallback_begin_(&fallback_name, (int)WF_JOIN_(fallback_name, _value))) {                                \
            WF_JOIN_(fallback_name, _value) = (__VA_ARGS__);                                                           \
            if (WF_JOIN_(fallback_name, _value) < 0)                                                                   \
                WF_JOIN_(fallback_name, _value) =                                                                      \
                    wf_fallback_failed_(&fallback_name, (int)WF_JOIN_(fallback_name, _value));                         \
        }                                                                                                              \
        WF_JOIN_(fallback_name, _value);                                                                               \
    })

#ifdef __cplusplus
}
#endif
#endif
