/* Starts a program that does nothing and waits for it, again and again. process_spawn TIMES */
#include "../measure.h"

#include <weft/weft.h>

static int measure(const long *times)
{
    const char *const argv[] = {"/bin/true", NULL};
    double started = wall_seconds();
    for (long i = 0; i < *times; i++) {
        struct wf_process process;
        int rc = wf_process_start(&process, argv);
        if (rc == 0) rc = wf_process_wait(&process, NULL);
        rc = wf_process_end(&process, rc);
        if (rc < 0) return rc;
    }
    return print_result("process_spawn", (wall_seconds() - started) * 1e6 / (double)*times);
}

int main(int argc, char **argv)
{
    long times = argument(argc, argv, 1, 1000);
    return wf_main(measure, &times);
}
