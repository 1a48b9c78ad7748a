/* Tests that do not come to their end. */
#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int wait_for(struct wf_event *event)
{
    return wf_event_wait(event);
}

static int tick(void *unused)
{
    (void)unused;
    int rc = 0;
    while (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10));
    return rc;
}

static int sleep_long(void *unused)
{
    (void)unused;
    return wf_sleep(WF_MINUTES(60));
}

/* The sleeper alone keeps it from being a deadlock. */
// fails a_deadline_passes: its deadline passed
// fails a_deadline_passes: waiter #2  waits: an event
// fails a_deadline_passes: sleeper #3  waits: sleep
WF_TEST(a_deadline_passes, .timeout = WF_MILLISECONDS(100))
{
    struct wf_event never = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for, &never, .name = "waiter");
    wf_spawn(&scope, sleep_long, NULL, .name = "sleeper", .daemon = true);
    wf_scope_join(&scope);
}

// fails[uring epoll] a_deadline_is_slept_through: its deadline passed, and it did not suspend
WF_TEST(a_deadline_is_slept_through, .real = true, .timeout = WF_MILLISECONDS(10))
{
    usleep(20000); /* real time: it holds the loop, as a mistake does */
}

// fails a_deadlock: unexpected report: deadlock
// fails a_deadlock: left #2  waits: a mutex
// fails a_deadlock: a_deadlock #1  waits: children
WF_TEST(a_deadlock)
{
    struct wf_mutex mutex = WF_MUTEX;
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, wf_mutex_lock, &mutex, .name = "left");
    wf_scope_join(&scope);
    wf_mutex_unlock(&mutex);
}

static int spin(void *unused)
{
    (void)unused;
    while (wf_yield() == 0) continue;
    return 0;
}

// fails[sim] a_livelock: the clock cannot jump
// fails[sim] a_livelock: spinner #2  runnable
// fails[uring epoll] a_livelock: its deadline passed
WF_TEST(a_livelock, .passes_max = 1000, .timeout = WF_MILLISECONDS(100))
{
    WF_SCOPE(scope);
    wf_spawn(&scope, spin, NULL, .name = "spinner");
    wf_scope_join(&scope);
}

/* Its shield hides the deadline from it. */
// crashes[sim] an_immortal_ticker: the bound on virtual time has passed
// crashes[sim] an_immortal_ticker: ticker #2  waits: sleep
// crashes[sim] an_immortal_ticker: It outlived its cancellation
WF_TEST(an_immortal_ticker, .simulated = true, .timeout = WF_SECONDS(1))
{
    WF_SCOPE(scope, .shield = true, .timeout = WF_FOREVER);
    wf_spawn(&scope, tick, NULL, .name = "ticker");
    wf_scope_join(&scope);
}

static int compute(void *unused)
{
    (void)unused;
    volatile unsigned i = 0;
    while (i < UINT_MAX) i = i + 2 > i ? i + 2 : 0;
    return 0;
}

// crashes[sim] a_loop_without_end: stuck, neither ending nor suspending
// crashes[sim] a_loop_without_end: compute at ends.c:
WF_TEST(a_loop_without_end, .simulated = true, .timeout = WF_MILLISECONDS(1))
{
    compute(NULL);
}

static volatile int *volatile nowhere = (volatile int *)16;

/* Long after whoever started it has lost patience. */
WF_TEST(this_computes_for_hours, .simulated = true, .timeout = WF_MINUTES(600))
{
    compute(NULL);
}

// crashes a_wild_write: FAILED a_wild_write
WF_TEST(a_wild_write)
{
    *nowhere = 1;
}

// crashes a_misuse: wf_provide was called outside a fixture
// crashes a_misuse: FAILED a_misuse
WF_TEST(a_misuse)
{
    wf_provide(NULL);
}

// crashes an_exit: it called exit
// crashes an_exit: FAILED an_exit
WF_TEST(an_exit)
{
    exit(0);
}

// fails a_forked_process_comes_back: a process that the test forked came back from the test
WF_TEST(a_forked_process_comes_back, .plain = true)
{
    if (fork() == 0) return;
    wait(NULL);
}

// fails a_forked_process_expects: expected: 1 == 2
WF_TEST(a_forked_process_expects, .plain = true)
{
    if (fork() == 0) {
        WF_EXPECT(1 == 2);
        _exit(0);
    }
    wait(NULL);
}

// fails one_that_should_die_lives: it lived
WF_TEST(one_that_should_die_lives, .dies = "nothing")
{
}

// fails one_that_dies_of_something_else: what it said does not contain "nothing": "
WF_TEST(one_that_dies_of_something_else, .dies = "nothing")
{
    abort();
}

// fails one_that_dies_with_a_failure: expected: 1 == 2
WF_TEST(one_that_dies_with_a_failure, .dies = "")
{
    WF_EXPECT(1 == 2);
    abort();
}

// fails one_that_should_die_computes: stuck, neither ending nor suspending
WF_TEST(one_that_should_die_computes, .plain = true, .dies = "", .timeout = WF_MILLISECONDS(1))
{
    compute(NULL);
}

WF_TEST_MAIN
