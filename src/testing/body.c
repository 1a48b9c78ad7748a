/*
 * One run of one test: its fixtures, its body under its deadline, and what it left behind.
 *
 * A test that must end its process runs in a forked child, and its standard error is searched for the expected text.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/run.h>
#include <weft/sim.h>
#include <weft/task.h>

#include "testing/runner.h"

enum { REPORTS_MAX = 65536, SIMULATED_FACTOR = 100 };

static char reports[REPORTS_MAX];
static size_t reports_size;

/* ---- Reports ---- */

const char *wf_test_reports(void)
{
    return reports;
}

void wf_test_allow_reports(void)
{
    running.reports_allowed = true;
}

static void keep_report(void *context, const char *text)
{
    (void)context;
    size_t room = sizeof reports - reports_size;
    int size = snprintf(reports + reports_size, room, "%s\n", text);
    if (size > 0) reports_size += (size_t)size < room ? (size_t)size : room - 1;
}

static void reports_begin(void)
{
    running.reports_allowed = false;
    reports_size = 0;
    reports[0] = '\0';
    wf_set_report(keep_report, NULL);
}

/* After an injection a test may be left in ways that are worth a report. */
static void reports_check(void)
{
    log_end();
    wf_set_report(NULL, NULL);
    if (reports_size > 0 && !running.reports_allowed && !running.fired) say_failure("unexpected report: %s", reports);
    else if (reports_size > 0 && running.failed) say("reported: %s", reports);
}

/* ---- The body ---- */

static void arm_injection(struct wf_scope *scope)
{
    const struct plan *plan = &running.plan;
    if (plan->kind == NULL) return;
    if (plan->kind->kind == INJECT_NOTHING) leaks_fail_allocation(plan->at, plan->kind->persistent);
    else inject_into(scope, plan->kind->kind, plan->at, plan->kind->persistent);
}

static void disarm_injection(struct loop *loop)
{
    running.fired = running.plan.kind != NULL && wf_test_injected();
    uint64_t allocations_left = leaks_fail_end();
    bool of_loop = loop->injection.kind != INJECT_NOTHING;
    running.places_left = of_loop ? loop->injection.left : allocations_left;
    loop->injection = (struct injection){.kind = INJECT_NOTHING};
}

/* ---- Its deadline ---- */

static void (*expire)(struct wf_timer_ *timer);
static bool expired;

static void say_report(void *context, const char *text)
{
    (void)context;
    say("%s", text);
}

/* Fires in the place of the scope's own function: what everybody waits for is seen before the cancel wakes them. */
static void deadline_passed(struct wf_timer_ *timer)
{
    expired = true;
    say_failure("its deadline passed");
    wf_set_report(say_report, NULL);
    loop_dump(current_loop, "the tasks, at that time:");
    wf_set_report(keep_report, NULL);
    expire(timer);
}

static void guard(struct wf_scope *scope)
{
    current_loop->guard_timer = &scope->timer_;
    expired = false;
    expire = scope->timer_.fire;
    scope->timer_.fire = deadline_passed;
}

/* The body under its deadline. What scopes that it left without their end hand up is the result. */
static int run_body(const struct item *item)
{
    struct loop *loop = current_loop;
    int64_t started = wf_now();
    ends_within(item_timeout(item));
    WF_SCOPE(scope, .timeout = item_timeout(item), .name = "test");
    guard(&scope);
    arm_injection(&scope);
    item->test->body();
    ends_returned();
    disarm_injection(loop);
    int rc = wf_scope_end(&scope, 0);
    loop->guard_timer = NULL;
    if (!expired && wf_now() - started >= item_timeout(item))
        say_failure("its deadline passed, and it did not suspend");
    return rc == -ETIME || running.fired ? 0 : rc;
}

static int64_t simulated_bound(const struct item *item)
{
    int64_t bound;
    return __builtin_mul_overflow(item_timeout(item), SIMULATED_FACTOR, &bound) ? WF_FOREVER : bound;
}

/* Without a scope for lasting fixtures all that it uses is its own. After an injection, fixtures may fail. */
static int run_with_fixtures(const struct item *item, struct wf_scope *lasting)
{
    if (wf_simulated()) wf_sim_set_bounds(simulated_bound(item), item->test->passes_max);
    WF_SCOPE(passing, .name = "fixtures", .policy = WF_COLLECT);
    int rc = fixtures_start(item->test->uses, lasting != NULL ? lasting : &passing, &passing);
    if (rc == 0) rc = run_body(item);
    fixtures_stop(lasting != NULL ? WF_PER_TEST : WF_PER_RUN, NULL);
    int ended = wf_scope_end(&passing, 0);
    if (running.fired) return 0;
    return rc < 0 ? rc : ended;
}

/* ---- One run ---- */

static int run_alone(const struct item *item)
{
    return run_with_fixtures(item, NULL);
}

/* The main task has the test's name and place. */
#define RUN_LOOP(fn, arg, item)                                                                                        \
    wf_run_(WF_TASK_FN_(fn, (arg)), &(struct wf_run_options){.size = sizeof(struct wf_run_options),                    \
                                                             .driver = item_is_simulated(item) ? "sim" : NULL,         \
                                                             .threads = (item)->test->loops,                           \
                                                             .function_ = (item)->test->name,                          \
                                                             .place_ = (item)->test->place,                            \
                                                             .arg_ = (arg)})

static void run_on_loop(const struct item *item)
{
    int rc = RUN_LOOP(run_alone, item, item);
    if (rc < 0 && !running.failed) say_failure("the loop ended with %d (%s)", rc, wf_strerror(rc));
}

static void run_plain(const struct item *item)
{
    if (item->test->uses[0] != NULL) return say_failure("it is .plain, outside any loop, and so cannot use fixtures");
    ends_within(item_timeout(item));
    item->test->body();
    ends_returned();
}

static void begin(const struct item *item, struct plan plan)
{
    running.item = item;
    running.plan = plan;
    running.fired = false;
    running.places_left = plan.at;
    notes_begin();
    log_begin();
    reports_begin();
    wf_sim_seed(item->seed);
}

/* Nothing comes after it but its name. What a process that it forked said counts too. */
static void end(void)
{
    ends_within(0);
    reports_check();
    running.failed |= running.item->result->failure_said;
    if (running.failed) say("again: %s", replay_command());
}

void body_run(const struct item *item, struct plan plan)
{
    begin(item, plan);
    leaks_begin(plan.kind == NULL || running.options.inject.kind != NULL);
    if (item->test->plain) run_plain(item);
    else run_on_loop(item);
    leaks_check();
    end();
}

/* ---- Several on one loop ---- */

struct together {
    const struct item *items;
    size_t count, next; /* next: the first that has not begun */
};

static struct together *together;

/* A source file is a suite. */
static bool is_of_suite(const struct wf_test *test, const struct wf_test *other)
{
    size_t size = strcspn(test->place, ":");
    return strncmp(test->place, other->place, size + 1) == 0;
}

/* By the tests that follow in the same suite. */
static bool needed_in_suite(const struct wf_fixture *fixture)
{
    const struct wf_test *last = together->items[together->next - 1].test;
    for (size_t i = together->next; i < together->count; i++) {
        const struct wf_test *test = together->items[i].test;
        if (is_of_suite(test, last) && fixture_is_used(fixture, test->uses)) return true;
    }
    return false;
}

static void begin_shared(const struct item *item)
{
    running.failed = false;
    begin(item, (struct plan){NULL, 0});
    output_begin(item);
}

static void end_shared(const struct item *item)
{
    end();
    output_end(item, false);
}

static void name_main_task(const struct item *item)
{
    struct wf_task *task = current_loop->running;
    task->name = item->test->name;
    task->place = item->test->place;
}

/* Until all have run, or the loop is of no use any more. The last one ends when the loop has. */
static int run_all(struct together *group)
{
    WF_SCOPE(lasting, .name = "lasting fixtures", .policy = WF_COLLECT);
    bool last = false;
    while (!last) {
        const struct item *item = &group->items[group->next++];
        if (item != running.item) begin_shared(item);
        name_main_task(item);
        int rc = run_with_fixtures(item, &lasting);
        last = group->next == group->count || current_loop->broken < 0;
        if (rc < 0 && current_loop->broken == 0 && !running.failed)
            say_failure("it ended with %d (%s)", rc, wf_strerror(rc));
        fixtures_stop(WF_PER_SUITE, needed_in_suite);
        if (last) fixtures_stop(WF_PER_RUN, NULL);
        else end_shared(item);
    }
    return wf_scope_end(&lasting, 0);
}

static void run_shared_loop(struct together *group)
{
    const struct item *first = &group->items[group->next];
    begin_shared(first);
    leaks_begin(true);
    size_t begun = group->next;
    int rc = RUN_LOOP(run_all, group, first);
    if (rc < 0 && !running.failed) say_failure("the loop ended with %d (%s)", rc, wf_strerror(rc));
    if (group->next == begun) group->next++; /* it did not even begin */
    bool failed = running.failed;
    leaks_check();
    if (running.failed && !failed && group->next - begun > 1)
        say("by this test or one of the %zu before it that ran on the same loop", group->next - begun - 1);
    end_shared(running.item);
}

void body_run_together(const struct item *items, size_t count)
{
    struct together group = {.items = items, .count = count};
    together = &group;
    while (group.next < count) run_shared_loop(&group);
    together = NULL;
}

/* ---- One that must end its process ---- */

static void child(const struct item *item, int err)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(err, STDERR_FILENO);
    ends_expected(item_timeout(item));
    if (item->test->plain) item->test->body();
    else RUN_LOOP(run_alone, item, item);
    _exit(0);
}

/* All that fits, and the rest too, so that it can be written. */
static void read_end(int fd, char *text, size_t size)
{
    char rest[512];
    size_t used = 0;
    ssize_t got = 1;
    while (used < size - 1 && (got = read(fd, text + used, size - 1 - used)) > 0) used += (size_t)got;
    text[used] = '\0';
    while (got > 0) got = read(fd, rest, sizeof rest);
}

static void check_death(const struct item *item, pid_t pid, int err)
{
    static char text[65536];
    read_end(err, text, sizeof text);
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) say_failure("it lived");
    wf_test_expect_part_(text, item->test->dies, "what it said", item->test->place);
}

void body_run_to_death(const struct item *item)
{
    int ends[2];
    begin(item, (struct plan){NULL, 0});
    wf_set_report(NULL, NULL); /* reports go to standard error */
    if (pipe(ends) < 0) return say_failure("no pipe: %s", wf_strerror(errno));
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child(item, ends[1]);
    close(ends[1]);
    if (pid > 0) check_death(item, pid, ends[0]);
    else say_failure("no process: %s", wf_strerror(errno));
    close(ends[0]);
    end();
}
