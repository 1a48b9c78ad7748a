/*
 * The loop at work: one thread, two tasks, and a switch wherever one of them waits. From "How It Works", whose four
 * mechanisms it shows: the event loop, functions that suspend, tasks, futures.
 *
 * Rows: S001, S003, S004, S005.
 *
 * The diagram draws neither a cancel nor an error; here the third waiter of the future is cut by a deadline, which
 * leaves the future and the other two as they are, and setting it twice is an error.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/how_it_works.c
 */
#include <stdio.h>
#include <weft/weft.h>

/* Any C function may suspend, at any depth: `how` and `seconds` are still there afterwards. */
static int wait_for_input(const char *how, double seconds)
{
    printf("%s suspends\n", how);
    int rc = wf_sleep((int64_t)(seconds * WF_SECONDS(1)));
    printf("%s resumes after %.1f s\n", how, seconds);
    return rc;
}

static int some_function(int *result)
{
    printf("%s begins\n", wf_task_name());
    int rc = wait_for_input(wf_task_name(), 0.5);
    *result = 42;
    return rc;
}

static int two_tasks(void)
{
    int results[2] = {0};
    struct wf_handle first = {0};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, some_function, &results[0], .name = "A", .handle = &first);
    wf_spawn(&scope, some_function, &results[1], .name = "B");
    printf("both are spawned, and neither has begun\n");
    int rc = wf_handle_join(&first);
    if (rc == 0) rc = wf_handle_join(&first); /* the same answer again */
    rc = wf_scope_end(&scope, rc);
    printf("results %d and %d after %.1f s\n", results[0], results[1], wf_seconds(wf_now() - started));
    return rc;
}

static int wait_for_answer(struct wf_future *answer)
{
    int rc = wf_future_wait(answer);
    if (rc == 0) printf("%s has %s\n", wf_task_name(), (const char *)wf_future_value(answer));
    return rc;
}

static int give_up_waiting(struct wf_future *answer)
{
    printf("%s: %s\n", wf_task_name(), wf_strerror(wf_within(WF_MILLISECONDS(10), wait_for_answer(answer))));
    return 0;
}

static int a_future(void)
{
    struct wf_future answer = WF_FUTURE;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_answer, &answer, .name = "C");
    wf_spawn(&scope, give_up_waiting, &answer, .name = "D");
    wf_spawn(&scope, wait_for_answer, &answer, .name = "E");
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc == 0) rc = wf_future_set(&answer, "the answer");
    printf("set again: %s\n", wf_strerror(wf_future_set(&answer, "another")));
    return wf_scope_end(&scope, rc);
}

static int run(void *unused)
{
    (void)unused;
    int rc = two_tasks();
    return rc < 0 ? rc : a_future();
}

int main(void)
{
    return wf_main(run, NULL);
}
