/*
 * Retry with exponential backoff around a call that fails seven times in ten: waits of 1, 2, 4, 8 s, then the last
 * error. From "Variations: Retry Logic with Exponential Backoff".
 *
 * Rows: S039, S040, S041.
 *
 * The sample retries every error, a mistake of the program too, and returns None where it is told to try 0 times; its
 * signature has the callee's first arguments overwrite the settings of the retry. Here the error says whether another
 * attempt may help, the last one comes back with the history of all, and the call is an expression that has its
 * arguments where it is written.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/retry_logic.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct api {
    const char *outcomes; /* of one call after the other: '+' or '-' */
    int calls;
};

static int unreliable_api_call(struct api *api)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    return api->outcomes[api->calls++] == '+' ? 0 : wf_fail(-ECONNRESET, "API Error");
}

static void show_attempt(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    if (attempt->wait > 0)
        printf("Attempt %d failed: %s. Retrying in %.1fs...\n", attempt->number, wf_strerror(attempt->code),
               wf_seconds(attempt->wait));
}

static int retry_with_backoff(const char *outcomes, int attempts)
{
    struct api api = {.outcomes = outcomes};
    int64_t started = wf_now();
    int rc =
        wf_retry(unreliable_api_call(&api), .attempts = attempts, .base = WF_SECONDS(1), .on_attempt = show_attempt);
    printf("%d calls in %.2f s: %s\n", api.calls, wf_seconds(wf_now() - started), rc == 0 ? "success" : wf_failure());
    return rc == -ECANCELED ? rc : 0;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = retry_with_backoff("--+", 5);
    if (rc == 0) rc = retry_with_backoff("-----", 5);
    if (rc == 0) rc = retry_with_backoff("-", 1); /* one call, and no wait */
    return rc;
}

int main(void)
{
    wf_log_set_level("retry", WF_OFF); /* each attempt that fails is a line of the log, too */
    return wf_main(compare, NULL);
}
