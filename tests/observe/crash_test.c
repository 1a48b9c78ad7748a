/* What a process says when it is asked by a signal, when it dies, and when nobody reads what it says. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../apart.h"
#include "core/loop.h" /* private: to damage it */

static __attribute__((unused)) char said[65536]; /* sanitizers take crashes themselves */

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

/* ---- Dumps by signal ---- */

static int raise_and_wait(const int *number)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event, .name = "patient");
    wf_yield();
    raise(*number);
    int rc = wf_sleep(WF_MILLISECONDS(1));
    wf_event_set(&event);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_signal_makes_a_loop_dump_its_tasks, .plain = true, .rule = "8.1")
{
    int number = SIGUSR1, other = SIGUSR2;
    struct sigaction after;
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(raise_and_wait, &number, .signals = true), 0);
    WF_EXPECT_PART(wf_test_reports(), "a dump, by signal:\ntasks of the loop");
    WF_EXPECT_PART(wf_test_reports(), "patient #2  waits: an event");
    WF_EXPECT(sigaction(SIGUSR1, NULL, &after) == 0 && after.sa_handler == SIG_DFL);
    WF_EXPECT_CODE(wf_run(raise_and_wait, &other, .signals = true, .dump_signal = SIGUSR2), 0);
}

static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

WF_TEST(a_signal_that_the_program_handles_stays_its_own, .plain = true)
{
    int number = SIGUSR1;
    struct sigaction own = {.sa_handler = catch}, before;
    sigaction(SIGUSR1, &own, &before);
    WF_EXPECT_CODE(wf_run(raise_and_wait, &number, .signals = true), 0);
    WF_EXPECT_INT(caught, SIGUSR1);
    caught = 0;
    WF_EXPECT_CODE(wf_run(raise_and_wait, &number, .signals = true, .dump_signal = WF_NO_SIGNAL), 0);
    WF_EXPECT_INT(caught, SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    WF_EXPECT_TEXT(wf_test_reports(), "");
}

static int raise_a_storm(int *count)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < *count; i++) {
        kill(getpid(), SIGUSR1);
        rc = wf_yield();
    }
    return rc;
}

static int count_parts(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

WF_TEST(a_storm_of_signals_leaves_time_for_work, .plain = true, .real = true)
{
    int count = 20000;
    wf_test_allow_reports();
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_run(raise_a_storm, &count, .signals = true), 0);
    int64_t most = 2 + (wf_now() - started) / WF_MILLISECONDS(200);
    int dumps = count_parts(wf_test_reports(), "a dump, by signal:");
    WF_EXPECT(dumps >= 1 && dumps <= most);
}

/* ---- Every loop of the process ---- */

#if !WEFT_TSAN /* which forbids threads in a forked process */

static struct wf_waker *wakers[2];
static _Atomic int waiting;

static int wait_in_thread(const int *index)
{
    struct wf_event event = WF_EVENT;
    int rc = wf_waker_create(&event, &wakers[*index]);
    if (rc < 0) return rc;
    waiting++;
    rc = wf_event_wait(&event);
    wf_waker_destroy(wakers[*index]);
    return rc;
}

static void *run_in_thread(void *index)
{
    wf_run(wait_in_thread, (int *)index);
    return NULL;
}

static int dump_all(pthread_t *threads)
{
    static int indices[2] = {0, 1};
    for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, run_in_thread, &indices[i]);
    while (waiting < 2) wf_sleep(WF_MILLISECONDS(1));
    raise(SIGUSR1);
    int rc = wf_sleep(WF_MILLISECONDS(300));
    for (int i = 0; i < 2; i++) wf_waker_wake(wakers[i]);
    return rc;
}

static void dump_three_loops(void)
{
    pthread_t threads[2];
    wf_run(dump_all, threads, .signals = true);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
}

WF_TEST(the_signal_reaches_every_loop_of_the_process, .plain = true, .real = true)
{
    WF_EXPECT_INT(run_apart(dump_three_loops, STDERR_FILENO, said, sizeof said), 0);
    WF_EXPECT_INT(count_parts(said, "a dump, by signal:"), 3);
    WF_EXPECT_INT(count_parts(said, "wait_in_thread #1  waits: an event"), 2);
}

#endif

/* ---- Crashes ---- */

#if !WEFT_ASAN && !WEFT_TSAN

static int *volatile nowhere = (int *)0x10;

static __attribute__((noinline)) int write_nowhere(void)
{
    *nowhere = 1;
    return 1;
}

enum death { BY_WRITING, BY_DIVIDING, BY_ABORTING, BY_QUITTING };

static __attribute__((noinline)) int die(const enum death *how)
{
    if (*how == BY_DIVIDING) raise(SIGFPE); /* not every processor does it by itself */
    if (*how == BY_ABORTING) abort();
    if (*how == BY_QUITTING) raise(SIGQUIT);
    return write_nowhere() + 1;
}

static int die_beside_others(const enum death *how)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event, .name = "patient");
    wf_spawn(&scope, die, how, .name = "victim");
    return wf_scope_join(&scope);
}

static enum death how;
static bool with_signals;

static void crash(void)
{
    wf_run(die_beside_others, &how, .signals = with_signals);
}

static int crash_by(enum death by, bool signals)
{
    how = by;
    with_signals = signals;
    return run_apart(crash, STDERR_FILENO, said, sizeof said);
}

static const struct death_case {
    enum death by;
    int number;
    const char *name;
} deaths[] = {
    {BY_WRITING, SIGSEGV, "SIGSEGV at 0x10"},
    {BY_DIVIDING, SIGFPE, "SIGFPE\n"},
    {BY_ABORTING, SIGABRT, "SIGABRT\n"},
    {BY_QUITTING, SIGQUIT, "SIGQUIT\n"},
};

WF_TEST_EACH(a_crash_names_its_task_its_calls_and_what_the_others_do, deaths, .plain = true, .rule = "3.12")
{
    int status = crash_by(row->by, true);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == row->number);
    WF_EXPECT_PART(said, row->name);
    WF_EXPECT_PART(said, "victim #3  running  (spawned at ");
    WF_EXPECT_PART(said, "patient #2  waits: an event  (spawned at ");
    WF_EXPECT_PART(said, "die_beside_others #1  waits: children");
    if (row->by != BY_QUITTING) WF_EXPECT(count_parts(said, "observe_crash_test(") >= 2);
}

WF_TEST(without_signals_a_crash_is_nobodys_but_the_systems, .plain = true)
{
    int status = crash_by(BY_WRITING, false);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    WF_EXPECT(strstr(said, "weft:") == NULL);
}

static int die_damaged(const int *part)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event, .name = "patient");
    wf_yield();
    struct loop *loop = current_loop;
    struct wf_task *patient = scope.children_;
    switch (*part) {
    case 0:
        patient->name = (const char *)0x20;
        break;
    case 1:
        patient->wait = (struct wf_wait *)0x20;
        break;
    case 2:
        loop->chunks->older = (struct task_chunk *)0x20;
        break;
    case 3:
        loop->chunks->older = loop->chunks;
        break; /* round and round */
    case 4:
        loop->chunks = (struct task_chunk *)0x20;
        break;
    case 5:
        loop->running = (struct wf_task *)0x20;
        break;
    case 6:
        patient->wait->class = (const struct wait_class *)0x20;
        break;
    default:
        patient->place = "\x01\x02 no text \x7f";
        break;
    }
    return write_nowhere();
}

static int damaged_part;

static void crash_damaged(void)
{
    wf_run(die_damaged, &damaged_part, .signals = true);
}

WF_TEST(a_crash_of_damaged_memory_is_told_as_far_as_it_goes, .plain = true)
{
    for (damaged_part = 0; damaged_part < 8; damaged_part++) {
        int status = run_apart(crash_damaged, STDERR_FILENO, said, sizeof said);
        WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
        WF_EXPECT_PART(said, "SIGSEGV at 0x10");
        WF_EXPECT_PART(said, "loop of thread ");
        if (damaged_part < 2) WF_EXPECT_PART(said, "?");
        if (damaged_part == 2 || damaged_part == 4) WF_EXPECT_PART(said, "the list of tasks is damaged");
        if (damaged_part == 5) WF_EXPECT_PART(said, "the running task is damaged");
        WF_EXPECT(count_parts(said, "\n") < 120);
    }
}

#endif

/* ---- A standard error that is full ---- */

static void fill(int fd)
{
    static char bytes[4096];
    struct pollfd look = {.fd = fd, .events = POLLOUT};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (poll(&look, 1, 0) > 0)
        if (write(fd, bytes, sizeof bytes) < 0) break;
}

static void check_full(int flags)
{
    int ends[2], kept = dup(STDERR_FILENO);
    static char rest[131072];
    WF_EXPECT(pipe(ends) == 0);
    fill(ends[1]);
    fcntl(ends[1], F_SETFL, flags);
    dup2(ends[1], STDERR_FILENO);
    wf_set_report(NULL, NULL);
    int64_t started = wf_now();
    for (int i = 0; i < 20; i++) wf_report("nobody reads this");
    int64_t took = wf_now() - started;
    WF_EXPECT(read(ends[0], rest, sizeof rest) > 4096);
    wf_report("somebody reads this");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ssize_t got = read(ends[0], rest, sizeof rest - 1);
    rest[got > 0 ? got : 0] = '\0';
    dup2(kept, STDERR_FILENO);
    WF_EXPECT(took < WF_SECONDS(5));
    WF_EXPECT_PART(rest, "bytes of reports were dropped: standard error was full\n");
    WF_EXPECT_PART(rest, "weft: somebody reads this\n");
    close(kept);
    close(ends[0]);
    close(ends[1]);
}

WF_TEST(a_report_to_a_full_pipe_neither_waits_for_ever_nor_fails, .plain = true, .real = true)
{
    check_full(O_NONBLOCK);
    check_full(0);
}

WF_TEST_MAIN
