/* The same call without anything around it. guarded_call CALLS */
#include "../measure.h"

static __attribute__((noinline)) int answer(long i)
{
    __asm__ volatile("" : "+r"(i));
    return (int)(i & 0xff);
}

int main(int argc, char **argv)
{
    long calls = argument(argc, argv, 1, 100000000), sum = 0;
    double started = wall_seconds();
    for (long i = 0; i < calls; i++) sum += answer(i);
    double seconds = wall_seconds() - started;
    if (sum < 0) return 1;
    return print_result("guarded_call", seconds * 1e9 / (double)calls);
}
