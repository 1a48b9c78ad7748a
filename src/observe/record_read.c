/*
 * Reading the trail, backwards: who a task's record belongs to now is known, and each end on the way back says who had
 * it before.
 */
#include <string.h>

#include "observe/careful.h"
#include "observe/record.h"

static struct reading the_reading; /* too large for any stack; in a handler there is no other memory */
static atomic_flag taken = ATOMIC_FLAG_INIT;

/* ---- Names ---- */

/* Of whoever has the record at the event that is looked at; one not seen yet has no task. */
static uint16_t *task_at(struct reading *reading, uintptr_t record)
{
    size_t place = (record >> 4) * 0x9e3779b1u % READING_MAP;
    while (reading->map[place].record != 0 && reading->map[place].record != record) place = (place + 1) % READING_MAP;
    if (reading->map[place].record == 0) reading->map[place].task = NO_TASK;
    reading->map[place].record = record;
    return &reading->map[place].task;
}

static uint16_t add_task(struct reading *reading)
{
    struct recorded_task *task = &reading->tasks[reading->task_count];
    *task = (struct recorded_task){.name = "?"};
    return (uint16_t)reading->task_count++;
}

/* It has not ended: its record tells. */
static uint16_t living_task(struct reading *reading, uintptr_t record)
{
    struct wf_task living;
    uint16_t number = add_task(reading);
    if (!careful_copy(&living, (const void *)record, sizeof living) || living.id == 0) return number;
    careful_text(reading->tasks[number].name, READING_NAME, living.name);
    reading->tasks[number].id = living.id;
    return number;
}

/* Its own name lies in the events before the end, else the name is one that stays. */
static void read_name(const struct reading *reading, size_t end, struct recorded_task *task)
{
    size_t first = end, used = 0;
    while (first > 0 && event_kind(&reading->events[first - 1]) == TRAIL_NAME) first--;
    if (reading->events[end].what != 0) {
        careful_text(task->name, READING_NAME, (const char *)reading->events[end].what);
        return;
    }
    for (; first < end && used + TRAIL_NAME_PART < READING_NAME; first++, used += TRAIL_NAME_PART)
        memcpy(task->name + used, (const char *)&reading->events[first] + 1, TRAIL_NAME_PART);
    task->name[used] = '\0';
}

static void name_all(struct reading *reading)
{
    for (size_t i = reading->count; i-- > 0;) {
        const struct trail_event *event = &reading->events[i];
        unsigned kind = event_kind(event);
        uintptr_t record = event->who & ~(uintptr_t)TRAIL_KIND;
        reading->task_of[i] = NO_TASK;
        if (kind == TRAIL_NAME || kind == TRAIL_TIME || record == 0) continue;
        uint16_t *task = task_at(reading, record);
        if (kind == TRAIL_END) {
            *task = add_task(reading);
            read_name(reading, i, &reading->tasks[*task]);
        } else if (*task == NO_TASK) {
            *task = living_task(reading, record);
        }
        reading->task_of[i] = *task;
        if (kind != TRAIL_SPAWN) continue;
        reading->tasks[*task].id = event->what;
        *task = NO_TASK; /* before that it was somebody else's */
    }
}

/* ---- Times ---- */

static bool is_time(const struct trail_event *event)
{
    return event_kind(event) == TRAIL_TIME;
}

/* What is between two times is spread evenly; what comes in while the loop sleeps, at the end of it. */
static void spread(struct reading *reading, size_t from, size_t to, int64_t until)
{
    bool slept = is_time(&reading->events[from]) && (reading->events[from].who & TRAIL_SLEEPS);
    int64_t begin = reading->times[from], length = until > begin ? until - begin : 0;
    for (size_t i = from + 1; i < to; i++)
        reading->times[i] = slept ? begin + length : begin + length / (int64_t)(to - from) * (int64_t)(i - from);
}

/* Those before the first time that is left get that one: they were before it, and it is not known how long. */
static void time_all(struct reading *reading, int64_t begin, int64_t now)
{
    size_t last = 0;
    reading->times[0] = begin;
    for (size_t i = 0; i < reading->count; i++) {
        if (!is_time(&reading->events[i])) continue;
        int64_t time = (int64_t)reading->events[i].what;
        if (!is_time(&reading->events[last])) reading->times[last] = time;
        spread(reading, last, i, time);
        reading->times[i] = time;
        last = i;
    }
    if (reading->count > 0) spread(reading, last, reading->count, now);
}

/* ---- The events ---- */

/* Before it went round for the first time, there are places that nothing was written to. */
static void copy_events(struct reading *reading, const struct trail *trail)
{
    size_t next = trail->next / sizeof(struct trail_event);
    reading->count = 0;
    for (size_t i = 0; i < TRAIL_EVENTS; i++) {
        struct trail_event event = trail->ring[(next + i) % TRAIL_EVENTS];
        if (event.who != 0 || event.what != 0 || reading->count > 0) reading->events[reading->count++] = event;
    }
}

struct reading *reading_take(const struct loop *loop, int64_t now)
{
    if (atomic_flag_test_and_set(&taken)) return NULL;
    struct reading *reading = &the_reading;
    reading->task_count = 0;
    memset(reading->map, 0, sizeof reading->map);
    copy_events(reading, &loop->trail);
    name_all(reading);
    time_all(reading, loop->now, now);
    return reading;
}

void reading_give(struct reading *reading)
{
    (void)reading;
    atomic_flag_clear(&taken);
}
