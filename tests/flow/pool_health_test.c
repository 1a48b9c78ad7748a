/* What a pool lends is healthy and clean: checks, discards, resets, and who gets another one when they fail. */
#include "connections.h"

static struct world new_world; /* all zero: a world is too large for a literal on a task's stack */

/* ---- Borrowers ---- */

static int borrow_and_return(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    world->order[world->ordered++ % 16] = ((struct connection *)lease.resource)->id;
    return use(&lease, 0);
}

struct turn {
    struct world *world;
    int number;
    int64_t stays;
};

static int take_turn(struct turn *turn)
{
    WF_BORROW(lease, turn->world->pool);
    if (lease.code < 0) return lease.code;
    turn->world->order[turn->world->ordered++ % 16] = turn->number;
    return use(&lease, turn->stays);
}

/* ---- Health ---- */

static int fall_sick(struct world *world)
{
    int rc = borrow_and_return(world);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(900));
    if (rc == 0) rc = borrow_and_return(world);
    WF_EXPECT_INT(world->checks, 0); /* it was used a moment ago */
    world->connections[0].sick = true;
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(1100));
    if (rc == 0) rc = borrow_and_return(world);
    WF_EXPECT_INT(world->checks, 1);
    WF_EXPECT_INT(world->order[2], 2);
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_UNHEALTHY], 1);
    WF_EXPECT_PART(wf_test_log(), "level=warn module=pool msg=\"resource replaced\" name=db reason=unhealthy "
                                  "error=\"Broken pipe\"");
    char *metrics = NULL;
    if (wf_metrics_text(wf_task_arena(), &metrics) < 0) return -ENOMEM;
    WF_EXPECT_PART(metrics, "weft_pool_closed_total{name=\"db\",reason=\"unhealthy\"} ");
    return rc;
}

WF_TEST(what_is_not_healthy_is_replaced_for_its_borrower, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, fall_sick, .check = check_connection, .name = "db");
    WF_EXPECT_INT(world.made, 2);
}

static int check_always(struct world *world)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) rc = borrow_and_return(world);
    WF_EXPECT_INT(world->checks, 2); /* not what was just opened */
    return rc;
}

WF_TEST(a_check_may_be_asked_for_each_time, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, check_always, .check = check_connection, .check_after = WF_POOL_ALWAYS);
    WF_EXPECT_INT(world.made, 1);
}

static int check_without_answer(struct world *world)
{
    int rc = borrow_and_return(world);
    world->check_takes = WF_FOREVER;
    int64_t started = wf_now();
    if (rc == 0) rc = borrow_and_return(world);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(2));
    WF_EXPECT_INT(world->made, 2);
    return rc;
}

WF_TEST(a_check_that_does_not_answer_is_cut, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, check_without_answer, .check = check_connection, .check_after = WF_POOL_ALWAYS,
            .care = WF_SECONDS(2));
}

static int cancel_checks(struct world *world)
{
    int rc = borrow_and_return(world);
    world->check_takes = WF_SECONDS(3);
    WF_LEASE(lease);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_pool_acquire(world->pool, &lease)), -ETIME);
    WF_EXPECT_INT(statistics_of(world).opening + statistics_of(world).caring, 0);
    WF_EXPECT_INT(world->opens, 1); /* none was opened for who had gone */
    world->check_takes = 0;
    return rc == 0 ? wf_pool_acquire(world->pool, &lease) : rc;
}

WF_TEST(a_cancelled_check_closes_what_it_looked_at, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, cancel_checks, .max = 1, .check = check_connection, .check_after = WF_POOL_ALWAYS);
    WF_EXPECT_INT(world.made, 2);
}

static int discard_before_a_waiter(struct world *world)
{
    struct turn turn = {world, 1, 0};
    WF_SCOPE(scope);
    WF_BORROW(lease, world->pool);
    wf_spawn(&scope, take_turn, &turn);
    int rc = lease.code < 0 ? lease.code : wf_yield();
    if (rc == 0) WF_EXPECT_CODE(wf_pool_discard(&lease), 0);
    WF_EXPECT(lease.resource == NULL);
    WF_EXPECT_INT(world->closed, 1);
    rc = wf_scope_end(&scope, rc);
    WF_EXPECT_INT(world->ordered, 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_DISCARDED], 1);
    return rc;
}

/* S087: in the original nobody woke it. */
WF_TEST(a_waiter_replaces_what_was_discarded, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, discard_before_a_waiter, .max = 1);
    WF_EXPECT_INT(world.made, 2);
}

/* ---- Reset ---- */

static int soil(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    struct connection *connection = begin_use(&lease);
    end_use(connection);
    connection->dirty = true;
    return 0;
}

static int soil_one_after_another(struct world *world)
{
    int rc = wf_test_wait_idle(); /* the keeper has nothing to do and sleeps */
    for (int i = 0; i < 4 && rc == 0; i++) rc = soil(world);
    WF_EXPECT_INT(world->resets, 3);
    WF_EXPECT_INT(world->made, 1);
    WF_EXPECT_INT(statistics_of(world).caring, 1); /* waits to be reset */
    if (rc == 0) rc = wf_test_wait_idle();
    WF_EXPECT_INT(world->resets, 4);
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    if (rc == 0) rc = WF_EXPECT_NO_SUSPENSION(soil(world));
    WF_EXPECT_INT(world->resets, 4);
    return rc;
}

WF_TEST(the_next_borrower_resets_or_the_keeper_does, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, soil_one_after_another, .reset = reset_connection);
}

static int soil_for_a_waiter(struct world *world)
{
    struct turn turn = {world, 1, 0};
    world->reset_takes = WF_MILLISECONDS(20);
    WF_SCOPE(scope);
    WF_BORROW(lease, world->pool);
    wf_spawn(&scope, take_turn, &turn);
    int rc = lease.code < 0 ? lease.code : wf_sleep(WF_MILLISECONDS(10));
    if (lease.resource != NULL) ((struct connection *)lease.resource)->dirty = true;
    wf_ignore(wf_pool_release(&lease));
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_waiter_resets_what_it_is_handed, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    int64_t started = wf_now();
    IN_POOL(&world, soil_for_a_waiter, .max = 1, .reset = reset_connection);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(30));
    WF_EXPECT_INT(world.made, 1);
}

WF_TEST(what_cannot_be_reset_is_replaced_for_the_waiter, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    world.reset_fails = true;
    IN_POOL(&world, soil_for_a_waiter, .max = 1, .reset = reset_connection);
    WF_EXPECT_INT(world.ordered, 1);
    WF_EXPECT_INT(world.made, 2);
    WF_EXPECT_PART(wf_test_log(), "reason=unreset");
}

static int soil_and_wait(struct world *world)
{
    int rc = soil(world);
    world->reset_takes = WF_FOREVER;
    if (rc == 0) rc = wf_sleep(WF_SECONDS(6));
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_UNRESET], 1);
    WF_EXPECT_INT(statistics_of(world).caring, 0);
    return rc;
}

WF_TEST(a_reset_that_does_not_end_is_cut, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, soil_and_wait, .reset = reset_connection);
}

WF_TEST_MAIN
