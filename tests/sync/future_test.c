/* S005: a result that is set elsewhere. The sweeps cut each test everywhere. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct asker {
    struct wf_future *future;
    int rc;
    void *value;
    int64_t wakes;
};

static int ask(struct asker *asker)
{
    asker->rc = wf_future_wait(asker->future);
    asker->value = wf_future_value(asker->future);
    asker->wakes++;
    return asker->rc == -ECANCELED ? 0 : asker->rc;
}

/* S005 */
WF_TEST(every_waiter_wakes_once_with_the_same_value, .rule = "4.3", .sweep = true)
{
    struct wf_future future = WF_FUTURE;
    struct asker askers[5];
    int value = 7;
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(askers); i++) {
        askers[i] = (struct asker){.future = &future};
        wf_spawn(&scope, ask, &askers[i]);
    }
    wf_yield();
    WF_EXPECT_CODE(wf_future_result(&future), -EINPROGRESS);
    WF_EXPECT(wf_future_value(&future) == NULL);
    WF_EXPECT_CODE(wf_future_set(&future, &value), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (size_t i = 0; i < WF_COUNT(askers); i++) {
        WF_EXPECT(askers[i].rc == 0 && askers[i].value == &value);
        WF_INVARIANT(askers[i].wakes <= 1);
    }
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_future_wait(&future)), 0);
    WF_EXPECT_CODE(wf_future_result(&future), 0);
    struct wf_sync_statistics now;
    wf_future_statistics(&future, &now);
    WF_EXPECT_INT((int64_t)now.passed, 6);
    WF_EXPECT_INT((int64_t)now.waited, 5);
}

WF_TEST(a_second_result_is_refused, .rule = "4.3", .sweep = true)
{
    struct wf_future future = WF_FUTURE, failed = WF_FUTURE;
    int one = 1, two = 2;
    WF_EXPECT_CODE(wf_future_set(&future, &one), 0);
    WF_EXPECT_CODE(wf_future_set(&future, &two), -EALREADY);
    WF_EXPECT_CODE(wf_future_fail(&future, -EIO, "too late"), -EALREADY);
    WF_EXPECT(wf_future_value(&future) == &one);
    WF_EXPECT_CODE(wf_future_fail(&failed, 0, "no error"), -EINVAL);
    WF_EXPECT_CODE(wf_future_fail(&failed, 1, "no error"), -EINVAL);
    WF_EXPECT_CODE(wf_future_fail(&failed, -EIO, "the disk"), 0);
    WF_EXPECT_CODE(wf_future_set(&failed, &two), -EALREADY);
    WF_EXPECT(wf_future_value(&failed) == NULL);
    WF_EXPECT_CODE(wf_future_result(&failed), -EIO);
}

WF_TEST(a_failure_reaches_every_waiter_with_its_message, .sweep = true)
{
    struct wf_future future = WF_FUTURE;
    struct asker askers[2] = {{.future = &future}, {.future = &future}};
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        for (int i = 0; i < 2; i++) wf_spawn(&scope, ask, &askers[i]);
        wf_yield();
        WF_EXPECT_CODE(wf_future_fail(&future, -ENOENT, "no user %d", 17), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), -ENOENT);
        WF_EXPECT_ERROR(&scope, -ENOENT, "no user 17");
    }
    WF_EXPECT_FAILURE(wf_future_wait(&future), -ENOENT, "no user 17");
}

WF_TEST(a_long_message_is_cut)
{
    struct wf_future future = WF_FUTURE;
    char text[300];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    WF_EXPECT_CODE(wf_future_fail(&future, -EIO, "%s", text), 0);
    WF_EXPECT_CODE(wf_future_wait(&future), -EIO);
    if (WF_EXPECT(wf_failure() != NULL)) WF_EXPECT_INT((int64_t)strlen(wf_failure()), 95);
}

WF_TEST(a_cancelled_waiter_does_not_touch_the_future, .rule = "1.3 4.1", .sweep = true)
{
    struct wf_future future = WF_FUTURE;
    struct asker first = {.future = &future, .rc = 9}, second = {.future = &future, .rc = 9};
    struct wf_handle handle = {.result_ = 0};
    int value = 7;
    WF_SCOPE(scope);
    wf_spawn(&scope, ask, &first, .handle = &handle);
    wf_spawn(&scope, ask, &second);
    wf_yield();
    wf_handle_cancel(&handle, "not needed");
    wf_yield();
    WF_EXPECT_CODE(wf_future_result(&future), -EINPROGRESS);
    WF_EXPECT_CODE(wf_future_set(&future, &value), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(first.rc, -ECANCELED);
    WF_EXPECT_CODE(second.rc, 0);
}

WF_TEST(a_waiter_has_the_result_though_it_is_cancelled_in_the_same_pass, .rule = "1.3 4.1", .sweep = true)
{
    struct wf_future future = WF_FUTURE;
    struct asker asker = {.future = &future, .rc = 9};
    WF_SCOPE(scope);
    wf_spawn(&scope, ask, &asker);
    wf_yield();
    wf_future_set(&future, &asker);
    wf_scope_cancel(&scope, "a moment too late");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(asker.rc, 0);
}

WF_TEST(a_future_may_be_a_case_of_a_select, .sweep = true)
{
    struct wf_future future = WF_FUTURE, never = WF_FUTURE;
    struct wf_case cases[] = {WF_CASE_FUTURE(&never), WF_CASE_FUTURE(&future)};
    WF_EXPECT_CODE(wf_try_select(cases, 2), -EAGAIN);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_select(cases, 2)), -ETIME);
    WF_INVARIANT(never.waiters_.first == NULL && future.waiters_.first == NULL);
    WF_EXPECT_CODE(wf_future_fail(&future, -EIO, "the disk"), 0);
    WF_EXPECT_CODE(wf_select(cases, 2), 1);
    WF_EXPECT_CODE(cases[1].result, -EIO);
}

WF_TEST_MAIN
