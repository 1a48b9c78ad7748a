/*
 * Tasks that read, write, shut and close the two ends of a pipe or of a TCP connection in any order, in the simulated
 * world, against the model of wire.h. Whoever runs next takes the next byte of the input.
 */
#include "wire.h"

#include <weft/sim.h>
#include <weft/testing.h>

enum { TASKS = 4 };

static struct input input;
static struct wire wire;
static uint64_t cancel_at;
static bool cancel_in_flight;

static int64_t transfer(struct peer *peer)
{
    size_t size = 1 + take(&input, 256) * (take(&input, 8) == 0 ? 300 : 1);
    switch (take(&input, 6)) {
    case 0:
    case 1:
        return peer_read(peer, size, false);
    case 2:
        return peer_read(peer, size, true);
    case 3:
    case 4:
        return peer_write(peer, size, false);
    default:
        return peer_write(peer, size, true);
    }
}

/* Every wait has a bound, so that nobody waits for ever for bytes that never come. A close ends it long
 * before that. */
static int64_t bounded_transfer(struct peer *peer)
{
    int64_t deadline = wf_now() + (1 << take(&input, 24));
    int64_t rc = wf_until(deadline, transfer(peer));
    if (peer->closed && peer->closed_at + WF_MILLISECONDS(1) < deadline) CLAIM(rc != -ETIME);
    return rc;
}

static int64_t use(struct peer *peer)
{
    unsigned choice = take(&input, 24);
    if (choice == 0) peer_close(peer, take(&input, 2) == 0);
    else if (choice == 1) return peer_shutdown(peer);
    else if (choice == 2) return wf_yield();
    else if (choice < 5) return wf_sleep(1 << take(&input, 22));
    else return bounded_transfer(peer);
    return 0;
}

static int task(void *unused)
{
    (void)unused;
    while (!input_over(&input))
        if (use(&wire.ends[take(&input, 2)]) == -ECANCELED) return -ECANCELED;
    return 0;
}

/* The connection is made in calm; then it may be slow, cut transfers short, be reset, or run out of memory. */
static void set_weather(void)
{
    static const double often[] = {0, 0, 0.01, 0.3};
    unsigned choice = take(&input, 256);
    wf_sim_set_faults(.partial = often[choice % 4], .lost = often[choice / 4 % 4], .reset = often[choice / 16 % 4],
                      .no_memory = often[choice / 64]);
    wire.rough = choice / 16 != 0;
}

static int talk(void *unused)
{
    (void)unused;
    int rc = take(&input, 2) == 0 ? wire_pipe(&wire) : wire_tcp(&wire);
    if (rc < 0) return rc;
    set_weather();
    WF_SCOPE(scope, .timeout = WF_SECONDS(100));
    wf_test_cancel_at(&scope, cancel_at, cancel_in_flight);
    for (int i = 0; i < TASKS; i++) wf_spawn(&scope, task, NULL);
    rc = wf_scope_end(&scope, 0);
    wf_test_cancel_end();
    wire_close(&wire);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input = (struct input){.bytes = bytes, .left = size};
    wf_sim_seed(1 + take(&input, 256));
    cancel_at = take(&input, 4) == 0 ? take(&input, 256) : 0;
    cancel_in_flight = take(&input, 2) == 0;
    size_t before = wf_allocated_blocks();
    int rc = wf_run(talk, NULL, .driver = "sim");
    CLAIM(rc == 0);
    CLAIM(wf_allocated_blocks() == before);
    return 0;
}
