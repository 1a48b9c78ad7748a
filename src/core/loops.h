/*
 * The loops of one wf_run, and what they send each other.
 *
 * Each loop has a station: where its mail goes, and the root of the tasks that other loops sent. Nothing here is
 * touched by what stays on one loop.
 *
 *     loop 0 (the thread of wf_run)          loop 1 (a thread of ours)
 *       main                                   station 1's root
 *         proxy, waits  ---- mail: start --->    the task
 *                       <--- mail: done -----
 *
 * A deadlock of several loops. `activity` counts the loops that are not at rest and the mail that is on its way. Who
 * sends is not at rest, and who gets mail leaves its rest before it counts the mail as delivered; so the count is 0
 * exactly when every loop waits for another one, and the last to come to rest is the one that sees it.
 *
 * The end. Loop 0 has no tasks left, so no loop has (each task is waited for). It tells the others to stop; nobody
 * takes his loop apart before all have left theirs, because who has pushed a message still has to wake its receiver.
 *
 * In a simulated world one loop has all the stations, and mail takes its time.
 */
#ifndef WEFT_CORE_LOOPS_H
#define WEFT_CORE_LOOPS_H

#include <pthread.h>

#include "core/loop.h"
#include "core/run.h"

enum { LOOPS_MAX = 256 };

struct mail {
    struct message message;
    void (*arrive)(struct mail *mail); /* on the loop that it was sent to */
    bool counted;                      /* as on its way */
};

struct station {
    struct loops *loops;
    struct loop *loop;
    uint32_t index;
    struct wf_scope root; /* of the tasks that were sent here */
    struct mailbox box;   /* in a simulated world */
    struct mail stop;     /* once, at the end */
    atomic_uint load;     /* tasks that were sent here, from their sending to their end */
    struct run run;       /* from here on: of loops with a thread of ours */
    struct wf_run_options options;
    pthread_t thread;
    bool has_thread;
    int code; /* of its making */
};

struct loops {
    uint32_t count;
    bool threaded;    /* several loops; else there is one, and it has all the stations */
    atomic_uint next; /* where the search for the least loaded one begins */
    _Atomic int64_t activity;
    struct mail give_up;  /* to loop 0, when all have come to rest */
    pthread_mutex_t lock; /* guards what follows, and the codes of the stations */
    pthread_cond_t change;
    uint32_t made, working; /* how many threads have made their loop, or failed to; how many have not left theirs */
    struct station stations[];
};

/* After the loop was made, on its thread: the others, each with a thread. On failure nothing is left. */
int loops_begin(struct loop *loop, const struct wf_run_options *options);

/* The others end, when this one has no tasks any more; then they are gone but for their memory. */
void loops_end(struct loop *loop);
void loops_free(struct loops *loops);

/* What the running task is on; outside of tasks, the loop's first. */
struct station *station_here(void);

/* Mail is delivered in the order of sending. Any thread. */
void mail_send(struct station *to, struct mail *mail);

/* The loop is about to wait for its mail alone; true: it rests until it says that it goes on. */
bool loops_rest(struct loop *loop);
void loops_go_on(struct loop *loop);

/* The tasks of all of them, while they rest: dump.c. */
void loops_dump(struct loops *loops, const char *title);

/* One more task is sent there. `index` may be WF_LEAST_LOADED; NULL: there is no such loop. */
struct station *station_take(struct loops *loops, int index);

#endif
