/*
 * A program that crashes. Before it dies it says in which task, with its calls, and what the other tasks were doing;
 * the core file has the place itself.
 *
 *     ulimit -c unlimited; build/examples/debug_core
 */
#include <weft/weft.h>

struct customer {
    const char *name;
    int orders;
};

static struct customer *volatile unknown = NULL;

__attribute__((noinline)) static int count_orders(const struct customer *customer)
{
    return customer->orders; /* the mistake: nobody looked whether there is one */
}

static int handle_request(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc < 0) return rc;
    return count_orders(unknown) > 0 ? 0 : -ENOENT;
}

static int keep_time(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(10));
}

static int serve(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, keep_time, NULL);
    wf_spawn(&scope, handle_request, NULL, .name = "request-17");
    return wf_scope_join(&scope);
}

int main(void)
{
    return wf_exit_status(wf_run(serve, NULL, .signals = true));
}
