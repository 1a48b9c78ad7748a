/* A call that succeeds, under a retry and a breaker. guarded_call CALLS */
#include "../measure.h"

#include <weft/weft.h>

static __attribute__((noinline)) int answer(long i)
{
    __asm__ volatile("" : "+r"(i));
    return (int)(i & 0xff);
}

static int measure(const long *calls)
{
    static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3);
    static struct wf_breaker breaker = WF_BREAKER(.failures = 5);
    static const struct wf_pipeline pipeline = {.retry = &thrice, .breaker = &breaker};
    long sum = 0;
    double started = wall_seconds();
    for (long i = 0; i < *calls; i++) sum += wf_guarded(&pipeline, answer(i));
    double seconds = wall_seconds() - started;
    if (sum < 0) return -EPROTO;
    return print_result("guarded_call", seconds * 1e9 / (double)*calls);
}

int main(int argc, char **argv)
{
    long calls = argument(argc, argv, 1, 20000000);
    return wf_main(measure, &calls);
}
