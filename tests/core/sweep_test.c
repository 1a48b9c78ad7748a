/* Cancel at the k-th suspension point, for every k: it ends, nothing leaks, and the outcome is one that is allowed. */
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "program.h" /* shared with the other sweep */

struct sweep {
    uint64_t at;
    bool in_flight, fired;
    int rc;
};

/* The program under one scope, which the injection cancels; what it leaves behind is the caller's to check. */
static int run_once(struct sweep *sweep)
{
    WF_SCOPE(scope, .name = "sweep");
    wf_test_cancel_at(&scope, sweep->at, sweep->in_flight);
    sweep->rc = use_everything(NULL);
    sweep->fired = wf_test_cancel_end();
    return wf_scope_end(&scope, sweep->rc);
}

static bool allowed(int rc)
{
    return rc == 0 || rc == -ECANCELED || rc == -EPROTO || rc == -ECONNRESET || rc == -EPIPE || rc == WF_EEND;
}

static uint64_t sweep_all(bool in_flight)
{
    struct sweep sweep = {.in_flight = in_flight};
    for (sweep.at = 1;; sweep.at++) {
        size_t before = wf_allocated_blocks();
        int rc = wf_run(run_once, &sweep);
        WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)before);
        if (!allowed(rc)) WF_EXPECT_CODE(rc, 0);
        if (!allowed(sweep.rc)) WF_EXPECT_CODE(sweep.rc, 0);
        if (wf_test_failed()) WF_EXPECT_INT((int64_t)sweep.at, -1);
        if (!sweep.fired || wf_test_failed()) return sweep.at - 1;
    }
}

WF_TEST(a_cancel_on_entry_to_any_suspending_call_is_clean, .rule = "8.4", .plain = true, .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep_all(false) > 25);
}

WF_TEST(a_cancel_while_any_suspending_call_is_under_way_is_clean, .rule = "8.4", .plain = true,
        .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep_all(true) > 25);
}

WF_TEST_MAIN
