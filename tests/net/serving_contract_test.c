/* The contract of names and of serving: contract.h says what the lines mean. */
#include "../contract.h"

WF_TEST(a_refused_look_up_asks_nobody, .rule = "1.1 1.7")
{
    struct wf_arena arena;
    const struct wf_address *addresses = NULL;
    struct wf_names_statistics statistics;
    wf_arena_init(&arena);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_names_set, WF_EXPECT_CODE(wf_names_set(.ttl = WF_SECONDS(1)), 0));
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_resolve, wf_resolve("nobody", 80, &arena, &addresses));
    REFUSED_TOO(wf_resolve, wf_resolve("127.0.0.1", 80, &arena, &addresses));
    WF_EXPECT(addresses == NULL);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    STAYS(wf_names_statistics, wf_names_statistics(&statistics));
    WF_EXPECT_INT((int64_t)statistics.lookups, 0);
    STAYS(wf_names_forget, wf_names_forget());
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_arena_finish(&arena);
}

static int never(void *unused, struct wf_stream *stream)
{
    (void)unused;
    (void)stream;
    return -EPROTO;
}

WF_TEST(a_refused_server_takes_no_connection_and_a_refused_idle_wait_none_either, .rule = "1.1 1.7")
{
    struct wf_listener *listener;
    struct wf_serve_statistics statistics = {.accepted = 7};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    STAYS(wf_idle, WF_EXPECT_INT(wf_idle(7), 7));
    REFUSED(wf_serve_streams, wf_serve_streams(listener, never, NULL, .statistics = &statistics));
    WF_EXPECT_INT((int64_t)statistics.accepted, 7);
    WF_EXPECT_CODE(wf_idle(wf_sleep(1)), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_listener_close(listener);
}

WF_TEST_MAIN
