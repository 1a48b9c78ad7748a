/* The bulkhead: how many are inside, how many wait, who is refused, what a cancel leaves behind. */
#include <weft/testing.h>
#include <weft/weft.h>

struct room {
    struct wf_bulkhead bulkhead;
    int64_t stay;
    int inside, peak, total, refused;
    int order[200];
};

struct guest {
    struct room *room;
    int number;
};

static int stay(struct guest *guest)
{
    struct room *room = guest->room;
    room->order[room->total++] = guest->number;
    if (++room->inside > room->peak) room->peak = room->inside;
    int rc = wf_sleep(room->stay);
    room->inside--;
    return rc;
}

static int visit(struct guest *guest)
{
    int rc = wf_guarded(&guest->room->bulkhead, stay(guest));
    guest->room->refused += rc == WF_EFULL;
    return rc == WF_EFULL ? 0 : rc;
}

static struct wf_bulkhead_statistics statistics_of(const struct room *room)
{
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&room->bulkhead, &statistics);
    return statistics;
}

static void expect_empty(const struct room *room)
{
    struct wf_bulkhead_statistics statistics = statistics_of(room);
    WF_INVARIANT(statistics.inside == 0);
    WF_INVARIANT(statistics.waiting == 0);
}

/* S047 */
WF_TEST(so_many_are_inside_so_many_wait_and_the_others_are_refused_at_once, .simulated = true, .sweep = true)
{
    struct room room = {.bulkhead = WF_BULKHEAD(5, 10), .stay = WF_MILLISECONDS(100)};
    struct guest guests[20];
    int64_t started = wf_now();
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 20; i++) {
            guests[i] = (struct guest){&room, i};
            wf_spawn(&scope, visit, &guests[i]);
        }
        wf_yield();
        WF_EXPECT_INT(room.refused, 5);
        WF_EXPECT_INT(statistics_of(&room).inside, 5);
        WF_EXPECT_INT(statistics_of(&room).waiting, 10);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(300));
    WF_EXPECT_INT(room.total, 15);
    for (int i = 0; i < room.total; i++) WF_INVARIANT(room.order[i] == i);
    WF_INVARIANT(room.peak <= 5);
    struct wf_bulkhead_statistics statistics = statistics_of(&room);
    WF_EXPECT_INT(statistics.inside_peak, 5);
    WF_EXPECT_INT(statistics.waiting_peak, 10);
    WF_EXPECT_INT((int64_t)statistics.entered, 15);
    WF_EXPECT_INT((int64_t)statistics.waited, 10);
    WF_EXPECT_INT((int64_t)statistics.refused, 5);
    expect_empty(&room);
}

WF_TEST(nobody_waits_where_nobody_may, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 0, .name = "printer");
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0));
    WF_EXPECT_NO_SUSPENSION(
        WF_EXPECT_FAILURE(wf_bulkhead_enter(&bulkhead), WF_EFULL, "printer: full, with 1 inside and 0 waiting"));
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
}

WF_TEST(a_try_does_not_pass_those_who_wait, .simulated = true, .sweep = true)
{
    struct room room = {.bulkhead = WF_BULKHEAD(1, 5), .stay = WF_SECONDS(1)};
    struct guest guest = {&room, 0};
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&room.bulkhead), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, visit, &guest);
    wf_yield();
    WF_EXPECT_CODE(wf_bulkhead_leave(&room.bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&room.bulkhead), WF_EFULL); /* the place is the waiter's already */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(room.total, 1);
}

WF_TEST(the_callers_deadline_bounds_the_wait, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_bulkhead_enter(&bulkhead)), -ETIME);
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&bulkhead, &statistics);
    WF_EXPECT_INT((int64_t)statistics.cancelled, 1);
    WF_INVARIANT(statistics.waiting == 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_try_enter(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
}

WF_TEST(no_place_is_lost_whoever_is_cancelled, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it cancels by itself")
{
    struct room room = {.bulkhead = WF_BULKHEAD(3, 200), .stay = WF_MILLISECONDS(100)};
    static struct wf_handle handles[200];
    static struct guest guests[200];
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 200; i++) {
            guests[i] = (struct guest){&room, i};
            wf_spawn(&scope, visit, &guests[i], .handle = &handles[i]);
        }
        for (int i = 0; i < 100; i++) {
            wf_sleep(WF_MILLISECONDS(29));
            wf_handle_cancel(&handles[i * 89 % 200], "not needed"); /* some are inside, some wait, some are gone */
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    expect_empty(&room);
    WF_EXPECT(room.peak == 3);
    WF_EXPECT(room.total > 100 && room.total < 200);
}

WF_TEST(a_place_left_without_being_entered_is_refused, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), -EPERM);
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), -EPERM);
}

/* ---- Shedding ---- */

struct shop {
    struct wf_bulkhead bulkhead;
    int64_t service; /* for each customer */
    int64_t longest; /* wait of one that was served, since the last reset */
    int served, shed, refused;
    int64_t longest_of_shed;
};

static int serve(struct shop *shop, int64_t came)
{
    int64_t waited = wf_now() - came;
    if (waited > shop->longest) shop->longest = waited;
    shop->served++;
    return wf_sleep(shop->service);
}

static int buy(struct shop *shop)
{
    int64_t came = wf_now();
    int rc = wf_guarded(&shop->bulkhead, serve(shop, came));
    if (rc != WF_EFULL) return rc;
    if (wf_now() > came) shop->shed++;
    else shop->refused++;
    return 0;
}

/* Customers come evenly for ten seconds; the longest wait of those who were served in the last one counts. */
static int open_shop(struct shop *shop, int64_t between)
{
    WF_SCOPE(scope);
    int64_t opened = wf_now();
    bool reset = false;
    int rc = 0;
    while (rc == 0 && wf_now() - opened < WF_SECONDS(10)) {
        if (!reset && wf_now() - opened >= WF_SECONDS(9)) {
            shop->longest = 0;
            reset = true;
        }
        wf_spawn(&scope, buy, shop);
        rc = wf_sleep(between);
    }
    return wf_scope_end(&scope, rc);
}

WF_TEST(under_lasting_overload_shedding_keeps_waits_short, .simulated = true, .timeout = WF_MINUTES(1),
        .unswept = "thousands of steps; the next ones are swept")
{
    struct shop plain = {.bulkhead = WF_BULKHEAD(1, 100), .service = WF_MILLISECONDS(10)};
    struct shop shedding = {.bulkhead = WF_BULKHEAD(1, 100, .shed_after = WF_MILLISECONDS(20)),
                            .service = WF_MILLISECONDS(10)};
    WF_EXPECT_CODE(open_shop(&plain, WF_MILLISECONDS(7)), 0);
    WF_EXPECT_CODE(open_shop(&shedding, WF_MILLISECONDS(7)), 0);
    WF_EXPECT(plain.longest > WF_MILLISECONDS(900));
    WF_EXPECT(shedding.longest < WF_MILLISECONDS(300));
    WF_EXPECT(shedding.shed > 100);
    WF_EXPECT(shedding.served > 950); /* and it is busy all the time */
    WF_EXPECT_INT(plain.shed, 0);
}

static void buy_times(struct shop *shop, int customers)
{
    WF_SCOPE(scope);
    for (int i = 0; i < customers; i++) wf_spawn(&scope, buy, shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_burst_that_is_over_within_the_interval_is_not_shed, .simulated = true, .sweep = true)
{
    struct shop shop = {.bulkhead = WF_BULKHEAD(1, 100, .shed_after = WF_MILLISECONDS(5)),
                        .service = WF_MILLISECONDS(10)};
    buy_times(&shop, 10);
    WF_EXPECT_INT(shop.served, 10);
    WF_EXPECT_INT(shop.shed, 0);
}

/* Of one burst: waits are above the target from 10 ms on, so the first is shed 100 ms later, the next 100 ms after
 * that, then 71 ms, 58 ms, ... */
WF_TEST(waiters_are_shed_by_the_control_law, .simulated = true, .sweep = true)
{
    struct shop shop = {.bulkhead = WF_BULKHEAD(1, 100, .shed_after = WF_MILLISECONDS(5), .name = "shop"),
                        .service = WF_MILLISECONDS(10)};
    buy_times(&shop, 41);
    WF_EXPECT_INT(shop.shed, 4); /* at 110, 210, 290 (for 281) and 340 ms (for 339) */
    WF_EXPECT_INT(shop.served, 37);
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&shop.bulkhead, &statistics);
    WF_EXPECT_INT((int64_t)statistics.shed, 4);
    WF_INVARIANT(statistics.inside == 0 && statistics.waiting == 0);
}

static int buy_again_and_again(struct shop *shop)
{
    int rc = 0;
    for (int i = 0; i < 10 && rc == 0; i++) rc = buy(shop);
    return rc;
}

WF_TEST(the_only_one_that_waits_is_never_shed, .simulated = true, .sweep = true)
{
    struct shop shop = {.bulkhead = WF_BULKHEAD(1, 5, .shed_after = WF_MILLISECONDS(5)),
                        .service = WF_MILLISECONDS(50)};
    WF_SCOPE(scope);
    for (int i = 0; i < 2; i++) wf_spawn(&scope, buy_again_and_again, &shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(shop.served, 20);
    WF_EXPECT_INT(shop.longest, WF_MILLISECONDS(50));
}

/* ---- Adapting ---- */

struct backend {
    struct wf_bulkhead bulkhead;
    int capacity; /* so many at once take 10 ms; more share it */
    int inside, done;
};

static int work(struct backend *backend)
{
    backend->inside++;
    int over = backend->inside > backend->capacity ? backend->inside : backend->capacity;
    int rc = wf_sleep(WF_MILLISECONDS(10) * over / backend->capacity);
    backend->inside--;
    backend->done++;
    return rc;
}

static int work_on(struct backend *backend)
{
    int rc = 0;
    while (rc == 0) rc = wf_guarded(&backend->bulkhead, work(backend));
    return rc;
}

static int limit_of(const struct backend *backend)
{
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&backend->bulkhead, &statistics);
    return statistics.limit;
}

WF_TEST(the_number_inside_finds_what_the_peer_can_bear, .simulated = true, .timeout = WF_MINUTES(1),
        .unswept = "thousands of steps; the next one is swept")
{
    struct backend backend = {.capacity = 20, .bulkhead = WF_BULKHEAD(100, 1000, .latency = WF_MILLISECONDS(15))};
    WF_EXPECT_INT(limit_of(&backend), 100);
    WF_SCOPE(scope);
    for (int i = 0; i < 200; i++) wf_spawn(&scope, work_on, &backend);
    wf_sleep(WF_SECONDS(3));
    WF_EXPECT(limit_of(&backend) >= 20 && limit_of(&backend) <= 35); /* 30 at once take 15 ms */
    backend.capacity = 200;
    wf_sleep(WF_SECONDS(3));
    WF_EXPECT_INT(limit_of(&backend), 100);
    backend.capacity = 1;
    wf_sleep(WF_SECONDS(10));
    WF_EXPECT(limit_of(&backend) <= 3);
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int one_slow_call(struct wf_bulkhead *bulkhead)
{
    return wf_guarded(bulkhead, wf_sleep(WF_MILLISECONDS(20)));
}

WF_TEST(calls_that_were_slow_together_lower_it_once_and_never_below_its_minimum, .simulated = true, .sweep = true)
{
    struct backend backend = {.bulkhead = WF_BULKHEAD(10, 0, .latency = WF_MILLISECONDS(10), .inside_min = 8)};
    static const int wanted[] = {9, 8, 8};
    for (int round = 0; round < 3; round++) {
        WF_SCOPE(scope);
        for (int i = 0; i < 5; i++) wf_spawn(&scope, one_slow_call, &backend.bulkhead);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_INT(limit_of(&backend), wanted[round]);
    }
    WF_INVARIANT(limit_of(&backend) >= 8);
}

WF_TEST(a_number_that_nobody_needs_does_not_go_up, .simulated = true, .sweep = true)
{
    struct backend backend = {.bulkhead = WF_BULKHEAD(10, 0, .latency = WF_MILLISECONDS(10)), .capacity = 1};
    WF_EXPECT_CODE(one_slow_call(&backend.bulkhead), 0);
    for (int i = 0; i < 50; i++) WF_EXPECT_CODE(wf_guarded(&backend.bulkhead, work(&backend)), 0);
    WF_EXPECT_INT(limit_of(&backend), 9);
}

/* ---- Bad input ---- */

static struct wf_bulkhead bad_bulkheads[] = {
    WF_BULKHEAD(0, 1),
    WF_BULKHEAD(-1, 1),
    WF_BULKHEAD(1, -1),
    WF_BULKHEAD(1, 1, .inside_min = 2),
    WF_BULKHEAD(1, 1, .inside_min = -1),
    WF_BULKHEAD(1, 1, .shed_after = -1),
    WF_BULKHEAD(1, 1, .shed_interval = -1),
    WF_BULKHEAD(1, 1, .shed_interval = INT64_MAX),
    WF_BULKHEAD(1, 1, .latency = -1),
    {.options = {.inside = 1}},
};

WF_TEST_EACH(numbers_without_sense_are_refused, bad_bulkheads, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = *row;
    WF_EXPECT_FAILURE(wf_bulkhead_enter(&bulkhead), -EINVAL, "bulkhead: ");
    WF_EXPECT_FAILURE(wf_bulkhead_try_enter(&bulkhead), -EINVAL, "bulkhead: ");
}

WF_TEST_MAIN
