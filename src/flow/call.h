/*
 * A call under way: what its parts ask of each other. The parts stand around the expression in this order, and each is
 * there only when it was asked for:
 *
 *     total deadline > retry > breaker > rate > bulkhead > attempt deadline > the expression
 */
#ifndef WEFT_FLOW_CALL_H
#define WEFT_FLOW_CALL_H

#include <weft/pipeline.h>

#include "core/loop.h"

enum call_state {
    CALL_NEW,     /* not begun, or over */
    CALL_BETWEEN, /* no attempt is under way */
    CALL_ATTEMPT,
};

/* ---- retry.c ---- */

/* 0, or -EINVAL with a message. */
int retry_check(const struct wf_retry_options *options);

/* An attempt is over, its code in the call: tells the hooks, then waits if there is to be another. False: there is not.
 */
bool retry_again(struct loop *loop, struct wf_call_ *call);

/* The message of a call that failed: its attempts, and why there were no more. */
void retry_explain(struct loop *loop, const struct wf_call_ *call);

static inline const char *call_name(const struct wf_call_ *call)
{
    if (call->pipeline_ != NULL && call->pipeline_->name != NULL) return call->pipeline_->name;
    return call->retry_ != NULL ? call->retry_->name : NULL;
}

/* ---- budget.c ---- */

int budget_check(struct loop *loop, struct wf_retry_budget *budget);
void budget_add_call(struct wf_retry_budget *budget);
bool budget_take(struct wf_retry_budget *budget, int64_t now);

/* ---- breaker.c ---- */

/* 0 with a permit that is recorded or given back later, or WF_EOPEN or -EINVAL, each with a message. */
int breaker_admit(struct loop *loop, struct wf_breaker *breaker, struct wf_permit_ *permit);
void breaker_record(struct loop *loop, struct wf_breaker *breaker, struct wf_permit_ *permit, int code);
void breaker_give_back(struct wf_breaker *breaker, struct wf_permit_ *permit);

/* The common case of both, without a call: a closed breaker that counts failures in a row, and a success. */
static inline bool breaker_admits(struct wf_breaker *breaker, struct wf_permit_ *permit)
{
    if (!breaker->simple_ || breaker->state_ != WF_BREAKER_CLOSED) return false;
    breaker->statistics_.calls++;
    permit->generation = breaker->generation_;
    permit->held = true;
    return true;
}

static inline bool breaker_succeeds(struct wf_breaker *breaker, struct wf_permit_ *permit)
{
    bool current = permit->generation == breaker->generation_;
    if (!breaker->simple_ || breaker->state_ != WF_BREAKER_CLOSED || !current) return false;
    breaker->failures_ = 0;
    permit->held = false;
    return true;
}

bool breaker_is_open(const struct wf_breaker *breaker);
const char *breaker_name(const struct wf_breaker *breaker);

#endif
