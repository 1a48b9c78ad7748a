/* Periodic background tasks: when they run, what they skip, what a failure does. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct clockwork {
    int64_t began;
    int64_t durations[8]; /* of its runs; 0 after the last */
    int64_t times[8];     /* at which they began, since `began` */
    size_t runs;
    int code;
};

static int tick(struct clockwork *clockwork)
{
    size_t run = clockwork->runs++ % WF_COUNT(clockwork->times);
    clockwork->times[run] = wf_now() - clockwork->began;
    int rc = clockwork->durations[run] > 0 ? wf_sleep(clockwork->durations[run]) : 0;
    return rc < 0 ? rc : clockwork->code;
}

static void expect_times(const struct clockwork *clockwork, const int64_t *milliseconds, size_t count)
{
    WF_EXPECT_INT((int64_t)clockwork->runs, (int64_t)count);
    for (size_t i = 0; i < count && i < clockwork->runs; i++)
        WF_EXPECT_INT(clockwork->times[i], WF_MILLISECONDS(milliseconds[i]));
}
#define EXPECT_TIMES(clockwork, ...)                                                                                   \
    expect_times((clockwork), (const int64_t[]){__VA_ARGS__}, WF_COUNT(((const int64_t[]){__VA_ARGS__})))

static uint64_t skipped_of(const struct wf_background *background)
{
    struct wf_background_statistics statistics;
    wf_background_statistics(background, &statistics);
    return statistics.runs_skipped;
}

WF_TEST(due_times_do_not_drift_however_long_the_runs_take, .rule = "3.14", .simulated = true, .sweep = true)
{
    struct clockwork clockwork = {
        .durations = {WF_MILLISECONDS(300), WF_MILLISECONDS(999), 0, WF_MILLISECONDS(1000), WF_MILLISECONDS(1)}};
    WF_BACKGROUND(background);
    clockwork.began = wf_now();
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork), 0);
    wf_sleep(WF_MILLISECONDS(6500));
    EXPECT_TIMES(&clockwork, 1000, 2000, 3000, 4000, 5000, 6000);
    WF_EXPECT_INT((int64_t)skipped_of(&background), 0);
}

WF_TEST(what_is_due_while_a_run_is_under_way_is_skipped_and_counted, .rule = "3.14", .simulated = true, .sweep = true)
{
    struct clockwork clockwork = {.durations = {WF_MILLISECONDS(1500), WF_MILLISECONDS(3000), WF_MILLISECONDS(2999)}};
    WF_BACKGROUND(background);
    clockwork.began = wf_now();
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork), 0);
    wf_sleep(WF_MILLISECONDS(9500));
    EXPECT_TIMES(&clockwork, 1000, 3000, 6000, 9000);
    WF_EXPECT_INT((int64_t)skipped_of(&background), 1 + 2 + 2);
}

WF_TEST(skipped_runs_are_a_metric, .simulated = true, .unswept = "metrics are the process's")
{
    char *text;
    struct clockwork clockwork = {.durations = {WF_MILLISECONDS(3500)}};
    WF_BACKGROUND(background, .name = "skipping");
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork), 0);
    wf_sleep(WF_MILLISECONDS(5500));
    WF_EXPECT_CODE(wf_metrics_text(wf_task_arena(), &text), 0);
    WF_EXPECT_PART(text, "weft_background_skipped_total{name=\"skipping\"} 3\n");
}

WF_TEST(the_first_run_comes_when_it_is_asked_for, .simulated = true, .sweep = true)
{
    struct clockwork at_once = {.began = wf_now()}, soon = {.began = wf_now()};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &at_once, .first = -1), 0);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &soon, .first = WF_MILLISECONDS(100)), 0);
    wf_sleep(WF_MILLISECONDS(2500));
    EXPECT_TIMES(&at_once, 0, 1000, 2000);
    EXPECT_TIMES(&soon, 100, 1100, 2100);
}

WF_TEST(jitter_makes_a_run_late_by_chance_but_moves_no_due_time, .simulated = true, .unswept = "it judges chance")
{
    struct clockwork clockwork = {.began = wf_now()};
    bool differs = false;
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork, .jitter = WF_MILLISECONDS(500)),
                   0);
    wf_sleep(WF_MILLISECONDS(8900));
    WF_EXPECT_INT((int64_t)clockwork.runs, 8);
    for (int64_t i = 0; i < 8; i++) {
        int64_t late = clockwork.times[i] - WF_SECONDS(i + 1);
        WF_EXPECT(late >= 0 && late <= WF_MILLISECONDS(500));
        if (late != clockwork.times[0] - WF_SECONDS(1)) differs = true;
    }
    WF_EXPECT(differs);
}

WF_TEST(a_period_longer_than_time_itself_never_comes, .simulated = true, .sweep = true)
{
    struct clockwork clockwork = {.began = wf_now()};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, INT64_MAX, tick, &clockwork, .first = -1), 0);
    WF_EXPECT_CODE(wf_background_every(&background, INT64_MAX, tick, &clockwork, .jitter = INT64_MAX - 1), 0);
    wf_sleep(WF_SECONDS(9));
    EXPECT_TIMES(&clockwork, 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
}

static void count_failure(void *context, const char *name, int code, const char *message)
{
    (void)name;
    (void)message;
    if (code == -EIO) ++*(int *)context;
}

WF_TEST(a_run_that_fails_is_reported_and_the_next_one_comes_all_the_same, .simulated = true, .sweep = true)
{
    int failures = 0;
    struct wf_background_statistics statistics;
    struct clockwork clockwork = {.code = -EIO};
    WF_BACKGROUND(background, .on_error = count_failure, .context = &failures, .name = "set");
    clockwork.began = wf_now();
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork, .name = "Clock"), 0);
    wf_sleep(WF_MILLISECONDS(1500));
    WF_EXPECT_PART(wf_test_log(), "level=error module=background msg=\"run failed\" name=set "
                                  "error=\"Input/output error\" reason=\"Input/output error\" task=Clock#");
    wf_sleep(WF_MILLISECONDS(2000));
    EXPECT_TIMES(&clockwork, 1000, 2000, 3000);
    WF_EXPECT_INT(failures, 3);
    wf_background_statistics(&background, &statistics);
    WF_EXPECT_INT((int64_t)statistics.runs, 3);
    WF_EXPECT_INT((int64_t)statistics.runs_failed, 3);
    WF_EXPECT_INT((int64_t)statistics.failed, 0);
    WF_EXPECT_INT(statistics.active, 1);
}

WF_TEST(where_it_is_asked_for_the_first_failure_is_the_end, .simulated = true, .sweep = true)
{
    int failures = 0;
    struct wf_background_statistics statistics;
    struct clockwork clockwork = {.code = -EIO};
    WF_BACKGROUND(background, .on_error = count_failure, .context = &failures);
    clockwork.began = wf_now();
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork, .stop_on_error = true), 0);
    wf_sleep(WF_MILLISECONDS(3500));
    EXPECT_TIMES(&clockwork, 1000);
    WF_EXPECT_INT(failures, 1);
    wf_background_statistics(&background, &statistics);
    WF_EXPECT_INT((int64_t)statistics.failed, 1);
    WF_EXPECT_INT((int64_t)statistics.runs_failed, 1);
    WF_EXPECT_INT(statistics.active, 0);
}

struct counter {
    int *seen, next;
};

static int count_on(struct counter *counter)
{
    *counter->seen = ++counter->next;
    return 0;
}

static int start_counter(struct wf_background *background, int *seen)
{
    struct counter counter = {.seen = seen, .next = 10};
    return wf_background_every_copy(background, WF_SECONDS(1), count_on, &counter);
}

WF_TEST(a_copy_outlives_its_starter_and_is_the_same_for_all_runs, .simulated = true, .sweep = true)
{
    int seen = 0;
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(start_counter(&background, &seen), 0);
    wf_sleep(WF_MILLISECONDS(3500));
    WF_EXPECT_INT(seen, 13);
}

static int use_scratch(size_t *blocks)
{
    struct wf_arena *arena = wf_task_arena();
    for (int i = 0; arena != NULL && i < 20; i++)
        if (wf_arena_alloc(arena, 4000) == NULL) return -ENOMEM;
    *blocks = wf_allocated_blocks();
    return 0;
}

/* A task's arena dies with the task; one that runs for months would never give anything back. */
WF_TEST(the_scratch_of_a_run_is_given_back_after_it, .simulated = true, .timeout = WF_MINUTES(1))
{
    size_t blocks = 0;
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), use_scratch, &blocks), 0);
    wf_sleep(WF_MILLISECONDS(1500));
    size_t after_one = blocks;
    wf_sleep(WF_SECONDS(8));
    WF_EXPECT(blocks <= after_one); /* one block is kept for the next run */
}

WF_TEST(stopping_one_that_waits_for_its_time_ends_it_at_once, .simulated = true, .sweep = true)
{
    struct clockwork clockwork = {.began = wf_now()};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), tick, &clockwork, .name = "clock"), 0);
    wf_sleep(WF_MILLISECONDS(1500));
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_background_stop(&background, "clock"), 0);
    WF_EXPECT_INT(wf_now() - asked, 0);
    wf_sleep(WF_SECONDS(3));
    EXPECT_TIMES(&clockwork, 1000);
}

WF_TEST_MAIN
