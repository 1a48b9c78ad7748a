/*
 * The runner: each test on a fresh loop, under its deadline, with a count of everything before and after.
 *
 * A test that must end its process runs in a forked child, and its standard error is searched for the expected text. A
 * body that neither ends nor suspends is stopped by an alarm after twice its deadline, with its name.
 */
#include "testing/runner.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/run.h>
#include <weft/task.h>

enum {
    REPORTS_MAX = 65536,
    FDS_MAX = 4096,
};

static const int64_t timeout_default = WF_SECONDS(10);

static struct wf_test *first_test, **last_test = &first_test;
static struct {
    const struct wf_test *running;
    bool failed, reports_allowed;
    char reports[REPORTS_MAX];
    size_t reports_size;
    bool verbose;
    bool simulated;
    int passed, failures, skipped;
} runner;

void wf_test_register_(struct wf_test *test)
{
    *last_test = test;
    last_test = &test->next_;
}

void runner_mark_failed(void)
{
    runner.failed = true;
}

bool wf_test_failed(void)
{
    return runner.failed;
}

const char *wf_test_reports(void)
{
    return runner.reports;
}

void wf_test_allow_reports(void)
{
    runner.reports_allowed = true;
}

static void keep_report(void *context, const char *text)
{
    (void)context;
    size_t room = sizeof runner.reports - runner.reports_size;
    int size = snprintf(runner.reports + runner.reports_size, room, "%s\n", text);
    if (size > 0) runner.reports_size += (size_t)size < room ? (size_t)size : room - 1;
}

/* ---- What a test may not leave behind ---- */

struct baseline {
    size_t blocks;
    unsigned char fds[FDS_MAX];
};

static void list_fds(unsigned char *fds)
{
    memset(fds, 0, FDS_MAX);
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(directory) && fd < FDS_MAX) fds[fd] = 1;
    }
    closedir(directory);
}

static void take_baseline(struct baseline *baseline)
{
    baseline->blocks = wf_allocated_blocks();
    list_fds(baseline->fds);
}

static void check_leftovers(const struct baseline *before)
{
    static struct baseline after;
    take_baseline(&after);
    if (after.blocks != before->blocks) {
        runner.failed = true;
        printf("    left behind: %zd heap blocks\n", (ssize_t)(after.blocks - before->blocks));
    }
    for (int fd = 0; fd < FDS_MAX; fd++) {
        if (before->fds[fd] == after.fds[fd]) continue;
        char path[64], target[256] = "?";
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size > 0) target[size] = '\0';
        runner.failed = true;
        printf("    %s: descriptor %d (%s)\n", after.fds[fd] ? "left behind" : "closed a foreign one", fd, target);
    }
}

/* ---- Running one ---- */

static int call_body(const struct wf_test *test)
{
    test->body();
    return 0;
}

static int run_body(const struct wf_test *test)
{
    int64_t timeout = test->timeout > 0 ? test->timeout : timeout_default;
    int rc = wf_within(timeout, call_body(test));
    if (wf_caught_reason() != NULL && wf_caught_reason()->kind == WF_REASON_DEADLINE) rc = -ETIME;
    return rc;
}

static int watched_main(const struct wf_test *test)
{
    int64_t timeout = test->timeout > 0 ? test->timeout : timeout_default;
    int64_t started = wf_now();
    int rc = run_body(test);
    bool late = wf_now() - started >= timeout;
    return late ? -ETIME : rc == -ETIME ? 0 : rc;
}

static void run_on_loop(const struct wf_test *test)
{
    int rc = wf_run(watched_main, test);
    if (rc == -ETIME) {
        runner.failed = true;
        printf("    its deadline passed\n");
    } else if (rc < 0) {
        runner.failed = true;
        printf("    the loop ended with %d (%s)\n", rc, wf_strerror(rc));
    }
}

static void stuck(int number)
{
    (void)number;
    const char *name = runner.running != NULL ? runner.running->name : "?";
    static const char text[] = "    stuck, neither ending nor suspending: ";
    ssize_t ignored = write(STDOUT_FILENO, text, sizeof text - 1);
    ignored = write(STDOUT_FILENO, name, strlen(name));
    ignored = write(STDOUT_FILENO, "\n", 1);
    (void)ignored;
    abort();
}

/* The library aborts after it reported a misuse: show what it said. */
static void aborted(int number)
{
    ssize_t ignored = write(STDOUT_FILENO, runner.reports, runner.reports_size);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

static void run_in_process(const struct wf_test *test)
{
    static struct baseline before;
    take_baseline(&before);
    wf_set_report(keep_report, NULL);
    signal(SIGABRT, aborted);
    if (test->plain) test->body();
    else run_on_loop(test);
    wf_set_report(NULL, NULL);
    signal(SIGABRT, SIG_DFL);
    check_leftovers(&before);
    if (runner.reports_size > 0 && !runner.reports_allowed) {
        runner.failed = true;
        printf("    unexpected report: %s", runner.reports);
    }
}

/* ---- Running one that must end its process ---- */

static void child(const struct wf_test *test, int err)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(err, STDERR_FILENO);
    if (test->plain) test->body();
    else wf_run(watched_main, test);
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

static void run_to_death(const struct wf_test *test)
{
    static char text[65536];
    int ends[2];
    if (pipe(ends) < 0) return runner_mark_failed();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) child(test, ends[1]);
    close(ends[1]);
    read_end(ends[0], text, sizeof text);
    close(ends[0]);
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        runner.failed = true;
        printf("    it lived\n");
    }
    wf_test_expect_part_(text, test->dies, "what it said", test->place);
}

/* ---- All of them ---- */

static void run_test(const struct wf_test *test)
{
    runner.running = test;
    runner.failed = runner.reports_allowed = false;
    runner.reports_size = 0;
    runner.reports[0] = '\0';
    if (runner.verbose) {
        printf("%s\n", test->name);
        fflush(stdout);
    }
    int64_t timeout = test->timeout > 0 ? test->timeout : timeout_default;
    signal(SIGALRM, stuck);
    alarm((unsigned)(2 * timeout / WF_SECONDS(1)) + 5);
    if (test->dies != NULL) run_to_death(test);
    else run_in_process(test);
    alarm(0);
    if (runner.failed) {
        runner.failures++;
        printf("FAILED %s (%s)\n", test->name, test->place);
    } else {
        runner.passed++;
    }
    fflush(stdout);
}

static void list_test(const struct wf_test *test)
{
    if (runner.verbose) printf("%s\t%s\t%s\n", test->name, test->rule != NULL ? test->rule : "", test->place);
    else printf("%s\n", test->name);
}

static int usage(const char *program, int status)
{
    printf("usage: %s [--list] [--verbose] [PART]\n"
           "Runs the tests whose names contain PART, or all of them.\n"
           "  --list      print the names instead; with --verbose also the rules they prove and their places\n"
           "  --verbose   print each name before it runs\n"
           "The environment variable WEFT_DRIVER chooses the driver: uring, epoll or sim.\n",
           program);
    return status;
}

int wf_test_main(int argc, char **argv)
{
    const char *part = "", *driver = getenv("WEFT_DRIVER");
    bool list = false;
    runner.simulated = driver != NULL && strcmp(driver, "sim") == 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) list = true;
        else if (strcmp(argv[i], "--verbose") == 0) runner.verbose = true;
        else if (strcmp(argv[i], "--help") == 0) return usage(argv[0], 0);
        else if (argv[i][0] == '-') return usage(argv[0], 2);
        else part = argv[i];
    }
    for (const struct wf_test *test = first_test; test != NULL; test = test->next_) {
        if (strstr(test->name, part) == NULL) continue;
        if (list) list_test(test);
        else if (test->real && runner.simulated) runner.skipped++;
        else run_test(test);
    }
    if (list) return 0;
    printf("%d passed, %d failed", runner.passed, runner.failures);
    if (runner.skipped > 0) printf(", %d skipped", runner.skipped);
    putchar('\n');
    return runner.failures > 0 || runner.passed + runner.skipped == 0 ? 1 : 0;
}
