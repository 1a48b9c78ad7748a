/* S019: an event that is set from another thread, or from a signal handler. */
#include <pthread.h>
#include <signal.h>
#include <weft/testing.h>
#include <weft/weft.h>

static void *wake_times(void *argument)
{
    struct wf_waker *waker = argument;
    for (int i = 0; i < 1000; i++) wf_waker_wake(waker);
    return NULL;
}

/* S019 */
WF_TEST(another_thread_wakes_a_loop_that_sleeps, .real = true)
{
    struct wf_event event = WF_EVENT;
    struct wf_waker *waker;
    if (wf_waker_create(&event, &waker) < 0) return;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        WF_EXPECT_CODE(pthread_create(&thread, NULL, wake_times, waker), 0);
        WF_EXPECT_CODE(wf_event_wait(&event), 0); /* no deadlock, though nothing else is alive */
        pthread_join(thread, NULL);
        wf_event_clear(&event);
    }
    wf_waker_destroy(waker);
}

static struct wf_waker *signalled;

static void on_signal(int number)
{
    (void)number;
    errno = 0;
    wf_waker_wake(signalled);
}

WF_TEST(a_signal_handler_wakes_a_loop_that_sleeps, .real = true)
{
    struct wf_event event = WF_EVENT;
    if (wf_waker_create(&event, &signalled) < 0) return;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART}, before;
    sigaction(SIGUSR1, &action, &before);
    for (int i = 0; i < 20; i++) {
        raise(SIGUSR1);
        raise(SIGUSR1);
        WF_EXPECT_CODE(wf_event_wait(&event), 0);
        wf_event_clear(&event);
    }
    sigaction(SIGUSR1, &before, NULL);
    wf_waker_destroy(signalled);
}

static int wake_from_job(struct wf_waker *waker)
{
    wf_waker_wake(waker);
    return 0;
}

static int offload_wake(struct wf_waker *waker)
{
    return wf_offload(wake_from_job, waker);
}

WF_TEST(a_job_wakes_a_task, .sweep = true)
{
    struct wf_event event = WF_EVENT;
    struct wf_waker *waker = NULL;
    if (wf_waker_create(&event, &waker) < 0) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, offload_wake, waker);
        WF_EXPECT_CODE(wf_within(WF_SECONDS(5), wf_event_wait(&event)), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_waker_destroy(waker);
}

WF_TEST(a_waker_that_is_destroyed_on_its_way_sets_nothing, .sweep = true)
{
    struct wf_event event = WF_EVENT;
    struct wf_waker *waker;
    if (wf_waker_create(&event, &waker) < 0) return;
    wf_waker_wake(waker);
    wf_waker_wake(waker);
    wf_waker_destroy(waker);
    wf_sleep(WF_MILLISECONDS(1));
    WF_INVARIANT(!wf_event_is_set(&event));
    wf_waker_destroy(NULL);
}

static int wake_and_end(struct wf_event *event)
{
    struct wf_waker *waker;
    int rc = wf_waker_create(event, &waker);
    if (rc < 0) return rc;
    wf_waker_wake(waker);
    wf_waker_destroy(waker);
    return 0;
}

static int forget(struct wf_event *event)
{
    static struct wf_waker *forgotten; /* its memory is not the library's to find: this test leaks it on purpose */
    return wf_waker_create(event, &forgotten);
}

WF_TEST(nothing_is_left_of_a_waker_when_the_loop_ends, .plain = true)
{
    struct wf_event event = WF_EVENT;
    size_t blocks = wf_allocated_blocks();
    WF_EXPECT_CODE(wf_run(wake_and_end, &event), 0);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
}

WF_TEST(a_forgotten_waker_is_reported, .plain = true, .dies = "1 wakers were not destroyed")
{
    struct wf_event event = WF_EVENT;
    wf_run(forget, &event);
    raise(SIGABRT);
}

static int wait_for_ever(struct wf_event *event)
{
    struct wf_waker *waker;
    int rc = wf_waker_create(event, &waker);
    if (rc < 0) return rc;
    rc = wf_event_wait(event);
    wf_waker_destroy(waker);
    return rc;
}

WF_TEST(a_simulated_world_has_no_outside, .plain = true, .rule = "8.2")
{
    wf_test_allow_reports();
    struct wf_event event = WF_EVENT;
    WF_EXPECT_CODE(wf_run(wait_for_ever, &event, .driver = "sim"), -EDEADLK);
}

WF_TEST_MAIN
