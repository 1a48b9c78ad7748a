/*
 * What the watchdog keeps of a loop, and what a loop does for the watchdog: observe/watchdog.c.
 *
 * The loop does nothing for it in a turn. The watchdog looks from its own thread at what is there anyway: who runs, how
 * far the trail is, which pass it is; where these are the same as the last time, it is still the same turn.
 */
#ifndef WEFT_CORE_WATCHDOG_H
#define WEFT_CORE_WATCHDOG_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct wf_task;

struct vigil {
    _Atomic(int64_t) limit_ns; /* 0: not watched; set last, when what the watchdog needs is there */
    pthread_t thread;
    atomic_bool excused; /* the library itself does something that takes long */

    /* The watchdog's: the turn that it saw last, */
    const struct wf_task *running;
    uint64_t passes;
    uint16_t at;
    int64_t seen_ns, processor_ns; /* since when, and what the thread had used by then */
    int64_t report_after_ns;       /* of holding */
    bool counted;
    /* and what there was before. */
    int64_t quiet_until_ns, quiet_ns;
    uint64_t untold; /* since the last report */
    _Atomic(uint64_t) blocked;
    _Atomic(int64_t) longest_ns;
};

/* A loop begins, on its thread; ends. 0, or why there is no watchdog. */
int watchdog_begin(struct loop *loop);
void watchdog_end(struct loop *loop);
void watchdog_in_forked_child(void);

/* Only loops that ask for it are watched: where tests run, whose machine may be slow and whose reports are checked. */
extern bool watchdog_by_request;

/* While every loop sleeps, the watchdog does too: the first that goes on wakes it. */
extern atomic_int watchdog_sleeps;
void watchdog_wake(void);

static inline void watchdog_look(void)
{
    if (__builtin_expect(atomic_load_explicit(&watchdog_sleeps, memory_order_relaxed), 0)) watchdog_wake();
}

#endif
