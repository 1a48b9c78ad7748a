/* Rules 3.1, 3.12 and 8.1 to 8.3 of docs/semantics.md: what is said, of the living and of the dead; simulation. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>

#include "../apart.h"
#include "base/sanitize.h" /* private: which sanitizer watches; it speaks of overflows itself */

/* ---- 8.1, 8.2: dumps and reports ---- */

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep_until(WF_FOREVER);
}

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

WF_TEST(a_dump_names_each_task_its_place_what_it_waits_for_and_its_stack, .rule = "8.1")
{
    wf_test_allow_reports();
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event, .name = "patient");
    wf_yield();
    wf_spawn(&scope, sleep_for_ever, NULL, .name = "fresh");
    wf_dump();
    const char *text = wf_test_reports();
    WF_EXPECT_PART(text, "waits: an event");
    WF_EXPECT_PART(text, "fresh #3  not started");
    WF_EXPECT_PART(text, "running");
    const char *line = strstr(text, "patient #2");
    WF_EXPECT(line != NULL);
    if (line != NULL) WF_EXPECT_PART(line, "rules_seeing_test.c:");
    unsigned kib = 0;
    const char *stack = line != NULL ? strchr(line, ')') : NULL;
    WF_EXPECT(stack != NULL && sscanf(stack, ")  %u KiB of stack", &kib) == 1 && kib > 0 && kib % 4 == 0);
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void report_something(void)
{
    wf_report("to whom it may concern");
}

WF_TEST(reports_go_to_standard_error_and_never_to_standard_output, .plain = true, .rule = "8.2")
{
    char said[256];
    run_apart(report_something, STDERR_FILENO, said, sizeof said);
    WF_EXPECT_TEXT(said, "weft: to whom it may concern\n");
    WF_EXPECT_INT(run_apart(report_something, STDOUT_FILENO, said, sizeof said), 0);
    WF_EXPECT_TEXT(said, "");
}

static int lock_other(struct wf_mutex *pair)
{
    int rc = wf_mutex_lock(&pair[0]);
    if (rc == 0) rc = wf_yield();
    if (rc == 0) rc = wf_mutex_lock(&pair[1]);
    return rc;
}

/* Three tasks in a ring, each with one lock and waiting for the next one's. */
static int lock_in_a_ring(void *unused)
{
    (void)unused;
    struct wf_mutex ring[3] = {WF_MUTEX, WF_MUTEX, WF_MUTEX};
    WF_SCOPE(scope);
    wf_spawn(&scope, lock_other, &ring[0]);
    wf_spawn(&scope, lock_other, &ring[1]);
    int rc = wf_mutex_lock(&ring[2]);
    if (rc == 0) rc = wf_yield();
    if (rc == 0) rc = wf_mutex_lock(&ring[0]);
    rc = wf_scope_end(&scope, rc);
    wf_ignore(wf_mutex_unlock(&ring[2]));
    return rc;
}

WF_TEST(a_deadlock_is_not_waited_out, .plain = true, .rule = "8.2")
{
    wf_test_allow_reports();
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_run(lock_in_a_ring, NULL), -EDEADLK);
    WF_EXPECT(wf_now() - started < WF_SECONDS(5));
    WF_EXPECT_PART(wf_test_reports(), "deadlock: every task waits for another one");
    WF_EXPECT_PART(wf_test_reports(), "waits: a mutex");
}

/* ---- 3.1, 3.12: what is said at the end of a process ---- */

static int count_parts(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

static int end_outer_first(void *unused)
{
    (void)unused;
    WF_SCOPE(outer);
    WF_SCOPE(inner);
    int rc = wf_scope_end(&outer, 0);
    return wf_scope_end(&inner, rc);
}

static void break_the_order(void)
{
    wf_run(end_outer_first, NULL);
}

WF_TEST(a_wrong_way_out_aborts_and_names_the_places_of_both_scopes, .plain = true, .rule = "3.1")
{
    static char said[4096];
    int status = run_apart(break_the_order, STDERR_FILENO, said, sizeof said);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    WF_EXPECT_INT(count_parts(said, "rules_seeing_test.c:"), 2);
}

#if !WEFT_ASAN && !WEFT_TSAN

static int recurse(int *depth)
{
    volatile char frame[512];
    frame[*depth % 512] = 1;
    if (++*depth == INT32_MAX) return 0;
    return recurse(depth) + frame[17];
}

static int spawn_recursion(int *depth)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, recurse, depth, .name = "deep");
    return wf_scope_join(&scope);
}

static void overflow_a_stack(void)
{
    int depth = 0;
    wf_run(spawn_recursion, &depth);
}

WF_TEST(an_overflow_of_a_stack_prints_the_task_and_its_calls, .plain = true, .rule = "3.12")
{
    static char said[16384];
    int status = run_apart(overflow_a_stack, STDERR_FILENO, said, sizeof said);
    WF_EXPECT(WIFSIGNALED(status));
    WF_EXPECT_PART(said, "stack overflow in task 'deep'");
    WF_EXPECT(count_parts(said, "core_rules_seeing_test(") > 3);
}

#endif

/* ---- 8.3: the simulated world ---- */

struct world {
    int64_t times[40];
    int count;
};

static int move_a_byte(struct world *world)
{
    struct wf_stream *reader, *writer;
    char byte;
    int rc = wf_pipe(&reader, &writer);
    if (rc == 0) rc = wf_stream_write_all(writer, "x", 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(reader, &byte, 1, NULL);
    if (rc == 0 && world->count < 40) world->times[world->count++] = wf_now();
    wf_stream_close(reader);
    wf_stream_close(writer);
    return rc;
}

static int live(struct world *world)
{
    WF_SCOPE(scope);
    for (int i = 0; i < 40; i++) wf_spawn(&scope, move_a_byte, world);
    wf_sleep(WF_MINUTES(60));
    return wf_scope_join(&scope);
}

WF_TEST(one_seed_gives_one_history_in_no_time, .plain = true, .rule = "8.3")
{
    struct world first = {.count = 0}, second = {.count = 0}, third = {.count = 0};
    int64_t started = wf_now();
    wf_sim_seed(17);
    WF_EXPECT_CODE(wf_run(live, &first, .driver = "sim"), 0);
    WF_EXPECT_CODE(wf_run(live, &second, .driver = "sim"), 0);
    wf_sim_seed(18);
    WF_EXPECT_CODE(wf_run(live, &third, .driver = "sim"), 0);
    WF_EXPECT(wf_now() - started < WF_SECONDS(10)); /* three hours in it */
    WF_EXPECT(memcmp(&first, &second, sizeof first) == 0);
    WF_EXPECT(memcmp(&first, &third, sizeof first) != 0);
}

WF_TEST_MAIN
