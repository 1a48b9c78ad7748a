/* Floor of `metric`: an addition to one number in memory that the compiler may not keep in a register. */
#include "../measure.h"

static volatile uint64_t number;

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 100000000);
    double started = wall_seconds();
    for (long i = 0; i < times; i++) number = number + 1;
    return print_result("metric", (wall_seconds() - started) * 1e9 / (double)times);
}
