/* The contract of TLS, and of what streams of other libraries stand on: contract.h says what the lines mean. */
#include "../contract.h"

#include <weft/extend.h>

#include "pki.h"

WF_TEST(a_refused_configuration_is_not_made, .rule = "1.1 1.3 1.7")
{
    struct wf_tls_config *config = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_tls_client_create, wf_tls_client_create(&config, .ca_pem = root_pem()));
    REFUSED(wf_tls_server_create, wf_tls_server_create(&config, .identity = identity_of(SERVER)));
    WF_EXPECT(config == NULL);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_configuration_is_not_read_again, .rule = "1.1 1.3 1.7")
{
    struct rig rig;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false))) return rig_end(&rig);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_tls_reload, wf_tls_reload(rig.server.config));
    REFUSED(wf_checkpoint, wf_checkpoint());
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    rig_end(&rig);
}

WF_TEST(a_refused_handshake_does_not_touch_the_stream_below, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a = NULL, *b = NULL, *tls = NULL;
    struct rig rig;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) ||
        !WF_EXPECT_CODE(wf_stream_pair(4096, &a, &b), 0))
        return rig_end(&rig);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_tls_connect, wf_tls_connect(a, rig.client.config, "server.test", &tls));
    REFUSED(wf_tls_accept, wf_tls_accept(b, rig.server.config, &tls));
    REFUSED(wf_tls_dial, wf_tls_dial("127.0.0.1", 1, rig.client.config, &tls));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    rig.client.under = a;
    rig.server.under = b;
    rig_end(&rig);
}

WF_TEST(a_refused_transfer_over_tls_moves_no_byte, .rule = "1.1 1.3")
{
    struct rig rig;
    char text[4] = "....";
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) || !rig_open(&rig, 4096) ||
        !WF_EXPECT_CODE(wf_stream_write_all(rig.server.tls, "ab", 2, NULL), 0) ||
        !WF_EXPECT_INT(wf_stream_read(rig.client.tls, text, 1), 1)) /* the other byte has been decrypted */
        return rig_end(&rig);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        WF_EXPECT_CODE(wf_stream_read(rig.client.tls, text + 1, 1), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_write(rig.client.tls, "y", 1), -ECANCELED);
        WF_EXPECT_CODE(wf_stream_shutdown(rig.client.tls), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT(text[1] == '.');
    WF_EXPECT_INT(wf_stream_read(rig.client.tls, text + 1, 1), 1);
    WF_EXPECT(text[1] == 'b');
    WF_EXPECT_CODE(wf_stream_write_all(rig.client.tls, "z", 1, NULL), 0);
    rig_end(&rig);
}

WF_TEST(asking_about_tls_and_ending_it_never_suspend, .rule = "1.7")
{
    struct rig rig;
    struct wf_tls_statistics statistics;
    struct wf_tls_info info;
    if (!rig_configure(&rig, OPTIONS(.sessions_max = 1), OPTIONS(.offload = false)) || !rig_open(&rig, 4096))
        return rig_end(&rig);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_tls_info, WF_EXPECT_CODE(wf_tls_info(rig.client.tls, wf_task_arena(), &info), 0));
    STAYS(wf_tls_statistics, wf_tls_statistics(rig.client.config, &statistics));
    STAYS(wf_tls_destroy, wf_tls_destroy(NULL));
    WF_EXPECT_CODE(wf_tls_info(rig.client.raw, wf_task_arena(), &info), -EINVAL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    rig_end(&rig);
}

WF_TEST(memory_for_streams_of_other_libraries_is_had_without_suspending, .rule = "1.7 8.4")
{
    void *memory = NULL, *more = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    size_t blocks = wf_allocated_blocks();
    uint8_t few[4];
    STAYS(wf_random_bytes, wf_random_bytes(few, sizeof few));
    STAYS(wf_memory_alloc, memory = wf_memory_alloc(100));
    if (memory != NULL) WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks + 1);
    STAYS(wf_memory_resize, more = wf_memory_resize(memory, 1000));
    STAYS(wf_memory_free, wf_memory_free(more != NULL ? more : memory));
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
    uint64_t numbers[2] = {0};
    STAYS(wf_random, wf_random(numbers, sizeof numbers));
    WF_EXPECT(numbers[0] != numbers[1]);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int count_up(int *count)
{
    ++*count;
    return 0;
}

/* A call that never waits is still fair: the others run when its budget is used up. */
WF_TEST(a_checkpoint_lets_the_others_run_in_the_end, .rule = "5.2")
{
    int count = 0, checkpoints = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, count_up, &count);
    while (count == 0 && checkpoints < 1000 && wf_checkpoint() == 0) checkpoints++;
    WF_EXPECT_INT(count, 1);
    WF_EXPECT(checkpoints < 200);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
