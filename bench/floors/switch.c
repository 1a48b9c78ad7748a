/*
 * Floor of `switch`: two stacks that hand the processor to each other, with no queue, no bookkeeping and no clock
 * between them. No scheduler can be cheaper.
 */
#include "../measure.h"
#include "bare_switch.h"

static void *here, *there;
static _Alignas(16) char stack[64 * 1024];

static void answer_for_ever(void)
{
    for (;;) bare_switch(&there, here);
}

int main(int argc, char **argv)
{
    long switches = argument(argc, argv, 1, 20000000);
    there = bare_stack_init(stack + sizeof stack, answer_for_ever);
    double started = wall_seconds();
    for (long i = 0; i < switches; i += 2) bare_switch(&here, there);
    return print_result("switch", (wall_seconds() - started) * 1e9 / (double)switches);
}
