/*
 * A rate limiter with a queue. Waiters hold no reservation: a timer stands for the first one's turn, and takes it for
 * whoever is first then.
 */
#include <weft/rate.h>

#include <weft/task.h>

#include "core/loop.h"
#include "flow/gcra.h"

int gcra_prepare(const struct wf_rate_options *options, int64_t *interval, int64_t *tolerance)
{
    const char *name = options->name != NULL ? options->name : "rate";
    if (options->size != sizeof *options)
        return wf_fail(-EINVAL, "%s: it was not made by WF_RATE(...), or for another version of weft", name);
    if (options->count <= 0 || options->per <= 0 || options->burst < 0)
        return wf_fail(-EINVAL, "%s: %lld in %lld ns, %lld at once: these must be above 0", name,
                       (long long)options->count, (long long)options->per, (long long)options->burst);
    if (options->count > options->per) return wf_fail(-EINVAL, "%s: more than one a nanosecond", name);
    int64_t burst = options->burst > 0 ? options->burst : 1;
    int64_t each = (options->per - 1) / options->count + 1; /* rounded up: never faster than asked for */
    int64_t all;
    if (__builtin_mul_overflow(each, burst, &all) || all > INT64_MAX / 4)
        return wf_fail(-EINVAL, "%s: a burst that takes more than 70 years to come back", name);
    *interval = each;
    *tolerance = each * (burst - 1);
    return 0;
}

static int prepare(struct wf_rate *rate)
{
    return rate->interval_ > 0 ? 0 : gcra_prepare(&rate->options, &rate->interval_, &rate->tolerance_);
}

/* ---- Passing ---- */

static bool pass(struct wf_rate *rate, int64_t now)
{
    if (gcra_wait(rate->due_, rate->tolerance_, now) > 0) return false;
    rate->due_ = gcra_next(rate->due_, rate->interval_, now);
    rate->statistics_.passed++;
    return true;
}

static void turn_came(struct wf_timer_ *timer);

static void await_turn(struct loop *loop, struct wf_rate *rate)
{
    timer_disarm(&loop->timers, &rate->timer_);
    rate->timer_.deadline = rate->due_ - rate->tolerance_;
    rate->timer_.fire = turn_came;
    timer_arm(&loop->timers, &rate->timer_);
}

/* Lets those go whose turn has come, and has the timer stand for the next. */
static void serve(struct loop *loop, struct wf_rate *rate, int64_t now)
{
    while (rate->waiters_.first != NULL && pass(rate, now)) {
        rate->waiting_--;
        queue_grant(&rate->waiters_, 0);
    }
    if (rate->waiters_.first != NULL) await_turn(loop, rate);
    else timer_disarm(&loop->timers, &rate->timer_);
}

static void turn_came(struct wf_timer_ *timer)
{
    struct wf_rate *rate = (struct wf_rate *)((char *)timer - offsetof(struct wf_rate, timer_));
    serve(current_loop, rate, current_loop->now);
}

static void wait_cancelled(struct wf_wait *wait, int code)
{
    struct wf_queue_ *queue = (struct wf_queue_ *)(uintptr_t)wait->object;
    struct wf_rate *rate = (struct wf_rate *)((char *)queue - offsetof(struct wf_rate, waiters_));
    rate->waiting_--;
    rate->statistics_.cancelled++;
    queue_cancel(wait, code);
    if (queue->first == NULL) timer_disarm(&current_loop->timers, &rate->timer_);
}

static const struct wait_class rate_class = {.name = "its turn under a rate", .cancel = wait_cancelled};

static int wait_in_line(struct loop *loop, struct wf_rate *rate)
{
    rate->waiting_++;
    rate->statistics_.waited++;
    struct wf_wait wait = {.task = loop->running};
    queue_append(&rate->waiters_, &wait);
    if (rate->waiters_.first == &wait) await_turn(loop, rate);
    return (int)suspend(&wait, &rate_class, &rate->waiters_);
}

int wf_rate_wait(struct wf_rate *rate)
{
    struct loop *loop = LOOP_HERE();
    int rc = prepare(rate);
    if (rc == 0) rc = wait_check(false);
    if (rc < 0) return rc;
    if (rate->waiters_.first == NULL && pass(rate, loop_now(loop))) return (int)wait_skipped(0);
    return wait_in_line(loop, rate);
}

/* Behind those that wait. */
static int64_t retry_after(const struct wf_rate *rate, int64_t now)
{
    int64_t due = rate->due_ + (int64_t)rate->waiting_ * rate->interval_;
    int64_t wait = gcra_wait(due, rate->tolerance_, now);
    return wait > 0 ? wait : 1;
}

int wf_rate_try(struct wf_rate *rate, int64_t *retry_after_ns)
{
    struct loop *loop = LOOP_HERE();
    int rc = prepare(rate);
    if (rc < 0) return rc;
    int64_t now = loop_now(loop);
    bool passed = rate->waiters_.first == NULL && pass(rate, now);
    if (!passed) rate->statistics_.refused++;
    if (retry_after_ns != NULL) *retry_after_ns = passed ? 0 : retry_after(rate, now);
    return passed ? 0 : -EAGAIN;
}

int wf_rate_return(struct wf_rate *rate)
{
    struct loop *loop = LOOP_ALIVE();
    if (rate->statistics_.passed == 0) return -EPERM;
    rate->due_ -= rate->interval_;
    rate->statistics_.passed--;
    if (rate->waiters_.first != NULL) serve(loop, rate, loop_now(loop));
    return 0;
}

/* ---- Asking ---- */

size_t wf_rate_waiting(const struct wf_rate *rate)
{
    return rate->waiting_;
}

void wf_rate_statistics(const struct wf_rate *rate, struct wf_rate_statistics *statistics)
{
    *statistics = rate->statistics_;
}
