/* Timed operations: a line when one begins, and one that says how it ended and how long it took. */
#include <stdio.h>
#include <weft/log.h>
#include <weft/time.h>

enum { NAME_MAX_SIZE = 120 };

static void say(const struct wf_stopwatch *stopwatch, enum wf_log_level level, const char *outcome,
                struct wf_field detail)
{
    int64_t took_ns = wf_now() - stopwatch->started_;
    if (!wf_log_wanted_(stopwatch->module_, level)) return;
    char message[NAME_MAX_SIZE + 16];
    snprintf(message, sizeof message, "%.*s %s", NAME_MAX_SIZE, stopwatch->name_, outcome);
    const struct wf_field fields[] = {WF_NS("duration", took_ns), detail, wf_field_end_()};
    wf_log_(stopwatch->module_, level, message, fields);
}

static void say_cancelled(const struct wf_stopwatch *stopwatch)
{
    const struct wf_reason *reason = wf_cancel_reason();
    struct wf_field why = reason != NULL ? WF_TEXT("reason", reason->text) : wf_field_end_();
    say(stopwatch, WF_INFO, "cancelled", why);
}

int64_t wf_timed_begin_(struct wf_log_module *module, const char *name)
{
    if (wf_log_wanted_(module, WF_DEBUG)) {
        char message[NAME_MAX_SIZE + 16];
        snprintf(message, sizeof message, "%.*s started", NAME_MAX_SIZE, name);
        const struct wf_field none = wf_field_end_();
        wf_log_(module, WF_DEBUG, message, &none);
    }
    return wf_now();
}

int wf_timed_end(struct wf_stopwatch *stopwatch, int rc)
{
    if (stopwatch->ended_) return rc;
    stopwatch->ended_ = true;
    if (rc >= 0) say(stopwatch, WF_INFO, "completed", wf_field_end_());
    else if (rc == -ECANCELED && wf_in_task() && wf_cancelled()) say_cancelled(stopwatch);
    else say(stopwatch, WF_WARN, "failed", WF_CODE("error", rc));
    return rc;
}

void wf_timed_leave_(struct wf_stopwatch *stopwatch)
{
    if (stopwatch->ended_) return;
    stopwatch->ended_ = true;
    if (wf_in_task() && wf_cancelled()) say_cancelled(stopwatch);
    else say(stopwatch, WF_INFO, "ended", wf_field_end_());
}
