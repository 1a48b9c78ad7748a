/* A semaphore with a free permit, acquired and released. semaphore TIMES */
#include "../measure.h"

#include <weft/weft.h>

static int measure(const long *times)
{
    struct wf_semaphore semaphore = WF_SEMAPHORE(1);
    double started = wall_seconds();
    for (long i = 0; i < *times; i++) {
        int rc = wf_semaphore_acquire(&semaphore);
        if (rc < 0) return rc;
        wf_semaphore_release(&semaphore);
    }
    return print_result("semaphore", (wall_seconds() - started) * 1e9 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 100000000);
    return wf_main(measure, &times);
}
