/*
 * Guards around an expression: a breaker, or several parts in their one right order.
 *
 *     rc = wf_guarded(&shop, fetch(url, &page));             // only where the breaker lets it through
 *
 *     static struct wf_pipeline pipeline = {
 *         .within = WF_SECONDS(10), .retry = &thrice, .breaker = &shop, .attempt_timeout = WF_SECONDS(2),
 *     };
 *     rc = wf_guarded(&pipeline, fetch(url, &page));
 *
 * The order is: total deadline > retry > breaker > rate > attempt deadline > the expression. So each attempt asks the
 * breaker, and each counts for it; a refusal ends the retry; the total deadline covers waits of every kind.
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_PIPELINE_H
#define WEFT_PIPELINE_H

#include <weft/breaker.h>
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
    int64_t attempt_timeout; /* 0: none */
    /* Sees each attempt when it is over, refused ones too; must not suspend. */
    void (*on_attempt)(void *context, const struct wf_attempt *attempt);
    void *context;
    void *reserved_[4];
};

/*
 * wf_guarded(guard, expression) gives the expression's value; or, where a guard did not let it through, that guard's
 * code, and then the expression was not evaluated. `guard` is a pointer to a breaker, a rate or a pipeline. The
 * expression must not jump out. Suspends: where a guard waits. On cancel: what the guards gave is given back.
 * Errors: WF_EOPEN from a breaker; -ETIME, -ECANCELED from a pipeline; -EINVAL, with a message, for a guard whose
 * options make no sense; the expression's own. Threads: inside a task.
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

static inline void wf_call_begin_pipeline_(struct wf_call_ *call, const struct wf_pipeline *pipeline, const char *place)
{
    wf_call_begin_(call, pipeline->retry, place);
    call->breaker_ = pipeline->breaker;
    call->rate_ = pipeline->rate;
    call->pipeline_ = pipeline;
}

#define WF_GUARDED_(call_name, guard, ...)                                                                             \
    WF_CALL_(call_name,                                                                                                \
             _Generic((guard), struct wf_breaker *                                                                     \
                      : wf_call_begin_breaker_, struct wf_rate *                                                       \
                      : wf_call_begin_rate_, struct wf_pipeline *                                                      \
                      : wf_call_begin_pipeline_, const struct wf_pipeline *                                            \
                      : wf_call_begin_pipeline_)(&call_name, (guard), WF_HERE_),                                       \
             __VA_ARGS__)

#ifdef __cplusplus
}
#endif
#endif
