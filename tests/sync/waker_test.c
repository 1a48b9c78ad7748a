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

WF_TEST(a_forgotten_waker_is_reported, .plain = true, .dies = "a waker was not closed before the loop ended")
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

/* ---- Plain threads that call tasks, and wait for the answer ---- */

struct question {
    struct question *next;
    int number, answer;
    bool done;
};

static struct bridge {
    pthread_mutex_t mutex;
    pthread_cond_t answered;
    struct question *asked; /* the newest first */
    int threads;            /* that still ask */
    struct wf_waker *waker;
} bridge = {.mutex = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};

static int ask_the_loop(int number)
{
    struct question question = {.number = number};
    pthread_mutex_lock(&bridge.mutex);
    question.next = bridge.asked;
    bridge.asked = &question;
    wf_waker_wake(bridge.waker);
    while (!question.done) pthread_cond_wait(&bridge.answered, &bridge.mutex);
    pthread_mutex_unlock(&bridge.mutex);
    return question.answer;
}

static void *ask_many_times(void *argument)
{
    int *wrong = argument;
    for (int i = 0; i < 100; i++)
        if (ask_the_loop(i) != i * i) ++*wrong;
    pthread_mutex_lock(&bridge.mutex);
    bridge.threads--;
    wf_waker_wake(bridge.waker);
    pthread_mutex_unlock(&bridge.mutex);
    return NULL;
}

static int answer_one(struct question *question)
{
    int rc = wf_yield(), answer = question->number * question->number;
    pthread_mutex_lock(&bridge.mutex);
    question->answer = answer;
    question->done = true;
    pthread_cond_broadcast(&bridge.answered);
    pthread_mutex_unlock(&bridge.mutex);
    return rc;
}

/* Until no thread asks any more. */
static int answer_all(struct wf_event *arrived)
{
    int rc = 0, threads = 1;
    WF_SCOPE(scope);
    while (rc == 0 && threads > 0) {
        rc = wf_event_wait(arrived);
        wf_event_clear(arrived);
        pthread_mutex_lock(&bridge.mutex);
        struct question *question = bridge.asked;
        bridge.asked = NULL;
        threads = bridge.threads;
        pthread_mutex_unlock(&bridge.mutex);
        while (question != NULL) {
            struct question *next = question->next; /* an answered one is gone */
            wf_spawn(&scope, answer_one, question);
            question = next;
        }
    }
    return wf_scope_end(&scope, rc);
}

/* S149 */
WF_TEST(threads_call_into_a_running_loop_and_wait_for_its_answers, .real = true)
{
    enum { THREADS = 4 };
    struct wf_event arrived = WF_EVENT;
    pthread_t threads[THREADS];
    int wrong[THREADS] = {0};
    bridge.threads = THREADS;
    if (!WF_EXPECT_CODE(wf_waker_create(&arrived, &bridge.waker), 0)) return;
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, ask_many_times, &wrong[i]);
    WF_EXPECT_CODE(answer_all(&arrived), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        WF_EXPECT_INT(wrong[i], 0);
    }
    wf_waker_destroy(bridge.waker);
}

WF_TEST_MAIN
