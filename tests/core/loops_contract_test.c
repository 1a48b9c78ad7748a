/* The contract of what reaches other loops: contract.h says what the lines mean. */
#include <stdlib.h>

#include "../contract.h"

static int count_call(int *calls)
{
    return ++*calls;
}

static void be_told(int *calls)
{
    ++*calls;
}

WF_TEST(what_a_service_says_does_not_suspend, .rule = "1.7")
{
    int calls = 0;
    struct wf_listener *listener;
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("LISTEN_FDS");
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    STAYS(wf_notify, WF_EXPECT_CODE(wf_notify("READY=1"), 0));
    STAYS(wf_notify_ready, WF_EXPECT_CODE(wf_notify_ready(), 0));
    STAYS(wf_notify_stopping, WF_EXPECT_CODE(wf_notify_stopping(), 0));
    STAYS(wf_notify_status, WF_EXPECT_CODE(wf_notify_status("well"), 0));
    STAYS(wf_notify_watchdog, WF_EXPECT_CODE(wf_notify_watchdog(&scope), 0));
    STAYS(wf_inherited_count, WF_EXPECT_INT(wf_inherited_count(), 0));
    STAYS(wf_listen_inherited, WF_EXPECT_CODE(wf_listen_inherited(NULL, 0, &listener), -ENOENT));
    STAYS(wf_scope_on_drain, WF_EXPECT_CODE(wf_scope_on_drain(&scope, be_told, &calls), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(calls, 0);
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
