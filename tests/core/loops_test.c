/* S126: several loops: tasks on others, their results and errors, cancelling and draining them. On the real drivers
 * loops are threads, in a simulated world they are one. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { LOOPS = 3 };

static int tell_index(int *index)
{
    *index = wf_loop_index();
    return wf_loops_count();
}

WF_TEST(a_call_runs_on_the_loop_that_was_named, .loops = LOOPS, .sweep = true, .rule = "6.1")
{
    WF_EXPECT_INT(wf_loops_count(), LOOPS);
    WF_EXPECT_INT(wf_loop_index(), 0);
    for (int i = 0; i < LOOPS; i++) {
        int index = -1;
        if (!WF_EXPECT_CODE(wf_call_on(i, tell_index, &index), LOOPS)) return;
        WF_EXPECT_INT(index, i);
    }
    WF_EXPECT_INT(wf_loop_load(1), 0);
}

WF_TEST(one_loop_is_a_run_of_one, .sweep = true)
{
    int index = -1;
    WF_EXPECT_INT(wf_loops_count(), 1);
    WF_EXPECT_CODE(wf_call_on(0, tell_index, &index), 1);
    WF_INVARIANT(index <= 0);
}

WF_TEST(a_loop_that_is_not_there_is_refused, .loops = LOOPS)
{
    int index;
    WF_EXPECT_FAILURE(wf_call_on(LOOPS, tell_index, &index), -EINVAL, "there is no loop 3: this run has 3");
    WF_EXPECT_FAILURE(wf_call_on(-2, tell_index, &index), -EINVAL, "no loop -2");
    WF_EXPECT_CODE(wf_loop_load(LOOPS), -EINVAL);
    WF_EXPECT_CODE(wf_loop_load(-1), -EINVAL);
}

/* ---- Children ---- */

struct order {
    int number;
    char note[24];
};

static int ship(struct order *order)
{
    int rc = wf_sleep(WF_MICROSECONDS(order->number));
    if (rc < 0) return rc;
    return strcmp(order->note, "handle with care") == 0 ? order->number : -EINVAL;
}

WF_TEST(a_child_on_another_loop_has_a_copy_of_its_argument, .loops = LOOPS, .sweep = true, .rule = "6.1 3.5")
{
    struct wf_handle handles[10] = {0};
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) {
        struct order order = {.number = i, .note = "handle with care"};
        wf_spawn_on(&scope, i % LOOPS, ship, &order, .handle = &handles[i], .name = "order");
        memset(&order, 0, sizeof order);
    }
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), 0)) return;
    for (int i = 0; i < 10; i++) WF_EXPECT_CODE(wf_handle_result(&handles[i]), i);
}

static int fail_inside(int *number)
{
    WF_SCOPE(inner);
    return wf_scope_end(&inner, wf_fail(-EPROTO, "number %d is wrong", *number));
}

static int fail_deeper(int *number)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_inside, number);
    return wf_scope_join(&scope);
}

WF_TEST(an_error_comes_with_its_message_and_its_path, .loops = LOOPS, .sweep = true, .rule = "3.3 6.1")
{
    int number = 7;
    WF_SCOPE(scope);
    wf_spawn_on(&scope, 1, fail_deeper, &number);
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), -EPROTO)) return;
    WF_EXPECT_ERROR(&scope, -EPROTO, "number 7 is wrong");
    WF_EXPECT_ERROR(&scope, -EPROTO, "an_error_comes_with_its_message_and_its_path > fail_deeper > fail_inside");
}

WF_TEST(an_error_of_a_call_is_its_callers, .loops = LOOPS)
{
    int number = 8;
    WF_EXPECT_FAILURE(wf_call_on(2, fail_deeper, &number), -EPROTO, "number 8 is wrong");
    WF_EXPECT_FAILURE(wf_call_on(0, fail_inside, &number), -EPROTO, "number 8 is wrong");
}

static int sleep_long(int *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(1000));
}

static int fail_soon(int *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MICROSECONDS(100));
    return rc < 0 ? rc : -EBADMSG;
}

WF_TEST(the_first_error_cancels_the_others_wherever_they_are, .loops = LOOPS, .sweep = true, .rule = "3.4")
{
    int unused = 0;
    WF_SCOPE(scope);
    for (int i = 0; i < LOOPS; i++) wf_spawn_on(&scope, i, sleep_long, &unused);
    wf_spawn_on(&scope, WF_LEAST_LOADED, fail_soon, &unused);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EBADMSG);
}

static atomic_int inside, inside_most;

static int be_inside(int *result)
{
    int now = ++inside, most = inside_most;
    while (now > most && !atomic_compare_exchange_weak(&inside_most, &most, now)) {}
    int rc = wf_sleep(WF_MICROSECONDS(300));
    inside--;
    return rc < 0 ? rc : *result;
}

WF_TEST(a_limit_counts_children_wherever_they_are, .loops = LOOPS, .sweep = true, .rule = "3.7")
{
    inside = inside_most = 0;
    WF_SCOPE(scope, .limit = 2);
    for (int i = 0; i < 8; i++) wf_spawn_on(&scope, i % LOOPS, be_inside, &i);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT(inside_most <= 2);
    if (!wf_test_injected()) WF_EXPECT_INT(inside_most, 2);
}

WF_TEST(ended_children_are_handed_out_without_the_copy_that_they_had, .loops = LOOPS, .rule = "3.10")
{
    int sum = 0, count = 0;
    struct wf_finished finished;
    WF_SCOPE(scope, .keep_finished = true);
    for (int i = 1; i <= 6; i++) wf_spawn_on(&scope, i % LOOPS, be_inside, &i);
    while (wf_scope_next(&scope, &finished) > 0) {
        WF_EXPECT(finished.arg == NULL);
        sum += finished.result;
        count++;
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(count, 6);
    WF_EXPECT_INT(sum, 21);
}

WF_TEST(the_first_success_on_any_loop_cancels_the_others, .loops = LOOPS, .sweep = true, .rule = "3.4")
{
    int result = 42;
    struct wf_handle winner = {0};
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
    for (int i = 0; i < LOOPS; i++) wf_spawn_on(&scope, i, sleep_long, &result);
    wf_spawn_on(&scope, 1, be_inside, &result, .handle = &winner);
    if (wf_handle_join(&winner) < 0) wf_scope_cancel(&scope, "nobody wins");
    WF_EXPECT_CODE(wf_scope_join(&scope), 42);
}

WF_TEST(daemons_elsewhere_end_with_the_other_children, .loops = LOOPS, .sweep = true, .rule = "3.8")
{
    int result = 0;
    WF_SCOPE(scope);
    for (int i = 0; i < LOOPS; i++) wf_spawn_on(&scope, i, sleep_long, &result, .daemon = true);
    wf_spawn_on(&scope, 2, be_inside, &result);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Cancelling ---- */

struct victim {
    char why[64];
    enum wf_reason_kind kind;
    int64_t deadline;
};

static int wait_for_cancel(struct victim *victim)
{
    victim->deadline = wf_deadline();
    int rc = wf_sleep(WF_SECONDS(1000));
    const struct wf_reason *reason = wf_cancel_reason();
    if (reason != NULL) {
        snprintf(victim->why, sizeof victim->why, "%s", reason->text);
        victim->kind = reason->kind;
    }
    return rc;
}

static int call_victim(struct victim *victim)
{
    return wf_call_on(1, wait_for_cancel, victim);
}

WF_TEST(a_cancel_reaches_the_other_loop_with_its_reason, .loops = LOOPS, .sweep = true, .rule = "1.10 6.1")
{
    struct victim victim = {.why = ""};
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, call_victim, &victim, .handle = &handle);
    wf_sleep(WF_MILLISECONDS(1));
    wf_handle_cancel(&handle, "not wanted any more");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&handle), -ECANCELED);
    WF_EXPECT_TEXT(victim.why, "not wanted any more");
    WF_EXPECT_INT(victim.kind, WF_REASON_EXPLICIT);
}

WF_TEST(a_deadline_holds_on_the_other_loop, .loops = LOOPS, .sweep = true, .rule = "2.2 2.3")
{
    struct victim victim = {.why = ""};
    int64_t deadline = wf_deadline_after(WF_MILLISECONDS(5));
    int rc = wf_until(deadline, call_victim(&victim));
    if (!WF_EXPECT_CODE(rc, -ETIME)) return;
    WF_EXPECT_INT(victim.deadline, deadline);
    WF_EXPECT_INT(victim.kind, WF_REASON_DEADLINE);
}

static int finish_all_the_same(int *finished)
{
    wf_ignore(wf_sleep(WF_SECONDS(1000)));
    *finished = 1;
    return 5;
}

static int call_stubborn(int *finished)
{
    return wf_call_on(2, finish_all_the_same, finished);
}

WF_TEST(success_wins_over_a_cancel_that_is_on_its_way, .loops = LOOPS, .sweep = true, .rule = "1.3")
{
    int finished = 0;
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, call_stubborn, &finished, .handle = &handle);
    wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) wf_handle_cancel(&handle, "too late");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    if (wf_test_injected()) return;
    WF_EXPECT_CODE(wf_handle_result(&handle), 5);
    WF_EXPECT_INT(finished, 1);
}

WF_TEST(a_child_that_is_cancelled_at_once_runs_to_its_first_suspension, .loops = LOOPS, .rule = "3.5")
{
    int finished = 0, *pointer = &finished;
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, call_stubborn, pointer, .handle = &handle);
    wf_yield();
    wf_scope_cancel(&scope, "at once");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(finished, 1);
}

static int yield_until_cancelled(int *unused)
{
    (void)unused;
    int rc;
    while ((rc = wf_yield()) == 0) {}
    return rc;
}

static int call_on_and_on(int *count)
{
    for (;; ++*count) {
        int unused, rc = wf_call_on(*count % LOOPS, yield_until_cancelled, &unused);
        if (rc < 0) return rc;
    }
}

WF_TEST(chains_of_calls_are_cancelled_to_their_end, .loops = LOOPS, .sweep = true)
{
    int count = 0;
    WF_SCOPE(scope);
    wf_spawn_on(&scope, 1, call_on_and_on, &count);
    wf_spawn_on(&scope, 2, call_on_and_on, &count);
    wf_sleep(WF_MILLISECONDS(2));
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(wf_loop_load(0) + wf_loop_load(1) + wf_loop_load(2), 0);
}

/* ---- Draining ---- */

static int wait_idly(int *drained)
{
    int rc = wf_idle(wf_sleep(WF_SECONDS(1000)));
    *drained = wf_draining();
    return rc;
}

static int call_idle(int *drained)
{
    return wf_call_on(1, wait_idly, drained);
}

WF_TEST(a_drain_ends_what_is_idle_on_the_other_loop, .loops = LOOPS, .sweep = true, .rule = "7.1")
{
    int drained = 0;
    struct wf_handle handle = {0};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, call_idle, &drained, .handle = &handle);
    wf_sleep(WF_MILLISECONDS(1));
    wf_scope_drain(&scope);
    int rc = wf_scope_join(&scope);
    if (!WF_EXPECT_CODE(rc, -ESHUTDOWN)) return;
    WF_EXPECT_INT(drained, 1);
}

WF_TEST(what_starts_in_a_drained_scope_finds_it_drained, .loops = LOOPS, .rule = "7.1")
{
    int drained = 0;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_scope_drain(&scope);
    wf_spawn(&scope, call_idle, &drained);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ESHUTDOWN);
    WF_EXPECT_INT(drained, 1);
}

/* ---- Everywhere ---- */

struct tally {
    _Atomic int calls, indices;
};

static int count_me(struct tally *tally)
{
    tally->calls++;
    tally->indices += 1 << wf_loop_index();
    return 0;
}

WF_TEST(everywhere_is_on_each_loop_once, .loops = LOOPS, .sweep = true)
{
    struct tally tally = {0};
    int rc = wf_everywhere(count_me, &tally);
    WF_INVARIANT(tally.calls <= LOOPS);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(tally.calls, LOOPS);
    WF_EXPECT_INT(tally.indices, (1 << LOOPS) - 1);
}

static int fail_on_one(struct tally *tally)
{
    tally->calls++;
    if (wf_loop_index() != 1) return wf_sleep(WF_SECONDS(1000));
    return wf_fail(-EXDEV, "loop %d does not want to", wf_loop_index());
}

WF_TEST(the_first_error_of_everywhere_cancels_the_others, .loops = LOOPS, .sweep = true)
{
    struct tally tally = {0};
    WF_EXPECT_FAILURE(wf_everywhere(fail_on_one, &tally), -EXDEV, "loop 1 does not want to");
}

/* ---- What a child inherits ---- */

static const struct wf_local language = {.name = "language"};

static int tell_language(char *text)
{
    const char *value = wf_local_get(&language);
    snprintf(text, 8, "%s", value != NULL ? value : "none");
    return 0;
}

WF_TEST(task_locals_are_seen_on_the_other_loop, .loops = LOOPS, .sweep = true, .rule = "3.11")
{
    char text[8] = "";
    static char french[] = "fr";
    WF_BIND(binding, &language, french);
    if (WF_EXPECT_CODE(wf_call_on(1, tell_language, text), 0)) WF_EXPECT_TEXT(text, "fr");
}

/* ---- Load ---- */

WF_TEST(the_least_loaded_loop_is_taken, .loops = LOOPS, .rule = "6.1")
{
    int unused = 0;
    WF_SCOPE(scope);
    wf_spawn_on(&scope, 0, sleep_long, &unused);
    wf_spawn_on(&scope, 2, sleep_long, &unused);
    wf_spawn_on(&scope, WF_LEAST_LOADED, sleep_long, &unused);
    WF_EXPECT_INT(wf_loop_load(1), 1);
    for (int i = 0; i < 30; i++) wf_spawn_on(&scope, WF_LEAST_LOADED, sleep_long, &unused);
    for (int i = 0; i < LOOPS; i++) WF_EXPECT_INT(wf_loop_load(i), 11);
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < LOOPS; i++) WF_EXPECT_INT(wf_loop_load(i), 0);
}

/* ---- Arguments that own something ---- */

static _Atomic int dropped;

static void drop_order(void *arg)
{
    (void)arg;
    dropped++;
}

static atomic_bool filled;

static int fill_up(int *unused)
{
    WF_SCOPE(scope);
    while (wf_try_spawn(&scope, sleep_long, unused) == 0) {}
    filled = true;
    return wf_scope_join(&scope);
}

static int overfill(int *unused)
{
    struct wf_handle refused = {0};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn_on(&scope, 1, fill_up, unused, .drop = drop_order);
    while (!filled) wf_sleep(WF_MICROSECONDS(100));
    wf_spawn_on(&scope, 1, sleep_long, unused, .handle = &refused, .drop = drop_order);
    wf_handle_join(&refused);
    wf_scope_cancel(&scope, "seen");
    int rc = wf_scope_join(&scope);
    return rc == wf_handle_result(&refused) ? rc : -EPROTO;
}

/* real time: a simulated world has all the tasks on one loop */
WF_TEST(an_argument_is_dropped_where_there_is_no_room_for_its_task, .plain = true, .real = true)
{
    int unused = 0;
    dropped = 0;
    WF_EXPECT_CODE(wf_run(overfill, &unused, .threads = 2, .tasks_max = 10), -EAGAIN);
    WF_EXPECT_INT(dropped, 1);
}

/* ---- Threads ---- */

static int tell_thread(pthread_t *thread)
{
    *thread = pthread_self();
    return 0;
}

WF_TEST(each_loop_has_a_thread, .loops = LOOPS, .real = true)
{
    pthread_t threads[LOOPS];
    for (int i = 0; i < LOOPS; i++)
        if (!WF_EXPECT_CODE(wf_call_on(i, tell_thread, &threads[i]), 0)) return;
    WF_EXPECT(pthread_equal(threads[0], pthread_self()));
    WF_EXPECT(!pthread_equal(threads[0], threads[1]) && !pthread_equal(threads[1], threads[2]));
}

static int many_calls(int *count)
{
    for (int i = 0; i < *count; i++) {
        int index, rc = wf_call_on(i % wf_loops_count(), tell_index, &index);
        if (rc < 0) return rc;
        if (index != i % wf_loops_count()) return -EPROTO;
    }
    return 0;
}

WF_TEST(all_call_all, .loops = LOOPS, .timeout = WF_SECONDS(60))
{
    int count = 300;
    WF_SCOPE(scope);
    for (int i = 0; i < 30; i++) wf_spawn_on(&scope, i % LOOPS, many_calls, &count);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int do_nothing(void *unused)
{
    (void)unused;
    return 0;
}

WF_TEST(a_number_of_loops_that_makes_no_sense_is_refused, .plain = true)
{
    WF_EXPECT_CODE(wf_run(do_nothing, NULL, .threads = -2), -EINVAL);
    WF_EXPECT_CODE(wf_run(do_nothing, NULL, .threads = 257), -EINVAL);
    WF_EXPECT_CODE(wf_run(do_nothing, NULL, .threads = WF_EVERY_CPU), 0);
    for (int i = 0; i < 20; i++) WF_EXPECT_CODE(wf_run(do_nothing, NULL, .threads = 5), 0);
}

/* Below some number of descriptors not every loop can be had: then there is none, and nothing is left. */
WF_TEST(a_run_that_cannot_have_all_its_loops_has_none, .plain = true, .real = true)
{
    struct rlimit before, tight;
    getrlimit(RLIMIT_NOFILE, &before);
    int next = dup(STDIN_FILENO), rc = -EMFILE, refused = 0;
    close(next);
    tight = before;
    for (tight.rlim_cur = (rlim_t)next; rc == -EMFILE && refused < 50; tight.rlim_cur++) {
        setrlimit(RLIMIT_NOFILE, &tight);
        rc = wf_run(do_nothing, NULL, .threads = 4);
        setrlimit(RLIMIT_NOFILE, &before);
        refused += rc == -EMFILE;
        int after = dup(STDIN_FILENO);
        WF_EXPECT_INT(after, next);
        close(after);
    }
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT(refused >= 4);
}

/* ---- Deadlocks ---- */

static int wait_for_nobody(void *unused)
{
    (void)unused;
    struct wf_event never = WF_EVENT;
    return wf_event_wait(&never);
}

static int wait_everywhere(void *unused)
{
    return wf_everywhere(wait_for_nobody, unused);
}

WF_TEST(loops_that_all_wait_are_a_deadlock, .plain = true, .rule = "8.2")
{
    wf_test_allow_reports();
    for (int i = 0; i < 10; i++) WF_EXPECT_CODE(wf_run(wait_everywhere, NULL, .threads = 3), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "deadlock");
    WF_EXPECT_PART(wf_test_reports(), "on loop 2, for others:");
    WF_EXPECT_PART(wf_test_reports(), "wait_for_nobody");
}

static int rest_while_others_work(int *unused)
{
    int64_t until = wf_now() + WF_MILLISECONDS(20);
    (void)unused;
    while (wf_now() < until) {
        int rc = wf_loop_index() == 1 ? wf_sleep(WF_MILLISECONDS(1)) : wf_call_on(1, do_nothing, NULL);
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(loops_that_wait_for_one_that_works_are_no_deadlock, .loops = LOOPS)
{
    int unused = 0;
    WF_EXPECT_CODE(wf_everywhere(rest_while_others_work, &unused), 0);
}

WF_TEST_MAIN
