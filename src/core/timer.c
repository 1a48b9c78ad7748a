#include "core/timer.h"

#include <weft/time.h>

enum { IN_HEAP = 1, IN_WHEEL = 2 };

/* ---- The heap: a pairing heap of those that are due soon ---- */

static bool before(const struct wf_timer_ *a, const struct wf_timer_ *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->sequence < b->sequence;
}

static struct wf_timer_ *merge(struct wf_timer_ *a, struct wf_timer_ *b)
{
    if (a == NULL) return b;
    if (b == NULL) return a;
    if (before(b, a)) {
        struct wf_timer_ *swap = a;
        a = b;
        b = swap;
    }
    b->next = a->child;
    b->prev = a; /* of a first child: its parent */
    if (a->child != NULL) a->child->prev = b;
    a->child = b;
    a->next = a->prev = NULL;
    return a;
}

/* The two passes: merge neighbours left to right, then all of them right to left. */
static struct wf_timer_ *merge_children(struct wf_timer_ *first)
{
    struct wf_timer_ *pairs = NULL;
    while (first != NULL) {
        struct wf_timer_ *second = first->next;
        struct wf_timer_ *rest = second != NULL ? second->next : NULL;
        struct wf_timer_ *pair = merge(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    struct wf_timer_ *root = NULL;
    while (pairs != NULL) {
        struct wf_timer_ *rest = pairs->next;
        root = merge(root, pairs);
        pairs = rest;
    }
    if (root != NULL) root->next = root->prev = NULL;
    return root;
}

static void heap_push(struct timers *timers, struct wf_timer_ *timer)
{
    timer->slot = IN_HEAP;
    timer->child = timer->next = timer->prev = NULL;
    timers->heap = merge(timers->heap, timer);
}

static void heap_remove(struct timers *timers, struct wf_timer_ *timer)
{
    struct wf_timer_ *children = merge_children(timer->child);
    if (timer == timers->heap) {
        timers->heap = children;
        return;
    }
    if (timer->prev->child == timer) timer->prev->child = timer->next;
    else timer->prev->next = timer->next;
    if (timer->next != NULL) timer->next->prev = timer->prev;
    timers->heap = merge(timers->heap, children);
}

/* ---- The wheel ---- */

static unsigned level_bits(unsigned level)
{
    return level == 0 ? TIMER_LOW_BITS : TIMER_LEVEL_BITS;
}

/* How many bits of a tick lie below a level's own. */
static unsigned level_shift(unsigned level)
{
    return level == 0 ? 0 : TIMER_LOW_BITS + (level - 1) * TIMER_LEVEL_BITS;
}

static unsigned level_start(unsigned level)
{
    return level == 0 ? 0 : (1u << TIMER_LOW_BITS) + ((level - 1) << TIMER_LEVEL_BITS);
}

/* The highest bit in which the two differ decides: below it the lower levels tell them apart. */
static unsigned level_of(uint64_t difference)
{
    unsigned bit = 63 - (unsigned)__builtin_clzll(difference);
    return bit < TIMER_LOW_BITS ? 0 : (bit - TIMER_LOW_BITS) / TIMER_LEVEL_BITS + 1;
}

static void wheel_insert(struct timers *timers, struct wf_timer_ *timer)
{
    uint64_t tick = (uint64_t)timer->deadline >> TIMER_TICK_BITS;
    if (tick <= timers->tick) {
        heap_push(timers, timer);
        return;
    }
    unsigned level = level_of(tick ^ timers->tick);
    unsigned index = level_start(level) + ((unsigned)(tick >> level_shift(level)) & ((1u << level_bits(level)) - 1));
    struct timer_slot *slot = &timers->slots[index];
    timer->slot = (uint16_t)(IN_WHEEL + index);
    timer->prev = NULL;
    timer->next = slot->first;
    if (slot->first != NULL) slot->first->prev = timer;
    if (slot->first == NULL || timer->deadline < slot->earliest) slot->earliest = timer->deadline;
    slot->first = timer;
    timers->used[index / 64] |= UINT64_C(1) << index % 64;
}

static void mark_empty(struct timers *timers, unsigned index)
{
    timers->used[index / 64] &= ~(UINT64_C(1) << index % 64);
}

static void wheel_remove(struct timers *timers, struct wf_timer_ *timer)
{
    unsigned index = (unsigned)timer->slot - IN_WHEEL;
    if (timer->next != NULL) timer->next->prev = timer->prev;
    if (timer->prev != NULL) {
        timer->prev->next = timer->next;
        return;
    }
    timers->slots[index].first = timer->next;
    if (timer->next == NULL) mark_empty(timers, index);
}

/* The first slot in use, in order of time: that is the order of the levels, and of the slots in each. */
static bool first_used(const struct timers *timers, unsigned *index)
{
    for (unsigned word = 0; word < TIMER_SLOTS / 64; word++) {
        if (timers->used[word] == 0) continue;
        *index = word * 64 + (unsigned)__builtin_ctzll(timers->used[word]);
        return true;
    }
    return false;
}

/* When a slot's time begins, given that it is the next in use. */
static uint64_t start_of(const struct timers *timers, unsigned index)
{
    unsigned level = index < level_start(1) ? 0 : (index - level_start(1)) / (1u << TIMER_LEVEL_BITS) + 1;
    unsigned shift = level_shift(level), above = shift + level_bits(level);
    uint64_t high = above < 64 ? timers->tick >> above << above : 0;
    return high | (uint64_t)(index - level_start(level)) << shift;
}

static void empty_slot(struct timers *timers, unsigned index)
{
    struct wf_timer_ *timer = timers->slots[index].first;
    timers->slots[index].first = NULL;
    mark_empty(timers, index);
    while (timer != NULL) {
        struct wf_timer_ *next = timer->next;
        wheel_insert(timers, timer);
        timer = next;
    }
}

/* Slots behind `tick` are empty at every level, so the first used one is the next in time. */
static void wheel_advance(struct timers *timers, uint64_t tick)
{
    unsigned index;
    while (first_used(timers, &index)) {
        uint64_t start = start_of(timers, index);
        if (start > tick) break;
        timers->tick = start;
        empty_slot(timers, index);
    }
    if (tick > timers->tick) timers->tick = tick;
}

/* ---- The whole ---- */

void timers_init(struct timers *timers, int64_t now)
{
    timers->tick = (uint64_t)now >> TIMER_TICK_BITS;
    timers->next = WF_FOREVER;
    timers->step = 1;
}

/* Distinct in any case: each of the steps can be undone. */
static uint64_t next_sequence(struct timers *timers)
{
    uint64_t next = timers->sequence += timers->step;
    return timers->step == 1 ? next : (next ^ next >> 32) * timers->step;
}

void timer_arm(struct timers *timers, struct wf_timer_ *timer)
{
    timer->sequence = next_sequence(timers);
    timers->armed++;
    if (timer->deadline < timers->next) timers->next = timer->deadline;
    wheel_insert(timers, timer);
}

void timer_disarm(struct timers *timers, struct wf_timer_ *timer)
{
    if (timer->slot == 0) return;
    if (timer->slot == IN_HEAP) heap_remove(timers, timer);
    else wheel_remove(timers, timer);
    timer->slot = 0;
    if (--timers->armed == 0) timers->next = WF_FOREVER;
}

void timers_fire(struct timers *timers, int64_t now)
{
    if (now < timers->next) return;
    wheel_advance(timers, (uint64_t)now >> TIMER_TICK_BITS);
    while (timers->heap != NULL && timers->heap->deadline <= now) {
        struct wf_timer_ *due = timers->heap;
        timer_disarm(timers, due);
        due->fire(due);
    }
    unsigned index;
    if (timers->heap != NULL) timers->next = timers->heap->deadline;
    else if (first_used(timers, &index)) timers->next = timers->slots[index].earliest;
    else timers->next = WF_FOREVER;
}
