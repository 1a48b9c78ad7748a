/*
 * Runs that never come back: a crash, an exit, a loop without end, a return in a process that the test forked. The test
 * that ran is named, and how to repeat it, before the process ends.
 */
#include <execinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/loop.h"
#include "testing/runner.h"

enum { ALARM_SPARE_S = 5, ALARM_MAX_S = 1000000, LAST_WORDS_S = 30, STACK_MAX = 16, FRAMES_OF_SIGNAL = 2 };

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* The sanitizers explain a crash themselves, where they are linked in. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

static bool is_ours(void)
{
    return running.item != NULL && running.process == getpid() && !running.dying;
}

/* ---- Crashes ---- */

/* The library aborts after it reported a misuse: what it said is shown. */
static void say_crash(const char *why)
{
    if (is_ours()) output_crash(wf_test_reports(), why);
    running.item = NULL; /* once */
}

static void crashed(int number)
{
    say_crash(strsignal(number));
    signal(number, SIG_DFL);
    raise(number);
}

static void sanitizer_found(void)
{
    say_crash("a sanitizer ended its process");
}

static void left(void)
{
    if (!is_ours()) return;
    output_crash("it called exit\n", "its process ended");
    _exit(1);
}

void ends_watch(void)
{
    atexit(left);
    watchdog_by_request = true;
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    bool sanitized = __sanitizer_set_death_callback != NULL;
    if (sanitized) __sanitizer_set_death_callback(sanitizer_found);
    for (size_t i = 0; i < WF_COUNT(crashes); i++)
        if (!sanitized || crashes[i] == SIGABRT) sigaction(crashes[i], &action, NULL);
}

/* ---- Loops without end ---- */

static void hopeless(int number)
{
    (void)number;
    abort();
}

/* Its stack says where. Should that get stuck too, in a lock that the test holds, the second alarm ends it. */
static void stuck(int number)
{
    void *frames[STACK_MAX];
    signal(number, hopeless);
    alarm(LAST_WORDS_S);
    say_failure("stuck, neither ending nor suspending:");
    int count = backtrace(frames, STACK_MAX);
    if (count > FRAMES_OF_SIGNAL) say_places(frames + FRAMES_OF_SIGNAL, (size_t)(count - FRAMES_OF_SIGNAL));
    abort();
}

void ends_within(int64_t duration_ns)
{
    struct sigaction action = {.sa_handler = stuck, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigaction(SIGALRM, &action, NULL);
    int64_t seconds = duration_ns / WF_SECONDS(1);
    alarm(duration_ns == 0 ? 0 : (unsigned)(seconds < ALARM_MAX_S ? 2 * seconds : ALARM_MAX_S) + ALARM_SPARE_S);
}

/* ---- Processes that the test forked ---- */

void ends_expected(int64_t duration_ns)
{
    running.process = getpid();
    running.dying = true;
    ends_within(duration_ns);
}

void ends_returned(void)
{
    if (running.process == getpid()) return;
    say_failure("a process that the test forked came back from the test: end it by exec or _exit");
    _exit(1);
}
