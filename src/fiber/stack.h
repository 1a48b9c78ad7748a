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
 * A stack that was used stays warm: the last one given back is the next one handed out. Those that nobody needed for a
 * second give their pages back to the system, but for a number that is kept.
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
    STACK_CLASSES = 15,  /* slots of 64 KiB, 128 KiB, ... 1 GiB */
#if defined(__aarch64__)
    STACK_GUARD = 64 * 1024,  /* stack probes are up to 64 KiB apart there */
#else
    STACK_GUARD = 16 * 1024,
#endif
};

struct stack {
    char *low;  /* lowest usable byte, just above the guard */
    struct stack *next, *prev;
    uint32_t size;  /* usable bytes */
    uint8_t class_index, colour;
    bool guarded;   /* set up: since its first use */
#if WEFT_ASAN
    void *fake_stack;
#endif
#if WEFT_TSAN
    void *tsan_fiber;
#endif
};

struct stack_list {
    struct stack *first, *last;
    size_t count;
};

struct stack_class {
    struct stack_list warm;  /* touched: the hottest first */
    struct stack_list cold;  /* never touched, or given back to the system */
    size_t capacity;         /* slots that exist */
    size_t reserved;         /* of these, promised to tasks */
    size_t idle_min;         /* least number of warm ones since the last trim */
};

struct stack_pool {
    struct stack_class classes[STACK_CLASSES];
    struct slab *slabs;
    size_t keep;  /* warm ones that are never given back, per class */
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

struct stack *stack_take_cold(struct stack_pool *pool, unsigned class_index);

/* Takes the hottest stack of the class; one must be reserved. */
static inline struct stack *stack_take(struct stack_pool *pool, unsigned class_index)
{
    struct stack_class *class = &pool->classes[class_index];
    struct stack *stack = class->warm.first;
    if (stack == NULL) return stack_take_cold(pool, class_index);
    class->warm.first = stack->next;
    if (stack->next != NULL) stack->next->prev = NULL;
    else class->warm.last = NULL;
    if (--class->warm.count < class->idle_min) class->idle_min = class->warm.count;
    unpoison(stack->low, stack->size);
    return stack;
}

/* Gives it back, and the reservation with it. The caller may still stand on it until its next switch. */
static inline void stack_give(struct stack_pool *pool, struct stack *stack)
{
    struct stack_class *class = &pool->classes[stack->class_index];
    stack->prev = NULL;
    stack->next = class->warm.first;
    if (stack->next != NULL) stack->next->prev = stack;
    else class->warm.last = stack;
    class->warm.first = stack;
    class->warm.count++;
    class->reserved--;
}

/* Where a new fiber starts: the tops of neighbours are spread over the sets of the cache. */
static inline void *stack_top(const struct stack *stack)
{
    return stack->low + stack->size - (size_t)stack->colour * 192;
}

/* Gives back pages of stacks that nobody needed since the last complete trim, a bounded number of them; call it when
 * idle, about once a second. False: there is more to do, call again when idle next. */
bool stack_trim(struct stack_pool *pool);

/* Bytes of the stack that are resident: its high-water mark in pages since its pages were last given back. */
size_t stack_high_water(const struct stack *stack);

/* Describes the calling thread's own stack, for switching away from it and back. */
void stack_adopt_thread(struct stack *stack);

/* The stack whose slot or guard holds `address`, of any pool; `*in_guard` says which. NULL: none. For signal handlers. */
struct stack *stack_find(const void *address, bool *in_guard);

#endif
