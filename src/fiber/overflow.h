/*
 * Faults: a stack overflow is found by its guard, and told with the task's name; a crash of any kind can be told, too.
 * Then whoever handled the signal before has it, or the process ends as it would have, with a core of the true place.
 */
#ifndef WEFT_FIBER_OVERFLOW_H
#define WEFT_FIBER_OVERFLOW_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

struct stack;

/* Writes into `text` what runs on a stack ("task 'parse' (#17)"); gives false when the stack is not the one that the
 * calling thread runs on. Called in a signal handler. */
typedef bool overflow_describe(const struct stack *stack, char *text, size_t size);

/* Watches the calling thread until overflow_unwatch_thread: a signal stack of its own; the first call in the process
 * installs the handlers, which pass on to those that were there before. Returns 0 or -ENOMEM. */
int overflow_watch_thread(overflow_describe *describe, void **signal_stack);
void overflow_unwatch_thread(void *signal_stack);

/*
 * From now on `tell` is called at every crash, by SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT, and at SIGQUIT where
 * nobody else handles it, in the signal's handler and once; `explained`: it was an overflow, and that was said.
 */
typedef void crash_tell(int number, const siginfo_t *info, const ucontext_t *context, bool explained);
void crash_watch(crash_tell *tell);
void crash_unwatch(void);

/* For handlers of signals: writes to standard error. */
void crash_say(const char *text);

#endif
