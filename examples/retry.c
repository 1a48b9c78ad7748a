/*
 * Retry around any expression: waits that grow, what is retried and what is not, and the history in the error.
 *
 *     weft run examples/retry.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct service {
    int failures; /* the first so many calls fail, with `code` */
    int code;
    int calls;
};

static int call(struct service *service)
{
    return ++service->calls <= service->failures ? service->code : 42;
}

static void show_wait(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    if (attempt->wait >= 0)
        printf("  attempt %d: %s; the next one in %lld ms\n", attempt->number, wf_strerror(attempt->code),
               (long long)(attempt->wait / WF_MILLISECONDS(1)));
}

static int compare(const char *what)
{
    printf("%s\n", what);
    struct service shaky = {.failures = 2, .code = -ECONNREFUSED};
    struct service down = {.failures = 99, .code = -ETIMEDOUT};
    struct service strict = {.failures = 99, .code = -EINVAL};

    int rc = wf_retry(call(&shaky), .base = WF_MILLISECONDS(10), .on_attempt = show_wait);
    printf("shaky: %d after %d calls\n", rc, shaky.calls);

    rc = wf_retry(call(&down), .attempts = 4, .backoff = WF_FIXED, .base = WF_MILLISECONDS(5), .name = "down");
    printf("%s\n", wf_failure());

    rc = wf_retry(call(&strict));
    printf("strict: %s, after %d call\n", wf_strerror(rc), strict.calls);
    return 0;
}

int main(void)
{
    wf_log_set_level("retry", WF_OFF); /* each attempt that fails is a line of the log, too */
    return wf_main(compare, "waits of 10 and 20 ms:");
}
