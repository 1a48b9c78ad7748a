/*
 * The circuit breaker.
 *
 *     closed --breaker_record(): trips()--> open --breaker_admit(): the time has passed--> half open
 *       ^                                    ^                                              |    |
 *       |                                    +---------- breaker_record(): failed ----------+    |
 *       +-------------------------------------- breaker_record(): enough succeeded --------------+
 *
 * Each transition goes through enter_state(), which begins a new generation: a permit of an older one changes nothing
 * any more. While closed and counting failures in a row, a success costs no look at the clock.
 */
#include <weft/task.h>

#include "flow/call.h"
#include "flow/window.h"
#include "observe/event.h"

bool wf_is_peer_failure(int code)
{
    switch (code) {
    case -EINVAL:
    case -ENOENT:
    case -EEXIST:
    case -EACCES:
    case -EPERM:
    case -EDOM:
    case -ERANGE:
    case -E2BIG:
    case -EBADF:
    case -EFAULT:
    case -ENOTSUP:
    case -ENOSYS:
    case -ENAMETOOLONG:
    case -ENOMEM:
    case -EMFILE:
    case -ENFILE:
    case -ENOSPC:
        return false;
    default:
        return code < 0;
    }
}

const char *breaker_name(const struct wf_breaker *breaker)
{
    return breaker->options.name != NULL ? breaker->options.name : "breaker";
}

/* ---- Options ---- */

static bool has_window(const struct wf_breaker_options *options)
{
    return options->window > 0 || options->lasting > 0;
}

static int probes_of(const struct wf_breaker *breaker)
{
    return breaker->options.probes > 0 ? breaker->options.probes : 1;
}

static const char *complaint(const struct wf_breaker_options *options)
{
    if (options->size != sizeof *options) return "it was not made by WF_BREAKER(...), or for another version of weft";
    if (options->failures < 0 || options->window < 0 || options->minimum < 0 || options->probes < 0)
        return "a negative number";
    if (options->lasting < 0 || options->slow < 0 || options->open_for < 0) return "a negative duration";
    if (options->percent < 0 || options->percent > 100 || options->slow_percent < 0 || options->slow_percent > 100)
        return "a share beyond 100 per cent";
    if (options->window > WF_BREAKER_WINDOW_MAX) return "a .window of more than 256 calls";
    if (options->window > 0 && options->minimum > options->window) return "a .minimum that its .window cannot hold";
    if (options->lasting > 0 && options->lasting < WF_BREAKER_STEPS_) return "a window of less than 10 ns";
    if ((options->failures > 0) + (options->window > 0) + (options->lasting > 0) > 1)
        return "two of .failures, .window and .lasting: choose one";
    if (!has_window(options) && (options->slow > 0 || options->percent > 0 || options->minimum > 0))
        return ".slow, .percent and .minimum need a .window, or .lasting";
    return NULL;
}

static __attribute__((noinline)) int prepare(struct wf_breaker *breaker)
{
    const char *what = complaint(&breaker->options);
    if (what != NULL) return wf_fail(-EINVAL, "%s: %s", breaker_name(breaker), what);
    breaker->ready_ = true;
    breaker->simple_ = !has_window(&breaker->options);
    return 0;
}

/* ---- States ---- */

_Static_assert((int)WF_BREAKER_CLOSED == BREAKER_CLOSED && (int)WF_BREAKER_OPEN == BREAKER_OPEN &&
                   (int)WF_BREAKER_HALF_OPEN == BREAKER_HALF_OPEN,
               "the log knows the states by the same numbers");

/* Every transition passes here once. */
static void note_transition(const struct wf_breaker *breaker, enum wf_breaker_state before, int error)
{
    const struct wf_breaker_options *options = &breaker->options;
    event_breaker(options->name, (enum breaker_state)before, (enum breaker_state)breaker->state_, error);
    if (options->on_transition == NULL) return;
    options->on_transition(options->context, breaker, before, (enum wf_breaker_state)breaker->state_);
}

/* `error`: what opened it; 0 else, and where that was slowness. */
static void enter_state(struct loop *loop, struct wf_breaker *breaker, enum wf_breaker_state state, int error)
{
    enum wf_breaker_state before = (enum wf_breaker_state)breaker->state_;
    breaker->state_ = (uint8_t)state;
    breaker->generation_++;
    breaker->failures_ = breaker->probing_ = breaker->probed_ = 0;
    window_clear(&breaker->window_);
    if (state == WF_BREAKER_OPEN) {
        int64_t open_for = breaker->options.open_for > 0 ? breaker->options.open_for : WF_SECONDS(60);
        if (__builtin_add_overflow(loop_now(loop), open_for, &breaker->until_)) breaker->until_ = WF_FOREVER;
        breaker->statistics_.opened++;
    }
    note_transition(breaker, before, error);
}

/* ---- Letting calls through ---- */

static __attribute__((noinline)) int refuse(struct wf_breaker *breaker)
{
    breaker->statistics_.refused++;
    const char *name = breaker_name(breaker), *last = wf_strerror(breaker->last_code_);
    if (breaker->state_ == WF_BREAKER_HALF_OPEN)
        return wf_fail(WF_EOPEN, "%s: the breaker is half open, and a probe is under way; the last failure: %d %s",
                       name, breaker->last_code_, last);
    return wf_fail(WF_EOPEN, "%s: the breaker is open for %.3g s more; the last failure: %d %s", name,
                   wf_seconds(wf_breaker_retry_after(breaker)), breaker->last_code_, last);
}

/* Not closed: 0 for a probe. */
static __attribute__((noinline)) int admit_probe(struct loop *loop, struct wf_breaker *breaker)
{
    if (breaker->state_ == WF_BREAKER_OPEN) {
        if (loop_now(loop) < breaker->until_) return refuse(breaker);
        enter_state(loop, breaker, WF_BREAKER_HALF_OPEN, 0);
    }
    if (breaker->probing_ + breaker->probed_ >= probes_of(breaker)) return refuse(breaker);
    breaker->probing_++;
    return 0;
}

int breaker_admit(struct loop *loop, struct wf_breaker *breaker, struct wf_permit_ *permit)
{
    int rc = breaker->ready_ ? 0 : prepare(breaker);
    if (rc == 0 && breaker->state_ != WF_BREAKER_CLOSED) rc = admit_probe(loop, breaker);
    if (rc < 0) return rc;
    breaker->statistics_.calls++;
    permit->generation = breaker->generation_;
    permit->held = true;
    if (breaker->options.slow > 0) permit->began = loop_now(loop);
    return 0;
}

/* ---- What became of them ---- */

bool breaker_is_open(const struct wf_breaker *breaker)
{
    return breaker->state_ == WF_BREAKER_OPEN;
}

static bool trips(struct loop *loop, struct wf_breaker *breaker, bool failed, bool slow)
{
    const struct wf_breaker_options *options = &breaker->options;
    if (!has_window(options)) {
        breaker->failures_ = failed ? breaker->failures_ + 1 : 0;
        return breaker->failures_ >= (options->failures > 0 ? options->failures : 5);
    }
    window_add(&breaker->window_, options, loop->now, failed, slow);
    return window_trips(&breaker->window_, options);
}

static void probe_over(struct loop *loop, struct wf_breaker *breaker, bool failed, int error)
{
    breaker->probing_--;
    if (failed) {
        enter_state(loop, breaker, WF_BREAKER_OPEN, error);
        return;
    }
    if (++breaker->probed_ >= probes_of(breaker)) enter_state(loop, breaker, WF_BREAKER_CLOSED, 0);
}

static bool counts(const struct wf_breaker *breaker, int code)
{
    if (code >= 0) return false;
    return breaker->options.counts != NULL ? breaker->options.counts(code) : wf_is_peer_failure(code);
}

void breaker_record(struct loop *loop, struct wf_breaker *breaker, struct wf_permit_ *permit, int code)
{
    permit->held = false;
    if (permit->generation != breaker->generation_) {
        breaker->statistics_.late++;
        return;
    }
    bool failed = counts(breaker, code);
    bool slow = breaker->options.slow > 0 && loop_now(loop) - permit->began > breaker->options.slow;
    if (slow) breaker->statistics_.slow++;
    if (failed) {
        breaker->statistics_.failures++;
        breaker->last_code_ = code;
    }
    int error = failed ? code : 0;
    if (breaker->state_ == WF_BREAKER_HALF_OPEN) probe_over(loop, breaker, failed || slow, error);
    else if (trips(loop, breaker, failed, slow)) enter_state(loop, breaker, WF_BREAKER_OPEN, error);
}

void breaker_give_back(struct wf_breaker *breaker, struct wf_permit_ *permit)
{
    permit->held = false;
    breaker->statistics_.cancelled++;
    bool current = permit->generation == breaker->generation_;
    if (current && breaker->state_ == WF_BREAKER_HALF_OPEN) breaker->probing_--;
}

/* ---- Asking ---- */

enum wf_breaker_state wf_breaker_state(const struct wf_breaker *breaker)
{
    return (enum wf_breaker_state)breaker->state_;
}

int64_t wf_breaker_retry_after(const struct wf_breaker *breaker)
{
    if (breaker->state_ != WF_BREAKER_OPEN) return 0;
    int64_t left = breaker->until_ - wf_now();
    return left > 0 ? left : 0;
}

void wf_breaker_statistics(const struct wf_breaker *breaker, struct wf_breaker_statistics *statistics)
{
    *statistics = breaker->statistics_;
}
