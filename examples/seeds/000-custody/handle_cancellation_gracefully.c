/*
 * Best Practices 3, Handle Cancellation Gracefully: a long task that is cancelled cleans up, and passes the cancel on.
 *
 * Rows: S132, S013.
 * An `except CancelledError` that forgets its `raise` keeps a Python task alive. Here a cancel stays: every further
 * call that would wait fails, unless it is shielded, and what is shielded has a limit.
 *
 * Run it: weft run examples/seeds/000-custody/handle_cancellation_gracefully.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

static int process_batch(struct custody_client *client)
{
    struct custody_page page;
    return custody_list_authorizations(client, wf_task_arena(), &page, .status = "PENDING", .limit = 10);
}

static int clean_up(struct custody_client *client)
{
    puts("Task cancelled, cleaning up...");
    int rc = process_batch(client); /* even a call, for a second at most */
    printf("cleaned up: %s\n", rc == 0 ? "yes" : wf_strerror(rc));
    return rc;
}

static int long_running_task(struct custody_client *client)
{
    int rc;
    do {
        rc = process_batch(client);
        if (rc == 0) rc = wf_sleep(WF_SECONDS(60));
    } while (rc == 0);
    wf_shielded(WF_SECONDS(1), clean_up(client));
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    struct wf_handle task = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, long_running_task, &client, .handle = &task);
    int rc = wf_sleep(WF_MILLISECONDS(200));
    wf_handle_cancel(&task, "the end");
    if (rc == 0 && wf_handle_join(&task) == -ECANCELED) puts("the caller sees that it was cancelled");
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    return wf_main(run, NULL);
}
