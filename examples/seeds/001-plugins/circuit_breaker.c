/*
 * A circuit breaker: five failures open it, for a minute nobody is let through, and then one probe decides. From "Error
 * Handling & Resilience: Circuit Breaker".
 *
 * Rows: S043, S044.
 *
 * The sample lets any number of probes through at once, counts a caller's own mistake as the service's failure, has a
 * late success of before reset the count while it is open, and measures the minute from the start of the call. Here one
 * probe passes, what is not the peer's fault does not count, a late result is only counted, and a probe that is
 * cancelled leaves its place to the next caller.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/circuit_breaker.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct backend {
    int result, calls;
    int64_t takes;
};

static int operation(struct backend *backend)
{
    backend->calls++;
    int rc = backend->takes > 0 ? wf_sleep(backend->takes) : 0;
    return rc < 0 ? rc : backend->result;
}

static void show_transition(void *context, const struct wf_breaker *breaker, enum wf_breaker_state before,
                            enum wf_breaker_state now)
{
    static const char *const names[] = {"closed", "open", "half open"};
    (void)context;
    (void)breaker;
    printf("  Circuit breaker: %s -> %s\n", names[before], names[now]);
}

static struct wf_breaker breaker =
    WF_BREAKER(.name = "backend", .failures = 5, .open_for = WF_SECONDS(60), .on_transition = show_transition);

static int call(struct backend *backend)
{
    return wf_guarded(&breaker, operation(backend));
}

static void call_times(const char *title, int times, struct backend *backend)
{
    int rc = 0, before = backend->calls;
    for (int i = 0; i < times; i++) rc = call(backend);
    printf("%s: %s, the backend was called %d times; open for %.0f s more\n", title, wf_strerror(rc),
           backend->calls - before, wf_seconds(wf_breaker_retry_after(&breaker)));
}

/* Ten callers at the same moment, when a probe is due. */
static void ten_at_once(struct backend *backend)
{
    struct wf_handle handles[10] = {0};
    int refused = 0, before = backend->calls;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, call, backend, .handle = &handles[i]);
    wf_scope_join(&scope);
    for (int i = 0; i < 10; i++) refused += wf_handle_result(&handles[i]) == WF_EOPEN;
    wf_each_error(&scope, error) wf_take_error(error);
    printf("ten at once: the backend was called %d times, %d were refused\n", backend->calls - before, refused);
}

static int run(struct backend *backend)
{
    backend->result = -EINVAL;
    call_times("ten calls that are wrong", 10, backend); /* the caller's fault does not count */
    backend->result = -ECONNREFUSED;
    call_times("five that fail", 5, backend);
    call_times("ten more", 10, backend);

    int rc = wf_sleep(WF_SECONDS(60));
    call_times("a probe that fails", 1, backend);

    if (rc == 0) rc = wf_sleep(WF_SECONDS(60));
    backend->result = 0;
    backend->takes = WF_SECONDS(10);
    printf("a probe that is cut: %s\n", wf_strerror(wf_within(WF_SECONDS(1), call(backend))));
    ten_at_once(backend); /* its place is free again */
    call_times("one more", 1, backend);
    return rc;
}

int main(void)
{
    static struct backend backend;
    wf_log_set_level("breaker", WF_OFF); /* each transition is a line of the log, too */
    return wf_main(run, &backend);
}
