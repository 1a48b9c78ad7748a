/* The switch for two that take turns, where there is none by hand. */
#include "fiber/fiber.h"

int weft_fiber_pass(void **save, void *to, const int64_t *result, int answer)
{
    (void)answer;
    weft_fiber_switch(save, to);
    return (int)*result;
}
