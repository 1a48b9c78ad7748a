/*
 * All the guards of a call in one place: total deadline, retry, breaker, rate, bulkhead, attempt deadline.
 *
 *     weft run examples/pipeline.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct quote {
    int calls;
    int price;
};

/* Too slow the first time, refused the second time. */
static int fetch_quote(struct quote *quote)
{
    int call = ++quote->calls;
    int rc = wf_sleep(call == 1 ? WF_SECONDS(30) : WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    if (call == 2) return -ECONNRESET;
    quote->price = 99;
    return 0;
}

static void show_attempt(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    printf("  %s, attempt %d: %s%s\n", attempt->name, attempt->number, wf_strerror(attempt->code),
           attempt->wait >= 0 ? ", once more" : "");
}

static const struct wf_retry_options thrice =
    WF_RETRY(.attempts = 3, .base = WF_MILLISECONDS(10), .jitter = WF_JITTER_FULL);
static struct wf_breaker breaker = WF_BREAKER(.name = "quotes", .failures = 5);
static struct wf_rate rate = WF_RATE(1000, WF_SECONDS(1));
static struct wf_bulkhead bulkhead = WF_BULKHEAD(10, 100);

static const struct wf_pipeline quotes = {
    .name = "quotes",
    .within = WF_SECONDS(5),
    .retry = &thrice,
    .breaker = &breaker,
    .rate = &rate,
    .bulkhead = &bulkhead,
    .attempt_timeout = WF_MILLISECONDS(100),
    .on_attempt = show_attempt,
};

static int show_quote(struct quote *quote)
{
    int rc = wf_guarded(&quotes, fetch_quote(quote));
    if (rc < 0) return rc;
    printf("the price is %d\n", quote->price);
    return 0;
}

int main(void)
{
    struct quote quote = {.calls = 0};
    wf_log_set_level("retry", WF_OFF); /* each attempt that fails is a line of the log, too */
    return wf_main(show_quote, &quote);
}
