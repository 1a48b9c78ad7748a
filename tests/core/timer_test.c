/* The wheel and the heap, against a plain sorted list. */
#include "core/timer.h" /* private: the structure itself is tested, in times no real clock reaches */

#include <stdlib.h>
#include <weft/testing.h>
#include <weft/time.h>

enum { COUNT = 5000 };

struct entry {
    struct wf_timer_ timer;
    bool armed, fired;
};

static struct timers timers;
static struct entry entries[COUNT];
static int64_t now, last_fired;
static uint64_t last_sequence;
static int wrong_order, too_early;

static void fired(struct wf_timer_ *timer)
{
    struct entry *entry = (struct entry *)timer;
    if (timer->deadline < last_fired || (timer->deadline == last_fired && timer->sequence < last_sequence))
        wrong_order++;
    if (timer->deadline > now) too_early++;
    last_fired = timer->deadline;
    last_sequence = timer->sequence;
    entry->fired = true;
    entry->armed = false;
}

static uint64_t state;

static uint64_t next_random(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 11;
}

/* Spread over all levels: from nanoseconds to centuries. */
static int64_t random_delay(void)
{
    return (int64_t)(next_random() >> (next_random() % 53));
}

static void arm(struct entry *entry)
{
    entry->timer.deadline = now + random_delay();
    entry->timer.fire = fired;
    entry->timer.slot = 0;
    entry->armed = true;
    entry->fired = false;
    timer_arm(&timers, &entry->timer);
}

static void advance(int64_t to)
{
    now = to;
    last_fired = 0;
    last_sequence = 0;
    timers_fire(&timers, now);
    for (int i = 0; i < COUNT; i++)
        if (entries[i].armed && entries[i].timer.deadline <= now) too_early--;
}

static void exercise(uint64_t seed)
{
    state = seed;
    now = (int64_t)(next_random() >> 8);
    timers_init(&timers, now);
    wrong_order = too_early = 0;
    for (int i = 0; i < COUNT; i++) arm(&entries[i]);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 200; i++) {
            struct entry *entry = &entries[next_random() % COUNT];
            timer_disarm(&timers, &entry->timer);
            entry->armed = false;
            if (next_random() % 3 > 0) arm(entry);
        }
        int64_t delay = random_delay();
        int64_t soonest = timers.next;
        advance(now > INT64_MAX - delay ? now : now + delay);
        WF_EXPECT(soonest <= now || wrong_order + too_early == 0);
    }
    for (int i = 0; i < COUNT; i++) timer_disarm(&timers, &entries[i].timer);
    WF_EXPECT_INT((int64_t)timers.armed, 0);
    WF_EXPECT_INT(wrong_order, 0);
    WF_EXPECT_INT(too_early, 0);
}

WF_TEST(timers_fire_in_order_never_early_and_never_missed, .rule = "5.1", .plain = true)
{
    for (uint64_t seed = 1; seed <= 20 && !wf_test_failed(); seed++) exercise(seed);
}

static int order[4], order_size;

static void note(struct wf_timer_ *timer)
{
    order[order_size++] = (int)((struct entry *)timer - entries);
}

WF_TEST(equal_deadlines_fire_in_the_order_they_were_armed, .plain = true)
{
    now = WF_SECONDS(5);
    timers_init(&timers, now);
    order_size = 0;
    for (int i = 0; i < 4; i++) {
        entries[i].timer = (struct wf_timer_){.deadline = now + WF_SECONDS(3), .fire = note};
        timer_arm(&timers, &entries[i].timer);
    }
    timers_fire(&timers, now + WF_SECONDS(4));
    for (int i = 0; i < 4; i++) WF_EXPECT_INT(order[i], i);
}

WF_TEST(the_next_deadline_is_never_after_the_first, .plain = true)
{
    now = WF_SECONDS(100);
    timers_init(&timers, now);
    WF_EXPECT_INT(timers.next, WF_FOREVER);
    for (int i = 0; i < COUNT; i++) arm(&entries[i]);
    int64_t first = WF_FOREVER;
    for (int i = 0; i < COUNT; i++)
        if (entries[i].timer.deadline < first) first = entries[i].timer.deadline;
    WF_EXPECT(timers.next <= first);
    for (int i = 0; i < COUNT; i++) timer_disarm(&timers, &entries[i].timer);
    WF_EXPECT_INT(timers.next, WF_FOREVER);
}

WF_TEST(the_date_goes_on_with_the_clock, .simulated = true)
{
    int64_t date = wf_wall_now(), started = wf_now();
    WF_EXPECT_INT(date / WF_SECONDS(1), 946684800);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(5)), 0);
    WF_EXPECT_INT(wf_wall_now() - date, wf_now() - started);
}

WF_TEST_MAIN
