/* Births are a list of the loop; their calls are found by frame pointers. */
#include "core/birth.h"

#include "core/loop.h"
#include "fiber/walk.h"

/* Held for some instructions, and almost always by the loop's own thread. */
static void lock(struct loop *loop)
{
    while (atomic_flag_test_and_set_explicit(&loop->births_lock, memory_order_acquire)) {}
}

static void unlock(struct loop *loop)
{
    atomic_flag_clear_explicit(&loop->births_lock, memory_order_release);
}

void birth_note(struct loop *loop, struct birth *birth, const char *what, int number)
{
    const struct stack *stack = loop->running != NULL ? loop->running->stack : &loop->thread_stack;
    *birth = (struct birth){.loop = loop, .what = what, .number = number};
    walk_records((uintptr_t)__builtin_frame_address(0), stack, birth->calls, BIRTH_CALLS);
    lock(loop);
    birth->next = loop->births;
    if (loop->births != NULL) loop->births->prev = birth;
    loop->births = birth;
    unlock(loop);
}

void birth_forget(struct birth *birth)
{
    struct loop *loop = birth->loop;
    lock(loop);
    if (birth->next != NULL) birth->next->prev = birth->prev;
    if (birth->prev != NULL) birth->prev->next = birth->next;
    else loop->births = birth->next;
    unlock(loop);
}
