/*
 * The watchdog: notices a task that holds its loop, so that no other one can run, and says which and where.
 *
 *     looks every 50 ms -- the same turn as before, for longer than the limit --> asks the thread --> reports
 *            |  ^
 *            |  +-- a loop goes on: watchdog_wake()
 *            +----- every loop has been asleep for half a second: sleeps too
 *
 * How long is that? A thread that waits in the system holds the loop all the while; one that computes, for the
 * processor time it had, because it may be the machine that is busy. A process that was stopped, by a debugger or a
 * terminal, did not hold anything: the watchdog was stopped with it, and notices by its own lateness.
 *
 * One thread for the process. It is there from the first watched loop to the end of the last.
 */
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <weft/time.h>

#include "base/sanitize.h"
#include "core/loop.h"
#include "core/registry.h"
#include "observe/dump.h"
#include "observe/probe.h"

#define LIMIT_DEFAULT WF_MILLISECONDS(100)
#define LIMIT_MIN WF_MILLISECONDS(1)
#define INTERVAL_MAX WF_MILLISECONDS(50)
#define QUIET_FIRST WF_SECONDS(1)
#define QUIET_MAX WF_MINUTES(5)

enum {
    IDLE_LOOKS = 10,  /* in a row, then the watchdog sleeps */
    AGAIN_AFTER = 10, /* times as long as at the last report, if it still goes on */
    STACK_SIZE = 1024 * 1024,
};

bool watchdog_by_request;
atomic_int watchdog_sleeps;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards those who begin and end */
static unsigned watched_loops;
static pthread_t thread;
static bool has_thread;
static atomic_int stopping;
static _Atomic(int64_t) interval_ns;

static int64_t clock_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void futex_wait(atomic_int *word, int while_it_is, int64_t duration_ns)
{
    struct timespec time = {.tv_sec = duration_ns / 1000000000, .tv_nsec = duration_ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, while_it_is, duration_ns < 0 ? NULL : &time, NULL, 0);
}

static void futex_wake(atomic_int *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* ---- One look at one loop ---- */

struct blockade {
    pid_t thread_id;
    int64_t held_ns;
    uint64_t untold;
    bool again; /* it was told before, and goes on */
};

/* What the loop's thread writes meanwhile, without any order between the two: each is read once. */
__attribute__((no_sanitize("thread"))) static bool is_same_turn(const struct loop *loop, struct vigil *watch)
{
    const struct wf_task *running = *(struct wf_task *const volatile *)&loop->running;
    uint64_t passes = *(const volatile uint64_t *)&loop->passes;
    uint16_t at = *(const volatile uint16_t *)&loop->trail.next;
    bool same = running == watch->running && passes == watch->passes && at == watch->at;
    watch->running = running;
    watch->passes = passes;
    watch->at = at;
    return same;
}

static void begin_to_watch(struct vigil *watch, int64_t now)
{
    watch->seen_ns = now;
    watch->processor_ns = probe_processor_ns(watch->thread);
    watch->report_after_ns = watch->limit_ns;
    watch->counted = false;
}

static int64_t held(const struct loop *loop, struct vigil *watch, int64_t now)
{
    int64_t held_ns = now - watch->seen_ns;
    if (held_ns < watch->limit_ns) return 0;
    char state = probe_state(loop->thread);
    if (state == 'T' || state == 't') begin_to_watch(watch, now);
    if (state == 'T' || state == 't') return 0;
    return state == 'R' ? probe_processor_ns(watch->thread) - watch->processor_ns : held_ns;
}

/* May it be told? Those who come again and again are told ever more rarely. */
static bool may_tell(struct vigil *watch, int64_t now)
{
    if (now < watch->quiet_until_ns) return false;
    bool was_long_ago = now - watch->quiet_until_ns > QUIET_MAX;
    watch->quiet_ns = was_long_ago || watch->quiet_ns == 0 ? QUIET_FIRST : 2 * watch->quiet_ns;
    if (watch->quiet_ns > QUIET_MAX) watch->quiet_ns = QUIET_MAX;
    watch->quiet_until_ns = now + watch->quiet_ns;
    return true;
}

static void count(struct vigil *watch, int64_t held_ns)
{
    if (!watch->counted) atomic_fetch_add(&watch->blocked, 1);
    if (held_ns > atomic_load(&watch->longest_ns)) atomic_store(&watch->longest_ns, held_ns);
}

/* Gives whether it is worth a report. */
static bool look(struct loop *loop, int64_t now, struct blockade *found)
{
    struct vigil *watch = &loop->watch;
    if (!is_same_turn(loop, watch) || watch->running == NULL || atomic_load(&watch->excused)) {
        begin_to_watch(watch, now);
        return false;
    }
    int64_t held_ns = held(loop, watch, now);
    if (held_ns < watch->limit_ns) return false;
    count(watch, held_ns);
    bool again = watch->counted;
    watch->counted = true;
    if (held_ns < watch->report_after_ns) return false;
    watch->report_after_ns = held_ns * AGAIN_AFTER;
    if (!again && !may_tell(watch, now)) {
        watch->untold++;
        return false;
    }
    *found = (struct blockade){loop->thread, held_ns, watch->untold, again};
    watch->untold = 0;
    return true;
}

/* ---- The report ---- */

/* It is asked once only: a sleep would begin again each time, and never end. */
static void tell_again(const struct blockade *blockade)
{
    char length[32];
    wf_report("a task still holds its loop, that of thread %d, for %s now", (int)blockade->thread_id,
              duration_text(blockade->held_ns, length, sizeof length));
}

static void tell(const struct blockade *blockade)
{
    struct probe probe;
    char text[640], length[32], untold[64] = "";
    if (blockade->untold > 0)
        snprintf(untold, sizeof untold, " (and %llu times since the last report)",
                 (unsigned long long)blockade->untold);
    duration_text(blockade->held_ns, length, sizeof length);
    if (!probe_ask(blockade->thread_id, &probe)) {
        wf_report("a task has held its loop for %s%s, and its thread does not answer", length, untold);
        return;
    }
    snprintf(text, sizeof text,
             "task '%s' (#%llu, spawned at %s) has held its loop for %s%s: no other task of the loop can run. What "
             "takes long belongs on a thread (wf_offload), or gives others a turn (wf_yield). Its stack:",
             probe.name, (unsigned long long)probe.task_id, probe.place, length, untold);
    report_frames(text, probe.frames, probe.frame_count, true);
}

/* ---- The thread ---- */

static bool is_idle(const struct vigil *watch)
{
    return watch->running == NULL;
}

/* At most one report a look: asking takes time. True: every loop sleeps. */
static bool look_at_all(int64_t now, int64_t lateness_ns)
{
    struct blockade blockade;
    bool found = false, idle = true;
    registry_hold();
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        struct loop *loop = registry_loop(i);
        if (loop == NULL || loop->watch.limit_ns == 0) continue;
        loop->watch.seen_ns += lateness_ns;
        if (!found) found = look(loop, now, &blockade);
        idle = idle && is_idle(&loop->watch);
    }
    registry_release();
    if (found && blockade.again) tell_again(&blockade);
    else if (found) tell(&blockade);
    return idle;
}

/*
 * Until a loop goes on. It says who runs, then it reads the flag; here the flag is set, then one more look is taken. So
 * one of the two sees the other, given a barrier on both sides: the system makes one on all threads, so that the loops
 * need none. Where it cannot, there is an end to the sleep.
 */
static void sleep_until_woken(void)
{
    atomic_store(&watchdog_sleeps, 1);
    bool ordered = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
    if (look_at_all(clock_now(), 0) && !atomic_load(&stopping))
        futex_wait(&watchdog_sleeps, 1, ordered ? -1 : WF_SECONDS(1));
    atomic_store(&watchdog_sleeps, 0);
}

void watchdog_wake(void)
{
    if (atomic_exchange(&watchdog_sleeps, 0) != 0) futex_wake(&watchdog_sleeps);
}

static void *watch_all(void *unused)
{
    (void)unused;
    int idle_looks = 0;
    pthread_setname_np(pthread_self(), "weft-watchdog");
    int64_t last = clock_now();
    while (!atomic_load(&stopping)) {
        int64_t interval = atomic_load(&interval_ns);
        futex_wait(&stopping, 0, interval);
        int64_t now = clock_now(), lateness_ns = now - last - interval;
        idle_looks = look_at_all(now, lateness_ns > interval ? lateness_ns : 0) ? idle_looks + 1 : 0;
        if (idle_looks >= IDLE_LOOKS) sleep_until_woken();
        last = clock_now();
    }
    return NULL;
}

/* ---- Loops that begin and end ---- */

static int start(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    atomic_store(&stopping, 0);
    probe_begin();
    syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    int rc = pthread_create(&thread, &attributes, watch_all, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    has_thread = rc == 0;
    if (!has_thread) probe_end();
    return -rc;
}

static void stop(void)
{
    atomic_store(&stopping, 1);
    futex_wake(&stopping);
    watchdog_wake();
    pthread_join(thread, NULL);
    has_thread = false;
    probe_end();
}

static int64_t limit_of(const struct loop *loop)
{
    int64_t wanted = loop->options.watchdog_ns;
    const char *environment = getenv("WEFT_WATCHDOG");
    bool off = environment != NULL && strcmp(environment, "off") == 0;
    if (wanted < 0 || off || loop->driver->simulated || (wanted == 0 && watchdog_by_request)) return 0;
    if (wanted == 0) return LIMIT_DEFAULT;
    return wanted < LIMIT_MIN ? LIMIT_MIN : wanted;
}

static void look_often_enough(int64_t limit_ns)
{
    int64_t wanted = limit_ns / 2 < INTERVAL_MAX ? limit_ns / 2 : INTERVAL_MAX;
    if (watched_loops == 1 || wanted < atomic_load(&interval_ns)) atomic_store(&interval_ns, wanted);
}

int watchdog_begin(struct loop *loop)
{
    int64_t limit_ns = limit_of(loop);
    if (limit_ns == 0) return 0;
    loop->watch.thread = pthread_self();
    pthread_mutex_lock(&lock);
    watched_loops++;
    look_often_enough(limit_ns);
    int rc = has_thread ? 0 : start();
    if (rc < 0) watched_loops--;
    else loop->watch.limit_ns = limit_ns;
    pthread_mutex_unlock(&lock);
    return rc;
}

/* It has left the registry, so nobody looks at it any more. */
void watchdog_end(struct loop *loop)
{
    if (loop->watch.limit_ns == 0) return;
    pthread_mutex_lock(&lock);
    if (--watched_loops == 0) stop();
    pthread_mutex_unlock(&lock);
}

/* The thread is not there, and nobody is watched. */
void watchdog_in_forked_child(void)
{
    pthread_mutex_init(&lock, NULL);
    if (has_thread) probe_end();
    watched_loops = 0;
    has_thread = false;
    atomic_store(&watchdog_sleeps, 0);
}
