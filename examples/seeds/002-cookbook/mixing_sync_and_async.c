/*
 * From plain code to code that suspends, and back. A plain function runs a loop of its own, a thread calls into a loop
 * that runs already, and a function that suspends is called like any other from a task. From "Common Pitfalls: 3.
 * Mixing Sync and Async Code Incorrectly".
 *
 * Rows: S002, S149.
 *
 * The sample's asyncio.run fails inside of a running loop; so does wf_run here, with a code that says so (-EBUSY), and
 * the bridge is what a thread beside the loop has. A call that suspends outside of any loop ends the program with a
 * message.
 *
 * Run it: weft run examples/seeds/002-cookbook/mixing_sync_and_async.c
 */
#include <pthread.h>
#include <stdio.h>
#include <weft/weft.h>

struct sum {
    int a, b, result;
};

static int async_function(struct sum *sum)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    sum->result = sum->a + sum->b;
    return rc;
}

/* Plain code: no task runs here yet. */
static int sync_function(struct sum *sum)
{
    return wf_run(async_function, sum);
}

static int async_wrapper(void *unused)
{
    (void)unused;
    struct sum sum = {.a = 3, .b = 4};
    int rc = async_function(&sum);
    printf("in a task: %d\n", sum.result);
    printf("a loop inside a loop: %s\n", wf_strerror(sync_function(&sum)));
    return rc;
}

struct thread {
    struct wf_bridge *bridge;
    struct wf_waker *done;
};

/* A thread of the old world: it blocks until the task that does its work has ended. */
static void *old_worker(void *arg)
{
    struct thread *thread = arg;
    struct sum sum = {.a = 5, .b = 6};
    int rc = wf_bridge_call(thread->bridge, async_function, &sum);
    if (rc == 0) printf("from a thread: %d\n", sum.result);
    else printf("from a thread: %s\n", wf_strerror(rc));
    wf_waker_wake(thread->done);
    return NULL;
}

static int serve_thread(void *unused)
{
    (void)unused;
    pthread_t id;
    struct thread thread = {0};
    struct wf_event done = WF_EVENT;
    int rc = wf_waker_create(&done, &thread.done);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    rc = wf_bridge_create(&scope, &thread.bridge);
    if (rc == 0) rc = -pthread_create(&id, NULL, old_worker, &thread);
    if (rc == 0) {
        rc = wf_event_wait(&done);
        pthread_join(id, NULL);
    }
    wf_bridge_destroy(thread.bridge);
    wf_waker_destroy(thread.done);
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    struct sum sum = {.a = 1, .b = 2};
    int rc = sync_function(&sum);
    printf("from plain code: %d\n", sum.result);
    if (rc == 0) rc = wf_run(async_wrapper, NULL); /* a second loop, after the first */
    if (rc == 0) rc = wf_run(serve_thread, NULL);
    return wf_exit_status(rc);
}
