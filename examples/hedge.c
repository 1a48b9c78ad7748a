/*
 * A hedged request: when the first replica has not answered after 50 ms, a second one is asked beside it.
 *
 *     weft run examples/hedge.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct lookup {
    const char *replica;
    int64_t latency;
    int answer;
};

static int look_up(struct lookup *lookup)
{
    int rc = wf_sleep(lookup->latency);
    if (rc < 0) return rc;
    lookup->answer = 42;
    return 0;
}

static int ask(struct lookup lookups[3])
{
    size_t winner, started;
    int rc = wf_hedge(lookups, 3, look_up, .delay = WF_MILLISECONDS(50), .winner = &winner, .started = &started);
    if (rc < 0) return rc;
    printf("%s answered %d; %zu replicas were asked\n", lookups[winner].replica, lookups[winner].answer, started);
    return 0;
}

int main(void)
{
    struct lookup lookups[] = {
        {.replica = "the slow one", .latency = WF_SECONDS(30)},
        {.replica = "the second", .latency = WF_MILLISECONDS(1)},
        {.replica = "the third", .latency = WF_MILLISECONDS(1)},
    };
    return wf_main(ask, lookups);
}
