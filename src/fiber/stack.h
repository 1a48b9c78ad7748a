/*
 * Guarded stacks, pooled.
 *
 *     one slot:  | guard 16 KiB | usable .................................. top | colour |
 *                low address                                                 high address
 *
 * Slots are cut from slabs: large anonymous maps that cost nothing until touched. A guard is a marker in the page table
 * (MADV_GUARD_INSTALL) where the kernel has it, which needs no map of its own, so a million stacks are a few maps; else
 * mprotect, and then the kernel's limit on maps bounds how many stacks there are.
 *
 * Slots come in groups of 64 with a bit for each; the group that a stack was last given back to is the next to be taken
 * from, lowest slot first. So a few tasks keep using the same few stacks, and a wave of many walks through memory in
 * order. A group that nobody needed for a second gives its pages back to the system, but for a number that is kept.
 *
 * Threads: a pool belongs to one thread; stack_find is for signal handlers of any thread.
 */
#ifndef WEFT_FIBER_STACK_H
#define WEFT_FIBER_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sanitize.h"

enum {
    STACK_SLOT_MIN = 64 * 1024,
    STACK_CLASSES = 15, /* slots of 64 KiB, 128 KiB, ... 1 GiB */
    STACK_GROUP = 64,
    STACK_COLOURS = 16,
#if defined(__aarch64__)
    STACK_GUARD = 64 * 1024, /* stack probes are up to 64 KiB apart there */
#else
    STACK_GUARD = 16 * 1024,
#endif
};

struct stack {
    char *low;     /* lowest usable byte, just above the guard */
    uint32_t size; /* usable bytes */
    uint32_t valgrind_id;
    uint8_t class_index, index; /* its place in the group */
    void *fake_stack;           /* AddressSanitizer's, while this stack is left */
    void *tsan_fiber;           /* ThreadSanitizer's name for it */
};

struct stack_group {
    struct stack_group *next, *prev;     /* among those of the class with a free slot, the last given back to first */
    uint64_t free;                       /* a bit for each slot that can be taken */
    uint64_t set_up;                     /* the tools that watch memory know of it, since its first use */
    uint64_t touched;                    /* may hold pages */
    bool idle;                           /* nothing was taken from it since the last trim */
    struct stack_group *older;           /* of the same pool */
    _Atomic(struct stack_group *) other; /* of any pool: read by signal handlers */
    char *base;
    size_t slot_size, slots;
    struct stack stacks[STACK_GROUP];
};

struct stack_class {
    struct stack_group *groups, *last; /* those with a free slot; cold ones, never touched, come last */
    size_t capacity;                   /* slots that exist */
    size_t reserved;                   /* of these, promised to tasks */
    size_t bound;                      /* of these, in use */
    size_t touched;                    /* slots that may hold pages */
};

struct stack_pool {
    struct stack_class classes[STACK_CLASSES];
    struct stack_group *all;
    size_t keep; /* touched ones that are never given back, per class */
};

void stack_pool_init(struct stack_pool *pool, size_t keep);
void stack_pool_finish(struct stack_pool *pool);

/* The class whose stacks have at least `size` usable bytes; -1 when there is none so large. */
int stack_class_for(size_t size);

/* Makes sure that a later stack_take will succeed. False: out of memory, or of maps. */
bool stack_reserve_slow(struct stack_pool *pool, unsigned class_index);

static inline bool stack_reserve(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    if (class->reserved == class->capacity && !stack_reserve_slow(pool, class_index)) return false;
    class->reserved++;
    return true;
}

static inline void stack_unreserve(struct stack_pool *pool, unsigned class_index)
{
    pool->classes[class_index].reserved--;
}

/* Where a new fiber starts: the tops of neighbours are spread over the sets of the cache. */
static inline void *stack_top(const struct stack *stack)
{
    return stack->low + stack->size - (size_t)(stack->index % STACK_COLOURS) * 192;
}

/* Takes a stack of the class; one must be reserved. */
struct stack *stack_take(struct stack_pool *pool, unsigned class_index);

/* Gives it back, and the reservation with it. The caller may still stand on it until its next switch. */
void stack_give(struct stack_pool *pool, struct stack *stack);

/* Gives back pages of stacks that nobody needed since the last complete trim, a bounded number of them; call it when
 * idle, about once a second. False: there is more to do, call again when idle next. */
bool stack_trim(struct stack_pool *pool);

/* Gives back the pages below where a fiber that is suspended stands. */
void stack_trim_below(const struct stack *stack, const void *sp);

/* Bytes of the stack that are resident: its high-water mark in pages since its pages were last given back. */
size_t stack_high_water(const struct stack *stack);

/* Describes the calling thread's own stack, for switching away from it and back. */
void stack_adopt_thread(struct stack *stack);

/* The stack whose slot or guard (`*in_guard`) holds `address`, of any pool. NULL: none. For signal handlers. */
struct stack *stack_find(const void *address, bool *in_guard);

#endif
