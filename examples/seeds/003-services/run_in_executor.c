/*
 * Work for the processor goes to threads, four at most: a fifth job waits for one of them, and the loop goes on. From
 * "CPU-Bound Work", "run_in_executor".
 * Rows: S134, S137.
 * Run it: weft run examples/seeds/003-services/run_in_executor.c
 */
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <weft/weft.h>

enum { WORKERS = 4, JOBS = 10, ROUNDS = 20000000 };

static atomic_int running, peak;
static uint32_t expected[JOBS]; /* computed before there is a loop */

struct job {
    uint32_t data, processed;
};

static uint32_t compute(uint32_t data)
{
    for (int i = 0; i < ROUNDS; i++) data = data * 1664525 + 1013904223;
    return data;
}

/* Runs on a thread: it may block and compute, and calls nothing that belongs to tasks. */
static int cpu_intensive_sync(struct job *job)
{
    int now = atomic_fetch_add(&running, 1) + 1, seen = atomic_load(&peak);
    while (now > seen && !atomic_compare_exchange_weak(&peak, &seen, now)) continue;
    job->processed = compute(job->data);
    atomic_fetch_sub(&running, 1);
    return 0;
}

static int process_data(struct job *job)
{
    return wf_offload(cpu_intensive_sync, job);
}

static int tick(int *ticks)
{
    int rc;
    while ((rc = wf_sleep(WF_MILLISECONDS(1))) == 0) (*ticks)++;
    return rc;
}

static int process_all(void *unused)
{
    struct wf_statistics statistics;
    struct job jobs[JOBS];
    int ticks = 0, right = 0;
    (void)unused;
    for (uint32_t i = 0; i < JOBS; i++) jobs[i] = (struct job){.data = i};
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    int rc = wf_gather(jobs, JOBS, process_data);
    rc = wf_scope_end(&scope, rc);
    wf_loop_statistics(&statistics);
    for (uint32_t i = 0; i < JOBS; i++) right += jobs[i].processed == expected[i];
    printf("%d of %d results are right\n", right, JOBS);
    printf("at most %d jobs at once\n", atomic_load(&peak));
    printf("some waited for a thread: %s\n", statistics.job_wait_max_ns > WF_MILLISECONDS(1) ? "yes" : "no");
    printf("the loop went on meanwhile: %s\n", ticks >= 10 ? "yes" : "no");
    return rc;
}

int main(void)
{
    for (uint32_t i = 0; i < JOBS; i++) expected[i] = compute(i);
    return wf_main(process_all, NULL, .threads_max = WORKERS);
}
