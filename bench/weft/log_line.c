/*
 * What a line of the log, to a file, costs the task: three values, a request around it. In bursts with a pause behind
 * each, so that none is dropped; the pauses do not count. log_line LINES
 */
#define WF_LOG_MODULE "bench"
#include "../measure.h"

#include <weft/weft.h>

enum { BURST = 500 };

static double time_burst(int64_t first)
{
    double started = wall_seconds();
    for (int64_t i = first; i < first + BURST; i++)
        wf_log(WF_INFO, "order accepted", WF_TEXT("customer", "ada"), WF_INT("quantity", i), WF_NS("took", i * 1000));
    return wall_seconds() - started;
}

static int measure(const long *lines)
{
    double seconds = 0;
    int rc = 0;
    WF_REQUEST_CONTEXT(request, .name = "POST /orders");
    for (long i = 0; i < *lines && rc == 0; i += BURST) {
        seconds += time_burst(i);
        rc = wf_sleep(WF_MILLISECONDS(20));
    }
    struct wf_log_statistics statistics;
    wf_log_statistics(&statistics);
    if (rc < 0) return rc;
    if (statistics.dropped > 0) return wf_fail(-EPROTO, "%ld lines were dropped", (long)statistics.dropped);
    return print_result("log_line", seconds * 1e9 / (double)*lines);
}

int main(int argc, char **argv)
{
    long lines = argument(argc, argv, 1, 50000) / BURST * BURST + BURST;
    FILE *file = tmpfile();
    if (file == NULL || wf_log_set_output(fileno(file)) < 0) return 1;
    return wf_main(measure, &lines);
}
