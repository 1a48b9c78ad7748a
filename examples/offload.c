/*
 * Blocking work goes to threads, and the loop goes on: four calls block for 200 ms each while a ticker ticks.
 *
 *     weft run examples/offload.c
 */
#include <stdio.h>
#include <time.h>
#include <weft/weft.h>

struct sum {
    int from, to;
    long result;
};

/* Runs on a thread: it may block, and it may not call what belongs to tasks. */
static int add_up(struct sum *sum)
{
    nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    for (int i = sum->from; i < sum->to; i++) sum->result += i;
    return 0;
}

static int offload_one(struct sum *sum)
{
    return wf_offload(add_up, sum);
}

static int tick(int *ticks)
{
    int rc;
    while ((rc = wf_sleep(WF_MILLISECONDS(10))) == 0) (*ticks)++;
    return rc;
}

static int add_in_parts(int *ticks)
{
    struct sum sums[4];
    for (int i = 0; i < 4; i++) sums[i] = (struct sum){.from = i * 250, .to = (i + 1) * 250};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, ticks, .daemon = true); /* does not keep the scope open */
    for (int i = 0; i < 4; i++) wf_spawn(&scope, offload_one, &sums[i]);
    int rc = wf_scope_join(&scope);
    if (rc < 0) return rc;

    long total = 0;
    for (int i = 0; i < 4; i++) total += sums[i].result;
    printf("4 blocking calls of 200 ms: %.1f s, the sum is %ld\n", wf_seconds(wf_now() - started), total);
    printf("the ticker went on meanwhile: %s\n", *ticks >= 3 ? "yes" : "no");
    return 0;
}

int main(void)
{
    int ticks = 0;
    return wf_main(add_in_parts, &ticks, .threads_max = 4);
}
