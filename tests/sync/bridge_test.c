/* S127: plain threads that call tasks and wait for the answer. */
#include <pthread.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct question {
    int number, answer;
    int64_t pause;
};

static struct asking {
    struct wf_bridge *bridge;
    struct wf_event over;
    struct wf_waker *waker;
    int count, wrong;
    _Atomic int rc;
    bool begun; /* a call has */
    int64_t pause;
} asking;

static int answer(struct question *question)
{
    asking.begun = true;
    int rc = wf_sleep(question->pause);
    question->answer = question->number * question->number;
    return rc < 0 ? rc : question->number;
}

static void wait_until_begun(void)
{
    while (!asking.begun && wf_sleep(WF_MICROSECONDS(100)) == 0) {}
}

static void *ask(void *unused)
{
    (void)unused;
    for (int i = 0; i < asking.count; i++) {
        struct question question = {.number = i, .pause = asking.pause};
        asking.rc = wf_bridge_call(asking.bridge, answer, &question);
        if (asking.rc != i || question.answer != i * i) asking.wrong++;
    }
    if (asking.waker != NULL) wf_waker_wake(asking.waker);
    return NULL;
}

/* real time: threads of our own */
WF_TEST(threads_are_answered_by_tasks, .real = true, .rule = "6.1")
{
    pthread_t threads[4];
    asking = (struct asking){.count = 1, .over = WF_EVENT};
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_bridge_create(&scope, &asking.bridge), 0)) return;
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, ask, NULL);
    int joined = 0;
    while (joined < 4) {
        wf_sleep(WF_MICROSECONDS(100));
        if (pthread_tryjoin_np(threads[joined], NULL) == 0) joined++;
    }
    WF_EXPECT_INT(asking.wrong, 0);
    wf_bridge_destroy(asking.bridge);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int ask_elsewhere(int *unused)
{
    (void)unused;
    pthread_t thread;
    asking.over = (struct wf_event)WF_EVENT;
    WF_SCOPE(scope);
    int rc = wf_bridge_create(&scope, &asking.bridge);
    if (rc == 0) rc = wf_waker_create(&asking.over, &asking.waker);
    if (rc == 0) rc = -pthread_create(&thread, NULL, ask, NULL);
    if (rc == 0) rc = wf_event_wait(&asking.over);
    pthread_join(thread, NULL);
    wf_waker_destroy(asking.waker);
    wf_bridge_destroy(asking.bridge);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_loop_that_only_waits_for_its_threads_is_no_deadlock, .loops = 2, .real = true, .rule = "8.2")
{
    asking = (struct asking){.count = 500};
    int unused = 0;
    WF_EXPECT_CODE(wf_call_on(1, ask_elsewhere, &unused), 0);
    WF_EXPECT_INT(asking.wrong, 0);
}

static void call_in_a_scope(void (*end)(struct wf_scope *scope), int expected)
{
    pthread_t thread;
    asking = (struct asking){.count = 1, .pause = WF_SECONDS(1000), .over = WF_EVENT};
    {
        WF_SCOPE(scope);
        if (!WF_EXPECT_CODE(wf_bridge_create(&scope, &asking.bridge), 0)) return;
        pthread_create(&thread, NULL, ask, NULL);
        wait_until_begun();
        end(&scope);
        wf_scope_join(&scope);
    }
    pthread_join(thread, NULL);
    WF_EXPECT_CODE(asking.rc, expected);
    asking.count = 1;
    WF_EXPECT_CODE(pthread_create(&thread, NULL, ask, NULL), 0);
    pthread_join(thread, NULL);
    WF_EXPECT_CODE(asking.rc, -ESHUTDOWN);
    wf_bridge_destroy(asking.bridge);
}

static void cancel_it(struct wf_scope *scope)
{
    wf_scope_cancel(scope, "over");
}

static void only_end(struct wf_scope *scope)
{
    (void)scope;
}

WF_TEST(calls_are_cancelled_with_the_scope_and_then_refused, .real = true)
{
    call_in_a_scope(cancel_it, -ECANCELED);
    call_in_a_scope(only_end, -ECANCELED);
}

WF_TEST(a_drained_bridge_lets_calls_under_way_end, .real = true, .rule = "7.1")
{
    pthread_t thread;
    asking = (struct asking){.count = 2, .pause = WF_MILLISECONDS(20), .over = WF_EVENT};
    {
        WF_SCOPE(scope);
        if (!WF_EXPECT_CODE(wf_bridge_create(&scope, &asking.bridge), 0)) return;
        pthread_create(&thread, NULL, ask, NULL);
        wait_until_begun();
        wf_scope_drain(&scope);
        while (asking.rc != -ESHUTDOWN) wf_sleep(WF_MICROSECONDS(100));
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    pthread_join(thread, NULL);
    WF_EXPECT_INT(asking.wrong, 1); /* the second */
    WF_EXPECT_CODE(asking.rc, -ESHUTDOWN);
    wf_bridge_destroy(asking.bridge);
}

WF_TEST(a_bridge_that_nobody_crosses_leaves_nothing, .sweep = true)
{
    struct wf_bridge *bridge = NULL;
    WF_SCOPE(scope);
    if (wf_bridge_create(&scope, &bridge) == 0) {
        wf_yield();
        wf_bridge_destroy(bridge);
    }
    wf_bridge_destroy(NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(crossing_a_bridge_in_a_task_is_a_misuse, .dies = "In a task, call answer itself")
{
    struct wf_bridge *bridge;
    struct question question = {.number = 1};
    WF_SCOPE(scope);
    if (wf_bridge_create(&scope, &bridge) == 0) wf_bridge_call(bridge, answer, &question);
}

static void *sleep_outside(void *unused)
{
    wf_sleep(WF_SECONDS(1));
    return unused;
}

WF_TEST(suspending_outside_a_task_is_a_misuse_that_teaches, .plain = true,
        .dies = "wf_sleep was called outside a task. It may have to wait, and only a task can")
{
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_outside, NULL);
    pthread_join(thread, NULL);
}

WF_TEST_MAIN
