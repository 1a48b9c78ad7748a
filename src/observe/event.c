#include "observe/event.h"

#include <weft/log.h>
#include <weft/metrics.h>

WF_COUNTER(retries, "weft_retries_total", "Attempts that failed and were followed by another one.", .labels = {"name"});
WF_COUNTER(exhausted, "weft_retries_exhausted_total", "Calls whose last attempt failed.", .labels = {"name"});
WF_COUNTER(transitions, "weft_breaker_transitions_total", "Changes of a circuit breaker's state.",
           .labels = {"name", "to"});
WF_GAUGE(breakers_open, "weft_breakers_open", "Circuit breakers that are open.", .labels = {"name"});
WF_GAUGE(pool_resources, "weft_pool_resources", "Resources of a pool, by what they are.", .labels = {"name", "state"});
WF_COUNTER(closed, "weft_pool_closed_total", "Resources that a pool closed.", .labels = {"name", "reason"});
WF_COUNTER(unopened, "weft_pool_unopened_total", "Resources that a pool was to keep open and could not open.",
           .labels = {"name"});

WF_COUNTER(bulkhead_refused, "weft_bulkhead_refused_total", "Calls that a bulkhead refused or shed.",
           .labels = {"name", "why"});
WF_GAUGE(background_tasks, "weft_background_tasks", "Background tasks that have not ended.", .labels = {"name"});
WF_COUNTER(background_ended, "weft_background_ended_total", "Background tasks that ended.",
           .labels = {"name", "outcome"});
WF_COUNTER(background_refused, "weft_background_refused_total", "Background tasks that were not started.",
           .labels = {"name"});
WF_COUNTER(background_skipped, "weft_background_skipped_total",
           "Runs of periodic tasks that were due while the one before was under way.", .labels = {"name"});

static struct wf_log_module retry_module = {"retry", 0, NULL}, breaker_module = {"breaker", 0, NULL};
static struct wf_log_module bulkhead_module = {"bulkhead", 0, NULL}, background_module = {"background", 0, NULL};
static struct wf_log_module pool_module = {"pool", 0, NULL}, cache_module = {"cache", 0, NULL};
static struct wf_log_module serve_module = {"serve", 0, NULL};

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
    if (from == BREAKER_OPEN) wf_gauge_add(wf_gauge_at(&breakers_open, shown(name)), -1);
    if (to == BREAKER_OPEN) wf_gauge_add(wf_gauge_at(&breakers_open, shown(name)), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("from", states[from]),
                                      error < 0 ? WF_CODE("error", error) : wf_field_end_(), wf_field_end_()};
    say(&breaker_module, to == BREAKER_OPEN ? WF_WARN : WF_INFO, messages[to], fields);
}

void event_bulkhead(const char *name, const char *why, bool first)
{
    wf_counter_add(wf_counter_at(&bulkhead_refused, shown(name), why), 1);
    if (!first) return;
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("reason", why), wf_field_end_()};
    say(&bulkhead_module, WF_WARN, "calls are refused", fields);
}

/* ---- Background tasks ---- */

void event_background_started(const char *name)
{
    wf_gauge_add(wf_gauge_at(&background_tasks, shown(name)), 1);
}

void event_background_ended(const char *name, const char *outcome)
{
    wf_gauge_add(wf_gauge_at(&background_tasks, shown(name)), -1);
    wf_counter_add(wf_counter_at(&background_ended, shown(name), outcome), 1);
}

void event_background_failed(const char *name, int error, const char *message, bool goes_on)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_CODE("error", error), WF_TEXT("reason", message),
                                      wf_field_end_()};
    say(&background_module, WF_ERROR, goes_on ? "run failed" : "task failed", fields);
}

void event_background_cancelled(const char *name, const char *why)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("reason", why), wf_field_end_()};
    say(&background_module, WF_INFO, "task cancelled", fields);
}

void event_background_refused(const char *name, const char *task, int error, bool first)
{
    wf_counter_add(wf_counter_at(&background_refused, shown(name)), 1);
    if (!first) return;
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("refused", task), WF_CODE("error", error),
                                      wf_field_end_()};
    say(&background_module, WF_WARN, "tasks are refused", fields);
}

void event_background_skipped(const char *name, uint64_t runs)
{
    wf_counter_add(wf_counter_at(&background_skipped, shown(name)), runs);
}

void event_background_left(const char *name, uint32_t count, const char *tasks)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_UINT("count", count), WF_TEXT("tasks", tasks),
                                      wf_field_end_()};
    say(&background_module, WF_WARN, "tasks are left", fields);
}

struct wf_gauge *event_pool_gauge(const char *name, bool lent)
{
    return wf_gauge_at(&pool_resources, shown(name), lent ? "lent" : "idle");
}

void event_pool_closed(const char *name, const char *reason, bool replaced, int error)
{
    wf_counter_add(wf_counter_at(&closed, shown(name), reason), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_TEXT("reason", reason),
                                      error < 0 ? WF_CODE("error", error) : wf_field_end_(), wf_field_end_()};
    say(&pool_module, replaced ? WF_WARN : WF_DEBUG, replaced ? "resource replaced" : "resource closed", fields);
}

void event_pool_unopened(const char *name, int64_t delay_ns, int error)
{
    wf_counter_add(wf_counter_at(&unopened, shown(name)), 1);
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_NS("delay", delay_ns), WF_CODE("error", error),
                                      wf_field_end_()};
    say(&pool_module, WF_WARN, "resource not opened", fields);
}

void event_refresh_failed(const char *name, int error)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_CODE("error", error), wf_field_end_()};
    say(&cache_module, WF_WARN, "refresh failed", fields);
}

void event_cannot_accept(const char *name, int error, uint64_t unlogged)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_CODE("error", error),
                                      WF_UINT("unlogged", unlogged), wf_field_end_()};
    say(&serve_module, WF_WARN, "cannot accept", fields);
}

void event_connection_failed(const char *name, int error, const char *why, uint64_t unlogged)
{
    const struct wf_field fields[] = {WF_TEXT("name", shown(name)), WF_CODE("error", error), WF_TEXT("reason", why),
                                      WF_UINT("unlogged", unlogged), wf_field_end_()};
    say(&serve_module, WF_WARN, "connection failed", fields);
}
