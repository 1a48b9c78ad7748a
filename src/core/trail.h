/*
 * The flight recorder: what the scheduler did last, always on.
 *
 * A ring of 4,096 events of 16 bytes for each loop. The address of an event is that of the ring and a 16-bit number of
 * bytes, and the ring has just as many: it goes round by itself, and a switch costs five instructions for it. There is
 * no clock: each pass writes down its time, which was read anyway, and what happened between two passes is known by its
 * order only.
 *
 *     turn    who runs now (none: the loop itself), and what the one before waits for
 *     spawn   whom, and its number          end     whose, and the function's name
 *     wake    whom, and the result          name    of the next to end, where it was its own: 15 bytes of it
 *     cancel  whom                          time    a pass begins, or the loop goes to sleep
 *     timer   whose, and for when it was
 *
 * Threads: the loop's writes; others, and those after a crash, may see an event half written.
 */
#ifndef WEFT_CORE_TRAIL_H
#define WEFT_CORE_TRAIL_H

#include <stdint.h>
#include <string.h>

enum {
    TRAIL_EVENTS = 4096,
    TRAIL_NAME_PART = 15,
    TRAIL_NAME_MAX = 3 * TRAIL_NAME_PART,
};

/* In the low bits of whom it is about. */
enum trail_kind {
    TRAIL_TURN,
    TRAIL_SPAWN,
    TRAIL_WAKE,
    TRAIL_CANCEL,
    TRAIL_END,
    TRAIL_TIME, /* TRAIL_SLEEPS too: the loop has nothing to do */
    TRAIL_TIMER,
    TRAIL_NAME,
    TRAIL_KIND = 7,
    TRAIL_SLEEPS = 8,
};

struct trail_event {
    uintptr_t who; /* the task's record, and the kind */
    uintptr_t what;
};

struct trail {
    uint16_t next; /* in bytes */
    struct trail_event ring[TRAIL_EVENTS];
};

_Static_assert(sizeof(((struct trail *)0)->ring) == UINT16_MAX + 1, "the ring goes round where its index does");

static inline void trail_note(struct trail *trail, unsigned kind, const void *who, uintptr_t what)
{
    uint16_t at = trail->next;
    struct trail_event *event = (struct trail_event *)((char *)trail->ring + at);
    event->who = (uintptr_t)who | kind;
    event->what = what;
    trail->next = (uint16_t)(at + sizeof *event);
}

/* The first byte is the kind's. */
static inline void trail_note_name(struct trail *trail, const char *text)
{
    unsigned char bytes[sizeof(struct trail_event)] = {TRAIL_NAME};
    struct trail_event event;
    memcpy(bytes + 1, text, strnlen(text, TRAIL_NAME_PART));
    memcpy(&event, bytes, sizeof event);
    trail->ring[trail->next / sizeof event] = event;
    trail->next = (uint16_t)(trail->next + sizeof event);
}

#endif
