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
void *weft_fiber_prepare(void *top, void (*entry)(void *argument), void *argument);

#if WEFT_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack_save, const void **bottom_old, size_t *size_old);
#endif
#if WEFT_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/*
 * Leaves the fiber on `from` for the one suspended at `to` on `into`; returns when something switches back. `dying`: it
 * never will. Inlined, because ThreadSanitizer needs the announcement and the switch in one frame.
 */
__attribute__((always_inline)) static inline void fiber_switch(void **save, struct stack *from, void *to,
                                                               struct stack *into, bool dying)
{
    (void)from, (void)into, (void)dying;
#if WEFT_ASAN
    __sanitizer_start_switch_fiber(dying ? NULL : &from->fake_stack, into->low, into->size);
#endif
#if WEFT_TSAN
    __tsan_switch_to_fiber(into->tsan_fiber, 0);
#endif
    weft_fiber_switch(save, to);
#if WEFT_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

/* First statement of a fiber's entry function. */
static inline void fiber_entered(void)
{
#if WEFT_ASAN
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
#endif
}

#endif
