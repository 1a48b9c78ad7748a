/* Failures that hang on the seed, on an injection, or on what no seed decides. */
#include <stdlib.h>
#include <time.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int send_three(struct wf_stream *writer)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) rc = wf_stream_write_all(writer, "x", 1, NULL);
    return rc;
}

/* Moves a bit through a pipe, in a time that the seed decides. */
static int travel(void)
{
    struct wf_stream *ends[2];
    int rc = wf_pipe(&ends[0], &ends[1]);
    if (rc < 0) return rc;
    rc = send_three(ends[1]);
    wf_stream_close(ends[0]);
    wf_stream_close(ends[1]);
    return rc;
}

WF_TEST(one_seed_in_four_is_bad, .simulated = true)
{
    WF_EXPECT_CODE(travel(), 0);
    WF_EXPECT(wf_sim_trace() % 4 != 0);
}

/* ---- Injections ---- */

// fails[sim] a_cancelled_one_leaks: left behind: 1 heap block
// fails[sim] a_cancelled_one_leaks: --inject cancel:
static int travel_carelessly(void)
{
    struct wf_stream *ends[2];
    int rc = wf_pipe(&ends[0], &ends[1]);
    if (rc < 0) return rc;
    rc = send_three(ends[1]);
    wf_stream_close(ends[1]);
    if (rc < 0) return rc;
    wf_stream_close(ends[0]);
    return rc;
}

WF_TEST(a_cancelled_one_leaks, .simulated = true, .sweep = true)
{
    WF_EXPECT_CODE(travel_carelessly(), 0);
}

WF_FIXTURE(base, .life = WF_PER_RUN)
{
    return wf_provide(NULL);
}

// fails a_cancelled_one_leaks_with_a_fixture: left behind: 1 heap block|--inject cancel:
WF_TEST(a_cancelled_one_leaks_with_a_fixture, .sweep = true, .uses = {&base})
{
    WF_EXPECT_CODE(travel_carelessly(), 0);
}

/* Expectations end with the injection, invariants do not. */
static bool settled = true;

// fails an_invariant_breaks: broken: settled|--inject
WF_TEST(an_invariant_breaks, .sweep = true)
{
    settled = false;
    int rc = travel();
    if (WF_EXPECT_CODE(rc, 0)) settled = true;
    WF_INVARIANT(settled);
}

/* ---- What no seed decides ---- */

// fails[sim] an_address_decides: not deterministic|--sweep an_address_decides
WF_TEST(an_address_decides, .simulated = true, .sweep = true)
{
    static void *kept[2];
    static unsigned run;
    kept[run % 2] = malloc(64);
    WF_EXPECT_CODE(wf_sleep((int64_t)((uintptr_t)kept[run % 2] & 0xffffff)), 0);
    WF_EXPECT_CODE(travel(), 0);
    if (++run % 2 == 0)
        for (int i = 0; i < 2; i++) free(kept[i]);
}

// fails[sim] the_real_time_decides: not deterministic
WF_TEST(the_real_time_decides, .simulated = true, .sweep = true)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    WF_EXPECT_CODE(wf_sleep(now.tv_nsec), 0);
    WF_EXPECT_CODE(travel(), 0);
}

// fails[sim] an_earlier_run_decides: not deterministic
WF_TEST(an_earlier_run_decides, .simulated = true, .sweep = true)
{
    static unsigned run;
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(++run)), 0);
    WF_EXPECT_CODE(travel(), 0);
}

// passes the_seed_decides
WF_TEST(the_seed_decides, .simulated = true, .sweep = true)
{
    WF_EXPECT_CODE(travel(), 0);
}

WF_TEST_MAIN
