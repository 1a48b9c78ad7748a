/* The start and the end of tasks in the log: module "task", level debug. */
#define WF_LOG_MODULE "task"
#include <weft/log.h>

#include "core/task.h"

bool tasks_are_logged(void)
{
    return wf_log_enabled(WF_DEBUG);
}

/* On its spawner, and so with the spawner's context. */
void task_log_start(const struct wf_task *task)
{
    wf_log(WF_DEBUG, "task started", WF_TEXT("child", task->name), WF_UINT("child_id", task->id),
           WF_TEXT("place", task->place));
}

void task_log_end(const struct wf_task *task, int rc)
{
    wf_log(WF_DEBUG, "task ended", WF_CODE("result", rc), WF_TEXT("place", task->place));
}
