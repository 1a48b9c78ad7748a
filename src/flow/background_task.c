/* The life of one background task: its turn, its runs, and what is said of its end. */
#include "flow/background.h"

#include <stdio.h>
#include <weft/task.h>

#include "base/memory.h"
#include "observe/event.h"

enum { MESSAGE_SIZE = 512 };

enum outcome { SUCCEEDED, FAILED, CANCELLED };

/* ---- How a call ended ---- */

/* What the function returned, or what a scope that it left without its end handed up. */
static int call(const struct record *record)
{
    struct wf_task *task = record->task;
    int rc = record->fn(record->arg);
    if (rc >= 0) rc = task->stray_error;
    task->stray_error = 0;
    return rc;
}

/* An idle wait that a drain ended is no failure. */
static enum outcome judge(const struct record *record, int rc)
{
    uint32_t flags = record->task->node.flags;
    if (rc >= 0 || (rc == -ESHUTDOWN && (flags & NODE_DRAINING))) return SUCCEEDED;
    return rc == -ECANCELED && (flags & NODE_CANCELLED) ? CANCELLED : FAILED;
}

/* The hook may fail itself, and say so: then the message would be gone. Out of line for its buffer. */
static __attribute__((noinline)) void tell_failure(const struct record *record, int rc, bool goes_on)
{
    const struct wf_background_options *options = &record->background->options_;
    char message[MESSAGE_SIZE];
    snprintf(message, sizeof message, "%s", failure_text(record->task, rc));
    event_background_failed(options->name, rc, message, goes_on);
    if (options->on_error == NULL) return;
    options->on_error(options->context, record->shown.name, rc, message);
    record->task->stray_error = 0;
}

/* ---- Periodic tasks ---- */

static int64_t later(int64_t time, int64_t duration)
{
    int64_t sum;
    return __builtin_add_overflow(time, duration, &sum) ? WF_FOREVER : sum;
}

static int64_t chance(struct loop *loop, int64_t most)
{
    if (most == 0) return 0;
    uint64_t random;
    loop->driver->random(loop, &random, sizeof random);
    return (int64_t)(random % ((uint64_t)most + 1));
}

static int64_t first_due(const struct record *record)
{
    if (record->first < 0) return record->shown.started;
    return later(record->shown.started, record->first > 0 ? record->first : record->period);
}

/* The next multiple of the period that is not over yet: counted from the first, so that it never drifts. */
static int64_t next_due(const struct record *record, int64_t due)
{
    int64_t now = wf_now(), next = later(due, record->period);
    if (next >= now) return next;
    int64_t missed = (now - next - 1) / record->period + 1;
    record->background->statistics_.runs_skipped += (uint64_t)missed;
    event_background_skipped(record->background->options_.name, (uint64_t)missed);
    return later(next, missed * record->period);
}

/* True when it is time. False: *rc says how the task ends, well when that was a shutdown. */
static bool wait_until_due(struct record *record, int64_t due, int *rc)
{
    const struct wf_background *background = record->background;
    *rc = 0;
    if (background->closing_) return false;
    record->idle = true;
    *rc = wf_sleep_until(later(due, chance(current_loop, record->jitter)));
    record->idle = false;
    if (*rc < 0 && background->closing_) *rc = 0;
    return *rc == 0 && !background->closing_;
}

/* True when there may be another run. */
static bool run_due(struct record *record, int *rc)
{
    struct wf_background_statistics *statistics = &record->background->statistics_;
    record->shown.runs++;
    statistics->runs++;
    *rc = call(record);
    enum outcome outcome = judge(record, *rc);
    if (record->task->extra != NULL) wf_arena_reset(&record->task->extra->scratch);
    if (outcome != FAILED) return outcome == SUCCEEDED;
    statistics->runs_failed++;
    if (record->stop_on_error) return false;
    tell_failure(record, *rc, true);
    *rc = 0;
    return true;
}

static int run_periodically(struct record *record)
{
    int rc = 0;
    int64_t due = first_due(record);
    while (wait_until_due(record, due, &rc) && run_due(record, &rc)) due = next_due(record, due);
    return rc;
}

/* ---- From its turn to its end ---- */

/* Cannot be cancelled: the one before was, and of one name never two run. */
static const struct wait_class turn_class = {.name = "the background task that it replaces"};

static void tell_cancel(const struct record *record)
{
    const struct wf_reason *reason = node_reason(&record->task->node);
    event_background_cancelled(record->background->options_.name, reason != NULL ? reason->text : "?");
}

/* Together with its leaving the set, so that the numbers add up at any time. */
static void count_end(const struct record *record, enum outcome outcome)
{
    static const char *const outcomes[] = {"finished", "failed", "cancelled"};
    struct wf_background_statistics *statistics = &record->background->statistics_;
    switch (outcome) {
    case SUCCEEDED:
        statistics->finished++;
        break;
    case FAILED:
        statistics->failed++;
        break;
    case CANCELLED:
        statistics->cancelled++;
        break;
    }
    event_background_ended(record->background->options_.name, outcomes[outcome]);
}

int background_run(struct record *record)
{
    if (record->replaced != NULL) (void)queue_wait(&record->replaced->joiners, &turn_class);
    int rc = record->period > 0 ? run_periodically(record) : call(record);
    enum outcome outcome = judge(record, rc);
    if (outcome == FAILED) tell_failure(record, rc, false);
    if (outcome == CANCELLED) tell_cancel(record);
    if (record->release != NULL) record->release(record->arg);
    count_end(record, outcome);
    background_remove(record);
    memory_free(record);
    return 0; /* it was told; the scope, in which the opener stands, has nothing to do with it */
}
