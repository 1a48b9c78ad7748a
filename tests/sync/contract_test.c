/* The contract of mutexes, semaphores and events: contract.h says what the lines mean. */
#include "../contract.h"

static int hold(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    return rc < 0 ? rc : wf_sleep(WF_SECONDS(3600));
}

WF_TEST(a_refused_wait_takes_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_mutex held = WF_MUTEX, free_one = WF_MUTEX;
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    struct wf_event set = WF_EVENT, clear = WF_EVENT;
    wf_event_set(&set);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    wf_spawn(&scope, hold, &held, .daemon = true);
    wf_yield();

    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_mutex_lock, wf_mutex_lock(&free_one));
    REFUSED(wf_semaphore_acquire, wf_semaphore_acquire(&permits));
    REFUSED(wf_event_wait, wf_event_wait(&set));
    WF_EXPECT_CODE(wf_mutex_lock(&held), -ECANCELED);
    WF_EXPECT_CODE(wf_event_wait(&clear), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);

    WF_EXPECT_CODE(wf_mutex_unlock(&free_one), -EPERM);
    WF_EXPECT_INT((int64_t)wf_semaphore_available(&permits), 1);
    WF_EXPECT(held.waiters_.first == NULL && clear.waiters_.first == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(unlocking_releasing_setting_and_trying_never_suspend, .rule = "1.7")
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_mutex_try_lock, WF_EXPECT_CODE(wf_mutex_try_lock(&mutex), 0));
    STAYS(wf_mutex_unlock, WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0));
    STAYS(wf_semaphore_try_acquire, WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0));
    STAYS(wf_semaphore_release, wf_semaphore_release(&permits));
    STAYS(wf_semaphore_available, WF_EXPECT_INT((int64_t)wf_semaphore_available(&permits), 1));
    STAYS(wf_event_set, wf_event_set(&event));
    STAYS(wf_event_is_set, WF_EXPECT(wf_event_is_set(&event)));
    STAYS(wf_event_clear, wf_event_clear(&event));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int wait_in_vain(struct wf_semaphore *permits)
{
    return wf_semaphore_acquire(permits);
}

/* Waking another task is not running it. */
WF_TEST(waking_a_waiter_does_not_run_it, .rule = "1.7")
{
    struct wf_semaphore permits = WF_SEMAPHORE(0);
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_event event = WF_EVENT;
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    wf_spawn(&scope, wait_in_vain, &permits);
    wf_spawn(&scope, hold, &mutex, .daemon = true);
    wf_spawn(&scope, wf_event_wait, &event);
    wf_yield();
    before_call();
    wf_semaphore_release(&permits);
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
    wf_event_set(&event);
    WF_EXPECT(did_not_switch("a call that wakes a waiter"));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
