/*
 * Task-locals: a request's number is bound once, and every function and child below it can ask for it. Requests that
 * run at the same time never see each other's.
 *
 *     weft run examples/task_locals.c
 */
#include <stdio.h>
#include <weft/weft.h>

static struct wf_local request_id = {.name = "request_id"};

/* Deep down: nobody passed the number along. */
static void log_line(const char *text)
{
    const char *id = wf_local_get(&request_id);
    printf("[%s] %s\n", id != NULL ? id : "-", text);
}

static int look_up(const char *what)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    log_line(what);
    return 0;
}

/* A binding in here ends with the block, and neither the parent nor the sibling sees it. */
static int look_up_as_guest(const char *what)
{
    WF_BIND(bound, &request_id, "guest");
    return look_up(what);
}

static int handle(const char *id)
{
    WF_BIND(bound, &request_id, (void *)(uintptr_t)id);
    WF_SCOPE(scope); /* opened below the binding: its children inherit it */
    wf_spawn(&scope, look_up, "user");
    wf_spawn(&scope, look_up_as_guest, "prices");
    wf_spawn(&scope, look_up, "orders");
    int rc = wf_scope_join(&scope);
    log_line("done");
    return rc;
}

static int serve(const char *first)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, handle, first);
    wf_spawn(&scope, handle, "r-2");
    int rc = wf_scope_join(&scope);
    log_line("no request here");
    return rc;
}

int main(void)
{
    return wf_main(serve, "r-1");
}
