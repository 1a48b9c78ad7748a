/* The numbers that the library has anyway, as metrics. */
#include <weft/log.h>
#include <weft/run.h>
#include <weft/task.h>

#include "observe/line.h"
#include "observe/metrics.h"

static void write_one(struct exposition *out, const char *name, const char *help, const char *kind, uint64_t value)
{
    exposition_family(out, name, help, kind);
    exposition_number(out, name, value);
}

static void write_loop(struct exposition *out)
{
    struct wf_statistics loop;
    wf_loop_statistics(&loop);
    write_one(out, "weft_tasks_alive", "Tasks that have not ended.", "gauge", loop.tasks_alive);
    write_one(out, "weft_tasks_spawned_total", "Tasks that were spawned.", "counter", loop.tasks_spawned);
    write_one(out, "weft_loop_passes_total", "Passes of the loop.", "counter", loop.passes);
    write_one(out, "weft_stacks_bound", "Stacks that tasks stand on.", "gauge", loop.stacks_bound);
    write_one(out, "weft_stacks_cached", "Stacks that are kept warm.", "gauge", loop.stacks_cached);
    write_one(out, "weft_timers_armed", "Timers that are armed.", "gauge", loop.timers_armed);
    write_one(out, "weft_operations_pending", "Operations of the kernel under way.", "gauge", loop.operations_pending);
    write_one(out, "weft_jobs_queued", "Jobs that wait for a thread.", "gauge", loop.jobs_queued);
    write_one(out, "weft_jobs_running", "Jobs on threads.", "gauge", loop.jobs_running);
    write_one(out, "weft_loop_blocked_total", "Times that a task held the loop for too long.", "counter", loop.blocked);
    exposition_family(out, "weft_loop_blocked_max_seconds", "The longest of them.", "gauge");
    exposition_seconds(out, "weft_loop_blocked_max_seconds", loop.blocked_max_ns);
    exposition_family(out, "weft_job_wait_max_seconds", "The longest time that a job waited for a thread.", "gauge");
    exposition_seconds(out, "weft_job_wait_max_seconds", loop.job_wait_max_ns);
}

static void write_log(struct exposition *out)
{
    struct wf_log_statistics log;
    wf_log_statistics(&log);
    exposition_family(out, "weft_log_lines_total", "Lines of the log.", "counter");
    for (int level = WF_DEBUG; level < WF_OFF; level++)
        exposition_labelled(out, "weft_log_lines_total", "level", level_name((enum wf_log_level)level),
                            log.lines[level]);
    write_one(out, "weft_log_dropped_total", "Lines of the log that were dropped.", "counter", log.dropped);
}

static void write_overflows(struct exposition *out)
{
    static const char name[] = "weft_metric_overflows_total";
    bool begun = false;
    for (const struct wf_metric *metric = metrics_first(); metric != NULL; metric = metric->next_) {
        uint64_t overflows = __atomic_load_n(&metric->overflows_, __ATOMIC_RELAXED);
        if (overflows == 0) continue;
        if (!begun) exposition_family(out, name, "Label values for which there was no room.", "counter");
        begun = true;
        exposition_labelled(out, name, "metric", metric->name, overflows);
    }
}

void exposition_runtime(struct exposition *out)
{
    if (wf_in_task()) write_loop(out);
    write_log(out);
    write_overflows(out);
}
