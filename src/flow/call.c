/*
 * The life of a call: attempt after attempt, each inside its guards.
 *
 *     new --begin()--> between --enter()--> attempt --leave()--> between --retry_again()--> ... --end()--> new
 *                         |                                         ^
 *                         +-- a guard refused: its code counts as the attempt's
 *
 * The loop around the expression is in the caller's own code (WF_CALL_), which asks wf_call_next_ before each round.
 * Nothing here allocates, or looks at the clock, for a call that succeeds and has no deadline and no hook.
 */
#include <string.h>

#include "flow/call.h"

/* ---- Retry-After: an attempt finds its call by a task-local ---- */

/* Nobody who outlives the call may find it. */
static void *forget(void *value)
{
    (void)value;
    return NULL;
}

static const struct wf_local call_key = {.name = "retry", .retain = forget};

int wf_retry_after(int64_t duration_ns)
{
    struct wf_call_ *call = wf_local_get(&call_key);
    if (duration_ns < 0) return -EINVAL;
    if (call == NULL) return -ENOENT;
    call->hint_ = duration_ns;
    return 0;
}

/* ---- Beginning and end ---- */

static int64_t earlier(int64_t first, int64_t second)
{
    return first < second ? first : second;
}

static int64_t deadline_in(struct loop *loop, int64_t duration)
{
    int64_t deadline;
    return __builtin_add_overflow(loop_now(loop), duration, &deadline) ? WF_FOREVER : deadline;
}

static int begin(struct loop *loop, struct wf_call_ *call)
{
    const struct wf_retry_options *retry = call->retry_;
    call->deadline_ = WF_FOREVER;
    call->attempt_timeout_ = 0;
    int rc = retry_check(retry);
    if (rc == 0 && retry->budget != NULL) rc = budget_check(loop, retry->budget);
    if (rc < 0) return rc;
    if (retry->within > 0) call->deadline_ = deadline_in(loop, retry->within);
    call->attempt_timeout_ = retry->attempt_timeout;
    if (retry->budget != NULL) budget_add_call(retry->budget);
    call->began_ = loop->now;
    call->number_ = 0;
    call->wait_ = 0;
    call->scoped_ = false;
    call->binding_.context_ = (struct wf_context){.key = &call_key, .value = call};
    wf_bind_(&call->binding_);
    call->state_ = CALL_BETWEEN;
    return 0;
}

static void end(struct loop *loop, struct wf_call_ *call)
{
    wf_unbind_(&call->binding_);
    call->state_ = CALL_NEW;
    if (call->code_ < 0) retry_explain(loop, call);
}

/* ---- One attempt ---- */

/* One scope carries both deadlines: nothing but the attempt and its guards is inside it. */
static void open_scope(struct wf_call_ *call)
{
    memset(&call->scope_, 0, sizeof call->scope_);
    wf_scope_open_(&(struct wf_scope_options){
        .size = sizeof(struct wf_scope_options),
        .scope_ = &call->scope_,
        .deadline = call->deadline_,
        .name = call->retry_->name,
        .place_ = call->place_,
    });
    call->scoped_ = true;
}

static void close_scope(struct wf_call_ *call)
{
    call->code_ = wf_scope_end(&call->scope_, call->code_);
    wf_scope_leave_(&call->scope_);
    call->scoped_ = false;
}

static void enter(struct loop *loop, struct wf_call_ *call)
{
    call->number_++;
    call->hint_ = 0;
    call->attempt_began_ = loop->now;
    if (call->deadline_ != WF_FOREVER || call->attempt_timeout_ > 0) open_scope(call);
    if (call->attempt_timeout_ > 0)
        wf_scope_set_deadline(&call->scope_, earlier(call->deadline_, deadline_in(loop, call->attempt_timeout_)));
    call->state_ = CALL_ATTEMPT;
}

static void leave(struct wf_call_ *call)
{
    call->state_ = CALL_BETWEEN;
    if (call->scoped_) close_scope(call);
}

bool wf_call_next_(struct wf_call_ *call)
{
    struct loop *loop = LOOP_HERE();
    if (call->state_ == CALL_NEW) {
        call->code_ = begin(loop, call);
        if (call->code_ < 0) return false;
    } else {
        leave(call);
        if (!retry_again(loop, call)) {
            end(loop, call);
            return false;
        }
    }
    enter(loop, call);
    return true;
}

/* The expression was jumped out of. */
void wf_call_abandon_(struct wf_call_ *call)
{
    if (call->scoped_) wf_scope_leave_(&call->scope_);
    wf_unbind_(&call->binding_);
    call->state_ = CALL_NEW;
}
