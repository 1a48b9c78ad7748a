/* Rules 4.1 to 4.3 for limiters: permits with a holder. The sweeps cut each test everywhere. */
#include <weft/testing.h>
#include <weft/weft.h>

struct visitors {
    struct wf_limiter limiter;
    int inside, peak, total;
};

static int visit(struct visitors *visitors)
{
    WF_PERMIT(permit);
    int rc = wf_limiter_acquire(&visitors->limiter, &permit);
    if (rc < 0) return rc;
    if (++visitors->inside > visitors->peak) visitors->peak = visitors->inside;
    rc = wf_sleep(WF_MILLISECONDS(1));
    visitors->inside--;
    visitors->total++;
    return rc; /* given back by leaving the block */
}

/* S017 */
WF_TEST(at_most_so_many_hold_a_permit, .rule = "4.1", .sweep = true)
{
    struct visitors visitors = {.limiter = WF_LIMITER(3)};
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, visit, &visitors);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(visitors.peak, 3);
    WF_INVARIANT(visitors.peak <= 3);
    WF_EXPECT_INT(visitors.total, 10);
    WF_INVARIANT(wf_limiter_held(&visitors.limiter) == 0);
    WF_INVARIANT(visitors.limiter.permits_ == NULL && visitors.limiter.waiters_.first == NULL);
    struct wf_sync_statistics now;
    wf_limiter_statistics(&visitors.limiter, &now);
    WF_EXPECT_INT((int64_t)now.passed, 10);
    WF_EXPECT_INT((int64_t)now.waited, 7);
}

struct visitor {
    struct wf_limiter *limiter;
    char name;
};

static int enter(struct visitor *visitor)
{
    WF_PERMIT(permit);
    int rc = wf_limiter_acquire(visitor->limiter, &permit);
    if (rc < 0) return rc;
    wf_test_note("%c", visitor->name);
    return wf_limiter_release(&permit);
}

WF_TEST(waiters_come_in_order_and_newcomers_do_not_barge, .rule = "4.1 4.2", .sweep = true)
{
    struct wf_limiter limiter = WF_LIMITER(1);
    struct visitor a = {&limiter, 'a'}, b = {&limiter, 'b'};
    WF_PERMIT(mine);
    WF_PERMIT(other);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &mine), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, enter, &a);
    wf_spawn(&scope, enter, &b);
    wf_yield();
    WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &other), -EAGAIN);
    WF_EXPECT_CODE(wf_limiter_release(&mine), 0);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &other), -EAGAIN); /* it was handed over */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b");
}

WF_TEST(a_cancelled_waiter_holds_nothing_and_a_granted_one_gives_it_back, .rule = "1.3 1.4 4.1", .sweep = true)
{
    struct wf_limiter limiter = WF_LIMITER(1);
    struct visitor a = {&limiter, 'a'}, b = {&limiter, 'b'};
    struct wf_handle first = {.result_ = 0}, second = {.result_ = 0};
    WF_PERMIT(mine);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &mine), 0);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, enter, &a, .handle = &first);
        wf_spawn(&scope, enter, &b, .handle = &second);
        wf_yield();
        wf_handle_cancel(&first, "a moment before");
        WF_EXPECT_CODE(wf_limiter_release(&mine), 0);
        wf_handle_cancel(&second, "a moment too late");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_TEXT(wf_test_notes(), "b");
    WF_INVARIANT(wf_limiter_held(&limiter) == 0);
}

WF_TEST(a_larger_limit_lets_waiters_in_and_a_smaller_one_throws_nobody_out, .sweep = true)
{
    struct wf_limiter limiter = WF_LIMITER(0);
    struct visitors visitors = {.limiter = WF_LIMITER(0)};
    struct wf_limiter *gate = &visitors.limiter;
    WF_EXPECT_CODE(wf_limiter_resize(&limiter, 0), 0);
    WF_SCOPE(scope);
    for (int i = 0; i < 6; i++) wf_spawn(&scope, visit, &visitors);
    wf_yield();
    WF_EXPECT_INT(wf_limiter_held(gate), 0);
    WF_EXPECT_CODE(wf_limiter_resize(gate, 4), 0);
    WF_EXPECT_INT(wf_limiter_held(gate), 4);
    WF_EXPECT_CODE(wf_limiter_resize(gate, 1), 0);
    WF_EXPECT_INT(wf_limiter_held(gate), 4);
    WF_PERMIT(mine);
    WF_EXPECT_CODE(wf_limiter_try_acquire(gate, &mine), -EAGAIN);
    wf_limiter_release(&mine); /* in a run where nobody was inside */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(visitors.total, 6);
    WF_INVARIANT(wf_limiter_held(gate) == 0);
}

struct keeper {
    struct wf_limiter *limiter;
    struct wf_permit permit;
};

static int keep(struct keeper *keeper)
{
    return wf_limiter_acquire(keeper->limiter, &keeper->permit);
}

WF_TEST(a_task_that_ends_with_a_permit_is_reported_and_the_permit_comes_back, .rule = "4.3", .sweep = true)
{
    wf_test_allow_reports();
    struct wf_limiter limiter = WF_LIMITER(1);
    struct keeper keeper = {.limiter = &limiter};
    struct visitor a = {&limiter, 'a'};
    WF_SCOPE(scope);
    wf_spawn(&scope, keep, &keeper, .name = "keeper");
    wf_spawn(&scope, enter, &a);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_PART(wf_test_reports(), "task 'keeper'");
    WF_EXPECT_PART(wf_test_reports(), "limiter_test.c");
    WF_EXPECT_TEXT(wf_test_notes(), "a");
    WF_INVARIANT(wf_limiter_held(&limiter) == 0);
}

WF_TEST(the_holders_can_be_listed, .sweep = true)
{
    struct wf_limiter limiter = WF_LIMITER(2);
    WF_PERMIT(first);
    WF_PERMIT(second);
    if (wf_limiter_acquire(&limiter, &first) < 0) return;
    if (wf_limiter_acquire(&limiter, &second) < 0) return;
    int count = 0;
    wf_each_permit(&limiter, permit)
    {
        WF_EXPECT_PART(permit->place, "limiter_test.c:");
        WF_EXPECT_TEXT(permit->task, wf_task_name());
        WF_EXPECT(permit == (count == 0 ? &first : &second));
        count++;
    }
    WF_EXPECT_INT(count, 2);
    WF_EXPECT_CODE(wf_limiter_release(&first), 0);
    WF_EXPECT_CODE(wf_limiter_release(&second), 0);
}

static int release_foreign(struct wf_permit *permit)
{
    return wf_limiter_release(permit) == -EPERM ? 0 : -EPROTO;
}

WF_TEST(a_limiter_checks_its_use, .sweep = true)
{
    struct wf_limiter limiter = WF_LIMITER(2), negative = WF_LIMITER(-1);
    WF_PERMIT(permit);
    WF_EXPECT_CODE(wf_limiter_release(&permit), -EPERM);
    WF_EXPECT_CODE(wf_limiter_acquire(&negative, &permit), -EINVAL);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&negative, &permit), -EINVAL);
    WF_EXPECT_CODE(wf_limiter_resize(&limiter, -1), -EINVAL);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&limiter, &permit), 0);
    WF_EXPECT_CODE(wf_limiter_acquire(&limiter, &permit), -EALREADY);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, release_foreign, &permit);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_limiter_release(&permit), 0);
    WF_EXPECT_CODE(wf_limiter_release(&permit), -EPERM);
    WF_INVARIANT(wf_limiter_held(&limiter) == 0);
}

static int forget(struct wf_limiter *limiter)
{
    struct wf_permit permit = {.limiter_ = NULL};
    return wf_limiter_try_acquire(limiter, &permit);
}

WF_TEST(a_permit_forgotten_on_the_stack_is_misuse, .dies = "held a mutex or a permit that was a variable of its own")
{
    struct wf_limiter limiter = WF_LIMITER(1);
    WF_SCOPE(scope);
    wf_spawn(&scope, forget, &limiter);
    wf_scope_join(&scope);
}

WF_TEST_MAIN
