// A thread that knows nothing of tasks calls a function that suspends, and blocks until it has its result.
//
//     weft run examples/bridge.c
#include <pthread.h>
#include <stdio.h>
#include <weft/weft.h>

struct question {
    int number, answer;
};

// A task: it may sleep, read, write, spawn.
static int think(struct question *question)
{
    int rc = wf_sleep(WF_MILLISECONDS(20));
    question->answer = question->number * question->number;
    return rc;
}

static struct wf_bridge *bridge;
static struct wf_waker *over;

// The old world.
static void *old_worker(void *unused)
{
    for (int number = 7; number < 10; number++) {
        struct question question = {.number = number};
        int rc = wf_bridge_call(bridge, think, &question);
        if (rc == 0) printf("the thread asked for %d and got %d\n", number, question.answer);
        else printf("the thread asked for %d: %s\n", number, wf_strerror(rc));
    }
    wf_waker_wake(over);
    return unused;
}

static int run(void *unused)
{
    pthread_t thread;
    struct wf_event ended = WF_EVENT;
    bool started = false;
    int rc = wf_waker_create(&ended, &over);
    if (rc < 0) return rc;
    {
        WF_SCOPE(scope);
        rc = wf_bridge_create(&scope, &bridge);
        if (rc == 0) rc = -pthread_create(&thread, NULL, old_worker, unused);
        started = rc == 0;
        if (started) rc = wf_event_wait(&ended);
        rc = wf_scope_end(&scope, rc);
    }
    if (started) pthread_join(thread, NULL); // with the scope no call is under way any more, and none can begin
    wf_bridge_destroy(bridge);
    wf_waker_destroy(over);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
