/*
 * Guards around an expression: a breaker, a rate, a bulkhead, or several parts in one order.
 *
 *     rc = wf_guarded(&shop, fetch(url, &page));             // only where the breaker lets it through
 *
 *     static struct wf_pipeline pipeline = {
 *         .within = WF_SECONDS(10), .retry = &thrice, .breaker = &shop, .rate = &rate, .bulkhead = &five,
 *         .attempt_timeout = WF_SECONDS(2),
 *     };
 *     rc = wf_guarded(&pipeline, fetch(url, &page));
 *
 * The order is: total deadline > retry > breaker > rate > bulkhead > attempt deadline > the expression. So
 *
 * - each attempt asks the breaker, and each counts for it; a refusal by the breaker ends the retry;
 * - the total deadline covers waits of every kind, the attempt's deadline none of them;
 * - a turn of the rate that a bulkhead refuses, or a cancel cuts short, is given back, and so is a probe's place;
 * - a wait in the bulkhead comes after the turn of the rate: where starts must be spaced exactly, nest the two the
 *   other way round: wf_guarded(&bulkhead, wf_guarded(&rate, expression)).
 *
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_PIPELINE_H
#define WEFT_PIPELINE_H

#include <weft/breaker.h>
#include <weft/bulkhead.h>
#include <weft/rate.h>
#include <weft/retry.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every part may be missing. What the parts keep lies in them: pipelines may share them. */
struct wf_pipeline {
    const char *name;                     /* for messages and hooks */
    int64_t within;                       /* the total deadline, a duration; 0: none */
    const struct wf_retry_options *retry; /* NULL: one attempt */
    struct wf_breaker *breaker;
    struct wf_rate *rate;
    struct wf_bulkhead *bulkhead;
    int64_t attempt_timeout; /* 0: none */
    /* Sees each attempt when it is over, refused ones too; must not suspend. */
    void (*on_attempt)(void *context, const struct wf_attempt *attempt);
    void *context;
    void *reserved_[4];
};

/*
 * wf_guarded(guard, expression) gives the expression's value; or, where a guard did not let it through, that guard's
 * code, and then the expression was not evaluated. `guard` is a pointer to a breaker, a rate, a bulkhead or a
 * pipeline. The expression must not jump out.
 * Suspends: where a guard waits. On cancel: what the guards gave is given back. Threads: inside a task.
 * Errors: WF_EOPEN from a breaker; WF_EFULL from a bulkhead; -ETIME, -ECANCELED from a pipeline; -EINVAL, with a
 * message, for a guard whose options make no sense; the expression's own.
 */
#define wf_guarded(guard, ...) WF_GUARDED_(WF_JOIN_(wf_guarded_, __COUNTER__), guard, __VA_ARGS__)

/* ---- What the macros stand on: private ---- */

static inline void wf_call_begin_breaker_(struct wf_call_ *call, struct wf_breaker *breaker, const char *place)
{
    wf_call_begin_(call, NULL, place);
    call->breaker_ = breaker;
}

static inline void wf_call_begin_rate_(struct wf_call_ *call, struct wf_rate *rate, const char *place)
{
    wf_call_begin_(call, NULL, place);
    call->rate_ = rate;
}

static inline void wf_call_begin_bulkhead_(struct wf_call_ *call, struct wf_bulkhead *bulkhead, const char *place)
{
    wf_call_begin_(call, NULL, place);
    call->bulkhead_ = bulkhead;
}

static inline void wf_call_begin_pipeline_(struct wf_call_ *call, const struct wf_pipeline *pipeline, const char *place)
{
    wf_call_begin_(call, pipeline->retry, place);
    call->breaker_ = pipeline->breaker;
    call->rate_ = pipeline->rate;
    call->bulkhead_ = pipeline->bulkhead;
    call->pipeline_ = pipeline;
}

#define WF_GUARDED_(call_name, guard, ...)                                                                             \
    WF_CALL_(call_name,                                                                                                \
             _Generic((guard), struct wf_breaker *                                                                     \
                      : wf_call_begin_breaker_, struct wf_rate *                                                       \
                      : wf_call_begin_rate_, struct wf_bulkhead *  \
: wf_call_begin_bulkhead_, struct wf_pipeline *                                                      \
                      : wf_call_begin_pipeline_, const struct wf_pipeline *                                            \
                      : wf_call_begin_pipeline_)(&call_name, (guard), WF_HERE_),                                       \
             __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
