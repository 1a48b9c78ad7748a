/*
 * One run of one test: its fixtures, its body under its deadline, and what it left behind.
 *
 * A body that neither ends nor suspends is stopped by an alarm after twice its deadline, with its name. A test that
 * must end its process runs in a forked child, and its standard error is searched for the expected text.
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

enum { REPORTS_MAX = 65536 };

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
    wf_set_report(NULL, NULL);
    if (reports_size > 0 && !running.reports_allowed && !running.fired) say_failure("unexpected report: %s", reports);
    else if (reports_size > 0 && running.failed) say("reported: %s", reports);
}

/* ---- Ends that are none ---- */

static void write_text(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
    (void)ignored;
}

static bool death_is_wanted;

static void write_again(void)
{
    static char command[1024];
    if (death_is_wanted) return;
    replay_command(command, sizeof command);
    write_text("    again: ");
    write_text(command);
    write_text("\n");
}

static void stuck(int number)
{
    (void)number;
    write_text("    stuck, neither ending nor suspending\n");
    abort();
}

/* The sanitizers explain a crash themselves, where they are linked in. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

/* The library aborts after it reported a misuse: show what it said. */
static void crashed(int number)
{
    if (!death_is_wanted) write_text(reports);
    write_again();
    signal(number, SIG_DFL);
    raise(number);
}

void body_watch_for_crashes(void)
{
    if (__sanitizer_set_death_callback != NULL) return __sanitizer_set_death_callback(write_again);
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

static void watch_for_ends(const struct item *item)
{
    signal(SIGABRT, crashed);
    signal(SIGALRM, stuck);
    alarm((unsigned)(2 * item_timeout(item) / WF_SECONDS(1)) + 5);
}

static void watch_no_more(void)
{
    alarm(0);
    signal(SIGABRT, SIG_DFL);
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
    running.fired = wf_test_injected();
    uint64_t allocations_left = leaks_fail_end();
    bool of_loop = loop->injection.kind != INJECT_NOTHING;
    running.places_left = of_loop ? loop->injection.left : allocations_left;
    loop->injection = (struct injection){.kind = INJECT_NOTHING};
}

/* The body under its deadline. What scopes that it left without their end hand up is the result. */
static int run_body(const struct item *item)
{
    struct loop *loop = current_loop;
    int64_t started = wf_now();
    WF_SCOPE(scope, .timeout = item_timeout(item), .name = "test");
    loop->guard_timer = &scope.timer_;
    arm_injection(&scope);
    item->test->body();
    disarm_injection(loop);
    int rc = wf_scope_end(&scope, 0);
    loop->guard_timer = NULL;
    if (wf_now() - started >= item_timeout(item)) say_failure("its deadline passed");
    return rc == -ETIME || running.fired ? 0 : rc;
}

static int run_with_fixtures(const struct item *item, struct wf_scope *lasting)
{
    if (wf_simulated()) wf_sim_set_bounds(100 * item_timeout(item), item->test->passes_max);
    WF_SCOPE(passing, .name = "fixtures", .policy = WF_COLLECT);
    int rc = fixtures_start(item->test->uses, lasting != NULL ? lasting : &passing, &passing);
    if (rc == 0) rc = run_body(item);
    fixtures_stop(WF_PER_TEST, NULL);
    int ended = wf_scope_end(&passing, 0);
    return rc < 0 ? rc : ended;
}

static int run_alone(const struct item *item)
{
    return run_with_fixtures(item, NULL);
}

static void run_on_loop(const struct item *item)
{
    bool already = running.failed;
    int rc = wf_run(run_alone, item, .driver = item_is_simulated(item) ? "sim" : NULL);
    if (rc < 0 && (already || !running.failed)) say_failure("the loop ended with %d (%s)", rc, wf_strerror(rc));
}

static void begin(const struct item *item, struct plan plan)
{
    running.item = item;
    running.plan = plan;
    running.fired = false;
    running.places_left = plan.at;
    notes_begin();
    reports_begin();
    watch_for_ends(item);
    wf_sim_seed(item->seed);
}

void body_run(const struct item *item, struct plan plan)
{
    begin(item, plan);
    leaks_begin(plan.kind == NULL || running.options.inject.kind != NULL);
    if (item->test->plain) item->test->body();
    else run_on_loop(item);
    watch_no_more();
    leaks_check();
    reports_check();
    if (running.failed) {
        char command[1024];
        replay_command(command, sizeof command);
        say("again: %s", command);
    }
}

/* ---- Several on one loop ---- */

struct together {
    const struct item *items;
    size_t count, next; /* next: the first that has not begun */
};

static struct together *together;

static bool needed_later(const struct wf_fixture *fixture)
{
    for (size_t i = together->next; i < together->count; i++)
        if (fixture_is_used(fixture, together->items[i].test->uses)) return true;
    return false;
}

static int run_all(struct together *group)
{
    WF_SCOPE(lasting, .name = "lasting fixtures", .policy = WF_COLLECT);
    while (group->next < group->count) {
        const struct item *item = &group->items[group->next++];
        bool last = group->next == group->count;
        begin(item, (struct plan){NULL, 0});
        running.failed = false;
        output_begin(item);
        int rc = run_with_fixtures(item, &lasting);
        if (rc < 0 && !running.failed) say_failure("it ended with %d (%s)", rc, wf_strerror(rc));
        fixtures_stop(WF_PER_SUITE, needed_later);
        if (last) fixtures_stop(WF_PER_RUN, NULL);
        watch_no_more();
        reports_check();
        if (!last) output_end(item, false);
    }
    return wf_scope_end(&lasting, 0);
}

void body_run_together(const struct item *items, size_t count)
{
    struct together group = {.items = items, .count = count};
    together = &group;
    leaks_begin(true);
    int rc = wf_run(run_all, &group);
    if (rc < 0 && !running.failed) say_failure("the loop that they share ended with %d (%s)", rc, wf_strerror(rc));
    leaks_check();
    output_end(running.item, false);
}

/* ---- One that must end its process ---- */

static void child(const struct item *item, int err)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(err, STDERR_FILENO);
    death_is_wanted = true;
    if (item->test->plain) item->test->body();
    else wf_run(run_alone, item, .driver = item_is_simulated(item) ? "sim" : NULL);
    _exit(0);
}

static size_t read_end(int fd, char *text, size_t size)
{
    size_t used = 0;
    while (used < size - 1) {
        ssize_t got = read(fd, text + used, size - 1 - used);
        if (got <= 0) break;
        used += (size_t)got;
    }
    text[used] = '\0';
    return used;
}

void body_run_to_death(const struct item *item)
{
    static char text[65536];
    int ends[2];
    if (pipe(ends) < 0) return say_failure("no pipe: %s", wf_strerror(errno));
    running.item = item;
    running.plan = (struct plan){NULL, 0};
    running.fired = false;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child(item, ends[1]);
    watch_for_ends(item);
    close(ends[1]);
    read_end(ends[0], text, sizeof text);
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    watch_no_more();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) say_failure("it lived");
    wf_test_expect_part_(text, item->test->dies, "what it said", item->test->place);
}
