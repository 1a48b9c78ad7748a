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
    b->prev = a;  /* of a first child: its parent */
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

static void wheel_insert(struct timers *timers, struct wf_timer_ *timer)
{
    uint64_t tick = (uint64_t)timer->deadline >> TIMER_TICK_BITS;
    if (tick <= timers->tick) {
        heap_push(timers, timer);
        return;
    }
    unsigned level = (63 - (unsigned)__builtin_clzll(tick ^ timers->tick)) / TIMER_LEVEL_BITS;
    unsigned index = (tick >> (level * TIMER_LEVEL_BITS)) % TIMER_SLOTS;
    struct timer_slot *slot = &timers->slots[level][index];
    timer->slot = (uint16_t)(IN_WHEEL + level * TIMER_SLOTS + index);
    timer->prev = NULL;
    timer->next = slot->first;
    if (slot->first != NULL) slot->first->prev = timer;
    if (slot->first == NULL || timer->deadline < slot->earliest) slot->earliest = timer->deadline;
    slot->first = timer;
    timers->used[level][index / 64] |= UINT64_C(1) << index % 64;
}

static void wheel_remove(struct timers *timers, struct wf_timer_ *timer)
{
    unsigned place = (unsigned)timer->slot - IN_WHEEL, level = place / TIMER_SLOTS, index = place % TIMER_SLOTS;
    if (timer->next != NULL) timer->next->prev = timer->prev;
    if (timer->prev != NULL) {
        timer->prev->next = timer->next;
        return;
    }
    timers->slots[level][index].first = timer->next;
    if (timer->next == NULL) timers->used[level][index / 64] &= ~(UINT64_C(1) << index % 64);
}

/* The first slot in use, in order of time: the lowest level that has one at all. */
static bool first_used(const struct timers *timers, unsigned *level, unsigned *index)
{
    for (*level = 0; *level < TIMER_LEVELS; ++*level) {
        for (unsigned word = 0; word < TIMER_SLOTS / 64; word++) {
            if (timers->used[*level][word] == 0) continue;
            *index = word * 64 + (unsigned)__builtin_ctzll(timers->used[*level][word]);
            return true;
        }
    }
    return false;
}

static void empty_slot(struct timers *timers, unsigned level, unsigned index)
{
    struct wf_timer_ *timer = timers->slots[level][index].first;
    timers->slots[level][index].first = NULL;
    timers->used[level][index / 64] &= ~(UINT64_C(1) << index % 64);
    while (timer != NULL) {
        struct wf_timer_ *next = timer->next;
        wheel_insert(timers, timer);
        timer = next;
    }
}

/* Slots behind `tick` are empty at every level, so the first used one is the next in time. */
static void wheel_advance(struct timers *timers, uint64_t tick)
{
    unsigned level, index;
    while (first_used(timers, &level, &index)) {
        unsigned shift = level * TIMER_LEVEL_BITS;
        uint64_t above = shift + TIMER_LEVEL_BITS < 64 ? timers->tick >> (shift + TIMER_LEVEL_BITS) : 0;
        uint64_t start = (above << TIMER_LEVEL_BITS | index) << shift;
        if (start > tick) break;
        timers->tick = start;
        empty_slot(timers, level, index);
    }
    if (tick > timers->tick) timers->tick = tick;
}

/* ---- The whole ---- */

void timers_init(struct timers *timers, int64_t now)
{
    timers->tick = (uint64_t)now >> TIMER_TICK_BITS;
    timers->next = WF_FOREVER;
}

void timer_arm(struct timers *timers, struct wf_timer_ *timer)
{
    timer->sequence = timers->sequence++;
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
    unsigned level, index;
    if (timers->heap != NULL) timers->next = timers->heap->deadline;
    else if (first_used(timers, &level, &index)) timers->next = timers->slots[level][index].earliest;
    else timers->next = WF_FOREVER;
}
