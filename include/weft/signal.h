/*
 * Signals as values: a task waits for them, and nothing runs in a handler of yours.
 *
 *     struct wf_signal_receiver *receiver;
 *     const int numbers[] = {SIGHUP, SIGUSR1};
 *     int rc = wf_signal_open(numbers, 2, &receiver);
 *     if (rc < 0) return rc;
 *     while ((rc = wf_signal_wait(receiver)) > 0)
 *         if (rc == SIGHUP) reload();
 *         else print_statistics();
 *     wf_signal_close(receiver);
 *
 * Each receiver of a signal gets it, in whatever thread's loop it was opened. Equal ones that come before they are
 * taken are one, as the system's own are. While a receiver is open the signal does nothing else: it neither ends the
 * process nor, where the loop runs with .signals, drains it. When its last receiver closes, the disposition from before
 * the first one is back; what nobody took by then is gone.
 * A task that waits for signals for ever is best a daemon, so that its scope can end.
 *
 * In a simulated world signals come from wf_sim_signal (weft/sim.h) alone.
 * Threads: the loop that opened the receiver.
 */
#ifndef WEFT_SIGNAL_H
#define WEFT_SIGNAL_H

#include <signal.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_signal_receiver;

/*
 * Suspends: never. Owns: wf_signal_close, before the loop ends.
 * Errors: -EINVAL for none, for SIGKILL and SIGSTOP, and for those that say that a program is broken (SIGSEGV, SIGBUS,
 * SIGFPE, SIGILL, SIGABRT, SIGTRAP); -ENOSPC when 64 receivers are open in the process; -ENOMEM.
 */
WF_API WF_CHECKED int wf_signal_open(const int *numbers, size_t count, struct wf_signal_receiver **receiver);

/*
 * The next one, which is then taken; the lowest number where several are there.
 * Suspends: until there is one. On cancel: none was taken.
 */
WF_API WF_SUSPENDS int wf_signal_wait(struct wf_signal_receiver *receiver);

/* The same without waiting; 0: there is none. Suspends: never. */
WF_API int wf_signal_try(struct wf_signal_receiver *receiver);

/* NULL is ignored. Nobody may wait any more. Suspends: never. */
WF_API void wf_signal_close(struct wf_signal_receiver *receiver);

#ifdef __cplusplus
}
#endif
#endif
