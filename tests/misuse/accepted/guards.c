// Retries, guards and fallbacks around each other, around calls of every signed type, and as parts of expressions.
#include <weft/weft.h>

static int step(int n)
{
    return n;
}

static bool is_worth_it(int code)
{
    return code == -EIO;
}

static struct wf_breaker breaker = WF_BREAKER(.failures = 3, .name = "shop");
static struct wf_breaker standard_breaker = WF_BREAKER();
static struct wf_rate rate = WF_RATE(10, WF_SECONDS(1));
static struct wf_rate bursty = WF_RATE(10, WF_SECONDS(1), .burst = 5);
static struct wf_bulkhead bulkhead = WF_BULKHEAD(5, 10);
static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3);
static struct wf_retry_budget budget = {.percent = 10};
static const struct wf_pipeline pipeline = {.retry = &thrice, .breaker = &breaker, .rate = &rate};

int nested(struct wf_stream *stream);
int nested(struct wf_stream *stream)
{
    char buffer[64];
    int rc = wf_retry(step(1));
    rc += wf_retry(wf_retry(step(1), .attempts = 2), .attempts = 3, .on = is_worth_it, .budget = &budget);
    rc += wf_guarded(&breaker, wf_guarded(&standard_breaker, wf_guarded(&rate, wf_guarded(&bulkhead, step(2)))));
    rc += wf_guarded(&pipeline, wf_within(WF_SECONDS(1), step(3))) + wf_guarded(&bursty, step(4));
    rc += wf_fallback(wf_fallback(step(1), step(2)), wf_retry(wf_fallback(step(3), step(4))));
    ssize_t got = wf_retry(wf_guarded(&breaker, wf_stream_read(stream, buffer, sizeof buffer)), .attempts = 2);
    int64_t left = wf_fallback(wf_retry(wf_remaining()), wf_guarded(&pipeline, wf_remaining()));
    if (wf_retry(step(5)) > 0 && wf_guarded(&breaker, step(6)) > 0) rc++;
    wf_retry(wf_yield(), .base = 1);
    return got < 0 || left < 0 ? -EIO : rc;
}

// The comma of an expression of its own, and of a compound literal, in parentheses.
int commas(void);
int commas(void)
{
    struct pair {
        int left, right;
    };
    return wf_retry((step(1), step(2)), .attempts = 1) + wf_guarded(&breaker, step((struct pair){1, 2}.right));
}
