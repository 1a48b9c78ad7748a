/*
 * Timeouts and patience, tested in no time: in the simulated world a sleep of an hour is over at once.
 *
 *     weft run examples/testing_timeout.c --verbose
 */
#include <weft/testing.h>
#include <weft/weft.h>

WF_TEST(a_call_that_takes_too_long_is_cut, .simulated = true)
{
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(100), wf_sleep(WF_SECONDS(1))), -ETIME);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
}

/* ---- What is tested: looks again after 1 s, 2 s, 4 s ..., at most after a minute ---- */

static int wait_until_ready(bool (*is_ready)(void))
{
    int64_t pause = WF_SECONDS(1);
    while (!is_ready()) {
        int rc = wf_sleep(pause);
        if (rc < 0) return rc;
        pause = pause < WF_SECONDS(30) ? 2 * pause : WF_MINUTES(1);
    }
    return 0;
}

/* ---- Its tests ---- */

static int looks;

static bool is_ready_at_last(void)
{
    return ++looks == 10;
}

static bool is_never_ready(void)
{
    return false;
}

WF_TEST(it_looks_less_and_less_often, .simulated = true, .timeout = WF_MINUTES(60))
{
    looks = 0;
    int64_t started = wf_now();
    WF_EXPECT_CODE(wait_until_ready(is_ready_at_last), 0);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60));
}

WF_TEST(it_is_given_up_after_a_day, .simulated = true, .timeout = WF_FOREVER)
{
    WF_EXPECT_CODE(wf_within(WF_MINUTES(60 * 24), wait_until_ready(is_never_ready)), -ETIME);
}

WF_TEST_MAIN
