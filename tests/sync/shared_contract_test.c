/* The contract of what several loops share: contract.h says what the lines mean. */
#include <pthread.h>

#include "../contract.h"

static struct wf_bridge *bridge;
static _Atomic int outcome;

static int never_called(void *unused)
{
    return unused == NULL;
}

static void *call_across(void *unused)
{
    outcome = wf_bridge_call(bridge, never_called, unused);
    return NULL;
}

static void call_from_thread(void)
{
    pthread_t thread;
    if (bridge != NULL && pthread_create(&thread, NULL, call_across, NULL) == 0) pthread_join(thread, NULL);
}

WF_TEST(a_refused_wait_for_what_is_shared_takes_nothing, .loops = 2, .rule = "1.1 1.3 1.7")
{
    int item = 1;
    struct wf_shared_channel *channel = NULL;
    struct wf_shared_event *event = NULL;
    struct wf_shared_statistics statistics = {.sent = 0};
    bridge = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    STAYS(wf_shared_channel_create,
          WF_EXPECT_CODE(wf_shared_channel_create(sizeof item, 1, WF_WITH_THREADS, &channel), 0));
    STAYS(wf_shared_event_create, WF_EXPECT_CODE(wf_shared_event_create(WF_WITH_LOOPS, &event), 0));
    if (channel == NULL || event == NULL) {
        wf_shared_channel_destroy(channel);
        wf_shared_event_destroy(event);
        return;
    }
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
    STAYS(wf_bridge_create, WF_EXPECT_CODE(wf_bridge_create(&scope, &bridge), 0));
    wf_scope_drain(&scope);
    wf_shielded(WF_FOREVER, wf_yield());
    STAYS(wf_bridge_call, call_from_thread());
    WF_EXPECT_CODE(outcome, -ESHUTDOWN);
    STAYS(wf_bridge_destroy, wf_bridge_destroy(bridge));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
