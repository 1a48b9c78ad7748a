/* Births are a list of the loop; their calls are found by frame pointers. */
#include "core/birth.h"

#include "core/loop.h"
#include "fiber/walk.h"

void birth_adopt(struct loop *loop, struct birth *birth)
{
    birth->next = loop->born;
    birth->prev = NULL;
    if (loop->born != NULL) loop->born->prev = birth;
    loop->born = birth;
}

void birth_note(struct loop *loop, struct birth *birth, const char *what, int number)
{
    const struct stack *stack = loop->running != NULL ? loop->running->stack : &loop->thread_stack;
    *birth = (struct birth){.what = what, .number = number};
    birth_adopt(loop, birth);
    walk_records((uintptr_t)__builtin_frame_address(0), stack, birth->calls, BIRTH_CALLS);
}

void birth_forget(struct loop *loop, struct birth *birth)
{
    if (birth->next != NULL) birth->next->prev = birth->prev;
    if (birth->prev != NULL) birth->prev->next = birth->next;
    else loop->born = birth->next;
}
