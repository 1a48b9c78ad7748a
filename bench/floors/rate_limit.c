/* A reading of the clock, which a decision about time cannot do without. rate_limit READINGS */
#include "../measure.h"

int main(int argc, char **argv)
{
    long readings = argument(argc, argv, 1, 20000000), sum = 0;
    struct timespec time;
    double started = wall_seconds();
    for (long i = 0; i < readings; i++) {
        clock_gettime(CLOCK_MONOTONIC, &time);
        sum += time.tv_nsec;
    }
    double seconds = wall_seconds() - started;
    if (sum < 0) return 1;
    return print_result("rate_limit", seconds * 1e9 / (double)readings);
}
