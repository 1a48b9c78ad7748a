/* Rules 1.1 to 1.12 of docs/semantics.md: cancellation. */
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct victim {
    struct wf_scope *scope;
    int first, second, third;
    bool cleaned;
};

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

/* 1.1 */
static int ignore_cancel_once(struct victim *victim)
{
    victim->first = wf_sleep(WF_SECONDS(3600));
    victim->second = wf_sleep(WF_SECONDS(3600));
    victim->third = wf_yield();
    return victim->third;
}

WF_TEST(a_cancel_is_level_triggered_and_permanent, .rule = "1.1")
{
    struct victim victim = {.scope = NULL};
    WF_SCOPE(scope);
    wf_spawn(&scope, ignore_cancel_once, &victim);
    wf_yield();
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(victim.first, -ECANCELED);
    WF_EXPECT_CODE(victim.second, -ECANCELED);
    WF_EXPECT_CODE(victim.third, -ECANCELED);
}

WF_TEST(cancelling_a_scope_wakes_every_child, .rule = "1.1")
{
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, sleep_for_ever, NULL);
    wf_yield();
    int64_t started = wf_now();
    wf_scope_cancel(&scope, "all of you");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(wf_scope_caught(&scope));
    WF_EXPECT(wf_now() - started < WF_SECONDS(1));
}

/* 1.2 */
static int shielded_sleep(struct victim *victim)
{
    victim->first = wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(5)));
    victim->second = wf_sleep(WF_SECONDS(3600));
    return victim->second;
}

WF_TEST(a_shield_hides_outer_cancellation, .rule = "1.2 1.8")
{
    struct victim victim = {.scope = NULL};
    WF_SCOPE(scope);
    wf_spawn(&scope, shielded_sleep, &victim);
    wf_yield();
    wf_scope_cancel(&scope, "outer");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(victim.first, 0);
    WF_EXPECT_CODE(victim.second, -ECANCELED);
}

WF_TEST(the_shielding_scope_itself_can_be_cancelled, .rule = "1.2")
{
    WF_SCOPE(scope, .shield = true, .timeout = WF_SECONDS(60));
    wf_scope_cancel(&scope, "itself");
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, -ECANCELED), 0);
}

static int spawn_in_shield(struct victim *victim)
{
    WF_SCOPE(scope, .shield = true, .timeout = WF_SECONDS(60));
    wf_spawn(&scope, shielded_sleep, victim);
    wf_yield();
    wf_scope_set_deadline(&scope, wf_now() + WF_MILLISECONDS(20));
    return wf_scope_join(&scope);
}

/* 1.8 */
WF_TEST(tasks_spawned_inside_a_shield_are_shielded_and_its_bound_holds, .rule = "1.8")
{
    struct victim victim = {.scope = NULL};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, spawn_in_shield, &victim);
    wf_yield();
    wf_scope_cancel(&scope, "outer");
    int rc = wf_scope_join(&scope);
    WF_EXPECT_CODE(victim.first, 0);
    WF_EXPECT_CODE(victim.second, -ECANCELED);
    WF_EXPECT_CODE(rc, -ETIME);
}

WF_TEST(a_shield_without_a_bound_is_misuse, .rule = "1.8", .dies = "is a shield without a bound")
{
    WF_SCOPE(scope, .shield = true);
}

WF_TEST(cancel_before_a_scope_is_left_is_idempotent_and_the_first_reason_wins, .rule = "1.2 1.10")
{
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "first");
    wf_scope_cancel(&scope, "second");
    WF_EXPECT_TEXT(wf_scope_reason(&scope)->text, "first");
    WF_EXPECT(wf_scope_reason(&scope)->kind == WF_REASON_EXPLICIT);
    WF_EXPECT_PART(wf_scope_reason(&scope)->place, "cancel_test.c:");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 1.3 */
WF_TEST(a_semaphore_granted_in_the_same_pass_as_the_cancel_is_had, .rule = "1.3 4.1")
{
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0);
    WF_SCOPE(scope);
    struct wf_handle handle;
    memset(&handle, 0, sizeof handle);
    wf_spawn(&scope, wf_semaphore_acquire, &permits, .handle = &handle);
    wf_yield();
    wf_semaphore_release(&permits);
    wf_scope_cancel(&scope, "too late");
    wf_scope_join(&scope);
    WF_EXPECT_CODE(wf_handle_result(&handle), 0);
    WF_INVARIANT(wf_semaphore_available(&permits) == (wf_handle_result(&handle) == 0 ? 0 : 1));
}

WF_TEST(a_semaphore_released_after_the_cancel_is_not_lost, .rule = "1.3 1.4")
{
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0);
    WF_SCOPE(scope);
    struct wf_handle handle;
    memset(&handle, 0, sizeof handle);
    wf_spawn(&scope, wf_semaphore_acquire, &permits, .handle = &handle);
    wf_yield();
    wf_scope_cancel(&scope, "first");
    wf_semaphore_release(&permits);
    wf_scope_join(&scope);
    WF_EXPECT_CODE(wf_handle_result(&handle), -ECANCELED);
    WF_INVARIANT(wf_semaphore_available(&permits) == (wf_handle_result(&handle) == 0 ? 0 : 1));
}

/* 1.3, 1.5 */
struct race {
    struct wf_stream *stream;
    ssize_t got;
    size_t received;
};

static int read_byte(struct race *race)
{
    char byte;
    race->got = wf_stream_read(race->stream, &byte, 1);
    if (race->got > 0) race->received++;
    return race->got < 0 ? (int)race->got : 0;
}

static int64_t read_to_the_end(struct wf_stream *reader)
{
    static char bytes[1 << 16];
    int64_t size = 0;
    ssize_t got;
    WF_SCOPE(scope, .shield = true, .timeout = WF_SECONDS(5));
    while ((got = wf_stream_read(reader, bytes, sizeof bytes)) > 0) size += got;
    int rc = wf_scope_end(&scope, (int)got);
    return rc < 0 ? rc : size;
}

/* Whatever happened before: what was sent and not received is still there, as long as reading succeeds at all. */
static void close_pipe(struct wf_stream *reader, struct wf_stream *writer, size_t unread)
{
    wf_stream_close(writer);
    int64_t rest = read_to_the_end(reader);
    WF_INVARIANT(rest == (int64_t)unread || (rest < 0 && rest != -ETIME));
    wf_stream_close(reader);
}

WF_TEST(a_cancelled_read_consumes_nothing, .rule = "1.3")
{
    struct race race = {.got = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&race.stream, &writer), 0)) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, read_byte, &race);
        wf_sleep(WF_MILLISECONDS(1));
        wf_scope_cancel(&scope, "before there is data");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(race.got, -ECANCELED);
    }
    size_t sent = 0;
    if (WF_EXPECT_CODE(wf_stream_write_all(writer, "x", 1, &sent), 0)) WF_EXPECT_CODE(read_byte(&race), 0);
    WF_EXPECT_INT(race.got, 1);
    close_pipe(race.stream, writer, sent - race.received);
}

WF_TEST(a_cancelled_call_with_data_ready_consumes_nothing, .rule = "1.1 1.3")
{
    struct race race = {.got = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&race.stream, &writer), 0)) return;
    size_t sent = 0;
    WF_EXPECT_CODE(wf_stream_write_all(writer, "x", 1, &sent), 0);
    {
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "on entry");
        WF_EXPECT_CODE(read_byte(&race), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_INVARIANT(race.received == 0);
    if (sent > 0) WF_EXPECT_CODE(read_byte(&race), 0);
    close_pipe(race.stream, writer, sent - race.received);
}

WF_TEST(bytes_are_delivered_or_still_there_whatever_the_order_of_write_and_cancel, .rule = "1.3 1.5")
{
    for (int i = 0; i < 200 && !wf_test_failed(); i++) {
        struct race race = {.got = 0};
        struct wf_stream *writer;
        size_t sent = 0;
        if (!WF_EXPECT_CODE(wf_pipe(&race.stream, &writer), 0)) return;
        {
            WF_SCOPE(scope);
            bool there_first = i % 8 >= 4;
            if (there_first) WF_EXPECT_CODE(wf_stream_write_all(writer, "x", 1, &sent), 0);
            wf_spawn(&scope, read_byte, &race);
            for (int turns = i % 4; turns >= 0; turns--) wf_yield();
            if (i % 2 == 0) wf_scope_cancel(&scope, "race");
            if (!there_first) wf_shielded(WF_SECONDS(1), wf_stream_write_all(writer, "x", 1, &sent));
            wf_scope_cancel(&scope, "race");
            WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        }
        if (race.got == -ECANCELED) WF_EXPECT_CODE(wf_within(WF_SECONDS(1), read_byte(&race)), 0);
        WF_EXPECT_INT(race.got, 1);
        close_pipe(race.stream, writer, sent - race.received);
    }
}

WF_TEST(a_cancelled_sleep_never_wakes_its_task_later, .rule = "1.4")
{
    struct wf_event never = WF_EVENT;
    WF_EXPECT_CODE(wf_within(WF_MICROSECONDS(100), wf_sleep(WF_MILLISECONDS(2))), -ETIME);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_event_wait(&never)), -ETIME);
}

/* 1.6 */
struct flood {
    struct wf_stream *stream;
    size_t size, sent;
    int rc;
};

static int flood(struct flood *flood)
{
    static char zeros[1 << 20];
    flood->rc = wf_stream_write_all(flood->stream, zeros, sizeof zeros, &flood->sent);
    return flood->rc;
}

WF_TEST(a_cut_write_reports_progress_and_breaks_the_stream, .rule = "1.6")
{
    struct flood job = {.sent = 0};
    struct wf_stream *reader;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &job.stream), 0)) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, flood, &job);
        wf_sleep(WF_MILLISECONDS(5));
        wf_scope_cancel(&scope, "cut");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    size_t more = 0;
    WF_EXPECT_CODE(job.rc, -ECANCELED);
    WF_EXPECT(job.sent > 0 && job.sent < 1 << 20);
    WF_EXPECT_CODE(wf_stream_write_all(job.stream, "x", 1, &more), -EPIPE);
    WF_INVARIANT(job.sent == 0 || more == 0);
    ssize_t late = wf_stream_write(job.stream, "x", 1);
    WF_EXPECT_CODE(late, -EPIPE);
    close_pipe(reader, job.stream, job.sent + more + (late > 0 ? 1 : 0));
}

/* 1.9 */
WF_TEST(closing_ends_a_pending_read_with_EBADF, .rule = "1.9")
{
    struct race race = {.got = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&race.stream, &writer), 0)) return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, read_byte, &race);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))); /* until it reads, or was refused */
    wf_stream_close(race.stream);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EBADF);
    WF_EXPECT_CODE(race.got, -EBADF);
    wf_stream_close(writer);
}

/* 1.10 */
struct witness {
    struct wf_reason reason;
    int rc;
};

static int witness_cancel(struct witness *witness)
{
    witness->rc = wf_sleep(WF_SECONDS(3600));
    const struct wf_reason *reason = wf_cancel_reason();
    if (reason != NULL) witness->reason = *reason;
    return witness->rc;
}

static int fail_soon(void *unused)
{
    (void)unused;
    wf_yield();
    return -EIO;
}

WF_TEST(the_victim_can_read_why_it_was_cancelled, .rule = "1.10")
{
    struct witness witness = {.rc = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, witness_cancel, &witness);
    wf_spawn(&scope, fail_soon, NULL, .name = "culprit");
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    WF_EXPECT(witness.reason.kind == WF_REASON_SIBLING);
    WF_EXPECT_TEXT(witness.reason.task, "culprit");
}

WF_TEST(a_caught_deadline_leaves_its_reason, .rule = "1.10")
{
    WF_EXPECT(wf_caught_reason() == NULL);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_sleep(WF_SECONDS(60))), -ETIME);
    WF_EXPECT(wf_caught_reason() != NULL && wf_caught_reason()->kind == WF_REASON_DEADLINE);
}

/* 1.12 */
static int spin(int *ticks)
{
    while (wf_yield() < 0)
        if (++*ticks == 20000) return 0;
    return 0;
}

static int tick(int *ticks)
{
    for (int i = 0; i < 50; i++) {
        ++*ticks;
        wf_yield();
    }
    return 0;
}

WF_TEST(a_loop_that_ignores_its_cancel_starves_nobody_and_is_reported_once, .rule = "1.12")
{
    wf_test_allow_reports();
    int spins = 0, ticks = 0;
    WF_SCOPE(outer);
    wf_spawn(&outer, tick, &ticks);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, spin, &spins, .name = "stubborn");
        wf_spawn(&outer, tick, &ticks);
        wf_scope_cancel(&scope, "please end");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT_INT(ticks, 100);
}

static int stubborn(int *spins)
{
    while (wf_sleep(WF_SECONDS(1)) < 0)
        if (++*spins == 20000) return 0;
    return 0;
}

WF_TEST(a_task_that_ignores_its_cancel_is_named, .rule = "1.12")
{
    wf_test_allow_reports();
    int spins = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, stubborn, &spins, .name = "stubborn");
    wf_yield();
    wf_scope_cancel(&scope, "please end");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_PART(wf_test_reports(), "task 'stubborn'");
    WF_EXPECT_PART(wf_test_reports(), "please end");
    const char *spawned = strstr(wf_test_reports(), "spawned at ");
    char place[128] = "";
    WF_EXPECT(spawned != NULL && sscanf(spawned, "spawned at %127[^)]", place) == 1);
    WF_EXPECT_PART(place, "cancel_test.c:");
    WF_EXPECT_PART(wf_test_reports(), "core_cancel_test+0x");
    const char *reported = strstr(wf_test_reports(), "ignores");
    WF_EXPECT(reported != NULL && strstr(reported + 1, "ignores") == NULL);
}

/* Deep and wide at once: the walk visits each task exactly once, past shields only where they end. */
static int nest(int *depth)
{
    if (--*depth == 0) return wf_sleep(WF_SECONDS(3600));
    WF_SCOPE(outer);
    WF_SCOPE(inner);
    wf_spawn(&outer, sleep_for_ever, NULL);
    wf_spawn(&inner, sleep_for_ever, NULL);
    wf_spawn(&inner, nest, depth);
    return wf_scope_end(&outer, wf_scope_join(&inner));
}

WF_TEST(a_cancel_reaches_a_deep_tree, .rule = "1.2")
{
    int depth = 200;
    WF_SCOPE(scope);
    wf_spawn(&scope, nest, &depth);
    while (depth > 0 && wf_yield() == 0) {}
    wf_scope_cancel(&scope, "all of it");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 7.1 */
static int accept_one(struct wf_listener *listener)
{
    struct wf_stream *conn;
    return wf_tcp_accept(listener, &conn);
}

WF_TEST(a_drain_ends_idle_waits_only, .rule = "7.1")
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    struct wf_handle accepting, sleeping;
    memset(&accepting, 0, sizeof accepting);
    memset(&sleeping, 0, sizeof sleeping);
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, accept_one, listener, .handle = &accepting);
    wf_spawn(&scope, sleep_for_ever, NULL, .handle = &sleeping);
    wf_sleep(WF_MILLISECONDS(1));
    wf_scope_drain(&scope);
    WF_EXPECT(wf_draining());
    WF_EXPECT_CODE(wf_handle_join(&accepting), -ESHUTDOWN);
    WF_EXPECT(!wf_handle_done(&sleeping));
    WF_EXPECT_CODE(accept_one(listener), -ESHUTDOWN);
    wf_scope_cancel(&scope, "grace is over");
    WF_EXPECT_CODE(wf_scope_join(&scope), -ESHUTDOWN);
    wf_listener_close(listener);
}

WF_TEST_MAIN
