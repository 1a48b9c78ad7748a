/* S127: functions that a drain calls, in the order of the blocks, and a shutdown that reaches every loop. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- The order ---- */

static char order[64];

static void say(const char *what)
{
    snprintf(order + strlen(order), sizeof order - strlen(order), "%s ", what);
}

static int wait_idly(struct wf_event *ready)
{
    WF_SCOPE(inner);
    wf_scope_on_drain(&inner, say, "listener");
    if (ready != NULL) wf_event_set(ready);
    return wf_scope_end(&inner, wf_idle(wf_sleep_until(WF_FOREVER)));
}

static int run_with_pool(struct wf_event *ready)
{
    WF_SCOPE(pool, .policy = WF_COLLECT);
    int rc = wf_scope_on_drain(&pool, say, "database");
    if (rc == 0) rc = wf_scope_on_drain(&pool, say, "pool");
    if (rc == 0) rc = wf_spawn(&pool, wait_idly, ready);
    return wf_scope_end(&pool, rc);
}

WF_TEST(inner_scopes_hear_of_a_drain_first, .rule = "7.2")
{
    struct wf_event ready = WF_EVENT;
    order[0] = '\0';
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_scope_on_drain(&scope, say, "process");
    wf_spawn(&scope, run_with_pool, &ready);
    if (!WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_event_wait(&ready)), 0)) return;
    wf_scope_drain(&scope);
    WF_EXPECT_TEXT(order, "listener pool database process ");
    wf_scope_drain(&scope);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ESHUTDOWN);
    WF_EXPECT_TEXT(order, "listener pool database process ");
}

WF_TEST(what_is_registered_during_a_drain_is_called_at_once, .rule = "7.2")
{
    order[0] = '\0';
    WF_SCOPE(scope);
    wf_scope_drain(&scope);
    WF_EXPECT_CODE(wf_scope_on_drain(&scope, say, "at once"), 0);
    WF_EXPECT_TEXT(order, "at once ");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_was_not_called_goes_with_its_scope, .sweep = true)
{
    order[0] = '\0';
    for (int i = 0; i < 3; i++) {
        WF_SCOPE(scope);
        wf_scope_on_drain(&scope, say, "never");
        wf_scope_on_drain(&scope, say, "never");
        wf_yield();
        wf_scope_join(&scope);
    }
    WF_INVARIANT(order[0] == '\0');
}

WF_TEST(a_shield_keeps_a_drain_out)
{
    order[0] = '\0';
    WF_SCOPE(scope);
    WF_SCOPE(shield, .shield = true, .timeout = WF_SECONDS(1));
    WF_EXPECT_CODE(wf_scope_on_drain(&shield, say, "shielded"), 0);
    WF_EXPECT_CODE(wf_scope_on_drain(&scope, say, "scope"), 0);
    wf_scope_drain(&scope);
    WF_EXPECT_TEXT(order, "scope ");
    wf_scope_join(&shield);
    wf_scope_join(&scope);
}

/* ---- Every loop ---- */

struct crew {
    atomic_int told, idle, busy_done, cancelled;
};

static void tell(struct crew *crew)
{
    crew->told++;
}

static int be_idle(struct crew *crew)
{
    crew->idle++;
    int rc = wf_idle(wf_sleep_until(WF_FOREVER));
    if (rc == -ECANCELED) crew->cancelled++;
    return rc == -ESHUTDOWN ? 0 : rc;
}

static int be_busy(struct crew *crew)
{
    while (!wf_draining()) {
        int rc = wf_sleep(WF_MICROSECONDS(200));
        if (rc < 0) return rc;
    }
    int rc = wf_sleep(WF_MILLISECONDS(5)); /* a request that was under way */
    if (rc == 0) crew->busy_done++;
    return rc;
}

static int work(struct crew *crew)
{
    WF_SCOPE(scope);
    int rc = wf_scope_on_drain(&scope, tell, crew);
    wf_spawn(&scope, be_idle, crew);
    wf_spawn(&scope, be_busy, crew);
    return wf_scope_end(&scope, rc);
}

static int raise_when_idle(struct crew *crew)
{
    while (crew->idle < wf_loops_count()) {
        int rc = wf_sleep(WF_MICROSECONDS(200));
        if (rc < 0) return rc;
    }
    raise(SIGTERM);
    return 0;
}

static int run_crew(struct crew *crew)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, raise_when_idle, crew);
    int rc = wf_everywhere(work, crew);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_signal_drains_every_loop_and_what_is_under_way_ends, .plain = true, .rule = "7.1 7.4")
{
    struct crew crew = {0};
    int rc = wf_run(run_crew, &crew, .threads = 3, .signals = true, .grace = WF_SECONDS(30));
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_INT(crew.told, 3);
    WF_EXPECT_INT(crew.busy_done, 3);
    WF_EXPECT_INT(crew.cancelled, 0);
    WF_EXPECT_INT(wf_exit_status(rc), 0);
}

WF_TEST(without_a_grace_every_loop_is_cancelled, .plain = true, .rule = "7.1 7.4")
{
    struct crew crew = {0};
    int rc = wf_run(run_crew, &crew, .threads = 3, .signals = true);
    WF_EXPECT_CODE(rc, -ECANCELED);
    WF_EXPECT_INT(crew.cancelled, 3);
    WF_EXPECT_INT(wf_exit_status(rc), 128 + SIGTERM);
}

static int outlast(struct crew *crew)
{
    crew->idle++;
    int rc = wf_sleep(WF_SECONDS(1000));
    if (rc == -ECANCELED) crew->cancelled++;
    return rc;
}

static int run_stubborn(struct crew *crew)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, raise_when_idle, crew);
    int rc = wf_everywhere(outlast, crew);
    return wf_scope_end(&scope, rc);
}

WF_TEST(after_the_grace_every_loop_is_cancelled, .plain = true, .rule = "7.1")
{
    struct crew crew = {0};
    WF_EXPECT_CODE(wf_run(run_stubborn, &crew, .threads = 3, .signals = true, .grace = WF_MILLISECONDS(5)), -ECANCELED);
    WF_EXPECT_INT(crew.cancelled, 3);
}

WF_TEST_MAIN
