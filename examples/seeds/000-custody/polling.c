/*
 * Polling Pattern: a background task handles what is pending, again and again, while other work goes on; at the end it
 * is cancelled, even in the midst of a request.
 *
 * Rows: S111, S101, S013.
 * The sample reads one page only, handles the same items each time, drifts by what its work takes, and has no limit for
 * a round. Here each round has a limit, all pages are read, an item is handled once, and rounds begin on the beat.
 * Swallowing the cancel around `await task` would swallow its own, too; here the scope knows whose it was.
 *
 * Run it: weft run examples/seeds/000-custody/polling.c 100 450
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HANDLED_MAX = 1000 };

struct poller {
    struct custody_client *client;
    int64_t interval, work; /* ns */
    char handled[HANDLED_MAX][16];
    int count, rounds;
};

static bool is_new(struct poller *poller, const char *id)
{
    for (int i = 0; i < poller->count; i++)
        if (strcmp(poller->handled[i], id) == 0) return false;
    if (poller->count == HANDLED_MAX) return false;
    snprintf(poller->handled[poller->count++], sizeof poller->handled[0], "%s", id);
    return true;
}

static int process_pending(struct poller *poller)
{
    CUSTODY_AUTHORIZATIONS(pending, poller->client, .status = "PENDING", .limit = 50);
    struct custody_authorization each;
    int rc;
    while ((rc = wf_next(&pending, &each)) > 0)
        if (is_new(poller, each.authorization_id) && poller->count <= 3)
            printf("Processing: %s\n", each.authorization_id);
    return rc;
}

static int poll_for_ever(struct poller *poller)
{
    for (int64_t next = wf_now();; next += poller->interval) {
        int rc = wf_within(poller->interval, process_pending(poller));
        if (rc < 0 && rc != -ECANCELED) printf("Error in background task: %s\n", wf_strerror(rc));
        poller->rounds++;
        rc = wf_sleep_until(next + poller->interval);
        if (rc < 0) return rc; /* cancelled */
    }
}

static int work(struct poller *poller)
{
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    poller->client = &client;
    WF_SCOPE(scope);
    struct wf_handle task = {0};
    wf_spawn(&scope, poll_for_ever, poller, .handle = &task);
    int rc = wf_sleep(poller->work); /* other work */
    if (rc < 0) return wf_scope_end(&scope, rc);
    wf_handle_cancel(&task, "the work is done");
    rc = wf_handle_join(&task);
    if (rc == -ECANCELED) puts("Background task cancelled");
    printf("%d rounds, %s\n", poller->rounds, poller->count >= 3 ? "each item once" : "too few items");
    return wf_scope_end(&scope, 0);
}

int main(int argc, char **argv)
{
    static struct poller poller;
    poller.interval = argc > 1 ? WF_MILLISECONDS(atoi(argv[1])) : WF_SECONDS(60);
    poller.work = argc > 2 ? WF_MILLISECONDS(atoi(argv[2])) : WF_SECONDS(300);
    return wf_main(work, &poller);
}
