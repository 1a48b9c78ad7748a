/* The contract of channels, select, conditions, barriers, once, futures, limiters, tokens and wakers. */
#include "../contract.h"

static int number_up(int *number)
{
    ++*number;
    return 0;
}

WF_TEST(a_refused_send_or_receive_moves_no_item, .rule = "1.1 1.3 1.7")
{
    int item = 1, other = 2;
    WF_CHANNEL(full, int, 1);
    WF_CHANNEL(empty, int, 1);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_send(&full, &item), 0);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        struct wf_case cases[] = {WF_CASE_RECEIVE(&full, &other), WF_CASE_SEND(&empty, &item)};
        REFUSED(wf_send, wf_send(&empty, &item));
        REFUSED(wf_receive, wf_receive(&full, &other));
        REFUSED(wf_channel_join, wf_channel_join(&empty));
        REFUSED(wf_select, wf_select(cases, WF_COUNT(cases)));
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_INT(other, 2);
    WF_EXPECT_CODE(wf_try_receive(&empty, &other), -EAGAIN);
    WF_EXPECT_CODE(wf_try_receive(&full, &other), 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_wait_on_each_other_changes_nothing, .rule = "1.1 1.3 1.7")
{
    int ran = 0;
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_condition condition = WF_CONDITION;
    struct wf_barrier barrier = WF_BARRIER(1);
    struct wf_once once = WF_ONCE;
    struct wf_future future = WF_FUTURE;
    struct wf_limiter limiter = WF_LIMITER(1);
    WF_PERMIT(permit);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_mutex_try_lock(&mutex), 0);
    WF_EXPECT_CODE(wf_future_set(&future, &ran), 0);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_condition_wait, wf_condition_wait(&condition, &mutex));
        REFUSED(wf_barrier_wait, wf_barrier_wait(&barrier));
        REFUSED(wf_once, wf_once(&once, number_up, &ran));
        REFUSED(wf_future_wait, wf_future_wait(&future));
        REFUSED(wf_limiter_acquire, wf_limiter_acquire(&limiter, &permit));
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0); /* still held */
    WF_EXPECT_INT(ran, 0);
    WF_EXPECT(!wf_once_is_done(&once));
    WF_EXPECT_INT(wf_limiter_held(&limiter), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(trying_and_closing_a_channel_never_suspends, .rule = "1.7")
{
    int item = 1;
    struct wf_channel *made = NULL;
    struct wf_channel_statistics statistics;
    WF_CHANNEL(channel, int, 2);
    struct wf_case cases[] = {WF_CASE_RECEIVE(&channel, &item)};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_try_send, WF_EXPECT_CODE(wf_try_send(&channel, &item), 0));
    STAYS(wf_try_receive, WF_EXPECT_CODE(wf_try_receive(&channel, &item), 1));
    STAYS(wf_try_select, WF_EXPECT_CODE(wf_try_select(cases, 1), -EAGAIN));
    STAYS(wf_channel_done, WF_EXPECT_CODE(wf_channel_done(&channel), 0));
    STAYS(wf_channel_statistics, wf_channel_statistics(&channel, &statistics));
    STAYS(wf_channel_close, WF_EXPECT_CODE(wf_channel_close(&channel), 0));
    STAYS(wf_channel_is_closed, WF_EXPECT(wf_channel_is_closed(&channel)));
    STAYS(wf_channel_create, WF_EXPECT_CODE(wf_channel_create(sizeof(int), 3, NULL, &made), 0));
    STAYS(wf_channel_close_now, WF_EXPECT_CODE(wf_channel_close_now(made, NULL), 0));
    STAYS(wf_channel_destroy, wf_channel_destroy(made));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(notifying_setting_and_resizing_never_suspends, .rule = "1.7")
{
    struct wf_condition condition = WF_CONDITION;
    struct wf_barrier barrier = WF_BARRIER(2);
    struct wf_future future = WF_FUTURE, failed = WF_FUTURE;
    struct wf_once once = WF_ONCE;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_condition_notify, wf_condition_notify(&condition));
    STAYS(wf_condition_notify_all, wf_condition_notify_all(&condition));
    STAYS(wf_barrier_abort, wf_barrier_abort(&barrier));
    STAYS(wf_barrier_reset, wf_barrier_reset(&barrier));
    STAYS(wf_future_set, WF_EXPECT_CODE(wf_future_set(&future, &once), 0));
    STAYS(wf_future_fail, WF_EXPECT_CODE(wf_future_fail(&failed, -EIO, "no"), 0));
    STAYS(wf_future_value, WF_EXPECT(wf_future_value(&future) == &once));
    STAYS(wf_future_result, WF_EXPECT_CODE(wf_future_result(&failed), -EIO));
    STAYS(wf_once_is_done, WF_EXPECT(!wf_once_is_done(&once)));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(permits_tokens_and_wakers_never_suspend, .rule = "1.7")
{
    struct wf_limiter limiter = WF_LIMITER(1);
    struct wf_token token = WF_TOKEN;
    struct wf_event event = WF_EVENT;
    struct wf_waker *waker = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_PERMIT(permit);
    STAYS(WF_PERMIT, WF_PERMIT(unused));
    STAYS(wf_limiter_try_acquire, WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &permit), 0));
    STAYS(wf_limiter_held, WF_EXPECT_INT(wf_limiter_held(&limiter), 1));
    STAYS(wf_limiter_release, WF_EXPECT_CODE(wf_limiter_release(&permit), 0));
    STAYS(wf_limiter_resize, WF_EXPECT_CODE(wf_limiter_resize(&limiter, 2), 0));
    STAYS(wf_token_cancel, wf_token_cancel(&token, "for the test"));
    STAYS(wf_token_cancelled, WF_EXPECT(wf_token_cancelled(&token)));
    STAYS(wf_token_why, WF_EXPECT_TEXT(wf_token_why(&token), "for the test"));
    STAYS(wf_token_links, WF_EXPECT_INT((int64_t)wf_token_links(&token), 0));
    STAYS(wf_waker_create, WF_EXPECT_CODE(wf_waker_create(&event, &waker), 0));
    STAYS(wf_waker_wake, wf_waker_wake(waker));
    STAYS(wf_waker_destroy, wf_waker_destroy(waker));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(asking_for_statistics_never_suspends, .rule = "1.7")
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_semaphore semaphore = WF_SEMAPHORE(1);
    struct wf_event event = WF_EVENT;
    struct wf_condition condition = WF_CONDITION;
    struct wf_barrier barrier = WF_BARRIER(1);
    struct wf_once once = WF_ONCE;
    struct wf_future future = WF_FUTURE;
    struct wf_limiter limiter = WF_LIMITER(1);
    struct wf_sync_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_mutex_statistics, wf_mutex_statistics(&mutex, &statistics));
    STAYS(wf_semaphore_statistics, wf_semaphore_statistics(&semaphore, &statistics));
    STAYS(wf_event_statistics, wf_event_statistics(&event, &statistics));
    STAYS(wf_condition_statistics, wf_condition_statistics(&condition, &statistics));
    STAYS(wf_barrier_statistics, wf_barrier_statistics(&barrier, &statistics));
    STAYS(wf_once_statistics, wf_once_statistics(&once, &statistics));
    STAYS(wf_future_statistics, wf_future_statistics(&future, &statistics));
    STAYS(wf_limiter_statistics, wf_limiter_statistics(&limiter, &statistics));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(an_expression_that_is_linked_goes_on_to_its_own_end, .rule = "1.7")
{
    struct wf_token token = WF_TOKEN;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    COMPLETES(wf_linked, wf_linked(&token, 7), 7);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
}

WF_TEST_MAIN
