/*
 * Background workers that are tracked while they run, forgotten when they end, and cancelled by a shutdown that waits
 * for them. From "6. Background Task Management".
 *
 * Rows: S013, S113, S114, S132.
 *
 * Nobody reads the errors of the sample's tasks, one that is added during the shutdown escapes it, and there is no
 * limit. Here a failure is told once, a task that comes too late is refused, and at most 100 live.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/background_task_management.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int background_worker(void *unused)
{
    (void)unused;
    int rc = 0;
    while (rc == 0) {
        printf("%s working...\n", wf_task_name());
        rc = wf_sleep(WF_SECONDS(1));
    }
    printf("%s cancelled\n", wf_task_name());
    return rc; /* -ECANCELED goes on to who waits */
}

static int send_report(void *unused)
{
    (void)unused;
    return wf_fail(-EIO, "no paper");
}

static void tell(void *context, const char *name, int code, const char *message)
{
    (void)context;
    printf("%s failed: %s (%s)\n", name, message, wf_strerror(code));
}

static int run(void *unused)
{
    (void)unused;
    WF_BACKGROUND(tasks, .limit = 100, .grace = -1, .on_error = tell); /* cancels at once, as the sample does */
    int rc = wf_background_start(&tasks, background_worker, NULL, .name = "Worker-1");
    if (rc == 0) rc = wf_background_start(&tasks, background_worker, NULL, .name = "Worker-2");
    if (rc == 0) rc = wf_background_start(&tasks, send_report, NULL, .name = "report");
    if (rc < 0) return rc;

    rc = wf_sleep(WF_MILLISECONDS(4900)); /* the main work; not 5 s, where the sixth line is a matter of luck */
    printf("%zu tasks are tracked\n", wf_background_active(&tasks));
    if (rc == 0) rc = wf_background_shutdown(&tasks);
    printf("%zu tasks are tracked\n", wf_background_active(&tasks));
    printf("one more: %s\n", wf_strerror(wf_background_start(&tasks, background_worker, NULL)));
    return rc;
}

int main(void)
{
    wf_log_set_level("background", WF_OFF); /* which would say the same on standard error */
    return wf_main(run, NULL);
}
