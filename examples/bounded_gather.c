/*
 * A hundred jobs, ten at a time: results in the order of the jobs, and never more than ten children alive.
 *
 *     weft run examples/bounded_gather.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct load {
    int now, peak;
};

struct job {
    struct load *load;
    int number;
    int square;
};

static int compute(struct job *job)
{
    struct load *load = job->load;
    load->now++;
    if (load->now > load->peak) load->peak = load->now;
    int rc = wf_sleep(WF_MILLISECONDS(10));
    load->now--;
    if (rc < 0) return rc;
    job->square = job->number * job->number;
    return 0;
}

static int run_jobs(struct load *load)
{
    struct job jobs[100];
    for (int i = 0; i < 100; i++) jobs[i] = (struct job){.load = load, .number = i};
    int64_t started = wf_now();
    int rc = wf_gather(jobs, WF_COUNT(jobs), compute, .limit = 10);
    if (rc < 0) return rc;

    bool in_order = true;
    for (int i = 0; i < 100; i++) in_order = in_order && jobs[i].square == i * i;
    printf("100 jobs of 10 ms, 10 at a time: %.1f s\n", wf_seconds(wf_now() - started));
    printf("peak: %d, results in order: %s\n", load->peak, in_order ? "yes" : "no");
    return 0;
}

int main(void)
{
    struct load load = {0};
    return wf_main(run_jobs, &load);
}
