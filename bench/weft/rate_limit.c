/* Decisions of a rate limiter. rate_limit DECISIONS */
#include "../measure.h"

#include <weft/weft.h>

static int measure(const long *decisions)
{
    struct wf_rate rate = WF_RATE(10000000, WF_SECONDS(1), .burst = 5);
    long passed = 0;
    double started = wall_seconds();
    for (long i = 0; i < *decisions; i++) passed += wf_rate_try(&rate, NULL) == 0;
    double seconds = wall_seconds() - started;
    if (passed == 0) return -EPROTO;
    return print_result("rate_limit", seconds * 1e9 / (double)*decisions);
}

int main(int argc, char **argv)
{
    long decisions = argument(argc, argv, 1, 20000000);
    return wf_main(measure, &decisions);
}
