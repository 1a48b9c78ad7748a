/*
 * Retry with exponential backoff: waits of 1, 2, 4, 8, 16, 32 s, and then of 60 s, the cap. From "Error Handling &
 * Resilience: Retry with Exponential Backoff".
 *
 * Rows: S039, S040, S041, S042, S125.
 *
 * The sample retries every exception, a bad argument too, has no deadline for the whole, and answers None where it is
 * told to try 0 times. Here what another attempt cannot mend ends it, a cancel ends it at once, there can be a total,
 * and options without sense are refused.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/retry_with_exponential_backoff.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct service {
    int failures, code; /* the first so many calls fail, so */
    int calls;
};

static int operation(struct service *service)
{
    if (++service->calls > service->failures) return 0;
    return wf_fail(service->code, "call %d failed", service->calls);
}

static const struct wf_retry_options defaults = WF_RETRY(.attempts = 9, .base = WF_SECONDS(1), .cap = WF_SECONDS(60));
static const struct wf_pipeline patiently = {.name = "service", .retry = &defaults};
static const struct wf_pipeline within_10_s = {.name = "service", .retry = &defaults, .within = WF_SECONDS(10)};

static void show(const char *title, const struct wf_pipeline *how, int failures, int code)
{
    struct service service = {.failures = failures, .code = code};
    int64_t started = wf_now();
    printf("%s:\n", title);
    int rc = wf_guarded(how, operation(&service));
    printf("%s after %d calls and %.0f s\n", wf_strerror(rc), service.calls, wf_seconds(wf_now() - started));
}

static int retry_for_long(int *code)
{
    struct service service = {.failures = 99, .code = -ECONNREFUSED};
    *code = wf_retry(operation(&service), .attempts = 99, .base = WF_SECONDS(60));
    return *code;
}

static int show_cancel(void)
{
    int code = 0;
    struct wf_handle handle = {0};
    printf("a cancel during the wait:\n");
    WF_SCOPE(scope);
    wf_spawn(&scope, retry_for_long, &code, .handle = &handle);
    int rc = wf_sleep(WF_SECONDS(5));
    wf_handle_cancel(&handle, "the plugin ends");
    rc = wf_scope_end(&scope, rc);
    printf("%s\n", wf_strerror(code));
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    show("fails twice", &patiently, 2, -ECONNREFUSED);
    show("fails always", &patiently, 99, -ECONNRESET);
    show("fails always, 10 s in all", &within_10_s, 99, -ECONNRESET);
    show("a bad argument", &patiently, 99, -EINVAL);
    struct service service = {0};
    int rc = wf_retry(operation(&service), .attempts = -1);
    printf("attempts below 1: %s, %d calls\n", wf_strerror(rc), service.calls);
    return show_cancel();
}

/* Each attempt that fails and is retried is one line of the log; here it goes to standard output. */
static void print_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    char text[1024];
    (void)context, (void)level;
    snprintf(text, sizeof text, "%.*s", (int)size, line);
    const char *from = strstr(text, "msg="), *to = strstr(text, " task=");
    if (from != NULL && to != NULL) printf("  %.*s\n", (int)(to - from), from);
}

int main(void)
{
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(print_line, NULL);
    return wf_main(run, NULL);
}
