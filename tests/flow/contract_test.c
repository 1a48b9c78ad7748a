/* The contract of guards, rates, bulkheads, retries and their kin: contract.h says what the lines mean. */
#include "../contract.h"

static int never(int *calls)
{
    ++*calls;
    return wf_yield();
}

WF_TEST(a_refused_guard_takes_nothing_and_calls_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    struct wf_pipeline pipeline = {.rate = &rate, .bulkhead = &bulkhead};
    int calls[2] = {0, 0};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_rate_wait, wf_rate_wait(&rate));
    REFUSED(wf_bulkhead_enter, wf_bulkhead_enter(&bulkhead));
    REFUSED(wf_guarded, wf_guarded(&pipeline, never(&calls[0])));
    REFUSED(wf_hedge, wf_hedge(calls, 2, never, .delay = WF_SECONDS(1)));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT(calls[0] + calls[1], 0);
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&bulkhead, &statistics);
    WF_EXPECT_INT(statistics.inside, 0);
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int wait_for_turn(struct wf_rate *rate)
{
    return went_on(wf_rate_wait(rate));
}

static int wait_to_enter(struct wf_bulkhead *bulkhead)
{
    int rc = wf_bulkhead_enter(bulkhead);
    if (rc == 0) wf_bulkhead_leave(bulkhead);
    return went_on(rc);
}

WF_TEST(a_refused_guard_where_others_are_inside_does_not_wait, .rule = "1.1 1.7")
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1000));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    struct wf_pipeline pipeline = {.rate = &rate, .bulkhead = &bulkhead};
    int calls = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&bulkhead), 0);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_rate_wait, wf_rate_wait(&rate));
    REFUSED_TOO(wf_bulkhead_enter, wf_bulkhead_enter(&bulkhead));
    REFUSED_TOO(wf_guarded, wf_guarded(&pipeline, never(&calls)));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT(calls, 0);
    WF_EXPECT(rate.waiters_.first == NULL && bulkhead.waiters_.first == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(leaving_in_a_cancelled_scope_lets_the_next_one_in_and_does_not_run_it, .rule = "1.7 4.1")
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1000));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&bulkhead), 0);
    wf_spawn(&scope, wait_for_turn, &rate);
    wf_spawn(&scope, wait_to_enter, &bulkhead);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_rate_return, 0, WF_EXPECT_CODE(wf_rate_return(&rate), 0));
    WAKES(wf_bulkhead_leave, 0, WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static __attribute__((noinline)) int guard_yield(struct wf_breaker *breaker)
{
    return wf_guarded(breaker, wf_yield());
}

static __attribute__((noinline)) int retry_number(int number)
{
    return wf_retry(number);
}

/* It is the expression that is refused; a retry or a guard without a wait adds nothing. */
WF_TEST(a_retry_does_not_outlast_a_cancel, .rule = "1.1 1.7")
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    int calls = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_retry, wf_retry(never(&calls)));
    WF_EXPECT_INT(calls, 1);
    WF_EXPECT_CODE(guard_yield(&breaker), -ECANCELED);
    WF_EXPECT_CODE(retry_number(7), 7);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_CLOSED);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(rates_and_bulkheads_that_only_try_never_suspend, .rule = "1.7")
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    struct wf_rate_statistics rate_statistics;
    struct wf_bulkhead_statistics bulkhead_statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_rate_try, WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0));
    STAYS(wf_rate_return, WF_EXPECT_CODE(wf_rate_return(&rate), 0));
    STAYS(wf_rate_waiting, WF_EXPECT_INT((int64_t)wf_rate_waiting(&rate), 0));
    STAYS(wf_rate_statistics, wf_rate_statistics(&rate, &rate_statistics));
    STAYS(wf_bulkhead_try_enter, WF_EXPECT_CODE(wf_bulkhead_try_enter(&bulkhead), 0));
    STAYS(wf_bulkhead_leave, WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0));
    STAYS(wf_bulkhead_statistics, wf_bulkhead_statistics(&bulkhead, &bulkhead_statistics));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(rates_of_keys_never_suspend, .rule = "1.7")
{
    static const struct wf_rate_options options = {.size = sizeof options, .count = 1, .per = WF_SECONDS(1)};
    struct wf_rate_keys *keys = NULL;
    struct wf_rate_keys_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_rate_keys_create, WF_EXPECT_CODE(wf_rate_keys_create(&options, 5, &keys), 0));
    if (keys != NULL) {
        STAYS(wf_rate_keys_try, WF_EXPECT_CODE(wf_rate_keys_try(keys, "a", 1, NULL), 0));
        STAYS(wf_rate_keys_statistics, wf_rate_keys_statistics(keys, &statistics));
    }
    STAYS(wf_rate_keys_destroy, wf_rate_keys_destroy(keys));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(asking_a_breaker_or_a_budget_never_suspends, .rule = "1.7")
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct wf_retry_budget budget = {.percent = 10};
    struct wf_breaker_statistics statistics;
    struct wf_retry_statistics retries;
    char text[200];
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_is_peer_failure, WF_EXPECT(wf_is_peer_failure(-EIO)));
    STAYS(wf_is_transient, WF_EXPECT(!wf_is_transient(-EIO)));
    STAYS(wf_breaker_state, WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_CLOSED));
    STAYS(wf_breaker_retry_after, WF_EXPECT_INT(wf_breaker_retry_after(&breaker), 0));
    STAYS(wf_breaker_statistics, wf_breaker_statistics(&breaker, &statistics));
    STAYS(wf_breaker_text, wf_breaker_text(&breaker, text, sizeof text));
    STAYS(wf_retry_budget_statistics, wf_retry_budget_statistics(&budget, &retries));
    STAYS(wf_retry_after, WF_EXPECT_CODE(wf_retry_after(1), -ENOENT));
    STAYS(wf_fallback, WF_EXPECT_CODE(wf_fallback(-EIO, 7), 7));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Pools ---- */

static int open_number(void *context, void **resource)
{
    int *opened = context;
    ++*opened;
    *resource = opened;
    return 0;
}

static void close_number(void *context, void *resource)
{
    (void)resource;
    int *opened = context;
    --*opened;
}

#define NUMBERS .open = open_number, .close = close_number, .context = &opened

static __attribute__((noinline)) int borrow_code(struct wf_pool *pool)
{
    WF_BORROW(lease, pool);
    return lease.code;
}

WF_TEST(a_refused_borrower_holds_nothing, .rule = "1.1 1.3 1.7")
{
    int opened = 0;
    struct wf_pool *pool;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (WF_EXPECT_CODE(wf_pool_create(&pool, &scope, NUMBERS, .max = 1), 0)) {
        WF_LEASE(lease);
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_pool_acquire, wf_pool_acquire(pool, &lease));
        WF_EXPECT(lease.resource == NULL);
        REFUSED(WF_BORROW, borrow_code(pool));
        REFUSED(wf_pool_warm, wf_pool_warm(pool));
        REFUSED(wf_pool_drain, wf_pool_drain(pool));
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
        WF_EXPECT_INT(opened, 0);
        WF_EXPECT_CODE(wf_pool_acquire(pool, &lease), 0); /* it was not closed */
    }
    wf_pool_destroy(pool);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(giving_back_and_closing_a_pool_never_suspend, .rule = "1.7 1.9")
{
    int opened = 0;
    struct wf_pool *pool = NULL;
    struct wf_pool_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_pool_create, WF_EXPECT_CODE(wf_pool_create(&pool, &scope, NUMBERS), 0));
    if (pool != NULL) {
        STAYS(WF_LEASE, WF_LEASE(lease); WF_EXPECT(lease.resource == NULL));
        WF_LEASE(lease);
        WF_EXPECT_CODE(wf_pool_acquire(pool, &lease), 0);
        STAYS(wf_pool_release, WF_EXPECT_CODE(wf_pool_release(&lease), 0));
        WF_EXPECT_CODE(wf_pool_acquire(pool, &lease), 0);
        STAYS(wf_pool_discard, WF_EXPECT_CODE(wf_pool_discard(&lease), 0));
        STAYS(wf_pool_statistics, wf_pool_statistics(pool, &statistics));
    }
    STAYS(wf_pool_destroy, wf_pool_destroy(pool));
    WF_EXPECT_INT(opened, 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
