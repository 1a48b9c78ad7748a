/* A mutex that nobody else wants, locked and unlocked. mutex TIMES */
#include "../measure.h"

#include <weft/weft.h>

static int measure(const long *times)
{
    struct wf_mutex mutex = WF_MUTEX;
    double started = wall_seconds();
    for (long i = 0; i < *times; i++) {
        int rc = wf_mutex_lock(&mutex);
        if (rc < 0) return rc;
        wf_mutex_unlock(&mutex);
    }
    return print_result("mutex", (wall_seconds() - started) * 1e9 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 100000000);
    return wf_main(measure, &times);
}
