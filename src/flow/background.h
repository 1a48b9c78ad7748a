/*
 * What the set of background tasks (background.c) and their life (background_task.c) share.
 *
 *     started --first turn--> waits for the one it replaces, if any --> runs --> tells its end, leaves the set --> gone
 *
 * The record of a task is in the set from its start to that end, and is gone before the task is.
 */
#ifndef WEFT_FLOW_BACKGROUND_H
#define WEFT_FLOW_BACKGROUND_H

#include <weft/background.h>

#include "core/loop.h"

struct record {
    struct wf_background_task shown; /* shown.next: the one started after it */
    struct record *prev;
    struct wf_background *background;
    struct wf_task *task;
    struct record *next_named; /* in the same bucket; valid while it is the one of its name */
    uint64_t hash;
    bool named; /* it can be found by its name */
    bool idle;  /* a periodic one, waiting for its time */
    bool stop_on_error;
    struct record *replaced, *successor; /* alive before it under its name, and after */
    struct wf_queue_ joiners;            /* who waits for its end */
    struct wf_reason reason;             /* of its cancel */
    int (*fn)(void *);
    void *arg;
    void (*release)(void *arg);
    int64_t period, first, jitter; /* period 0: it runs once */
    _Alignas(16) char copy[];      /* of its argument */
};

/* ---- background.c ---- */

/* The record of an ended task leaves the set, which tells those who wait for it. */
void background_remove(struct record *record);

/* ---- background_task.c ---- */

/* What each task of a set is spawned with. */
int background_run(struct record *record);

#endif
