/* The contract of what several loops share: contract.h says what the lines mean. */
#include "../contract.h"

WF_TEST(a_refused_wait_for_what_is_shared_takes_nothing, .loops = 2, .rule = "1.1 1.3 1.7")
{
    int item = 1;
    struct wf_shared_channel *channel = NULL;
    struct wf_shared_event *event = NULL;
    struct wf_shared_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    STAYS(wf_shared_channel_create,
          WF_EXPECT_CODE(wf_shared_channel_create(sizeof item, 1, WF_WITH_THREADS, &channel), 0));
    STAYS(wf_shared_event_create, WF_EXPECT_CODE(wf_shared_event_create(WF_WITH_LOOPS, &event), 0));
    REFUSED(wf_shared_send, wf_shared_send(channel, &item));
    STAYS(wf_shared_try_send, WF_EXPECT_CODE(wf_shared_try_send(channel, &item), 0));
    REFUSED(wf_shared_receive, wf_shared_receive(channel, &item));
    STAYS(wf_shared_try_receive, WF_EXPECT_CODE(wf_shared_try_receive(channel, &item), 1));
    REFUSED(wf_shared_event_wait, wf_shared_event_wait(event));
    STAYS(wf_shared_event_set, wf_shared_event_set(event));
    STAYS(wf_shared_event_is_set, WF_EXPECT(wf_shared_event_is_set(event)));
    STAYS(wf_shared_event_wait_blocking, wf_shared_event_wait_blocking(event));
    STAYS(wf_shared_event_clear, wf_shared_event_clear(event));
    STAYS(wf_shared_send_blocking, WF_EXPECT_CODE(wf_shared_send_blocking(channel, &item), 0));
    STAYS(wf_shared_receive_blocking, WF_EXPECT_CODE(wf_shared_receive_blocking(channel, &item), 1));
    STAYS(wf_shared_channel_statistics, wf_shared_channel_statistics(channel, &statistics));
    STAYS(wf_shared_channel_close, WF_EXPECT_CODE(wf_shared_channel_close(channel), 0));
    STAYS(wf_shared_channel_close_now, WF_EXPECT_CODE(wf_shared_channel_close_now(channel, NULL), -EALREADY));
    STAYS(wf_shared_channel_destroy, wf_shared_channel_destroy(channel));
    STAYS(wf_shared_event_destroy, wf_shared_event_destroy(event));
    WF_EXPECT(statistics.sent == 2);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
