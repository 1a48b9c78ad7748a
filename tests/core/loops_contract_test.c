/* The contract of what reaches other loops: contract.h says what the lines mean. */
#include "../contract.h"

static int count_call(int *calls)
{
    return ++*calls;
}

WF_TEST(a_refused_call_reaches_no_other_loop, .loops = 2, .rule = "1.1 1.3 1.7")
{
    int calls = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_call_on, wf_call_on(1, count_call, &calls));
    REFUSED(wf_everywhere, wf_everywhere(count_call, &calls));
    REFUSED(wf_spawn_on, wf_spawn_on(&cancelled, 1, count_call, &calls));
    REFUSED_TOO(wf_spawn_on, wf_spawn_on(&scope, 0, count_call, &calls));
    STAYS(wf_loops_count, WF_EXPECT_INT(wf_loops_count(), 2));
    STAYS(wf_loop_index, WF_EXPECT_INT(wf_loop_index(), 0));
    STAYS(wf_loop_load, WF_EXPECT_INT(wf_loop_load(1), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT(calls, 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
