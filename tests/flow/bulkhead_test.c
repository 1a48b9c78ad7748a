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

static struct wf_bulkhead bad_bulkheads[] = {
    WF_BULKHEAD(0, 1),
    WF_BULKHEAD(-1, 1),
    WF_BULKHEAD(1, -1),
    {.options = {.inside = 1}},
};

WF_TEST_EACH(numbers_without_sense_are_refused, bad_bulkheads, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = *row;
    WF_EXPECT_FAILURE(wf_bulkhead_enter(&bulkhead), -EINVAL, "bulkhead: ");
    WF_EXPECT_FAILURE(wf_bulkhead_try_enter(&bulkhead), -EINVAL, "bulkhead: ");
}

WF_TEST_MAIN
