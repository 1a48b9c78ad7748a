/*
 * The context switch for every other processor, by ucontext(3): slow (a system call for the signal mask), portable.
 * A suspended context is a ucontext_t on its own stack, so the interface is that of the hand-written ones.
 */
#include <stdint.h>
#include <ucontext.h>

#include "fiber/fiber.h"

struct start {
    ucontext_t context;
    void (*entry)(void *argument);
    void *argument;
};

void weft_fiber_switch(void **save, void *to)
{
    ucontext_t here;
    *save = &here;
    swapcontext(&here, to);
}

/* makecontext passes ints only. */
static void start(unsigned high, unsigned low)
{
    struct start *start = (struct start *)((uintptr_t)high << 32 | low);
    start->entry(start->argument);
    __builtin_trap();
}

void *weft_fiber_prepare(void *top, void (*entry)(void *argument), void *argument)
{
    enum { ENOUGH = 16384 }; /* makecontext needs a size; the real one is the pool's */
    uintptr_t place = ((uintptr_t)top - sizeof(struct start)) & ~(uintptr_t)63;
    struct start *first = (struct start *)place;
    getcontext(&first->context);
    first->context.uc_stack.ss_sp = (char *)first - ENOUGH;
    first->context.uc_stack.ss_size = ENOUGH;
    first->context.uc_link = NULL;
    first->entry = entry;
    first->argument = argument;
    makecontext(&first->context, (void (*)(void))start, 2, (unsigned)((uint64_t)place >> 32), (unsigned)place);
    return &first->context;
}

/* Nothing runs on a stack that was left: the walk by frame pointers does not start either, and a dump has no calls. */
bool weft_fiber_peek(void *parked, void (*fn)(void *argument), void *argument)
{
    (void)parked, (void)fn, (void)argument;
    return false;
}

const int weft_fiber_record_at = -1;
const char weft_fiber_start[1];
