/*
 * A program whose loop is blocked: a task waits for half a second by a call of the C library, in which no other task
 * can run. The watchdog reports it while it happens, with the task's stack.
 *
 *     build/examples/debug_blocked
 */
#include <stdio.h>
#include <time.h>
#include <weft/weft.h>

static void resize_picture(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL); /* stands for work that takes long */
}

static int handle_upload(void *unused)
{
    (void)unused;
    resize_picture(); /* the mistake: wf_offload would do it on a thread */
    return 0;
}

static int tick(int64_t *longest)
{
    for (;;) {
        int64_t before = wf_now();
        int rc = wf_sleep(WF_MILLISECONDS(10));
        if (wf_now() - before > *longest) *longest = wf_now() - before;
        if (rc < 0) return rc;
    }
}

static int serve(int64_t *longest)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, longest, .daemon = true);
    wf_spawn(&scope, handle_upload, NULL, .name = "upload");
    return wf_scope_join(&scope);
}

int main(void)
{
    int64_t longest = 0;
    int rc = wf_run(serve, &longest);
    printf("a tick of 10 ms took %s\n", longest > WF_MILLISECONDS(400) ? "half a second" : "10 ms");
    return wf_exit_status(rc);
}
