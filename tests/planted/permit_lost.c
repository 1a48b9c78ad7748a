/*
 * Semaphore permit lost.
 *
 * The mistake: a permit is taken, then comes a call that may be cancelled, and its early return forgets the permit.
 * Once for each permit, and the pool is dry for ever.
 * Known from quarkusio/quarkus#56393 (a pool, cancelled while it connects), agronholm/anyio#947, python/asyncio#270.
 * Caught by the sweep: a cancel at every suspension point, and a count of the permits afterwards.
 */
// caught: wf_semaphore_available(&pool->permits) is 1, expected 2
#include <weft/testing.h>
#include <weft/weft.h>

struct pool {
    struct wf_semaphore permits;
};

static int connect_slowly(void)
{
    return wf_yield();
}

#ifdef CORRECTED
static int borrow(struct pool *pool)
{
    int rc = wf_semaphore_acquire(&pool->permits);
    if (rc < 0) return rc;
    rc = connect_slowly();
    if (rc < 0) wf_semaphore_release(&pool->permits);
    return rc;
}
#else
static int borrow(struct pool *pool)
{
    int rc = wf_semaphore_acquire(&pool->permits);
    return rc < 0 ? rc : connect_slowly();
}
#endif

static int use_one(struct pool *pool)
{
    int rc = borrow(pool);
    if (rc < 0) return rc;
    rc = wf_yield();
    wf_semaphore_release(&pool->permits);
    return rc;
}

static int use_some(struct pool *pool)
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 5; i++) wf_spawn(&scope, use_one, pool);
    return wf_scope_join(&scope);
}

/* Gives whether the cancel at the k-th suspension took place. */
static bool cancel_at(struct pool *pool, uint64_t k, bool in_flight)
{
    WF_SCOPE(scope);
    wf_test_cancel_at(&scope, k, in_flight);
    WF_EXPECT_CODE(wf_scope_end(&scope, use_some(pool)), 0);
    WF_EXPECT_INT((int)wf_semaphore_available(&pool->permits), 2);
    return wf_test_cancel_end();
}

static void sweep(bool in_flight)
{
    struct pool pool = {.permits = WF_SEMAPHORE(2)};
    for (uint64_t k = 1; cancel_at(&pool, k, in_flight) && !wf_test_failed(); k++) {}
}

WF_TEST(every_permit_comes_back)
{
    sweep(false);
    sweep(true);
}

WF_TEST_MAIN
