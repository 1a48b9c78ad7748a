/* The trail of a loop, read: which task each event is about, and when it was. */
#ifndef WEFT_OBSERVE_RECORD_H
#define WEFT_OBSERVE_RECORD_H

#include "core/loop.h"

enum { READING_NAME = 48, READING_MAP = 2 * TRAIL_EVENTS };

/* A task of the time that the trail covers. Records are used again: one place may have been several. */
struct recorded_task {
    char name[READING_NAME];
    uint64_t id; /* 0: not known */
};

struct reading {
    struct trail_event events[TRAIL_EVENTS]; /* the oldest first */
    int64_t times[TRAIL_EVENTS];
    uint16_t task_of[TRAIL_EVENTS]; /* NO_TASK: none */
    struct recorded_task tasks[TRAIL_EVENTS];
    size_t count, task_count;
    struct {
        uintptr_t record;
        uint16_t task;
    } map[READING_MAP]; /* whose record it was at the time that is being looked at */
};

enum { NO_TASK = UINT16_MAX };

static inline unsigned event_kind(const struct trail_event *event)
{
    return event->who & TRAIL_KIND;
}

/* Reads all of it; `now` is when it ends. The one who has it must give it back; NULL: somebody else does. For signal
 * handlers: nothing is followed that may not be there. */
struct reading *reading_take(const struct loop *loop, int64_t now);
void reading_give(struct reading *reading);

#endif
