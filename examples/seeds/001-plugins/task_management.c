/*
 * A server's tasks by name: a health check each 30 s and metrics each minute, restarted, stopped, and all ended with
 * the server. From "Concurrent Processing: Task Management".
 *
 * Rows: S096, S112, S127.
 *
 * In the sample a task that has failed can never be started again (awaiting it raises, before the new one begins), one
 * such stops stop_all half way, and what has ended stays in the table. Here a tick that fails is told and the next one
 * comes; starting a name again ends the old one first, whatever became of it; all end together.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/task_management.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int64_t started;

static void say(const char *what)
{
    printf("%3.0f s: %s\n", wf_seconds(wf_now() - started), what);
}

static int check_health(int *checks)
{
    if (++*checks == 2) return wf_fail(-EIO, "the disk does not answer");
    say("Health check passed");
    return 0;
}

static int collect_metrics(void *unused)
{
    (void)unused;
    say("Metrics collected");
    return 0;
}

/* One that is given up and begun anew, with another version of what it does. */
static int sync_catalog(const int *version)
{
    printf("%3.0f s: Started task: %s, version %d\n", wf_seconds(wf_now() - started), wf_task_name(), *version);
    if (*version == 1) return wf_fail(-EPROTO, "version 1 is broken");
    int rc = wf_sleep(WF_FOREVER);
    printf("%3.0f s: Stopped task: %s, version %d\n", wf_seconds(wf_now() - started), wf_task_name(), *version);
    return rc;
}

static void tell(void *context, const char *name, int code, const char *message)
{
    (void)context;
    printf("%3.0f s: %s failed: %s (%s)\n", wf_seconds(wf_now() - started), name, message, wf_strerror(code));
}

static int serve(void *unused)
{
    (void)unused;
    static const int versions[] = {1, 2, 3};
    int checks = 0;
    started = wf_now();
    WF_BACKGROUND(tasks, .name = "server", .on_error = tell);
    int rc = wf_background_every(&tasks, WF_SECONDS(30), check_health, &checks, .name = "health_check");
    if (rc == 0) rc = wf_background_every(&tasks, WF_SECONDS(60), collect_metrics, NULL, .name = "metrics");
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = wf_background_start(&tasks, sync_catalog, &versions[i], .name = "catalog");
        if (rc == 0) rc = wf_sleep(WF_SECONDS(40));
    }
    if (rc == 0) rc = wf_background_stop(&tasks, "catalog");
    printf("%zu tasks live\n", wf_background_active(&tasks));
    if (rc == 0) rc = wf_background_shutdown(&tasks);
    printf("%zu tasks live\n", wf_background_active(&tasks));
    return rc;
}

int main(void)
{
    wf_log_set_level("background", WF_OFF); /* which would say the same on standard error */
    return wf_main(serve, NULL);
}
