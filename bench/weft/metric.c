/* One more on a counter that was found before. metric TIMES */
#include "../measure.h"

#include <weft/weft.h>

WF_COUNTER(requests, "bench_requests_total", "Requests answered.", .labels = {"method", "status"});

static int measure(const long *times)
{
    struct wf_counter *counter = wf_counter_at(&requests, "GET", "200");
    wf_counter_add(counter, 1);
    double started = wall_seconds();
    for (long i = 1; i < *times; i++) wf_counter_add(counter, 1);
    double seconds = wall_seconds() - started;
    if (wf_counter_value(counter) != (uint64_t)*times) return -EPROTO;
    return print_result("metric", seconds * 1e9 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 100000000);
    return wf_main(measure, &times);
}
