/* Retry: whether another attempt is made, how long until then, and what is said when there is none. */
#include <string.h>
#include <weft/time.h>

#include "base/text.h"
#include "flow/call.h"
#include "observe/event.h"

enum {
    ATTEMPTS_DEFAULT = 3,
    MESSAGE_MAX = 512,
};

/* Why there is no further attempt. */
enum stopped {
    STOPPED_NOT, /* or there is nothing to say about it */
    STOPPED_BY_CODE,
    STOPPED_BY_CANCEL,
    STOPPED_BY_DEADLINE,
    STOPPED_BY_BUDGET,
    STOPPED_BY_BREAKER,
};

static const char *const reasons[] = {
    [STOPPED_NOT] = NULL,
    [STOPPED_BY_CODE] = "that is not retried",
    [STOPPED_BY_CANCEL] = "cancelled",
    [STOPPED_BY_DEADLINE] = "no time for another",
    [STOPPED_BY_BUDGET] = "the retry budget is empty",
    [STOPPED_BY_BREAKER] = "the breaker is open",
};

bool wf_is_transient(int code)
{
    switch (code) {
    case -ECONNREFUSED:
    case -ECONNRESET:
    case -ECONNABORTED:
    case -EPIPE:
    case WF_EEND:
    case -ETIMEDOUT:
    case -ETIME:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENETDOWN:
    case -ENETRESET:
    case -EHOSTDOWN:
    case -EAGAIN:
        return true;
    default:
        return false;
    }
}

/* ---- Options ---- */

static __attribute__((noinline)) int refuse(const struct wf_retry_options *options, const char *name)
{
    if (options->size != sizeof *options)
        return wf_fail(-EINVAL, "%s: these options are not WF_RETRY(...), or of another version of weft", name);
    if (options->attempts < 0) return wf_fail(-EINVAL, "%s: .attempts is %d", name, options->attempts);
    if ((unsigned)options->backoff > WF_FIBONACCI || (unsigned)options->jitter > WF_JITTER_DECORRELATED)
        return wf_fail(-EINVAL, "%s: .backoff %d or .jitter %d is none of those there are", name, (int)options->backoff,
                       (int)options->jitter);
    return wf_fail(-EINVAL, "%s: a negative duration: .base %lld, .cap %lld, .within %lld, .attempt_timeout %lld", name,
                   (long long)options->base, (long long)options->cap, (long long)options->within,
                   (long long)options->attempt_timeout);
}

int retry_check(const struct wf_retry_options *options)
{
    int64_t durations = options->base | options->cap | options->within | options->attempt_timeout;
    bool fine = options->size == sizeof *options && options->attempts >= 0 && durations >= 0 &&
                (unsigned)options->backoff <= WF_FIBONACCI && (unsigned)options->jitter <= WF_JITTER_DECORRELATED;
    return fine ? 0 : refuse(options, options->name != NULL ? options->name : "retry");
}

static int64_t base_of(const struct wf_retry_options *options)
{
    return options->base > 0 ? options->base : WF_MILLISECONDS(100);
}

static int64_t cap_of(const struct wf_retry_options *options)
{
    return options->cap > 0 ? options->cap : WF_SECONDS(60);
}

/* ---- Waits ---- */

static int64_t times(int64_t duration, int64_t factor, int64_t cap)
{
    int64_t product;
    return __builtin_mul_overflow(duration, factor, &product) || product > cap ? cap : product;
}

static int64_t fibonacci(int64_t base, int64_t cap, int number)
{
    int64_t before = 0, wait = base;
    for (int i = 1; i < number && wait < cap; i++) {
        int64_t next;
        if (__builtin_add_overflow(before, wait, &next)) return cap;
        before = wait;
        wait = next;
    }
    return wait < cap ? wait : cap;
}

/* Before the jitter; `number` attempts have been made. */
static int64_t backoff(const struct wf_retry_options *options, int number)
{
    int64_t base = base_of(options), cap = cap_of(options);
    switch (options->backoff) {
    case WF_FIXED:
        return times(base, 1, cap);
    case WF_FIBONACCI:
        return fibonacci(base, cap, number);
    case WF_EXPONENTIAL:
        break;
    }
    return times(base, number < 63 ? INT64_C(1) << (number - 1) : INT64_MAX, cap);
}

/* Anything from `least` to `most`. */
static int64_t between(struct loop *loop, int64_t least, int64_t most)
{
    if (most <= least) return least;
    uint64_t random;
    loop->driver->random(loop, &random, sizeof random);
    return least + (int64_t)(random % ((uint64_t)(most - least) + 1));
}

static int64_t next_wait(struct loop *loop, const struct wf_call_ *call)
{
    const struct wf_retry_options *options = call->retry_;
    int64_t base = base_of(options), cap = cap_of(options);
    int64_t wait = backoff(options, call->number_);
    switch (options->jitter) {
    case WF_JITTER_NONE:
        break;
    case WF_JITTER_FULL:
        wait = between(loop, 0, wait);
        break;
    case WF_JITTER_EQUAL:
        wait = between(loop, wait / 2, wait);
        break;
    case WF_JITTER_DECORRELATED:
        if (base > cap) base = cap;
        wait = between(loop, base, times(call->number_ > 1 ? call->wait_ : base, 3, cap));
        break;
    }
    return wait > call->hint_ ? wait : call->hint_;
}

/* ---- Another attempt? ---- */

static bool fits(const struct wf_call_ *call, int64_t now, int64_t wait)
{
    int64_t deadline = wf_deadline();
    if (call->deadline_ < deadline) deadline = call->deadline_;
    return deadline == WF_FOREVER || wait < deadline - now;
}

static bool is_worth_it(const struct wf_retry_options *options, int code)
{
    return options->on != NULL ? options->on(code) : wf_is_transient(code);
}

/* STOPPED_NOT with a wait below 0: it ends here, and that is all there is to say. */
static enum stopped decide(struct loop *loop, struct wf_call_ *call, int64_t *wait)
{
    const struct wf_retry_options *options = call->retry_;
    if (call->code_ >= 0 || options == NULL) return STOPPED_NOT;
    call->past_[(call->number_ - 1) % WF_HISTORY_] = call->code_;
    if (wf_cancelled()) return STOPPED_BY_CANCEL;
    int64_t now = loop_now(loop);
    if (call->deadline_ <= now) return STOPPED_BY_DEADLINE;
    if (call->code_ == WF_EOPEN) return STOPPED_BY_CODE;
    if (!is_worth_it(options, call->code_)) return STOPPED_BY_CODE;
    if (call->number_ >= (options->attempts > 0 ? options->attempts : ATTEMPTS_DEFAULT)) return STOPPED_NOT;
    if (call->breaker_ != NULL && breaker_is_open(call->breaker_)) return STOPPED_BY_BREAKER;
    int64_t next = next_wait(loop, call);
    if (!fits(call, now, next)) return STOPPED_BY_DEADLINE;
    if (options->budget != NULL && !budget_take(options->budget, now)) return STOPPED_BY_BUDGET;
    *wait = next;
    return STOPPED_NOT;
}

/* There were several attempts, or there would have been: else the error speaks for itself. */
static bool is_worth_telling(const struct wf_call_ *call)
{
    enum stopped stopped = call->stopped_;
    bool speaks_for_itself = stopped == STOPPED_NOT || stopped == STOPPED_BY_CODE;
    return call->number_ > 1 || !speaks_for_itself;
}

/* To the log and the metrics, where another attempt follows or might have. */
static void log_attempt(const struct wf_call_ *call, int64_t wait)
{
    const char *why = reasons[call->stopped_] != NULL ? reasons[call->stopped_] : "that was the last one";
    uint32_t number = (uint32_t)call->number_;
    if (wait >= 0) event_retry(call_name(call), number, wait, call->code_);
    else if (call->stopped_ != STOPPED_BY_CANCEL && is_worth_telling(call))
        event_retries_over(call_name(call), number, call->code_, why);
}

/* Every attempt passes here once, when it is over. */
static void note_attempt(struct loop *loop, const struct wf_call_ *call, int64_t wait)
{
    if (call->code_ < 0 && call->retry_ != NULL) log_attempt(call, wait);
    const struct wf_retry_options *retry = call->retry_;
    const struct wf_pipeline *pipeline = call->pipeline_;
    bool retry_asks = retry != NULL && retry->on_attempt != NULL;
    bool pipeline_asks = pipeline != NULL && pipeline->on_attempt != NULL;
    if (!retry_asks && !pipeline_asks) return;
    struct wf_attempt attempt = {
        .name = call_name(call),
        .number = call->number_,
        .code = call->code_,
        .started = call->attempt_began_,
        .ended = loop_now(loop),
        .wait = wait,
    };
    if (retry_asks) retry->on_attempt(retry->context, &attempt);
    if (pipeline_asks) pipeline->on_attempt(pipeline->context, &attempt);
}

bool retry_again(struct loop *loop, struct wf_call_ *call)
{
    int64_t wait = -1;
    call->stopped_ = (uint8_t)decide(loop, call, &wait);
    note_attempt(loop, call, wait);
    if (wait < 0) return false;
    call->wait_ = wait;
    int rc = wf_sleep(wait);
    if (rc == 0) return true;
    call->code_ = rc;
    call->stopped_ = STOPPED_BY_CANCEL;
    return false;
}

/* ---- The message ---- */

static void add_attempts(struct text *story, const struct wf_call_ *call, int64_t now)
{
    int count = call->number_;
    if (call_name(call) != NULL) text_add(story, "%s: ", call_name(call));
    text_add(story, "%d attempt%s in %.3g s", count, count == 1 ? "" : "s", wf_seconds(now - call->began_));
    if (count > WF_HISTORY_) text_add(story, ", the last %d", WF_HISTORY_);
    for (int i = count > WF_HISTORY_ ? count - WF_HISTORY_ : 0, first = i; i < count; i++) {
        int code = call->past_[i % WF_HISTORY_];
        text_add(story, "%s %d %s", i == first ? ":" : ",", code, wf_strerror(code));
    }
}

/* What the last attempt said itself, beyond the text of its code. */
static const char *said(const struct loop *loop, int code)
{
    const char *text = failure_text(loop->running, code);
    return strcmp(text, wf_strerror(code)) != 0 ? text : NULL;
}

void retry_explain(struct loop *loop, const struct wf_call_ *call)
{
    enum stopped stopped = call->stopped_;
    if (!is_worth_telling(call)) return;
    if (call->code_ == -ECANCELED && stopped == STOPPED_BY_CANCEL) return;
    char bytes[MESSAGE_MAX];
    struct text story = {.bytes = bytes, .room = sizeof bytes};
    add_attempts(&story, call, loop_now(loop));
    if (reasons[stopped] != NULL) text_add(&story, "; %s", reasons[stopped]);
    const char *last = said(loop, call->code_);
    if (last != NULL) text_add(&story, "; it said: %s", last);
    (void)wf_fail(call->code_, "%s", story.bytes);
}
