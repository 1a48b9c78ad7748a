/* Borrowing from a pool: how many there are, who gets which, what is replaced, what a cancel leaves behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connections.h"

static struct world new_world; /* all zero: a world is too large for a literal on a task's stack */

/* ---- Lending ---- */

static int borrow_and_return(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    world->order[world->ordered++ % 16] = ((struct connection *)lease.resource)->id;
    return use(&lease, 0);
}

static int borrow_twice(struct world *world)
{
    int rc = borrow_and_return(world);
    WF_EXPECT_INT(statistics_of(world).idle, rc == 0);
    if (rc == 0) rc = WF_EXPECT_NO_SUSPENSION(borrow_and_return(world));
    WF_EXPECT_INT(world->made, 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).borrowed, 2);
    return rc;
}

WF_TEST(what_is_idle_is_lent_again_without_suspending, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, borrow_twice, .max = 3);
    WF_EXPECT_INT(world.closed, 1);
}

/* Of this test's pools alone: the name is nobody else's. */
static int gauge_of(const char *state)
{
    char *text, wanted[128];
    if (wf_metrics_text(wf_task_arena(), &text) < 0) return -1;
    snprintf(wanted, sizeof wanted, "weft_pool_resources{name=\"gauged\",state=\"%s\"} ", state);
    const char *line = strstr(text, wanted);
    return line != NULL ? atoi(line + strlen(wanted)) : -1;
}

static int look_at_gauges(struct world *world)
{
    WF_LEASE(first);
    WF_LEASE(second);
    int rc = wf_pool_acquire(world->pool, &first);
    if (rc == 0) rc = wf_pool_acquire(world->pool, &second);
    if (rc < 0) return rc;
    WF_EXPECT_INT(gauge_of("lent"), 2);
    wf_ignore(wf_pool_release(&first));
    WF_EXPECT_INT(gauge_of("lent"), 1);
    WF_EXPECT_INT(gauge_of("idle"), 1);
    return wf_pool_release(&second);
}

WF_TEST(what_is_lent_and_what_is_idle_are_metrics, .simulated = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, look_at_gauges, .name = "gauged");
    WF_EXPECT_INT(gauge_of("lent"), 0);
    WF_EXPECT_INT(gauge_of("idle"), 0);
}

/* Three come back in the order 1, 2, 3. */
static int fill_and_borrow(struct world *world)
{
    int rc = 0;
    {
        WF_LEASE(first);
        WF_LEASE(second);
        WF_LEASE(third);
        if (rc == 0) rc = wf_pool_acquire(world->pool, &first);
        if (rc == 0) rc = wf_pool_acquire(world->pool, &second);
        if (rc == 0) rc = wf_pool_acquire(world->pool, &third);
        if (rc < 0) return rc;
        wf_ignore(wf_pool_release(&first));
        wf_ignore(wf_pool_release(&second));
        wf_ignore(wf_pool_release(&third));
    }
    for (int i = 0; i < 3 && rc == 0; i++) rc = borrow_and_return(world);
    return rc;
}

static const struct order_case {
    enum wf_pool_order order;
    int wanted[3];
} orders[] = {{WF_POOL_LIFO, {3, 3, 3}}, {WF_POOL_FIFO, {1, 2, 3}}};

WF_TEST_EACH(the_order_of_lending_is_chosen, orders, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, fill_and_borrow, .order = row->order);
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(world.order[i], row->wanted[i]);
}

/* ---- Never more than the maximum ---- */

struct visit {
    struct world *world;
    int64_t stays;
    int number, code;
};

static int visit(struct visit *visit)
{
    struct world *world = visit->world;
    WF_BORROW(lease, world->pool);
    visit->code = lease.code;
    if (lease.code < 0) return lease.code == -ECANCELED ? lease.code : 0;
    struct connection *connection = begin_use(&lease);
    int rc = wf_sleep(visit->stays);
    end_use(connection);
    connection->dirty = true;
    if (visit->number % 5 == 0) connection->sick = true;
    if (visit->number % 7 == 0) wf_ignore(wf_pool_discard(&lease));
    return rc;
}

enum { CROWD = 200 };

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* S087 */
static uint32_t seed;

static int come_in_crowds(struct world *world, int count, bool cancel)
{
    static struct visit visits[CROWD];
    static struct wf_handle handles[CROWD];
    uint32_t random = seed;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < count; i++) {
        visits[i] = (struct visit){.world = world, .number = i, .stays = next_random(&random) % WF_MILLISECONDS(20)};
        handles[i] = (struct wf_handle){0};
        wf_spawn(&scope, visit, &visits[i], .handle = &handles[i]);
    }
    int rc = 0;
    for (int i = 0; cancel && i < count && rc == 0; i++) {
        rc = wf_sleep(WF_MILLISECONDS(3));
        wf_handle_cancel(&handles[next_random(&random) % (uint32_t)count], "not needed");
    }
    return wf_scope_end(&scope, rc);
}

static int come_as_a_crowd(struct world *world)
{
    return come_in_crowds(world, CROWD, true);
}

static int come_as_a_dozen(struct world *world)
{
    return come_in_crowds(world, 12, false);
}

static void expect_sound(struct world *world, int max)
{
    WF_INVARIANT(world->exist_peak <= max);
    WF_EXPECT_INT(world->exist_peak, max);
}

static const uint32_t seeds[] = {7, 71, 717, 7171, 17, 171, 1717, 17171};

WF_TEST_EACH(never_more_exist_than_may_whoever_fails_or_is_cancelled, seeds, .simulated = true, .rule = "4.7",
             .timeout = WF_MINUTES(10), .unswept = "it fails and cancels by itself")
{
    static struct world world;
    world = new_world;
    seed = *row;
    world.open_takes = WF_MILLISECONDS(5);
    world.check_takes = world.reset_takes = WF_MILLISECONDS(2);
    world.fail_every = 4;
    IN_POOL(&world, come_as_a_crowd, .max = 5, .min = 2, .check = check_connection, .reset = reset_connection,
            .check_after = WF_POOL_ALWAYS, .idle = WF_MILLISECONDS(50), .lifetime = WF_MILLISECONDS(200));
    expect_sound(&world, 5);
}

WF_TEST(a_few_borrowers_are_safe_wherever_it_fails, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    world.open_takes = world.check_takes = world.reset_takes = WF_MILLISECONDS(2);
    world.fail_every = 5;
    IN_POOL(&world, come_as_a_dozen, .max = 3, .min = 1, .check = check_connection, .reset = reset_connection,
            .check_after = WF_POOL_ALWAYS);
    expect_sound(&world, 3);
}

/* ---- Waiting ---- */

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

static int wait_in_line(struct world *world)
{
    struct turn turns[6];
    WF_SCOPE(scope);
    for (int i = 0; i < 5; i++) {
        turns[i] = (struct turn){world, i, WF_MILLISECONDS(10)};
        wf_spawn(&scope, take_turn, &turns[i]);
    }
    int rc = wf_sleep(WF_MILLISECONDS(15));
    WF_EXPECT_INT(statistics_of(world).waiting, 3);
    turns[5] = (struct turn){world, 5, 0};
    if (rc == 0) rc = take_turn(&turns[5]); /* a newcomer */
    return wf_scope_end(&scope, rc);
}

WF_TEST(borrowers_are_served_in_the_order_of_coming, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, wait_in_line, .max = 1);
    for (int i = 0; i < 6; i++) WF_EXPECT_INT(world.order[i], i);
    WF_EXPECT_INT(world.made, 1);
}

static int count_waits(struct world *world)
{
    int rc = wait_in_line(world);
    struct wf_pool_statistics statistics = statistics_of(world);
    WF_EXPECT_INT((int64_t)statistics.borrowed, 6);
    WF_EXPECT_INT((int64_t)statistics.waited, 5);
    WF_EXPECT_INT(statistics.waiting_peak, 4);
    WF_EXPECT_INT(statistics.open_peak, 1);
    WF_EXPECT_INT(statistics.lent_peak, 1);
    WF_EXPECT_INT(statistics.wait_longest_ns, WF_MILLISECONDS(40));
    WF_EXPECT_INT(statistics.wait_total_ns, WF_MILLISECONDS(10 + 20 + 30 + 40 + 35));
    return rc;
}

WF_TEST(waits_are_counted, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, count_waits, .max = 1);
}

static int wait_beyond_the_bound(struct world *world)
{
    struct turn turn = {world, 1, 0};
    WF_SCOPE(scope);
    WF_BORROW(lease, world->pool);
    wf_spawn(&scope, take_turn, &turn);
    int rc = lease.code < 0 ? lease.code : wf_yield();
    WF_LEASE(second);
    WF_EXPECT_FAILURE(wf_pool_acquire(world->pool, &second), WF_EFULL, "pool: all 1 are in use, and 1 borrowers");
    WF_EXPECT_CODE(second.code, WF_EFULL);
    WF_EXPECT(second.resource == NULL);
    WF_EXPECT_INT((int64_t)statistics_of(world).refused, 1);
    wf_ignore(wf_pool_release(&lease));
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_borrower_too_many_is_refused, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, wait_beyond_the_bound, .max = 1, .waiting_max = 1);
    WF_EXPECT_INT(world.order[0], 1);
}

static int wait_with_deadline(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    WF_LEASE(second);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_pool_acquire(world->pool, &second)), -ETIME);
    WF_EXPECT(second.resource == NULL);
    WF_EXPECT_INT((int64_t)statistics_of(world).cancelled, 1);
    WF_INVARIANT(statistics_of(world).waiting == 0);
    wf_ignore(wf_pool_release(&lease));
    WF_EXPECT_INT(statistics_of(world).idle, 1); /* nobody was handed it */
    return wf_pool_acquire(world->pool, &second);
}

WF_TEST(the_callers_deadline_bounds_the_wait, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, wait_with_deadline, .max = 1);
}

/* ---- Opening fails ---- */

static int fail_then_succeed(struct visit *visit)
{
    WF_BORROW(lease, visit->world->pool);
    visit->code = lease.code;
    if (lease.code < 0) {
        WF_EXPECT_TEXT(wf_failure(), "nobody listens");
        return lease.code == -ECANCELED ? lease.code : 0;
    }
    return use(&lease, WF_MILLISECONDS(1));
}

static int fail_three_of_five(struct world *world)
{
    struct visit visits[5];
    world->fail_opens = 3;
    world->open_takes = WF_MILLISECONDS(10);
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 5; i++) {
            visits[i] = (struct visit){.world = world};
            wf_spawn(&scope, fail_then_succeed, &visits[i]);
        }
        int rc = wf_scope_join(&scope);
        if (rc < 0) return rc;
    }
    for (int i = 0; i < 5; i++) WF_EXPECT_CODE(visits[i].code, i < 3 ? -ECONNREFUSED : 0);
    WF_EXPECT_INT((int64_t)statistics_of(world).open_failures, 3);
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    return 0;
}

WF_TEST(an_open_that_fails_fails_one_borrower_and_the_next_may_try, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, fail_three_of_five, .max = 1);
    WF_EXPECT_INT(world.opens, 4);
}

static int cancel_while_opening(struct world *world)
{
    struct turn turns[2] = {{world, 0, 0}, {world, 1, 0}};
    struct wf_handle handle = {0};
    world->open_takes = WF_SECONDS(1);
    WF_SCOPE(scope);
    wf_spawn(&scope, take_turn, &turns[0], .handle = &handle);
    wf_spawn(&scope, take_turn, &turns[1]);
    int rc = wf_sleep(WF_MILLISECONDS(500));
    wf_handle_cancel(&handle, "gone");
    rc = wf_scope_end(&scope, rc);
    WF_EXPECT_INT(world->ordered, 1);
    WF_EXPECT_INT(world->order[0], 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).open_failures, 0);
    return rc;
}

WF_TEST(a_cancelled_open_hands_its_place_to_the_next, .simulated = true, .rule = "4.7", .sweep = true)
{
    static struct world world;
    world = new_world;
    int64_t started = wf_now();
    IN_POOL(&world, cancel_while_opening, .max = 1);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(1500));
}

/* ---- Leases ---- */

static int return_twice(struct world *world)
{
    WF_LEASE(lease);
    WF_EXPECT_CODE(wf_pool_release(&lease), -EPERM);
    int rc = wf_pool_acquire(world->pool, &lease);
    if (rc < 0) return rc;
    WF_EXPECT_CODE(wf_pool_acquire(world->pool, &lease), -EALREADY);
    WF_EXPECT(lease.resource != NULL);
    WF_EXPECT_CODE(wf_pool_release(&lease), 0);
    WF_EXPECT_CODE(wf_pool_release(&lease), -EPERM);
    WF_EXPECT_CODE(wf_pool_discard(&lease), -EPERM);
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    return 0;
}

WF_TEST(giving_back_twice_does_no_harm, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, return_twice, .max = 1);
}

static int return_for_another(struct wf_lease *lease)
{
    return wf_pool_release(lease);
}

static int let_another_return(struct world *world)
{
    WF_BORROW(lease, world->pool);
    if (lease.code < 0) return lease.code;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, return_for_another, &lease);
        int rc = wf_scope_join(&scope);
        if (rc < 0) return rc;
    }
    WF_EXPECT_INT(statistics_of(world).idle, 1);
    return 0;
}

WF_TEST(another_task_may_give_back, .simulated = true, .sweep = true)
{
    static struct world world;
    world = new_world;
    IN_POOL(&world, let_another_return, .max = 1);
}

static struct wf_lease forgotten;

static int forget(struct world *world)
{
    return wf_pool_acquire(world->pool, &forgotten);
}

static int wait_for_the_forgetful(struct world *world)
{
    struct turn turn = {world, 1, 0};
    forgotten = (struct wf_lease){0};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, forget, world);
        wf_spawn(&scope, take_turn, &turn);
        int rc = wf_scope_join(&scope);
        if (rc < 0) return rc;
    }
    WF_EXPECT_PART(wf_test_reports(), "task 'forget' (spawned at");
    WF_EXPECT_PART(wf_test_reports(), "ended while it held a resource of the pool 'db', borrowed at");
    WF_EXPECT_INT(world->order[0], 1);
    WF_EXPECT_INT(world->closed, 1);
    WF_EXPECT_INT((int64_t)statistics_of(world).closed[WF_POOL_ABANDONED], 1);
    WF_BORROW(lease, world->pool);
    WF_EXPECT_CODE(wf_pool_release(&forgotten), -EPERM); /* it was taken away, and another one has that place now */
    WF_EXPECT_INT(statistics_of(world).lent, 1);
    return lease.code;
}

WF_TEST(a_task_that_ends_with_a_lease_is_reported_and_what_it_held_is_replaced, .simulated = true, .rule = "4.7",
        .sweep = true)
{
    static struct world world;
    world = new_world;
    wf_test_allow_reports();
    IN_POOL(&world, wait_for_the_forgetful, .max = 1, .name = "db");
    WF_EXPECT_INT(world.made, 2);
}

WF_TEST_MAIN
