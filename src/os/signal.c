/*
 * Signals as values. The handler sets a bit in each receiver that wants it and wakes its loop; the rest is the task's.
 *
 * The handler runs at any moment in any thread, so the receivers stand in a table of fixed size, and one that closes
 * takes itself out and then waits until no handler is running that may have seen it.
 */
#include <weft/signal.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <weft/sim.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/waker.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "driver/sim_process.h"

enum { RECEIVERS_MAX = 64, NUMBER_MAX = 64 };

struct wf_signal_receiver {
    struct loop *loop;
    const struct wf_sim_host *host;    /* of a simulated world, else NULL */
    const struct sim_process *process; /* there, of which it is; NULL: the world itself */
    uint64_t wanted;
    _Atomic uint64_t arrived;
    struct wf_event event;
    struct wf_waker *waker; /* NULL in a simulated world */
    int slot;
};

static struct wf_signal_receiver *_Atomic receivers[RECEIVERS_MAX];
static atomic_int handlers_running;

/* With the lock: who uses each signal, and what it did before. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    unsigned users;
    struct sigaction before;
} dispositions[NUMBER_MAX + 1];

static uint64_t bit(int number)
{
    return UINT64_C(1) << (number - 1);
}

/* ---- The handler ---- */

static void on_signal(int number)
{
    int saved = errno;
    atomic_fetch_add(&handlers_running, 1);
    for (int i = 0; i < RECEIVERS_MAX; i++) {
        struct wf_signal_receiver *receiver = atomic_load(&receivers[i]);
        if (receiver == NULL || receiver->waker == NULL || !(receiver->wanted & bit(number))) continue;
        atomic_fetch_or(&receiver->arrived, bit(number));
        wf_waker_wake(receiver->waker);
    }
    atomic_fetch_sub(&handlers_running, 1);
    errno = saved;
}

static void take_over(int number)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    if (dispositions[number].users++ == 0) sigaction(number, &action, &dispositions[number].before);
}

static void give_back(int number)
{
    if (--dispositions[number].users == 0) sigaction(number, &dispositions[number].before, NULL);
}

static void for_each(const struct wf_signal_receiver *receiver, void (*change)(int number))
{
    if (receiver->waker == NULL) return;
    pthread_mutex_lock(&lock);
    for (int number = 1; number <= NUMBER_MAX; number++)
        if (receiver->wanted & bit(number)) change(number);
    pthread_mutex_unlock(&lock);
}

/* ---- Opening and closing ---- */

static bool is_allowed(int number)
{
    switch (number) {
    case SIGKILL:
    case SIGSTOP:
    case SIGSEGV:
    case SIGBUS:
    case SIGFPE:
    case SIGILL:
    case SIGABRT:
    case SIGTRAP:
        return false;
    default:
        return number >= 1 && number <= NUMBER_MAX;
    }
}

static int set_of(const int *numbers, size_t count, uint64_t *wanted)
{
    *wanted = 0;
    if (numbers == NULL || count == 0) return wf_fail(-EINVAL, "a receiver of no signals");
    for (size_t i = 0; i < count; i++) {
        if (!is_allowed(numbers[i])) return wf_fail(-EINVAL, "signal %d cannot be received", numbers[i]);
        *wanted |= bit(numbers[i]);
    }
    return 0;
}

static int enter_table(struct wf_signal_receiver *receiver)
{
    for (int i = 0; i < RECEIVERS_MAX; i++) {
        struct wf_signal_receiver *none = NULL;
        receiver->slot = i;
        if (atomic_compare_exchange_strong(&receivers[i], &none, receiver)) return 0;
    }
    return wf_fail(-ENOSPC, "%d receivers of signals are open", RECEIVERS_MAX);
}

/* In a simulated world: everyone there who receives the signal; gives how many. */
static int deliver(struct loop *loop, const struct wf_sim_host *host, const struct sim_process *process, int number)
{
    int count = 0;
    for (int i = 0; i < RECEIVERS_MAX; i++) {
        struct wf_signal_receiver *receiver = atomic_load(&receivers[i]);
        if (receiver == NULL || receiver->loop != loop || receiver->host != host) continue;
        if (receiver->process != process || !(receiver->wanted & bit(number))) continue;
        atomic_fetch_or(&receiver->arrived, bit(number));
        wf_event_set(&receiver->event);
        count++;
    }
    return count;
}

static void enter_world(struct wf_signal_receiver *receiver, struct loop *loop)
{
    struct sim *sim = sim_of(loop);
    receiver->host = sim_host_of(sim, loop->running);
    receiver->process = sim_process_of(loop->running);
    sim->receive = deliver;
}

int wf_signal_open(const int *numbers, size_t count, struct wf_signal_receiver **out)
{
    struct loop *loop = LOOP_HERE();
    uint64_t wanted;
    int rc = out == NULL ? -EINVAL : set_of(numbers, count, &wanted);
    if (rc < 0) return rc;
    struct wf_signal_receiver *receiver = memory_zero(sizeof *receiver);
    if (receiver == NULL) return -ENOMEM;
    receiver->loop = loop;
    receiver->wanted = wanted;
    receiver->event = (struct wf_event)WF_EVENT;
    if (wf_simulated()) enter_world(receiver, loop);
    else rc = wf_waker_create(&receiver->event, &receiver->waker);
    if (rc == 0) rc = enter_table(receiver);
    if (rc < 0) {
        wf_waker_destroy(receiver->waker);
        memory_free(receiver);
        return rc;
    }
    for_each(receiver, take_over);
    *out = receiver;
    return 0;
}

void wf_signal_close(struct wf_signal_receiver *receiver)
{
    if (receiver == NULL) return;
    (void)LOOP_ALIVE();
    for_each(receiver, give_back);
    atomic_store(&receivers[receiver->slot], NULL);
    while (atomic_load(&handlers_running) > 0) sched_yield(); /* in other threads; here none can be under way */
    wf_waker_destroy(receiver->waker);
    memory_free(receiver);
}

/* ---- Taking ---- */

int wf_signal_try(struct wf_signal_receiver *receiver)
{
    (void)LOOP_HERE();
    uint64_t arrived = atomic_load(&receiver->arrived);
    if (arrived == 0) return 0;
    int number = __builtin_ctzll(arrived) + 1;
    atomic_fetch_and(&receiver->arrived, ~bit(number));
    return number;
}

int wf_signal_wait(struct wf_signal_receiver *receiver)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    for (;;) {
        wf_event_clear(&receiver->event); /* first: what comes from here on sets it again */
        int number = wf_signal_try(receiver);
        if (number > 0) {
            if (atomic_load(&receiver->arrived) != 0) wf_event_set(&receiver->event); /* for another who waits */
            return (int)wait_skipped(number);
        }
        rc = wf_event_wait(&receiver->event);
        if (rc < 0) return rc;
    }
}

/* ---- The simulated world ---- */

int wf_sim_signal(struct wf_sim_host *host, int number)
{
    struct sim *sim = sim_required(__func__);
    if (number < 1 || number > NUMBER_MAX) return -EINVAL;
    return deliver(current_loop, host != NULL ? host : sim->hosts, NULL, number);
}
