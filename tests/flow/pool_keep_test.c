/* The keeper of a pool, its end, and what it refuses: the minimum, ages, warming up, draining, bad input. */
#include <string.h>

#include "connections.h"

static struct world new_world;

static size_t count_parts(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* ---- The minimum ---- */

static int keep_three(struct world *world)
{
    int rc = wf_test_wait_idle();
    WF_EXPECT_INT(statistics_of(world).idle, 3);
    WF_BORROW(lease, world->pool);
    wf_ignore(wf_pool_discard(&lease));
    if (rc == 0) rc = wf_test_wait_idle();
    WF_EXPECT_INT(statistics_of(world).idle, 3);
    WF_EXPECT_INT(world->made, 4);
    return rc < 0 ? rc : lease.code;
}

WF_TEST(the_minimum_is_kept, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, keep_three, .min = 3, .max = 5);
    WF_EXPECT_INT(world.exist_peak, 3);
}

static int heal_after_four(struct world *world)
{
    world->fail_opens = 4;
    int rc = wf_sleep(WF_MILLISECONDS(100 + 200 + 400 + 800 - 1));
    WF_EXPECT_INT(statistics_of(world).idle, 0);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(2));
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).open_failures, 4);
    WF_EXPECT_INT((int64_t)count_parts(wf_test_log(), "msg=\"resource not opened\" name=db delay_ms="), 4);
    WF_EXPECT_PART(wf_test_log(), "name=db delay_ms=800 error=\"Connection refused\"");
    world->fail_opens = 1;
    {
        WF_BORROW(lease, world->pool);
        wf_ignore(wf_pool_discard(&lease));
    }
    if (rc == 0) rc = wf_test_wait_idle();
    WF_EXPECT_INT((int64_t)count_parts(wf_test_log(), "delay_ms=100 "), 2); /* it begins anew */
    return rc;
}

WF_TEST(what_cannot_be_opened_is_tried_again_at_growing_intervals, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, heal_after_four, .min = 1, .name = "db");
}

static int be_down_for_an_hour(struct world *world)
{
    world->fail_opens = CONNECTIONS_MAX;
    int rc = wf_sleep(WF_MINUTES(60));
    WF_EXPECT(world->opens > 115 && world->opens < 135); /* each 30 s, after a few quick ones */
    return rc;
}

WF_TEST(the_intervals_do_not_grow_for_ever, .simulated = true, .timeout = WF_FOREVER, .unswept = "hundreds of steps")
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, be_down_for_an_hour, .min = 1);
}

/* ---- Warming up ---- */

static int warm(struct world *world)
{
    int64_t started = wf_now();
    world->open_takes = WF_SECONDS(1);
    int rc = wf_pool_warm(world->pool);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1)); /* all three at the same time */
    WF_EXPECT_INT(statistics_of(world).idle, 3);
    if (rc == 0) rc = WF_EXPECT_NO_SUSPENSION(wf_pool_warm(world->pool));
    return rc;
}

WF_TEST(warming_up_opens_the_minimum_at_once, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, warm, .min = 3);
}

static int warm_in_vain(struct world *world)
{
    world->open_takes = WF_SECONDS(1);
    world->fail_opens = 2;
    WF_EXPECT_FAILURE(wf_pool_warm(world->pool), -ECONNREFUSED, "nobody listens");
    int64_t started = wf_now();
    int rc = wf_pool_warm(world->pool); /* does not wait for the next attempt of the keeper */
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1));
    WF_EXPECT_INT(statistics_of(world).idle, 2);
    WF_EXPECT_INT((int64_t)count_parts(wf_test_log(), "msg=\"resource not opened\""), 1); /* both are one failure */
    return rc;
}

WF_TEST(warming_up_tells_the_first_failure, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, warm_in_vain, .min = 2);
}

static int wait_for_warmth(struct world *world)
{
    WF_EXPECT_FAILURE(wf_pool_warm(world->pool), -ESHUTDOWN, "db: the pool is closed");
    return 0;
}

static int close_before_it_is_warm(struct world *world)
{
    world->open_takes = WF_FOREVER;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_warmth, world);
    wf_spawn(&scope, wait_for_warmth, world);
    int rc = wf_sleep(WF_SECONDS(1));
    WF_EXPECT_INT(statistics_of(world).opening, 2);
    int64_t started = wf_now();
    if (rc == 0) rc = wf_pool_drain(world->pool);
    WF_EXPECT_INT(wf_now() - started, 0);
    WF_EXPECT_INT(statistics_of(world).opening, 0);
    WF_EXPECT_INT((int64_t)statistics_of(world).open_failures, 0); /* a cancel is none */
    return wf_scope_end(&scope, rc);
}

WF_TEST(closing_stops_the_keeper_and_those_who_wait_for_warmth, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, close_before_it_is_warm, .min = 2, .name = "db");
}

static int warm_with_deadline(struct world *world)
{
    world->open_takes = WF_SECONDS(3);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_pool_warm(world->pool)), -ETIME);
    int rc = wf_sleep(WF_SECONDS(2));
    if (rc == 0) rc = wf_test_wait_idle();
    WF_EXPECT_INT(statistics_of(world).idle, 2); /* the keeper went on */
    return rc;
}

WF_TEST(who_waits_for_warmth_may_stop_waiting, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, warm_with_deadline, .min = 2);
}

static int hang(struct world *world)
{
    world->open_takes = WF_FOREVER;
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_pool_warm(world->pool), -ETIME);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(5));
    return 0;
}

WF_TEST(an_open_of_the_keepers_that_does_not_end_is_cut, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, hang, .min = 1);
}

/* ---- Ages ---- */

static int open_four(struct world *world)
{
    WF_BORROW(first, world->pool);
    WF_BORROW(second, world->pool);
    WF_BORROW(third, world->pool);
    WF_BORROW(fourth, world->pool);
    return fourth.code;
}

static int lie_idle(struct world *world)
{
    int rc = open_four(world);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(59));
    WF_EXPECT_INT(statistics_of(world).idle, 4);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(2));
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_IDLE], 3);
    if (rc == 0) rc = wf_sleep(WF_MINUTES(10));
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    return rc;
}

WF_TEST(what_is_idle_for_too_long_is_closed_down_to_the_minimum, .simulated = true, .sweep = true,
        .timeout = WF_MINUTES(60))
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, lie_idle, .min = 1, .idle = WF_SECONDS(60));
}

static int use_now_and_then(struct world *world)
{
    int rc = 0;
    for (int i = 0; i < 20 && rc == 0; i++) {
        {
            WF_BORROW(lease, world->pool);
            rc = lease.code;
        }
        if (rc == 0) rc = wf_sleep(WF_SECONDS(40));
    }
    WF_EXPECT_INT(world->made, 1);
    return rc;
}

WF_TEST(what_is_used_in_time_is_not_idle, .simulated = true, .sweep = true, .timeout = WF_MINUTES(60))
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, use_now_and_then, .idle = WF_SECONDS(60));
}

static int grow_old(struct world *world)
{
    int rc = wf_pool_warm(world->pool);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(899));
    WF_EXPECT_INT(world->closed, 0);
    int moments = 0;
    for (int before = 0, i = 0; i < 102 && rc == 0; i++) {
        rc = wf_sleep(WF_SECONDS(1));
        moments += world->closed > before;
        before = world->closed;
    }
    WF_EXPECT_INT(world->closed, 20);
    WF_EXPECT(moments > 10); /* not all at once */
    WF_EXPECT_INT(statistics_of(world).idle, 20);
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_OLD], 20);
    return rc;
}

WF_TEST(what_is_old_is_replaced_but_not_everything_at_once, .simulated = true, .timeout = WF_MINUTES(60),
        .unswept = "hundreds of steps; the next one is swept")
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, grow_old, .min = 20, .max = 20, .lifetime = WF_SECONDS(1000));
}

static int grow_old_while_lent(struct world *world)
{
    WF_BORROW(lease, world->pool);
    int rc = lease.code < 0 ? lease.code : wf_sleep(WF_SECONDS(11));
    WF_EXPECT_INT(world->closed, 0);
    wf_ignore(wf_pool_release(&lease));
    WF_EXPECT_INT(world->closed, 1);
    return rc;
}

WF_TEST(what_is_lent_is_closed_for_its_age_when_it_comes_back, .simulated = true, .sweep = true,
        .timeout = WF_MINUTES(1))
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, grow_old_while_lent, .lifetime = WF_SECONDS(10));
}

/* ---- The end of the scope ---- */

static int borrow_late(struct world *world)
{
    WF_BORROW(lease, world->pool);
    WF_EXPECT_CODE(lease.code, -ESHUTDOWN);
    return lease.code == -ECANCELED ? lease.code : 0;
}

static int end_with_one_lent(struct world *world, struct wf_lease *lease)
{
    WF_SCOPE(scope);
    int rc = wf_pool_create(&world->pool, &scope, CONNECTIONS(world), .max = 1, .min = 1, .name = "db");
    if (rc == 0) rc = wf_pool_acquire(world->pool, lease);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_pool_closes_with_its_scope_and_takes_back_what_comes_late, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    {
        WF_LEASE(lease);
        if (WF_EXPECT_CODE(end_with_one_lent(&world, &lease), 0)) {
            WF_EXPECT_INT(world.closed, 0);
            WF_EXPECT_CODE(borrow_late(&world), 0);
            WF_EXPECT_FAILURE(wf_pool_warm(world.pool), -ESHUTDOWN, "db: the pool is closed");
            WF_EXPECT_CODE(wf_pool_release(&lease), 0);
            WF_EXPECT_INT(world.closed, 1);
            WF_EXPECT_INT((int64_t)statistics_of(&world).closed[WF_POOL_SHUTDOWN], 1);
        }
    }
    end_world(&world);
}

WF_TEST(what_comes_back_after_the_pool_was_destroyed_is_closed, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    wf_test_allow_reports();
    WF_LEASE(lease);
    WF_EXPECT_CODE(end_with_one_lent(&world, &lease), 0);
    wf_pool_destroy(world.pool);
    WF_EXPECT_INT(world.closed, 0);
    WF_EXPECT_CODE(wf_pool_release(&lease), 0);
    world.pool = NULL;
    end_world(&world);
}

static int cancel_the_keeping_scope(struct world *world, struct wf_scope *outer, struct wf_lease *lease)
{
    WF_SCOPE(inner);
    int rc = wf_pool_create(&world->pool, &inner, CONNECTIONS(world), .max = 1, .name = "db");
    if (rc == 0) rc = wf_pool_acquire(world->pool, lease);
    if (rc == 0) rc = wf_spawn(outer, borrow_late, world);
    if (rc == 0) rc = wf_yield();
    if (rc == 0) WF_EXPECT_INT(statistics_of(world).waiting, 1);
    wf_scope_cancel(&inner, "enough");
    return wf_scope_end(&inner, rc < 0 ? rc : wf_yield());
}

WF_TEST(a_cancelled_scope_refuses_those_who_wait_elsewhere, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    {
        WF_LEASE(lease);
        WF_SCOPE(outer);
        int rc = cancel_the_keeping_scope(&world, &outer, &lease);
        WF_EXPECT_CODE(wf_scope_end(&outer, rc), 0);
    }
    end_world(&world);
}

static int be_cut_off(struct world *world)
{
    WF_LEASE(lease);
    world->open_takes = WF_SECONDS(1);
    if (world->pool == NULL) return 0; /* the sleep of the one who destroys it was cut short */
    WF_EXPECT_FAILURE(wf_pool_acquire(world->pool, &lease), -ESHUTDOWN, "pool: the pool is closed");
    WF_EXPECT(lease.resource == NULL);
    return 0;
}

WF_TEST(what_was_being_opened_when_the_pool_closed_is_closed, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    {
        WF_SCOPE(scope);
        if (WF_EXPECT_CODE(wf_pool_create(&world.pool, &scope, CONNECTIONS(&world)), 0)) {
            wf_spawn(&scope, be_cut_off, &world);
            wf_sleep(WF_MILLISECONDS(500));
            wf_pool_destroy(world.pool);
            world.pool = NULL;
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    end_world(&world);
    WF_EXPECT_INT(world.closed, 1);
}

/* ---- Draining ---- */

static int borrow_for_a_second(struct world *world)
{
    WF_BORROW(lease, world->pool);
    return lease.code < 0 ? lease.code : use(&lease, WF_SECONDS(1));
}

static int drain_in_time(struct world *world)
{
    int rc = wf_pool_warm(world->pool);
    WF_SCOPE(scope);
    wf_spawn(&scope, borrow_for_a_second, world);
    wf_spawn(&scope, borrow_for_a_second, world);
    if (rc == 0) rc = wf_yield();
    int64_t started = wf_now();
    if (rc == 0) rc = wf_within(WF_SECONDS(5), wf_pool_drain(world->pool));
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1));
    WF_EXPECT_INT(world->closed, 3);
    if (rc == 0) rc = borrow_late(world);
    if (rc == 0) rc = wf_pool_drain(world->pool); /* again: nothing to do */
    return wf_scope_end(&scope, rc);
}

WF_TEST(draining_waits_until_everything_is_given_back, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, drain_in_time, .min = 3);
}

static int drain_before_it_opens(struct world *world)
{
    WF_LEASE(lease);
    int rc = wf_pool_acquire(world->pool, &lease);
    WF_SCOPE(scope);
    wf_spawn(&scope, borrow_late, world);
    if (rc == 0) rc = wf_yield();
    wf_ignore(wf_pool_discard(&lease)); /* the other one may open one now, but has not run yet */
    if (rc == 0) rc = wf_pool_drain(world->pool);
    WF_EXPECT_INT(world->opens, 1);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_right_to_open_is_void_once_the_pool_is_closed, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, drain_before_it_opens, .max = 1);
}

static int drain_in_vain(struct world *world)
{
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, borrow_for_a_second, world, .name = "slow one");
        wf_spawn(&scope, borrow_for_a_second, world);
        int rc = wf_sleep(WF_MILLISECONDS(250));
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(250), wf_pool_drain(world->pool)), -ETIME);
        rc = wf_scope_end(&scope, rc);
        if (rc < 0) return rc;
    }
    WF_EXPECT_PART(wf_test_reports(), " gave up draining the pool 'db' (made at ");
    WF_EXPECT_PART(wf_test_reports(), ") while 2 of its resources were lent:\n  task 'slow one' #");
    WF_EXPECT_PART(wf_test_reports(), " has had one for 0.5 s, borrowed at ");
    WF_EXPECT_PART(wf_test_reports(), "pool_keep_test.c:");
    WF_EXPECT_INT(statistics_of(world).lent, 0);
    WF_EXPECT_INT(world->closed, 2);
    return 0;
}

WF_TEST(a_drain_that_is_cut_reports_who_has_not_given_back, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    wf_test_allow_reports();
    IN_POOL(&world, drain_in_vain, .name = "db");
}

static int drain_while_one_opens(struct world *world)
{
    world->open_takes = WF_SECONDS(1);
    WF_SCOPE(scope);
    wf_spawn(&scope, borrow_late, world);
    int rc = wf_sleep(WF_MILLISECONDS(500));
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(250), wf_pool_drain(world->pool)), -ETIME);
    WF_EXPECT_PART(wf_test_reports(), "were lent, and 1 were being opened, checked or reset");
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_drain_waits_for_borrowers_that_are_opening_and_reports_them, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    wf_test_allow_reports();
    IN_POOL(&world, drain_while_one_opens, .max = 2);
}

static int drain_oneself(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    WF_EXPECT_FAILURE(wf_pool_drain(world->pool), -EDEADLK, "pool: who drains the pool holds a lease");
    wf_ignore(wf_pool_release(&lease));
    return borrow_for_a_second(world); /* it is not closed */
}

WF_TEST(who_holds_a_lease_cannot_wait_for_it, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, drain_oneself, .max = 1);
}

/* ---- Destroying ---- */

WF_TEST(a_pool_is_destroyed_before_its_keeper_ran, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_pool_create(&world.pool, &scope, CONNECTIONS(&world), .min = 2), 0);
    end_world(&world);
    wf_pool_destroy(NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(world.opens, 0);
}

static int hold_many(struct world *world)
{
    struct wf_lease leases[12] = {0};
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(leases) && rc == 0; i++) rc = wf_pool_acquire(world->pool, &leases[i]);
    wf_pool_destroy(world->pool);
    WF_EXPECT_PART(wf_test_reports(), "destroyed the pool 'db' (made at ");
    WF_EXPECT_INT((int64_t)count_parts(wf_test_reports(), " has had one for "), 10);
    WF_EXPECT_PART(wf_test_reports(), "... and 2 more");
    for (size_t i = 0; i < WF_COUNT(leases); i++) wf_ignore(wf_pool_release(&leases[i]));
    world->pool = NULL; /* gone with the last of them */
    WF_EXPECT_INT(world->closed, 12);
    return rc;
}

WF_TEST(a_pool_outlives_its_end_until_everything_is_given_back, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    wf_test_allow_reports();
    IN_POOL(&world, hold_many, .max = 12, .name = "db");
}

/* ---- Bad input ---- */

static const struct wf_pool_options bad_options[] = {
    {.open = NULL, .close = close_connection},
    {.open = open_connection, .close = NULL},
    {.open = open_connection, .close = close_connection, .min = -1},
    {.open = open_connection, .close = close_connection, .max = -1},
    {.open = open_connection, .close = close_connection, .max = 65537},
    {.open = open_connection, .close = close_connection, .min = 3, .max = 2},
    {.open = open_connection, .close = close_connection, .min = 11},
    {.open = open_connection, .close = close_connection, .waiting_max = -1},
    {.open = open_connection, .close = close_connection, .idle = -1},
    {.open = open_connection, .close = close_connection, .lifetime = -1},
    {.open = open_connection, .close = close_connection, .care = -1},
    {.open = open_connection, .close = close_connection, .check_after = -2},
    {.open = open_connection, .close = close_connection, .order = (enum wf_pool_order)2},
};

WF_TEST_EACH(options_without_sense_are_refused, bad_options, .simulated = true, .sweep = true)
{
    struct wf_pool *pool = (struct wf_pool *)8;
    WF_SCOPE(scope);
    struct wf_pool_options options = *row;
    options.size = sizeof options;
    options.scope_ = &scope;
    options.name = "db";
    WF_EXPECT_FAILURE(wf_pool_create_(&pool, &options), -EINVAL, "db: ");
    WF_EXPECT(pool == NULL);
    options.size--;
    WF_EXPECT_FAILURE(wf_pool_create_(&pool, &options), -EINVAL, "pool: these options are of another version");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int last_for_ever(struct world *world)
{
    int rc = wf_pool_warm(world->pool);
    if (rc == 0) rc = open_four(world);
    if (rc == 0) rc = wf_sleep(WF_MINUTES(60) * 24 * 365);
    WF_EXPECT_INT(statistics_of(world).idle, 4);
    return rc;
}

WF_TEST(the_largest_numbers_are_no_bounds, .simulated = true, .sweep = true, .timeout = WF_FOREVER)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, last_for_ever, .min = 1, .max = 65536, .waiting_max = INT32_MAX, .idle = WF_FOREVER,
            .lifetime = WF_FOREVER, .check_after = WF_FOREVER, .care = WF_FOREVER, .check = check_connection);
}

WF_TEST(a_cancelled_scope_keeps_no_pool, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "over");
    WF_EXPECT_CODE(wf_pool_create(&world.pool, &scope, CONNECTIONS(&world)), -ECANCELED);
    WF_EXPECT(world.pool == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
