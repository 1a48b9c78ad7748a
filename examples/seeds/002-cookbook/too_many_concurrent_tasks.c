/*
 * Ten thousand requests: all at once, and ten at a time. From "Common Pitfalls: 5. Creating Too Many Concurrent Tasks".
 *
 * Rows: S017, S023, S151.
 *
 * The sample's good form has a semaphore, but creates all ten thousand tasks first, which then wait for it. Here the
 * third form makes a task when there is room for it: never more than ten exist. The server is one in memory, which
 * counts how many it answers at once, and refuses more than a thousand connections.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/too_many_concurrent_tasks.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { URLS = 10000, SERVER_MAX = 1000 };

struct server {
    int at_once, peak, answered, refused;
};

static int fetch_url(struct server *server)
{
    if (server->at_once == SERVER_MAX) {
        server->refused++;
        return 0; /* that is a result: like the sample's dict with an error */
    }
    if (++server->at_once > server->peak) server->peak = server->at_once;
    int rc = wf_sleep(WF_MILLISECONDS(10));
    server->at_once--;
    server->answered += rc == 0;
    return rc;
}

static struct wf_semaphore ten = WF_SEMAPHORE(10);

static int bounded_fetch(struct server *server)
{
    int rc = wf_semaphore_acquire(&ten);
    if (rc < 0) return rc;
    rc = fetch_url(server);
    wf_semaphore_release(&ten);
    return rc;
}

static int fetch_all(const char *title, int (*fetch)(struct server *), uint32_t limit)
{
    struct server server = {0};
    size_t tasks = 0;
    WF_SCOPE(scope, .limit = limit);
    int rc = 0;
    for (int i = 0; i < URLS && rc == 0; i++) {
        rc = wf_spawn(&scope, fetch, &server, .name = "fetch", .stack_size = 16 << 10);
        if (wf_scope_alive(&scope) > tasks) tasks = wf_scope_alive(&scope);
    }
    rc = wf_scope_end(&scope, rc);
    printf("%s: %zu tasks, the server had %d at once: %d answered, %d refused\n", title, tasks, server.peak,
           server.answered, server.refused);
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = fetch_all("bad, all at once", fetch_url, 0);
    if (rc == 0) rc = fetch_all("good, a semaphore", bounded_fetch, 0);
    if (rc == 0) rc = fetch_all("best, a scope with a limit", fetch_url, 10);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
