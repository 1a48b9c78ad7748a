#include "observe/event.h"

#include <weft/log.h>
#include <weft/metrics.h>

WF_COUNTER(retries, "weft_retries_total", "Attempts that failed and were followed by another one.", .labels = {"name"});
WF_COUNTER(exhausted, "weft_retries_exhausted_total", "Calls whose last attempt failed.", .labels = {"name"});
WF_COUNTER(transitions, "weft_breaker_transitions_total", "Changes of a circuit breaker's state.",
           .labels = {"name", "to"});

static struct wf_log_module retry_module = {"retry", 0, NULL}, breaker_module = {"breaker", 0, NULL};
static struct wf_log_module cache_module = {"cache", 0, NULL};

static void say(struct wf_log_module *module, enum wf_log_level level, const char *message,
                const struct wf_field *fields)
{
    if (wf_log_wanted_(module, level)) wf_log_(module, level, message, fields);
}

static const char *shown(const char *name)
{
    return name != NULL ? name : "unnamed";
}

void event_retry(const char *name, uint32_t attempt, int64_t delay_ns, int error)
{
    wf_counter_add(wf_counter_at(&retries, shown(name)), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_UINT("attempt", attempt),
                                      WF_NS("delay", delay_ns), WF_CODE("error", error), wf_field_end_()};
    say(&retry_module, WF_WARN, "attempt failed", fields);
}

void event_retries_over(const char *name, uint32_t attempts, int error, const char *why)
{
    wf_counter_add(wf_counter_at(&exhausted, shown(name)), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_UINT("attempts", attempts),
                                      WF_CODE("error", error), WF_TEXT("reason", why), wf_field_end_()};
    say(&retry_module, WF_WARN, "attempts are over", fields);
}

void event_breaker(const char *name, enum breaker_state from, enum breaker_state to, int error)
{
    static const char *const states[] = {"closed", "open", "half_open"};
    static const char *const messages[] = {"breaker closed", "breaker opened", "breaker half-opened"};
    wf_counter_add(wf_counter_at(&transitions, shown(name), states[to]), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("from", states[from]),
                                      error < 0 ? WF_CODE("error", error) : wf_field_end_(), wf_field_end_()};
    say(&breaker_module, to == BREAKER_OPEN ? WF_WARN : WF_INFO, messages[to], fields);
}

void event_refresh_failed(const char *name, int error)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_CODE("error", error), wf_field_end_()};
    say(&cache_module, WF_WARN, "refresh failed", fields);
}
