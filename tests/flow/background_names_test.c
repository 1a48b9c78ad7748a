/* Names of background tasks: replacing, stopping, telling apart. */
#include <stdio.h>

#include "background.h"

struct worker {
    const char *label;
    int *running, *peak; /* of its name */
};

/* Cleans up for a while when it is cancelled. */
static int work(struct worker *worker)
{
    if (++*worker->running > *worker->peak) *worker->peak = *worker->running;
    wf_test_note("%s begins", worker->label);
    int rc = wf_sleep(WF_SECONDS(100));
    wf_shielded(WF_SECONDS(5), wf_sleep(WF_SECONDS(1)));
    wf_test_note("%s ends", worker->label);
    --*worker->running;
    return rc;
}

/* S112 */
WF_TEST(of_one_name_exactly_one_runs_and_a_new_one_waits_for_the_end_of_the_old, .rule = "3.14", .simulated = true,
        .sweep = true)
{
    int running = 0, peak = 0;
    struct worker old = {"old", &running, &peak}, new = {"new", &running, &peak};
    {
        WF_BACKGROUND(background);
        WF_EXPECT_CODE(wf_background_start(&background, work, &old, .name = "Worker-1"), 0);
        wf_yield();
        int64_t started = wf_now();
        WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_background_start(&background, work, &new, .name = "Worker-1"), 0));
        WF_EXPECT_INT((int64_t)wf_background_active(&background), 2);
        wf_test_wait_idle();
        WF_EXPECT_TEXT(wf_test_notes(), "old begins");
        wf_sleep(WF_SECONDS(2));
        WF_EXPECT_TEXT(wf_test_notes(), "old begins old ends new begins");
        WF_EXPECT_CODE(wf_background_stop(&background, "Worker-1"), 0);
        WF_EXPECT_INT(wf_now() - started, WF_SECONDS(3));
        WF_EXPECT_TEXT(wf_test_notes(), "old begins old ends new begins new ends");
        WF_EXPECT_INT((int64_t)statistics_of(&background).replaced, 1);
        check_numbers(&background);
    }
    WF_INVARIANT(running == 0);
    WF_INVARIANT(peak <= 1);
}

WF_TEST(of_several_that_replace_each_other_in_a_row_the_last_stays, .simulated = true, .sweep = true)
{
    int running = 0, peak = 0;
    struct worker workers[] = {{"a", &running, &peak}, {"b", &running, &peak}, {"c", &running, &peak}};
    {
        WF_BACKGROUND(background);
        for (size_t i = 0; i < WF_COUNT(workers); i++)
            WF_EXPECT_CODE(wf_background_start(&background, work, &workers[i], .name = "one"), 0);
        wf_sleep(WF_SECONDS(3));
        WF_EXPECT_TEXT(wf_test_notes(), "a begins a ends b begins b ends c begins");
        WF_EXPECT_INT((int64_t)wf_background_active(&background), 1);
        WF_EXPECT_CODE(wf_background_stop(&background, "one"), 0);
        WF_EXPECT_INT((int64_t)wf_background_active(&background), 0);
        check_numbers(&background);
    }
    WF_INVARIANT(running == 0);
    WF_INVARIANT(peak <= 1);
}

WF_TEST(stopping_waits_for_those_that_were_replaced_too, .simulated = true, .sweep = true)
{
    int running = 0, peak = 0;
    struct worker workers[] = {{"a", &running, &peak}, {"b", &running, &peak}};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, work, &workers[0], .name = "one"), 0);
    wf_yield();
    WF_EXPECT_CODE(wf_background_start(&background, work, &workers[1], .name = "one"), 0);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_background_stop(&background, "one"), 0);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(2));
    WF_EXPECT_TEXT(wf_test_notes(), "a begins a ends b begins b ends");
    WF_EXPECT_CODE(wf_background_stop(&background, "one"), -ENOENT);
}

/* S112, the trap: a task that failed stood in the way of its successor for ever. */
WF_TEST(a_name_whose_task_failed_is_free, .simulated = true, .sweep = true)
{
    int runs = 0;
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, fail, NULL, .name = "printer"), 0);
    wf_yield();
    WF_EXPECT_CODE(wf_background_stop(&background, "printer"), -ENOENT);
    WF_EXPECT_CODE(wf_background_start(&background, count_run, &runs, .name = "printer"), 0);
    wf_yield();
    WF_EXPECT_INT(runs, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&background).replaced, 0);
    check_numbers(&background);
}

WF_TEST(names_are_told_apart_however_many_there_are, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "too long")
{
    int running = 0, peak = 0;
    static struct worker workers[500];
    char name[16];
    WF_BACKGROUND(background, .limit = WF_COUNT(workers));
    for (size_t i = 0; i < WF_COUNT(workers); i++) {
        workers[i] = (struct worker){"w", &running, &peak};
        snprintf(name, sizeof name, "worker-%zu", i);
        WF_EXPECT_CODE(wf_background_start(&background, work, &workers[i], .name = name), 0);
    }
    wf_yield();
    WF_EXPECT_INT(running, 500);
    for (size_t i = 0; i < WF_COUNT(workers); i += 7) {
        snprintf(name, sizeof name, "worker-%zu", i * 3 % 500);
        wf_ignore(wf_background_stop(&background, name));
        WF_EXPECT_CODE(wf_background_stop(&background, name), -ENOENT);
    }
    WF_EXPECT_INT((int64_t)wf_background_active(&background), running);
    check_numbers(&background);
}

static int stop_myself(struct wf_background *background)
{
    WF_EXPECT_FAILURE(wf_background_stop(background, "me"), -EDEADLK, "'me' waits for its own end");
    return 0;
}

WF_TEST(what_cannot_be_stopped_says_so, .simulated = true, .sweep = true)
{
    WF_BACKGROUND(background, .name = "mails");
    WF_EXPECT_FAILURE(wf_background_stop(&background, "nobody"), -ENOENT, "mails: no task is called 'nobody'");
    WF_EXPECT_CODE(wf_background_stop(&background, NULL), -ENOENT);
    WF_EXPECT_CODE(wf_background_start(&background, stop_myself, &background, .name = "me"), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
}

WF_TEST(who_stops_waiting_has_stopped_it_all_the_same, .simulated = true, .sweep = true)
{
    int running = 0, peak = 0;
    struct worker worker = {"w", &running, &peak};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, work, &worker, .name = "w"), 0);
    wf_yield();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_background_stop(&background, "w")), -ETIME);
    wf_sleep(WF_SECONDS(2));
    WF_EXPECT_INT(running, 0);
    WF_EXPECT_INT((int64_t)statistics_of(&background).cancelled, 1);
}

/* S114 */
static int print_each_second(int *lines)
{
    int rc;
    while ((rc = wf_sleep(WF_SECONDS(1))) == 0) ++*lines;
    wf_test_note("%s cancelled", wf_task_name());
    return rc;
}

WF_TEST(a_worker_goes_on_until_it_is_cancelled_and_notices_once, .simulated = true, .sweep = true)
{
    int lines[2] = {0, 0};
    WF_BACKGROUND(background, .grace = -1);
    WF_EXPECT_CODE(wf_background_start(&background, print_each_second, &lines[0], .name = "Worker-1"), 0);
    WF_EXPECT_CODE(wf_background_start(&background, print_each_second, &lines[1], .name = "Worker-2"), 0);
    wf_sleep(WF_MILLISECONDS(5500));
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(lines[0], 5);
    WF_EXPECT_INT(lines[1], 5);
    WF_EXPECT_TEXT(wf_test_notes(), "Worker-1 cancelled Worker-2 cancelled");
}

WF_TEST_MAIN
