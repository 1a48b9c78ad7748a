/* The watchdog: who holds the loop is told of while it does; nobody else is. Real time, because it is about that. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "../apart.h"
#include "base/sanitize.h" /* private: which sanitizer watches */

/* ---- What was reported, on the watchdog's thread ---- */

static struct {
    pthread_mutex_t lock;
    atomic_int count;
    int64_t first_ns;
    char text[8192];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t real_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void hear(void *context, const char *text)
{
    (void)context;
    pthread_mutex_lock(&heard.lock);
    if (atomic_fetch_add(&heard.count, 1) == 0) {
        heard.first_ns = real_now();
        snprintf(heard.text, sizeof heard.text, "%s", text);
    }
    pthread_mutex_unlock(&heard.lock);
}

static void listen_anew(void)
{
    atomic_store(&heard.count, 0);
    heard.text[0] = '\0';
    wf_set_report(hear, NULL);
}

/* ---- Ways to hold a loop ---- */

struct hold {
    int64_t duration;
    int64_t idle_first;
    int64_t began;
    int slept; /* what the blocking sleep gave */
    uint64_t blocked;
    int64_t blocked_max;
};

static __attribute__((noinline)) void block_the_thread(struct hold *hold)
{
    struct timespec time = {.tv_sec = hold->duration / 1000000000, .tv_nsec = hold->duration % 1000000000};
    hold->slept = nanosleep(&time, NULL); /* real time: it holds the loop */
}

static int block(struct hold *hold)
{
    hold->began = real_now();
    block_the_thread(hold);
    return 0;
}

/* Processor time: a busy machine may give the thread none for long, which is not its fault. */
static __attribute__((noinline)) void burn(int64_t duration)
{
    struct timespec time;
    int64_t used;
    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        used = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
        if (duration > 0) duration = -(used + duration);
    } while (used < -duration);
}

static int compute(struct hold *hold)
{
    hold->began = real_now();
    burn(hold->duration);
    return 0;
}

static int run_block(struct hold *hold)
{
    if (hold->idle_first > 0) wf_sleep(hold->idle_first);
    WF_SCOPE(scope);
    wf_spawn(&scope, block, hold, .name = "blocker");
    int rc = wf_scope_join(&scope);
    struct wf_statistics statistics;
    wf_yield();
    wf_loop_statistics(&statistics);
    hold->blocked = statistics.blocked;
    hold->blocked_max = statistics.blocked_max_ns;
    return rc;
}

static int run_compute(struct hold *hold)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, compute, hold, .name = "computer");
    return wf_scope_join(&scope);
}

/* ---- Who is told of ---- */

/* In an emulator the system's calls are others than the program's; ThreadSanitizer keeps handlers back until a call is
 * over. There a sleep is cut short by the watchdog's question. */
static bool calls_begin_again(void)
{
    long number = -1;
    FILE *file = fopen("/proc/self/syscall", "r");
    if (file == NULL) return false;
    bool known = fscanf(file, "%ld", &number) == 1 && number == SYS_read;
    fclose(file);
    return known && !WEFT_TSAN;
}

/* The machine may be busy: of several times one is in time. */
WF_TEST(a_task_that_blocks_its_loop_is_reported_within_250_ms_with_its_stack, .plain = true, .real = true,
        .rule = "5.4", .timeout = WF_SECONDS(60))
{
    int64_t after = WF_FOREVER;
    bool begins_again = calls_begin_again();
    for (int i = 0; i < 10 && after > WF_MILLISECONDS(250); i++) {
        struct hold hold = {.duration = WF_MILLISECONDS(600)};
        listen_anew();
        WF_EXPECT_CODE(wf_run(run_block, &hold, .watchdog_ns = WF_MILLISECONDS(100)), 0);
        if (atomic_load(&heard.count) > 0) after = heard.first_ns - hold.began;
        if (begins_again) WF_EXPECT_CODE(hold.slept, 0);
        WF_EXPECT(hold.blocked <= 1 && hold.blocked_max < WF_SECONDS(5));
    }
    WF_EXPECT(after >= WF_MILLISECONDS(100) && after <= WF_MILLISECONDS(250));
    WF_EXPECT_PART(heard.text, "task 'blocker' (#2, spawned at ");
    WF_EXPECT_PART(heard.text, "watchdog_test.c:");
    WF_EXPECT_PART(heard.text, "has held its loop for 1");
    WF_EXPECT_PART(heard.text, "observe_watchdog_test+0x");
}

WF_TEST(a_task_that_computes_is_reported_too_and_counted, .plain = true, .real = true, .rule = "5.4",
        .timeout = WF_SECONDS(60))
{
    struct hold hold = {.duration = WF_MILLISECONDS(400)};
    listen_anew();
    WF_EXPECT_CODE(wf_run(run_compute, &hold, .watchdog_ns = WF_MILLISECONDS(50)), 0);
    WF_EXPECT(atomic_load(&heard.count) >= 1);
    WF_EXPECT_PART(heard.text, "task 'computer' (#2");
}

/* By then the watchdog sleeps, too. */
WF_TEST(after_a_long_sleep_of_the_loop_it_is_there_again, .plain = true, .real = true, .timeout = WF_SECONDS(60))
{
    struct hold hold = {.duration = WF_MILLISECONDS(400), .idle_first = WF_MILLISECONDS(400)};
    listen_anew();
    WF_EXPECT_CODE(wf_run(run_block, &hold, .watchdog_ns = WF_MILLISECONDS(20)), 0);
    WF_EXPECT_INT(atomic_load(&heard.count) >= 1, true);
    WF_EXPECT_INT((int64_t)hold.blocked, 1);
    WF_EXPECT(hold.blocked_max >= WF_MILLISECONDS(20));
}

/* ---- Who is not ---- */

static int yield_for_long(int64_t *duration)
{
    for (int64_t end = wf_now() + *duration; wf_now() < end;) wf_yield();
    return 0;
}

WF_TEST(a_task_that_gives_others_their_turn_is_not_reported, .plain = true, .real = true)
{
    int64_t duration = WF_MILLISECONDS(300);
    listen_anew();
    WF_EXPECT_CODE(wf_run(yield_for_long, &duration, .watchdog_ns = WF_MILLISECONDS(100)), 0);
    WF_EXPECT_TEXT(heard.text, "");
}

WF_TEST(without_a_watchdog_nothing_is_reported, .plain = true, .real = true)
{
    struct hold hold = {.duration = WF_MILLISECONDS(150)};
    listen_anew();
    WF_EXPECT_CODE(wf_run(run_block, &hold, .watchdog_ns = -1), 0);
    setenv("WEFT_WATCHDOG", "off", 1);
    WF_EXPECT_CODE(wf_run(run_block, &hold, .watchdog_ns = WF_MILLISECONDS(10)), 0);
    unsetenv("WEFT_WATCHDOG");
    WF_EXPECT_TEXT(heard.text, "");
    WF_EXPECT_INT((int64_t)hold.blocked, 0);
}

static int hold_briefly(void *unused)
{
    (void)unused;
    wf_report("begun");
    burn(WF_MILLISECONDS(100));
    return 0;
}

/* A debugger does the same. */
WF_TEST(the_time_that_a_process_is_stopped_for_does_not_count, .plain = true, .real = true)
{
    int ends[2], status = 0;
    char said[1024];
    ssize_t got;
    size_t used = 0;
    WF_EXPECT(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        wf_set_report(NULL, NULL);
        _exit(wf_run(hold_briefly, NULL, .watchdog_ns = WF_MILLISECONDS(200)) == 0 ? 0 : 1);
    }
    close(ends[1]);
    got = read(ends[0], said, sizeof said - 1); /* it has begun */
    used = got > 0 ? (size_t)got : 0;
    kill(pid, SIGSTOP);
    nanosleep(&(struct timespec){.tv_nsec = 600000000}, NULL); /* real time: that is what must not count */
    kill(pid, SIGCONT);
    while ((got = read(ends[0], said + used, sizeof said - 1 - used)) > 0) used += (size_t)got;
    said[used] = '\0';
    close(ends[0]);
    waitpid(pid, &status, 0);
    WF_EXPECT_INT(status, 0);
    WF_EXPECT_TEXT(said, "weft: begun\n");
}

/* ---- What it costs ---- */

/* How often the watchdog's thread has gone to sleep; -1: there is none. */
static long watchdog_looks(void)
{
    char path[320], line[256];
    long looks = -1;
    DIR *threads = opendir("/proc/self/task");
    struct dirent *entry;
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        bool found = false;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        FILE *file = fopen(path, "r");
        while (file != NULL && fgets(line, sizeof line, file) != NULL) {
            if (strncmp(line, "Name:\tweft-watchdog", 19) == 0) found = true;
            if (found) sscanf(line, "voluntary_ctxt_switches: %ld", &looks);
        }
        if (file != NULL) fclose(file);
    }
    if (threads != NULL) closedir(threads);
    return looks;
}

static int sleep_long(long *looks)
{
    int rc = wf_sleep(WF_MILLISECONDS(400));
    looks[0] = watchdog_looks();
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(60));
    for (int i = 0; rc == 0 && i < 100; i++) { /* ten looks of 10 ms, then it sleeps; more on a busy machine */
        looks[0] = watchdog_looks();
        rc = wf_sleep(WF_MILLISECONDS(500));
        looks[1] = watchdog_looks();
        if (looks[1] - looks[0] < 20) break;
    }
    return rc;
}

WF_TEST(while_every_loop_sleeps_the_watchdog_does_too, .plain = true, .real = true, .timeout = WF_SECONDS(60))
{
    long looks[2] = {-1, -1};
    listen_anew();
    WF_EXPECT_CODE(wf_run(sleep_long, looks, .watchdog_ns = WF_MILLISECONDS(20)), 0);
    WF_EXPECT(looks[0] >= 0);
    WF_EXPECT(looks[1] - looks[0] < 20); /* of fifty */
    WF_EXPECT_INT(watchdog_looks(), -1);
}

WF_TEST_MAIN
