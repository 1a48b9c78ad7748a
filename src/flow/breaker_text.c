/* A breaker in one line, for people. */
#include <stdio.h>

#include "flow/call.h"

static void describe_state(const struct wf_breaker *breaker, char *text, size_t size)
{
    switch (wf_breaker_state(breaker)) {
    case WF_BREAKER_CLOSED:
        snprintf(text, size, "closed");
        break;
    case WF_BREAKER_OPEN:
        snprintf(text, size, "open for %.3g s more", wf_seconds(wf_breaker_retry_after(breaker)));
        break;
    case WF_BREAKER_HALF_OPEN:
        snprintf(text, size, "half open, %d probes under way", breaker->probing_);
        break;
    }
}

static void describe_failure(const struct wf_breaker *breaker, char *text, size_t size)
{
    int code = breaker->last_code_;
    if (code == 0) snprintf(text, size, "no failure yet");
    else snprintf(text, size, "last failure %d %s", code, wf_strerror(code));
}

int wf_breaker_text(const struct wf_breaker *breaker, char *text, size_t size)
{
    char state[64], failure[96];
    const struct wf_breaker_statistics *statistics = &breaker->statistics_;
    describe_state(breaker, state, sizeof state);
    describe_failure(breaker, failure, sizeof failure);
    return snprintf(text, size, "%s: %s, %s; %llu calls, %llu failures, %llu slow, %llu refused, opened %llu times",
                    breaker_name(breaker), state, failure, (unsigned long long)statistics->calls,
                    (unsigned long long)statistics->failures, (unsigned long long)statistics->slow,
                    (unsigned long long)statistics->refused, (unsigned long long)statistics->opened);
}
