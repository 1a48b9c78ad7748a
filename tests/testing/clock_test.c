/* The virtual clock: it jumps, it is exact, and it stands still while anything can run. */
#include <time.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* Of the processor: the machine may be busy. */
static int64_t real_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return WF_SECONDS(now.tv_sec) + now.tv_nsec;
}

static int sleep_for(int64_t *duration)
{
    return wf_sleep(*duration);
}

/* Gives the real time that they took. */
static int64_t sleep_ten_times(void)
{
    int64_t durations[10];
    for (int i = 0; i < 10; i++) durations[i] = WF_SECONDS(10 * i);
    int64_t started = wf_now(), real = real_now();
    WF_EXPECT_CODE(wf_gather(durations, 10, sleep_for), 0);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(90));
    return real_now() - real;
}

/* On a busy machine not each time. */
WF_TEST(ten_sleeps_of_0_to_90_s_take_under_10_ms, .simulated = true, .timeout = WF_FOREVER)
{
    int attempts = 1;
    while (sleep_ten_times() >= WF_MILLISECONDS(10) && attempts < 100) attempts++;
    WF_EXPECT(attempts < 100);
}

WF_TEST(a_year_of_sleep_is_exact, .simulated = true, .timeout = WF_FOREVER)
{
    int64_t started = wf_now(), year = WF_MINUTES(60 * 24 * 365);
    WF_EXPECT_CODE(wf_sleep(year), 0);
    WF_EXPECT_CODE(wf_sleep(1), 0);
    WF_EXPECT_INT(wf_now() - started, year + 1);
}

struct step {
    int64_t duration;
    const char *name;
};

static int note_after(struct step *step)
{
    int rc = wf_sleep(step->duration);
    wf_test_note("%s", step->name);
    return rc;
}

WF_TEST(what_is_due_first_comes_first_by_a_nanosecond, .simulated = true)
{
    struct step steps[] = {{WF_SECONDS(5) + 1, "third"}, {WF_SECONDS(5), "second"}, {WF_SECONDS(5) - 1, "first"}};
    WF_EXPECT_CODE(wf_gather(steps, WF_COUNT(steps), note_after), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "first second third");
}

/* A thousand passes without waiting are free, each one more costs a microsecond. */
WF_TEST(computing_takes_no_time, .simulated = true)
{
    int64_t started = wf_now(), real = real_now();
    while (real_now() - real < WF_MILLISECONDS(2)) {}
    for (int i = 0; i < 10000; i++) wf_yield();
    WF_EXPECT_INT(wf_now() - started, 0);
}

WF_TEST(a_deadline_is_exact, .simulated = true)
{
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(100), wf_sleep(WF_SECONDS(1))), -ETIME);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
}

/* The bound on its virtual time is a hundred times its deadline: 84 ns, did that wrap round. */
WF_TEST(a_deadline_of_years_bounds_nothing_shorter, .simulated = true, .timeout = INT64_C(184467440737095517))
{
    WF_EXPECT_CODE(wf_sleep(WF_MINUTES(60 * 24)), 0);
}

WF_TEST(a_test_s_own_deadline_is_virtual_too, .simulated = true, .timeout = WF_MINUTES(60 * 10))
{
    WF_EXPECT_INT(wf_remaining(), WF_MINUTES(60 * 10));
    WF_EXPECT_CODE(wf_sleep(WF_MINUTES(60 * 9)), 0);
    WF_EXPECT_INT(wf_remaining(), WF_MINUTES(60 * 1));
}

/* ---- Bounds ---- */

static int tick(int *ticks)
{
    int rc = 0;
    while ((rc = wf_sleep(WF_SECONDS(1))) == 0) ++*ticks;
    return rc;
}

static int tick_bounded(int *ticks)
{
    wf_sim_set_bounds(WF_MINUTES(60 * 1), 0);
    return tick(ticks);
}

WF_TEST(a_ticker_meets_the_bound_on_virtual_time, .plain = true)
{
    int ticks = 0;
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(tick_bounded, &ticks, .driver = "sim"), -EDEADLK);
    WF_EXPECT(ticks >= 3600 && ticks <= 3601);
    WF_EXPECT_PART(wf_test_reports(), "the bound on virtual time has passed");
    WF_EXPECT_PART(wf_test_reports(), "tick_bounded #1  waits: sleep");
}

static int spin(int *passes)
{
    wf_sim_set_bounds(0, 500);
    for (; *passes < 100000; ++*passes) {
        int rc = wf_yield();
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(a_spinner_meets_the_bound_on_passes, .plain = true)
{
    int yields = 0;
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(spin, &yields, .driver = "sim"), -EDEADLK);
    WF_EXPECT(yields >= 500 && yields < 100000);
    WF_EXPECT_PART(wf_test_reports(), "the clock cannot jump");
}

/* ---- Waiting until nothing moves ---- */

static int wait_then_note(struct wf_event *event)
{
    int rc = wf_event_wait(event);
    for (int i = 0; i < 100 && rc == 0; i++) rc = wf_yield();
    wf_test_note("others");
    return rc;
}

WF_TEST(wait_idle_lets_the_others_run_as_far_as_they_can)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_then_note, &event);
    WF_EXPECT_CODE(WF_EXPECT_SUSPENDS(wf_test_wait_idle()), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "");
    wf_event_set(&event);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "others");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(wait_idle_waits_for_no_timer, .simulated = true)
{
    struct step hour = {WF_SECONDS(5), "later"};
    WF_SCOPE(scope);
    wf_spawn(&scope, note_after, &hour);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_INT(wf_now() - started, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

struct ends {
    struct wf_stream *reader, *writer;
};

static int pass_on(struct ends *ends)
{
    char byte;
    int rc = wf_stream_read_full(ends->reader, &byte, 1, NULL);
    wf_test_note("read");
    return rc;
}

WF_TEST(wait_idle_waits_for_what_is_on_its_way, .simulated = true)
{
    struct ends ends;
    if (!WF_EXPECT_CODE(wf_pipe(&ends.reader, &ends.writer), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, pass_on, &ends);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "");
    WF_EXPECT_CODE(wf_stream_write_all(ends.writer, "x", 1, NULL), 0);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "read");
    wf_stream_close(ends.writer);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(ends.reader);
}

static int wait_idle_and_note(const char *name)
{
    int rc = wf_test_wait_idle();
    wf_test_note("%s", name);
    return rc;
}

WF_TEST(several_that_wait_for_idleness_go_on_one_after_another)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_idle_and_note, "a");
    wf_spawn(&scope, wait_idle_and_note, "b");
    wf_spawn(&scope, wait_idle_and_note, "c");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b c");
}

WF_TEST(wait_idle_can_be_cancelled)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_idle_and_note, "cancelled");
    wf_scope_cancel(&scope, "for the test");
    WF_EXPECT_CODE(wf_test_wait_idle(), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "cancelled");
}

WF_TEST_MAIN
