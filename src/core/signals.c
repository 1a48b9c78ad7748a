/*
 * Shutdown by signal, taken only when asked for (.signals): the first SIGINT or SIGTERM drains the main scope and,
 * after the grace, cancels it; the second cancels at once; the third dumps the tree of tasks and ends the process.
 *
 * The handler only counts and wakes; everything else happens on the loop, once a pass.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/time.h>

#include "base/terminal.h"
#include "core/loop.h"
#include "core/registry.h"
#include "fiber/overflow.h"

static atomic_int arrived;
static atomic_int last_signal;
static struct loop *_Atomic signal_loop;
static struct sigaction previous_int, previous_term;

/* A dump is wanted, of every loop: how often that was asked for. */
static atomic_uint dumps_wanted;
static int dump_signal; /* 0: none was taken */
static struct sigaction previous_dump;

static void on_signal(int number)
{
    int saved = errno;
    atomic_fetch_add(&arrived, 1);
    atomic_store(&last_signal, number);
    struct loop *loop = atomic_load(&signal_loop);
    if (loop != NULL) loop->driver->wake(loop);
    errno = saved;
}

static void on_dump_signal(int number)
{
    int saved = errno;
    (void)number;
    atomic_fetch_add(&dumps_wanted, 1);
    registry_hold();
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        struct loop *loop = registry_loop(i);
        if (loop != NULL) loop->driver->wake(loop);
    }
    registry_release();
    errno = saved;
}

/* Only one that nobody else handles. */
static void take_dump_signal(int wanted)
{
    struct sigaction action = {.sa_handler = on_dump_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    int number = wanted == 0 ? SIGUSR1 : wanted;
    dump_signal = 0;
    sigemptyset(&action.sa_mask);
    bool is_free = number > 0 && sigaction(number, NULL, &previous_dump) == 0 &&
                   !(previous_dump.sa_flags & SA_SIGINFO) && previous_dump.sa_handler == SIG_DFL;
    if (is_free && sigaction(number, &action, NULL) == 0) dump_signal = number;
}

int signals_take(struct loop *loop)
{
    struct loop *none = NULL;
    if (!atomic_compare_exchange_strong(&signal_loop, &none, loop)) return -EBUSY;
    atomic_store(&arrived, 0);
    atomic_store(&last_signal, 0);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &previous_int);
    sigaction(SIGTERM, &action, &previous_term);
    take_dump_signal(loop->options.dump_signal);
    record_choose_folder();
    crash_watch(crash_dump);
    return 0;
}

static void restore_handlers(void)
{
    sigaction(SIGINT, &previous_int, NULL);
    sigaction(SIGTERM, &previous_term, NULL);
    if (dump_signal != 0) sigaction(dump_signal, &previous_dump, NULL);
    crash_unwatch();
    atomic_store(&signal_loop, NULL);
}

void signals_give_back(struct loop *loop)
{
    timer_disarm(&loop->timers, &loop->grace_timer);
    restore_handlers();
}

void signals_in_forked_child(void)
{
    if (atomic_load(&signal_loop) != NULL) restore_handlers();
}

void signals_forget(void)
{
    if (atomic_load(&signal_loop) == NULL) atomic_store(&last_signal, 0);
}

static void cancel_all(struct loop *loop)
{
    static char why[64];
    int number = atomic_load(&last_signal);
    snprintf(why, sizeof why, "signal %d (%s)", number, number == SIGINT ? "SIGINT" : "SIGTERM");
    node_cancel(&loop->root.node_, &loop->root.reason_, WF_REASON_SHUTDOWN, why, "");
}

static void grace_over(struct wf_timer_ *timer)
{
    cancel_all((struct loop *)((char *)timer - offsetof(struct loop, grace_timer)));
}

static void drain(struct loop *loop)
{
    if (loop->grace <= 0) {
        cancel_all(loop);
        return;
    }
    node_drain(&loop->root.node_);
    loop->grace_timer.deadline = wf_deadline_after(loop->grace);
    loop->grace_timer.fire = grace_over;
    timer_arm(&loop->timers, &loop->grace_timer);
}

void signals_look(struct loop *loop)
{
    int count = atomic_load(&arrived);
    while (loop->signals_seen < count) {
        loop->signals_seen++;
        if (loop->signals_seen == 1) drain(loop);
        else if (loop->signals_seen == 2) cancel_all(loop);
        else {
            loop_dump(loop, "a third signal arrived before the tasks had ended");
            terminal_restore_all();
            _exit(128 + atomic_load(&last_signal));
        }
    }
}

bool signals_waiting(const struct loop *loop)
{
    return loop->signals_seen < atomic_load(&arrived);
}

/* ---- Dumps ---- */

unsigned signals_dumps_wanted(void)
{
    return atomic_load_explicit(&dumps_wanted, memory_order_relaxed);
}

/* A storm of signals must leave time for something else than dumps. */
#define BETWEEN_DUMPS WF_MILLISECONDS(200)

static void dump_now(struct loop *loop)
{
    loop->dumps_seen = signals_dumps_wanted();
    loop->dump_timer.deadline = loop->now + BETWEEN_DUMPS; /* of the next one, armed or not */
    loop_dump(loop, "a dump, by signal:");
    record_to_folder(loop);
}

static void dump_later(struct wf_timer_ *timer)
{
    dump_now((struct loop *)((char *)timer - offsetof(struct loop, dump_timer)));
}

void signals_dump(struct loop *loop)
{
    if (timer_armed(&loop->dump_timer)) return;
    if (loop->now >= loop->dump_timer.deadline) {
        dump_now(loop);
        return;
    }
    loop->dump_timer.fire = dump_later;
    timer_arm(&loop->timers, &loop->dump_timer);
}

int signals_last(void)
{
    return atomic_load(&last_signal);
}
