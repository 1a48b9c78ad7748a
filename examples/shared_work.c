// Work that keeps every core busy: jobs go through a channel that all loops share, and results come back by another.
//
//     weft run examples/shared_work.c
#include <stdio.h>
#include <weft/weft.h>

enum { JOBS = 1000 };

struct plant {
    struct wf_shared_channel *jobs, *results;
};

static int count_primes(int below)
{
    int count = 0;
    for (int number = 2; number < below; number++) {
        int divisor = 2;
        while (divisor * divisor <= number && number % divisor != 0) divisor++;
        count += divisor * divisor > number;
    }
    return count;
}

// On each loop; it has a copy of the two pointers.
static int work(const struct plant *plant)
{
    int job, rc;
    while ((rc = wf_shared_receive(plant->jobs, &job)) > 0) {
        int result = count_primes(job);
        rc = wf_shared_send(plant->results, &result);
        if (rc < 0) break;
    }
    return rc;
}

static int work_everywhere(struct plant *plant)
{
    int rc = wf_everywhere(work, plant);
    wf_shared_channel_close(plant->results);
    return rc;
}

static int hand_out(struct plant *plant)
{
    int rc = 0;
    for (int job = 1; rc == 0 && job <= JOBS; job++) rc = wf_shared_send(plant->jobs, &job);
    wf_shared_channel_close(plant->jobs);
    return rc;
}

static int add_up(struct plant *plant)
{
    int result, rc, count = 0;
    long sum = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, work_everywhere, plant);
    wf_spawn(&scope, hand_out, plant);
    while ((rc = wf_shared_receive(plant->results, &result)) > 0) {
        sum += result;
        count++;
    }
    rc = wf_scope_end(&scope, rc);
    printf("%d jobs on %d loops: %ld primes in all\n", count, wf_loops_count(), sum);
    return rc;
}

static int run(void *unused)
{
    struct plant plant = {0};
    (void)unused;
    int rc = wf_shared_channel_create(sizeof(int), 64, WF_WITH_LOOPS, &plant.jobs);
    if (rc == 0) rc = wf_shared_channel_create(sizeof(int), 64, WF_WITH_LOOPS, &plant.results);
    if (rc == 0) rc = add_up(&plant);
    wf_shared_channel_destroy(plant.jobs);
    wf_shared_channel_destroy(plant.results);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL, .threads = 3);
}
