/*
 * Background tasks with an owner: how each ended is logged, who fails is told to a function, and the end has a bound.
 * From "Background Tasks", "Background Task Manager".
 * Rows: S113, S115, S116, S117.
 * The sample cancels at once what is under way, and leaves running who does not end within five seconds; here what is
 * under way has a second (.grace), who is left after its cancel is named, and the block waits for it all the same.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/background_task_manager.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int work(const int64_t *takes)
{
    return wf_sleep(*takes);
}

static int fail(const int64_t *takes)
{
    int rc = wf_sleep(*takes);
    return rc < 0 ? rc : wf_fail(-EIO, "the printer is on fire");
}

/* Does not end when it is cancelled. */
static int be_stubborn(const int64_t *takes)
{
    return wf_shielded(WF_FOREVER, wf_sleep(*takes));
}

static void on_error(void *context, const char *name, int code, const char *message)
{
    int *failures = context;
    printf("on_error: %s: %s (%s)\n", name, message, wf_strerror(code));
    ++*failures;
}

static void show_active(const struct wf_background *background)
{
    printf("%zu active:", wf_background_active(background));
    wf_each_background(background, task) printf(" %s", task->name);
    printf("\n");
}

static void show_shutdown(struct wf_background *background)
{
    int64_t began = wf_now();
    int rc = wf_background_shutdown(background);
    printf("shutdown: %s, after %.1f s\n", rc == -ETIME ? wf_failure() : wf_strerror(rc), wf_seconds(wf_now() - began));
}

static int manage(int *failures)
{
    static const int64_t second = WF_SECONDS(1), minute = WF_MINUTES(1), while_away = WF_SECONDS(20);
    WF_BACKGROUND(background, .grace = WF_SECONDS(1), .stubborn = WF_SECONDS(5), .on_error = on_error,
                  .context = failures);
    int rc = wf_background_start(&background, work, &second, .name = "quick");
    if (rc == 0) rc = wf_background_start(&background, fail, &second, .name = "printer");
    if (rc == 0) rc = wf_background_start(&background, work, &minute, .name = "slow");
    if (rc == 0) rc = wf_background_start(&background, be_stubborn, &while_away, .name = "stubborn");
    show_active(&background);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(2));
    show_active(&background);
    show_shutdown(&background);
    rc = rc < 0 ? rc : wf_background_start(&background, work, &second, .name = "too late");
    printf("another task: %s\n", wf_strerror(rc));
    show_active(&background);
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int run(void *unused)
{
    int failures = 0;
    (void)unused;
    int64_t began = wf_now();
    int rc = manage(&failures);
    printf("the block is left after %.1f s, failures: %d\n", wf_seconds(wf_now() - began), failures);
    WF_BACKGROUND(empty);
    show_shutdown(&empty);
    return rc;
}

static void show_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context, (void)level;
    printf("log: %.*s", (int)size, line);
}

static void ignore_report(void *context, const char *text)
{
    (void)context, (void)text; /* the log says the same */
}

int main(void)
{
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(show_line, NULL);
    wf_set_report(ignore_report, NULL);
    return wf_main(run, NULL);
}
