/* Once: one call at a time until one succeeds. The sweeps cut each test everywhere. */
#include <weft/testing.h>
#include <weft/weft.h>

struct set_up {
    struct wf_once once;
    int calls, inside, fail_first;
    bool ready;
};

static int prepare(struct set_up *set_up)
{
    WF_INVARIANT(!set_up->ready); /* never again after a success */
    WF_INVARIANT(set_up->inside++ == 0);
    set_up->calls++;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    set_up->inside--;
    if (rc < 0) return rc;
    if (set_up->calls <= set_up->fail_first) return wf_fail(-EIO, "attempt %d", set_up->calls);
    set_up->ready = true;
    return 42;
}

static int use(struct set_up *set_up)
{
    int rc = wf_once(&set_up->once, prepare, set_up);
    WF_INVARIANT(rc < 0 || (rc == 42 && set_up->ready));
    wf_test_note("%d", rc);
    return rc;
}

WF_TEST(one_calls_and_the_others_wait_for_its_result, .sweep = true)
{
    struct set_up set_up = {.once = WF_ONCE};
    WF_SCOPE(scope);
    for (int i = 0; i < 4; i++) wf_spawn(&scope, use, &set_up);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(set_up.calls, 1);
    WF_EXPECT_TEXT(wf_test_notes(), "42 42 42 42");
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(use(&set_up)), 42);
    WF_EXPECT(wf_once_is_done(&set_up.once));
    struct wf_sync_statistics now;
    wf_once_statistics(&set_up.once, &now);
    WF_EXPECT_INT((int64_t)now.passed, 5);
    WF_EXPECT_INT((int64_t)now.waited, 3);
}

WF_TEST(a_failed_call_hands_over_to_the_next_waiter, .rule = "4.1", .sweep = true)
{
    struct set_up set_up = {.once = WF_ONCE, .fail_first = 2};
    struct wf_handle handles[4] = {{.result_ = 0}};
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        for (int i = 0; i < 4; i++) wf_spawn(&scope, use, &set_up, .handle = &handles[i]);
        WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
        WF_EXPECT_ERROR(&scope, -EIO, "attempt 2");
    }
    WF_EXPECT_INT(set_up.calls, 3);
    WF_EXPECT_CODE(wf_handle_result(&handles[0]), -EIO);
    WF_EXPECT_CODE(wf_handle_result(&handles[1]), -EIO);
    WF_EXPECT_CODE(wf_handle_result(&handles[2]), 42);
    WF_EXPECT_CODE(wf_handle_result(&handles[3]), 42);
}

WF_TEST(a_cancelled_call_hands_over_to_the_next_waiter, .rule = "4.1", .sweep = true)
{
    struct set_up set_up = {.once = WF_ONCE};
    struct wf_handle first = {.result_ = 0}, second = {.result_ = 0};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, use, &set_up, .handle = &first);
        wf_spawn(&scope, use, &set_up, .handle = &second);
        wf_yield();
        wf_handle_cancel(&first, "not needed");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_handle_result(&first), -ECANCELED);
    WF_EXPECT_CODE(wf_handle_result(&second), 42);
    WF_EXPECT_INT(set_up.calls, 2);
}

WF_TEST(a_waiter_that_is_cancelled_as_it_gets_its_turn_passes_it_on, .rule = "4.1 1.4", .sweep = true)
{
    struct set_up set_up = {.once = WF_ONCE};
    struct wf_handle handles[3] = {{.result_ = 0}};
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 3; i++) wf_spawn(&scope, use, &set_up, .handle = &handles[i]);
        wf_yield();
        wf_handle_cancel(&handles[0], "not needed");
        wf_yield(); /* its call failed, and the turn is the second's */
        wf_handle_cancel(&handles[1], "not needed");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_handle_result(&handles[1]), -ECANCELED);
    WF_EXPECT_CODE(wf_handle_result(&handles[2]), 42);
}

WF_TEST(a_cancelled_waiter_leaves_the_call_alone, .rule = "1.3", .sweep = true)
{
    struct set_up set_up = {.once = WF_ONCE};
    struct wf_handle first = {.result_ = 0}, second = {.result_ = 0};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, use, &set_up, .handle = &first);
        wf_spawn(&scope, use, &set_up, .handle = &second);
        wf_yield();
        wf_handle_cancel(&second, "not needed");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_handle_result(&first), 42);
    WF_EXPECT_CODE(wf_handle_result(&second), -ECANCELED);
    WF_EXPECT_INT(set_up.calls, 1);
}

static int call_inside(struct wf_once *once)
{
    return wf_once(once, call_inside, once);
}

WF_TEST(a_call_inside_its_own_call_is_a_deadlock_that_is_refused)
{
    struct wf_once once = WF_ONCE;
    WF_EXPECT_CODE(wf_once(&once, call_inside, &once), -EDEADLK);
    WF_EXPECT(!wf_once_is_done(&once));
}

WF_TEST_MAIN
