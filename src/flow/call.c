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

#include "flow/bulkhead.h"
#include "flow/call.h"

/* ---- Retry-After: an attempt finds its call by a task-local ---- */

/* What those find who may outlive the call. */
static struct wf_call_ no_call;

static void *forget(void *value)
{
    (void)value;
    return &no_call;
}

static const struct wf_local call_key = {.name = "retry", .retain = forget};

int wf_retry_after(int64_t duration_ns)
{
    struct wf_call_ *call = wf_local_get(&call_key);
    if (duration_ns < 0) return -EINVAL;
    if (call == NULL || call == &no_call) return -ENOENT;
    call->hint_ = duration_ns;
    return 0;
}

/* The call is found by its attempts and by the tasks of its scopes. */
static void expose(struct wf_task *task, struct wf_call_ *call)
{
    call->binding_.context_ = (struct wf_context){.key = &call_key, .value = call, .outer = task->context};
    task->context = &call->binding_.context_;
}

static void conceal(struct wf_task *task, const struct wf_call_ *call)
{
    task->context = call->binding_.context_.outer;
}

/* ---- Beginning and end ---- */

/* Of two durations, of which 0 is none. */
static int64_t shorter(int64_t first, int64_t second)
{
    return first == 0 || (second != 0 && second < first) ? second : first;
}

static __attribute__((noinline)) int64_t deadline_in(struct loop *loop, int64_t duration)
{
    int64_t deadline;
    return __builtin_add_overflow(loop_now(loop), duration, &deadline) ? WF_FOREVER : deadline;
}

static __attribute__((noinline)) int refuse_pipeline(const struct wf_pipeline *pipeline)
{
    return wf_fail(-EINVAL, "%s: a negative duration: .within %lld, .attempt_timeout %lld",
                   pipeline->name != NULL ? pipeline->name : "pipeline", (long long)pipeline->within,
                   (long long)pipeline->attempt_timeout);
}

static int check(struct loop *loop, const struct wf_call_ *call)
{
    const struct wf_pipeline *pipeline = call->pipeline_;
    const struct wf_retry_options *retry = call->retry_;
    if (pipeline != NULL && (pipeline->within | pipeline->attempt_timeout) < 0) return refuse_pipeline(pipeline);
    int rc = retry != NULL ? retry_check(retry) : 0;
    return rc == 0 && retry != NULL && retry->budget != NULL ? budget_check(loop, retry->budget) : rc;
}

static void begin_pipeline(struct wf_call_ *call, const struct wf_pipeline *pipeline)
{
    call->within_ = pipeline->within;
    call->attempt_timeout_ = pipeline->attempt_timeout;
    call->watched_ = pipeline->on_attempt != NULL;
}

static void begin_retry(struct loop *loop, struct wf_call_ *call, const struct wf_retry_options *retry)
{
    call->within_ = shorter(call->within_, retry->within);
    call->attempt_timeout_ = shorter(call->attempt_timeout_, retry->attempt_timeout);
    call->watched_ |= retry->on_attempt != NULL;
    call->wait_ = 0;
    if (retry->budget != NULL) budget_add_call(retry->budget);
    expose(loop->running, call);
}

static bool begin(struct loop *loop, struct wf_call_ *call)
{
    call->code_ = check(loop, call);
    if (call->code_ < 0) return false;
    call->within_ = call->attempt_timeout_ = 0;
    call->watched_ = call->scoped_ = call->permit_.held = call->inside_ = false;
    if (call->pipeline_ != NULL) begin_pipeline(call, call->pipeline_);
    if (call->retry_ != NULL) begin_retry(loop, call, call->retry_);
    call->deadline_ = call->within_ > 0 ? deadline_in(loop, call->within_) : WF_FOREVER;
    call->began_ = loop->now;
    call->number_ = 0;
    call->state_ = CALL_BETWEEN;
    return true;
}

static void end(struct loop *loop, struct wf_call_ *call)
{
    call->state_ = CALL_NEW;
    if (call->retry_ == NULL) return;
    conceal(loop->running, call);
    if (call->code_ < 0) retry_explain(loop, call);
}

/* ---- One attempt ---- */

/* One scope carries both deadlines: nothing but the attempt and its guards is inside it. */
static __attribute__((noinline)) void open_scope(struct wf_call_ *call)
{
    memset(&call->scope_, 0, sizeof call->scope_);
    wf_scope_open_(&(struct wf_scope_options){
        .size = sizeof(struct wf_scope_options),
        .scope_ = &call->scope_,
        .deadline = call->deadline_,
        .name = call_name(call),
        .place_ = call->place_,
    });
    call->scoped_ = true;
}

/* The guards are passed: from here on it is the attempt's time. */
static __attribute__((noinline)) void start_attempt_deadline(struct loop *loop, struct wf_call_ *call)
{
    int64_t own = deadline_in(loop, call->attempt_timeout_);
    if (own < call->deadline_) wf_scope_set_deadline(&call->scope_, own);
}

static __attribute__((noinline)) void close_scope(struct wf_call_ *call)
{
    call->code_ = wf_scope_end(&call->scope_, call->code_);
    wf_scope_leave_(&call->scope_);
    call->scoped_ = false;
}

static int enter_bulkhead(struct loop *loop, struct wf_call_ *call)
{
    int rc = wf_bulkhead_enter(call->bulkhead_);
    call->inside_ = rc == 0;
    if (rc == 0 && call->bulkhead_->options.latency > 0) call->entered_ = loop_now(loop);
    if (rc < 0 && call->rate_ != NULL) wf_rate_return(call->rate_);
    return rc;
}

/* The guards from outside to inside. 0, or the code of the one that refused. */
static int pass_guards(struct loop *loop, struct wf_call_ *call)
{
    int rc = 0;
    if (call->breaker_ != NULL && !breaker_admits(call->breaker_, &call->permit_))
        rc = breaker_admit(loop, call->breaker_, &call->permit_);
    if (rc == 0 && call->rate_ != NULL) rc = wf_rate_wait(call->rate_);
    if (rc == 0 && call->bulkhead_ != NULL) rc = enter_bulkhead(loop, call);
    return rc;
}

static void leave_bulkhead(struct wf_call_ *call)
{
    call->inside_ = false;
    wf_bulkhead_leave(call->bulkhead_);
}

/* The attempt was evaluated: what its guards learn of it. */
static void tell_guards(struct loop *loop, struct wf_call_ *call)
{
    if (call->inside_) {
        if (call->bulkhead_->options.latency > 0)
            bulkhead_learn(call->bulkhead_, call->entered_, loop_now(loop), call->code_);
        leave_bulkhead(call);
    }
    if (call->permit_.held) breaker_record(loop, call->breaker_, &call->permit_, call->code_);
}

/* It was not, or was cut short from outside. */
static void release_guards(struct wf_call_ *call)
{
    if (call->inside_) leave_bulkhead(call);
    if (call->permit_.held) breaker_give_back(call->breaker_, &call->permit_);
}

/* True: the expression is to be evaluated. */
static bool enter(struct loop *loop, struct wf_call_ *call)
{
    call->number_++;
    call->hint_ = 0;
    call->attempt_began_ = loop->now;
    if (call->deadline_ != WF_FOREVER || call->attempt_timeout_ > 0) open_scope(call);
    call->code_ = pass_guards(loop, call);
    if (call->code_ < 0) {
        if (call->scoped_) close_scope(call);
        release_guards(call);
        return false;
    }
    if (call->attempt_timeout_ > 0) start_attempt_deadline(loop, call);
    call->state_ = CALL_ATTEMPT;
    return true;
}

/* Says nothing about the peer: the caller went away, or an inner guard did not let the call through. */
static bool means_nothing(int code)
{
    return code == WF_EOPEN || code == WF_EFULL || (code == -ECANCELED && wf_cancelled());
}

static void leave(struct loop *loop, struct wf_call_ *call)
{
    call->state_ = CALL_BETWEEN;
    if (call->scoped_) close_scope(call);
    if (call->code_ < 0 && means_nothing(call->code_)) release_guards(call);
    else tell_guards(loop, call);
}

/* A success that nobody but a breaker at rest has to hear of: the end, by the shortest way. */
static inline bool ends_simply(struct loop *loop, struct wf_call_ *call)
{
    bool simple = call->code_ >= 0 && !call->scoped_ && !call->watched_ && !call->inside_;
    if (!simple || (call->permit_.held && !breaker_succeeds(call->breaker_, &call->permit_))) return false;
    if (call->retry_ != NULL) conceal(loop->running, call);
    call->state_ = CALL_NEW;
    return true;
}

static __attribute__((noinline)) bool go_on(struct loop *loop, struct wf_call_ *call)
{
    leave(loop, call);
    bool more = retry_again(loop, call);
    while (more && !enter(loop, call)) more = retry_again(loop, call);
    if (!more) end(loop, call);
    return more;
}

static __attribute__((noinline)) bool start(struct loop *loop, struct wf_call_ *call)
{
    if (!begin(loop, call)) return false;
    bool more = enter(loop, call);
    while (!more && retry_again(loop, call)) more = enter(loop, call);
    if (!more) end(loop, call);
    return more;
}

bool wf_call_next_(struct wf_call_ *call)
{
    struct loop *loop = LOOP_HERE();
    if (call->state_ == CALL_NEW) return start(loop, call);
    return !ends_simply(loop, call) && go_on(loop, call);
}

/* The expression was jumped out of. */
void wf_call_abandon_(struct wf_call_ *call)
{
    if (call->scoped_) wf_scope_leave_(&call->scope_);
    release_guards(call);
    if (call->retry_ != NULL) conceal(LOOP_HERE()->running, call);
    call->state_ = CALL_NEW;
}
