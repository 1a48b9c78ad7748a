/*
 * A fiber: a stack to stand on, and the switch from one to another, with what sanitizers must be told about it.
 *
 * A suspended fiber is one pointer, the stack pointer with its registers saved above it (the picture is in the switch's
 * file). A fiber is only ever left by switching away; a suspended one is never thrown away, because C has no unwinding.
 */
#ifndef WEFT_FIBER_FIBER_H
#define WEFT_FIBER_FIBER_H

#include "base/sanitize.h"
#include "fiber/stack.h"

void weft_fiber_switch(void **save, void *to);
/* The switch for two that take turns, made to be a tail call: gives *result once it is resumed, and the other one, when
 * it waits in here too, `answer`, which must be what lies at its own place of the result. */
int weft_fiber_pass(void **save, void *to, const int64_t *result, int answer);
void *weft_fiber_prepare(void *top, void (*entry)(void *argument), void *argument);
/* Calls the function on the stack of a suspended fiber: an unwinder sees that fiber's calls above it. False: it cannot
 * be done with this switch, and was not called. The fiber stays as it is. */
bool weft_fiber_peek(void *parked, void (*fn)(void *argument), void *argument);
/* Where a suspended fiber has its frame record, the caller's frame and the address to return to; -1: it has none. */
extern const int weft_fiber_record_at;
/* Where the code is that every fiber begins in. */
extern const char weft_fiber_start[];

/*
 * Leaves the fiber on `from` for the one suspended at `to` on `into`; returns when something switches back. `dying`: it
 * never will. Inlined, because ThreadSanitizer needs the announcement and the switch in one frame.
 */
__attribute__((always_inline)) static inline void fiber_switch(void **save, struct stack *from, void *to,
                                                               struct stack *into, bool dying)
{
    asan_leave(dying ? NULL : &from->fake_stack, into->low, into->size);
    tsan_switch(into->tsan_fiber);
    weft_fiber_switch(save, to);
    asan_arrive(from->fake_stack);
}

/* The same, by weft_fiber_pass where no sanitizer must hear of the return. */
__attribute__((always_inline)) static inline int fiber_pass(void **save, struct stack *from, void *to,
                                                                struct stack *into, const int64_t *result, int answer)
{
    if (!WEFT_ASAN && !WEFT_TSAN) return weft_fiber_pass(save, to, result, answer);
    fiber_switch(save, from, to, into, false);
    return (int)*result;
}

/* First statement of a fiber's entry function. */
static inline void fiber_entered(void)
{
    asan_arrive(NULL);
}

#endif
