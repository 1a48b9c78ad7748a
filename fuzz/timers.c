/*
 * Timers against the plainest model there is: an array, searched for the first in order. Operations come from the
 * input: arm, disarm, arm and disarm from inside a firing timer, let time pass.
 */
#include "core/timer.h" /* private: the structure itself is tested, in times no real clock reaches */

#include <string.h>
#include <weft/time.h>

#include "fuzz.h"

enum { COUNT = 24 };

struct entry {
    struct wf_timer_ timer;
    bool armed;
    int64_t deadline; /* the model's own */
    uint64_t order;
};

static struct input input;
static struct timers timers;
static struct entry entries[COUNT];
static int64_t now;
static uint64_t orders;
static size_t armed;

static struct entry *first_armed(void)
{
    struct entry *first = NULL;
    for (size_t i = 0; i < COUNT; i++) {
        struct entry *entry = &entries[i];
        if (!entry->armed) continue;
        bool earlier = first == NULL || entry->deadline < first->deadline ||
                       (entry->deadline == first->deadline && entry->order < first->order);
        if (earlier) first = entry;
    }
    return first;
}

static void check(void)
{
    const struct entry *first = first_armed();
    CLAIM(timers.armed == armed);
    if (first == NULL) CLAIM(timers.next == WF_FOREVER);
    else CLAIM(timers.next <= first->deadline);
    for (size_t i = 0; i < COUNT; i++) CLAIM(timer_armed(&entries[i].timer) == entries[i].armed);
}

static void disarm(struct entry *entry)
{
    timer_disarm(&timers, &entry->timer);
    armed -= entry->armed;
    entry->armed = false;
}

static void fired(struct wf_timer_ *timer);

static void arm(struct entry *entry)
{
    int64_t delay = (int64_t)(take_wide(&input) >> 1), deadline;
    if (take(&input, 8) == 0) delay = -delay; /* already due */
    if (__builtin_add_overflow(now, delay, &deadline)) deadline = INT64_MAX - 1;
    if (deadline < 0) deadline = 0;
    disarm(entry);
    entry->timer.deadline = entry->deadline = deadline;
    entry->timer.fire = fired;
    entry->order = orders++;
    entry->armed = true;
    armed++;
    timer_arm(&timers, &entry->timer);
}

static void change_one(void)
{
    struct entry *entry = &entries[take(&input, COUNT)];
    if (take(&input, 3) == 0) disarm(entry);
    else arm(entry);
}

static void fired(struct wf_timer_ *timer)
{
    struct entry *entry = (struct entry *)timer;
    CLAIM(entry == first_armed());
    CLAIM(entry->deadline <= now);
    entry->armed = false;
    armed--;
    CLAIM(!timer_armed(timer));
    for (unsigned changes = take(&input, 4) % 3; changes > 0; changes--) change_one();
}

static void pass_time(void)
{
    int64_t delay = (int64_t)(take_wide(&input) >> 1);
    if (__builtin_add_overflow(now, delay, &now)) now = INT64_MAX - 1;
    timers_fire(&timers, now);
    const struct entry *first = first_armed();
    CLAIM(first == NULL || first->deadline > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input = (struct input){.bytes = bytes, .left = size};
    memset(&timers, 0, sizeof timers);
    memset(entries, 0, sizeof entries);
    armed = 0;
    orders = 0;
    now = (int64_t)(take_wide(&input) >> 1);
    timers_init(&timers, now);
    while (!input_over(&input)) {
        if (take(&input, 4) == 0) pass_time();
        else change_one();
        check();
    }
    for (size_t i = 0; i < COUNT; i++) disarm(&entries[i]);
    check();
    return 0;
}
