/* Rules 3.5 to 3.10: spawning, limits, daemons, readiness, handles, completion order; groups. */
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int count_up(int *count)
{
    ++*count;
    return 0;
}

static int return_code(int *code)
{
    return *code;
}

/* 3.5 */
static int record_first_run(int *rc)
{
    *rc = 1;
    *rc = wf_yield();
    return *rc;
}

WF_TEST(a_spawned_function_runs_to_its_first_suspension_even_if_cancelled_before, .rule = "1.2 3.5")
{
    int rc = 99;
    WF_SCOPE(scope);
    bool spawned = WF_EXPECT_CODE(wf_spawn(&scope, record_first_run, &rc), 0);
    wf_scope_cancel(&scope, "before it ran");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT(rc == (spawned ? -ECANCELED : 99));
}

WF_TEST(spawning_into_a_cancelled_scope_runs_nothing_and_is_not_remembered, .rule = "3.5")
{
    int count = 0;
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "closed");
    WF_EXPECT_CODE(wf_spawn(&scope, count_up, &count), -ECANCELED);
    WF_EXPECT_CODE(wf_try_spawn(&scope, count_up, &count), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT(count == 0);
}

WF_TEST(a_failed_spawn_counts_as_a_failed_child, .rule = "3.5")
{
    int count = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, count_up, &count, .stack_size = SIZE_MAX / 2);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EINVAL);
}

WF_TEST(a_failed_try_spawn_is_not_remembered, .rule = "3.5")
{
    int count = 0;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_try_spawn(&scope, count_up, &count, .stack_size = SIZE_MAX / 2), -EINVAL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 3.6 */
static char order[16];
static size_t order_size;

static int note(const char *letter)
{
    order[order_size++] = *letter;
    return 0;
}

WF_TEST(children_start_in_order_after_the_spawners_next_suspension, .rule = "3.6")
{
    order_size = 0;
    memset(order, 0, sizeof order);
    WF_SCOPE(scope);
    wf_spawn(&scope, note, "a");
    wf_spawn(&scope, note, "b");
    wf_spawn(&scope, note, "c");
    note("1");
    wf_yield();
    note("2");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(order, "1abc2");
}

/* A loop variable goes into the child by copy. */
struct pair {
    int value;
    int *sum;
};

static int add_pair(struct pair *pair)
{
    wf_yield();
    *pair->sum += pair->value;
    return 0;
}

WF_TEST(spawn_copy_gives_each_child_its_own)
{
    int sum = 0;
    WF_SCOPE(scope);
    for (int i = 1; i <= 10; i++) {
        struct pair pair = {.value = i, .sum = &sum};
        wf_spawn_copy(&scope, add_pair, &pair);
    }
    wf_spawn_copy(&scope, add_pair, (&(struct pair){.value = 45, .sum = &sum}));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(sum, 100);
}

/* 3.7, S023 */
struct gauge {
    int alive, peak, total;
};

static int measured(struct gauge *gauge)
{
    if (++gauge->alive > gauge->peak) gauge->peak = gauge->alive;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    gauge->alive--;
    gauge->total++;
    return rc;
}

WF_TEST(a_limit_holds_and_is_reached, .rule = "3.7")
{
    struct gauge gauge = {.alive = 0};
    WF_SCOPE(scope, .limit = 10);
    for (int i = 0; i < 100; i++) WF_EXPECT_CODE(wf_spawn(&scope, measured, &gauge), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(gauge.peak, 10);
    WF_EXPECT_INT(gauge.total, 100);
    WF_INVARIANT(gauge.peak <= 10 && gauge.alive == 0);
}

WF_TEST(ten_thousand_jobs_with_limit_ten_hold_ten_stacks, .rule = "3.7")
{
    int count = 0;
    WF_SCOPE(scope, .limit = 10);
    struct wf_statistics statistics = {.tasks_alive = 0};
    uint64_t most = 0;
    for (int i = 0; i < 10000; i++) {
        WF_EXPECT_CODE(wf_spawn(&scope, count_up, &count), 0);
        wf_loop_statistics(&statistics);
        if (statistics.stacks_bound > most) most = statistics.stacks_bound;
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(count, 10000);
    WF_INVARIANT(most <= 12);
}

WF_TEST(try_spawn_answers_EAGAIN_at_the_limit, .rule = "3.5")
{
    WF_SCOPE(scope, .limit = 1);
    WF_EXPECT_CODE(wf_try_spawn(&scope, sleep_for_ever, NULL), 0);
    WF_EXPECT_CODE(wf_try_spawn(&scope, sleep_for_ever, NULL), -EAGAIN);
    WF_EXPECT_CODE(wf_scope_end(&scope, -EIO), -EIO);
}

WF_TEST(a_spawn_that_waits_for_room_can_be_cancelled, .rule = "3.5")
{
    int count = 0;
    WF_SCOPE(scope, .limit = 1, .timeout = WF_MILLISECONDS(5));
    WF_EXPECT_CODE(wf_spawn(&scope, sleep_for_ever, NULL), 0);
    WF_EXPECT_CODE(wf_spawn(&scope, count_up, &count), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
    WF_EXPECT_INT(count, 0);
}

/* 3.8 */
static int tick(int *ticks)
{
    for (;;) {
        int rc = wf_sleep(WF_MICROSECONDS(100));
        if (rc < 0) return rc;
        ++*ticks;
    }
}

static int sleep_a_little(void *unused)
{
    (void)unused;
    return wf_sleep(WF_MILLISECONDS(5));
}

WF_TEST(daemons_do_not_keep_a_scope_open, .rule = "3.8")
{
    int ticks = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    wf_spawn(&scope, sleep_a_little, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(ticks > 0);
    WF_INVARIANT(wf_scope_alive(&scope) == 0);
}

WF_TEST(a_daemon_that_fails_fails_its_scope)
{
    int code = -EIO;
    WF_SCOPE(scope);
    wf_spawn(&scope, return_code, &code, .daemon = true);
    wf_spawn(&scope, sleep_for_ever, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
}

static int get_ready(int *after)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    wf_ready(17);
    wf_ready(18);
    rc = wf_sleep(WF_MILLISECONDS(1));
    *after = 1;
    return rc;
}

WF_TEST(spawn_ready_waits_for_the_word, .rule = "3.8")
{
    int after = 0;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_spawn_ready(&scope, get_ready, &after), 17);
    WF_EXPECT_INT(after, 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(after, 1);
}

WF_TEST(a_child_that_fails_before_it_is_ready_fails_the_spawn_and_not_the_scope)
{
    int code = -EADDRINUSE, fine = 0;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_spawn_ready(&scope, return_code, &code), -EADDRINUSE);
    WF_EXPECT_CODE(wf_spawn_ready(&scope, return_code, &fine), -EPROTO);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_cancelled_spawn_ready_leaves_no_child, .rule = "1.7")
{
    WF_SCOPE(scope);
    int rc = wf_within(WF_MILLISECONDS(2), wf_spawn_ready(&scope, sleep_for_ever, NULL));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_INVARIANT(wf_scope_alive(&scope) == 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 3.9 */
WF_TEST(a_handle_can_be_joined_twice, .rule = "3.9")
{
    int code = 5;
    struct wf_handle handle = {.result_ = 0};
    WF_EXPECT_CODE(wf_handle_join(&handle), -EINVAL);
    WF_SCOPE(scope);
    wf_spawn(&scope, return_code, &code, .handle = &handle);
    WF_EXPECT_CODE(wf_handle_result(&handle), -EINPROGRESS);
    WF_EXPECT_CODE(wf_handle_join(&handle), 5);
    WF_EXPECT_CODE(wf_handle_join(&handle), 5);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&handle), 5);
}

WF_TEST(cancelling_a_handle_cancels_that_child_only, .rule = "3.9")
{
    struct wf_handle one = {.result_ = 0}, other = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_for_ever, NULL, .handle = &one);
    wf_spawn(&scope, sleep_a_little, NULL, .handle = &other);
    wf_yield();
    wf_handle_cancel(&one, "not needed");
    wf_handle_cancel(&one, "again");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&one), -ECANCELED);
    WF_EXPECT_CODE(wf_handle_result(&other), 0);
    wf_handle_cancel(&one, "a finished child is left alone");
}

WF_TEST(joining_never_cancels_the_target, .rule = "3.9")
{
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_a_little, NULL, .handle = &handle);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_handle_join(&handle)), -ETIME);
    WF_EXPECT(!wf_handle_done(&handle));
    WF_EXPECT_CODE(wf_handle_join(&handle), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* S021 */
WF_TEST(waiting_for_handles_by_condition, .rule = "3.10")
{
    struct wf_handle slow = {.result_ = 0}, quick = {.result_ = 0}, bad = {.result_ = 0};
    struct wf_handle *all[] = {&slow, &quick, &bad};
    int fine = 0, code = -EIO;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, sleep_for_ever, NULL, .handle = &slow);
    wf_spawn(&scope, return_code, &fine, .handle = &quick);
    wf_spawn(&scope, return_code, &code, .handle = &bad);
    WF_EXPECT_CODE(wf_wait_handles(all, 2, WF_ANY_DONE), 1);
    WF_EXPECT(wf_handle_done(&quick) && !wf_handle_done(&slow));
    WF_EXPECT_CODE(wf_wait_handles(all, 3, WF_ANY_FAILED), 2);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_wait_handles(all, 3, WF_ALL_DONE)), -ETIME);
    WF_EXPECT(!wf_handle_done(&slow));
    wf_handle_cancel(&slow, "enough");
    WF_EXPECT_CODE(wf_wait_handles(all, 3, WF_ALL_DONE), 3);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
}

/* 3.10 */
struct timed {
    int64_t after;
    int id;
};

static int end_after(struct timed *timed)
{
    int rc = wf_sleep(timed->after);
    return rc < 0 ? rc : timed->id;
}

WF_TEST(finished_children_are_handed_out_in_completion_order, .rule = "3.10")
{
    struct timed jobs[] = {{WF_MILLISECONDS(9), 1}, {WF_MILLISECONDS(1), 2}, {WF_MILLISECONDS(5), 3}};
    int ids[3] = {0}, count = 0;
    WF_SCOPE(scope, .keep_finished = true);
    for (size_t i = 0; i < WF_COUNT(jobs); i++) wf_spawn(&scope, end_after, &jobs[i]);
    struct wf_finished finished;
    while (wf_scope_next(&scope, &finished) > 0 && count < 3) {
        WF_EXPECT_INT(((struct timed *)finished.arg)->id, finished.result);
        ids[count++] = finished.result;
    }
    WF_EXPECT_INT(count, 3);
    WF_EXPECT(ids[0] == 2 && ids[1] == 3 && ids[2] == 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_daemon_that_ends_is_not_the_next_child)
{
    struct timed child = {WF_MILLISECONDS(20), 1};
    int done = 0;
    struct wf_finished finished;
    WF_SCOPE(scope, .keep_finished = true);
    wf_spawn(&scope, return_code, &done, .daemon = true);
    wf_spawn(&scope, end_after, &child);
    WF_EXPECT_CODE(wf_scope_next(&scope, &finished), 1);
    WF_EXPECT_CODE(wf_scope_next(&scope, &finished), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_next_child_that_nobody_took_is_not_lost_on_cancel)
{
    struct timed job = {WF_MILLISECONDS(5), 1};
    struct wf_finished finished;
    WF_SCOPE(scope, .keep_finished = true);
    wf_spawn(&scope, end_after, &job);
    int expired = 0;
    for (;;) {
        wf_sleep(WF_MILLISECONDS(1));
        if (wf_scope_alive(&scope) == 0) break;
        expired++;
    }
    WF_EXPECT(expired > 0);
    WF_EXPECT_CODE(wf_scope_next(&scope, &finished), 1);
    WF_EXPECT_CODE(wf_scope_next(&scope, &finished), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_million_children_are_forgotten_at_once, .rule = "3.10")
{
    size_t before = wf_allocated_blocks();
    int count = 0;
    WF_SCOPE(scope, .limit = 100);
    for (int i = 0; i < 1000000; i++) wf_spawn(&scope, count_up, &count);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(count, 1000000);
    WF_EXPECT(wf_allocated_blocks() < before + 20);
}

/* S006, S007: gather and race. */
struct job {
    int in, out;
    int64_t after;
};

static int square(struct job *job)
{
    int rc = wf_sleep(job->after);
    if (rc < 0) return rc;
    if (job->in < 0) return wf_fail(-EINVAL, "negative: %d", job->in);
    job->out = job->in * job->in;
    return 0;
}

WF_TEST(gather_keeps_results_with_their_inputs)
{
    struct job jobs[] = {{3, 0, WF_MILLISECONDS(5)}, {4, 0, WF_MILLISECONDS(3)}, {5, 0, WF_MILLISECONDS(1)}};
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), square), 0);
    WF_EXPECT(jobs[0].out == 9 && jobs[1].out == 16 && jobs[2].out == 25);
    WF_EXPECT_CODE(wf_gather(jobs, 0, square), 0);
}

/* S006: as long as the slowest, not as all of them. */
WF_TEST(gather_takes_as_long_as_the_slowest)
{
    struct job jobs[] = {{1, 0, WF_MILLISECONDS(100)}, {2, 0, WF_MILLISECONDS(50)}, {3, 0, WF_MILLISECONDS(20)}};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), square), 0);
    int64_t took = wf_now() - started;
    WF_EXPECT(took >= WF_MILLISECONDS(100) && took < WF_MILLISECONDS(165));
}

/* S007: eight users and two errors, told apart and still aligned with their inputs. */
WF_TEST(values_and_errors_stay_aligned_with_their_inputs)
{
    struct job jobs[10];
    int status[WF_COUNT(jobs)], users = 0, errors = 0;
    for (int i = 0; i < 10; i++) jobs[i] = (struct job){.in = i == 3 || i == 7 ? -i : i};
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), square, .limit = 4, .collect = status), 0);
    for (size_t i = 0; i < WF_COUNT(jobs); i++) {
        if (status[i] < 0) errors++;
        else users++;
        if (status[i] == 0) WF_EXPECT_INT(jobs[i].out, (int)(i * i));
        else WF_EXPECT_CODE(status[i], -EINVAL);
    }
    WF_EXPECT_INT(users, 8);
    WF_EXPECT_INT(errors, 2);
}

WF_TEST(gather_fails_fast_by_default)
{
    struct job jobs[] = {{3, 0, WF_SECONDS(3600)}, {-4, 0, WF_MILLISECONDS(1)}};
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), square), -EINVAL);
    WF_EXPECT_TEXT(wf_failure(), "negative: -4");
}

WF_TEST(gather_collects_errors_in_place)
{
    struct job jobs[] = {{3, 0, 0}, {-4, 0, 0}, {5, 0, 0}};
    int status[WF_COUNT(jobs)];
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), square, .collect = status), 0);
    WF_EXPECT_CODE(status[0], 0);
    WF_EXPECT_CODE(status[1], -EINVAL);
    WF_EXPECT_CODE(status[2], 0);
    WF_EXPECT_INT(jobs[2].out, 25);
}

WF_TEST(an_outer_deadline_cuts_a_collecting_gather)
{
    struct job jobs[] = {{3, 0, 0}, {4, 0, WF_SECONDS(3600)}, {5, 0, WF_SECONDS(3600)}};
    int status[WF_COUNT(jobs)];
    int rc = wf_within(WF_MILLISECONDS(5), wf_gather(jobs, WF_COUNT(jobs), square, .collect = status, .limit = 2));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT_CODE(status[0], 0);
    WF_EXPECT_CODE(status[1], -ECANCELED);
    WF_EXPECT_CODE(status[2], -ECANCELED);
}

static int own_timeout(struct job *job)
{
    return job->in < 0 ? wf_fail(-EINVAL, "negative") : wf_within(WF_MILLISECONDS(1), wf_sleep(job->after));
}

WF_TEST(a_jobs_own_timeout_stays_in_place)
{
    struct job jobs[] = {{1, 0, 0}, {2, 0, WF_SECONDS(60)}};
    int status[WF_COUNT(jobs)];
    WF_EXPECT_CODE(wf_gather(jobs, WF_COUNT(jobs), own_timeout, .collect = status), 0);
    WF_EXPECT_CODE(status[1], -ETIME);
}

WF_TEST(a_gather_cut_after_a_job_failed_says_so)
{
    struct job jobs[] = {{-1, 0, 0}, {2, 0, WF_SECONDS(60)}};
    int status[WF_COUNT(jobs)];
    int rc = wf_within(WF_MILLISECONDS(5), wf_gather(jobs, WF_COUNT(jobs), square, .collect = status));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT_CODE(status[0], -EINVAL);
    WF_EXPECT_CODE(status[1], -ECANCELED);
}

WF_TEST(race_returns_the_first_success)
{
    struct job jobs[] = {{3, 0, WF_SECONDS(3600)}, {-4, 0, 0}, {5, 0, WF_MILLISECONDS(2)}};
    int status[WF_COUNT(jobs)];
    size_t winner = 99;
    WF_EXPECT_CODE(wf_race(jobs, WF_COUNT(jobs), square, .winner = &winner, .collect = status), 0);
    WF_EXPECT_INT((int64_t)winner, 2);
    WF_EXPECT_CODE(status[0], -ECANCELED);
    WF_EXPECT_CODE(status[1], -EINVAL);
    WF_EXPECT_CODE(wf_race(jobs, 0, square), -EINVAL);
}

WF_TEST(race_with_no_success_gives_the_first_error)
{
    struct job jobs[] = {{-3, 0, WF_MILLISECONDS(2)}, {-4, 0, 0}};
    size_t winner = 99;
    WF_EXPECT_CODE(wf_race(jobs, WF_COUNT(jobs), square, .winner = &winner), -EINVAL);
    WF_EXPECT_INT((int64_t)winner, 99);
    WF_EXPECT_TEXT(wf_failure(), "negative: -4");
}

static void fail_at_the_end(int *unused)
{
    (void)unused;
    wf_fail(-EINVAL, "too late to be heard");
}

static int leave_a_failing_end(int *unused)
{
    return wf_arena_defer(wf_task_arena(), fail_at_the_end, unused);
}

/* Nothing of it may be left behind. */
WF_TEST(what_fails_while_a_tasks_arena_ends_goes_with_it, .rule = "3.13")
{
    int unused = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_a_failing_end, &unused);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int note_that_it_ran(int *ran)
{
    ++*ran;
    return 0;
}

static int spawn_unchecked(int *ran)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, note_that_it_ran, ran);
    wf_spawn(&scope, note_that_it_ran, ran);
    return wf_scope_join(&scope);
}

/* Nobody checks wf_spawn: what was refused because of a cancel must not look like work that was done. */
WF_TEST(a_scope_whose_children_were_refused_did_not_succeed, .rule = "1.1 3.5")
{
    int ran = 0;
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "before the spawns");
    WF_EXPECT_CODE(spawn_unchecked(&ran), -ECANCELED);
    WF_EXPECT_INT(ran, 0);
    WF_EXPECT_CODE(wf_within(-1, spawn_unchecked(&ran)), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, -ECANCELED), 0);
    WF_EXPECT_CODE(wf_within(-1, spawn_unchecked(&ran)), -ETIME);
}

static int spawn_ready_unchecked(int *ran)
{
    WF_SCOPE(scope, .timeout = -1);
    wf_ignore(wf_spawn_ready(&scope, note_that_it_ran, ran));
    return wf_scope_join(&scope);
}

static int outlast_a_cancel(void *unused)
{
    (void)unused;
    return wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(20)));
}

static int wait_for_room_unchecked(int *ran)
{
    WF_SCOPE(scope, .limit = 1, .timeout = WF_MILLISECONDS(5));
    wf_spawn(&scope, outlast_a_cancel, NULL);
    wf_spawn(&scope, note_that_it_ran, ran);
    return wf_scope_join(&scope);
}

WF_TEST(nor_did_one_that_waited_for_readiness_or_for_room, .rule = "1.1 3.5 3.7")
{
    int ran = 0;
    WF_EXPECT_CODE(spawn_ready_unchecked(&ran), -ETIME);
    WF_EXPECT_CODE(wait_for_room_unchecked(&ran), -ETIME);
    WF_EXPECT_INT(ran, 0);
}

WF_TEST_MAIN
