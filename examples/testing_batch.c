/*
 * A batch with a limit, tested in virtual time: ten jobs of 0.1 s, three at once, take exactly 0.4 s.
 *
 *     weft run examples/testing_batch.c
 */
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested ---- */

struct job {
    int value, result;
};

static int process_batch(struct job *jobs, size_t count, int (*process)(struct job *job), uint32_t max_concurrency)
{
    return wf_gather(jobs, count, process, .limit = max_concurrency);
}

/* ---- Its test ---- */

static int now_running, most_running;

static int double_slowly(struct job *job)
{
    if (++now_running > most_running) most_running = now_running;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    now_running--;
    job->result = job->value * 2;
    return rc;
}

WF_TEST(a_batch_is_processed_three_at_a_time, .simulated = true)
{
    struct job jobs[10];
    for (int i = 0; i < 10; i++) jobs[i] = (struct job){.value = i};
    int64_t started = wf_now();
    WF_EXPECT_CODE(process_batch(jobs, 10, double_slowly, 3), 0);
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(jobs[i].result, 2 * i);
    WF_EXPECT_INT(most_running, 3);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(400));
}

WF_TEST_MAIN
