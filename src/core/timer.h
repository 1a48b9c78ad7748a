/*
 * Timers: any number of them, at a cost that does not depend on how many there are.
 *
 * Workload: most timers are deadlines that are taken back long before they fire; the others fire in batches. A heap
 * makes each of these touch log n other timers, which lie on other tasks' stacks, a cache miss each. So timers hang in
 * a wheel of five levels (4096 slots of 2^18 ns, which is about a second, then 256 slots of 2^30 ns, 2^38 ns, ...),
 * unsorted, and are sorted only when their slot's time has come, in a small pairing heap:
 *
 *     arm ----> slot of the level where deadline and now first differ ----> slot of a lower level ----> heap ----> fire
 *               O(1)                                                       when its time begins       exact order
 *
 * Nothing is rounded: the heap orders by deadline and, for equal ones, by age. Everything is intrusive: arming cannot
 * fail.
 */
#ifndef WEFT_CORE_TIMER_H
#define WEFT_CORE_TIMER_H

#include <weft/scope.h>

enum {
    TIMER_TICK_BITS = 18, /* a slot of the lowest level: 262 us */
    TIMER_LOW_BITS = 12,  /* the lowest level is wide: most sleeps are moved once, straight into the heap */
    TIMER_LEVEL_BITS = 8,
    TIMER_LEVELS = 6,
    TIMER_SLOTS = (1 << TIMER_LOW_BITS) + (TIMER_LEVELS - 1) * (1 << TIMER_LEVEL_BITS),
};

struct timer_slot {
    struct wf_timer_ *first;
    int64_t earliest; /* no timer here is due before; may be too early after a removal */
};

struct timers {
    uint64_t tick; /* everything up to this slot of the lowest level is in the heap */
    int64_t next;  /* no timer is due before; WF_FOREVER: none armed */
    struct wf_timer_ *heap;
    uint64_t sequence, step; /* step 1: equal deadlines fire by age; another odd number: in some order */
    size_t armed;
    uint64_t used[TIMER_SLOTS / 64];      /* which slots hold something */
    struct timer_slot slots[TIMER_SLOTS]; /* level after level */
};

void timers_init(struct timers *timers, int64_t now);

/* Arms for timer->deadline; timer->fire is called from timers_fire. It must not be armed already. */
void timer_arm(struct timers *timers, struct wf_timer_ *timer);

/* Takes it back; does nothing when it is not armed. */
void timer_disarm(struct timers *timers, struct wf_timer_ *timer);

static inline bool timer_armed(const struct wf_timer_ *timer)
{
    return timer->slot != 0;
}

/* Fires, in order, every timer whose deadline is not after `now`. */
void timers_fire(struct timers *timers, int64_t now);

#endif
