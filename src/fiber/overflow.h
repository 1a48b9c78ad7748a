/* Stack overflow: found by its guard, told with the task's name, and left to dump core where it happened. */
#ifndef WEFT_FIBER_OVERFLOW_H
#define WEFT_FIBER_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

struct stack;

/* Writes into `text` what runs on a stack ("task 'parse' (#17)"); gives false when the stack is not the one that the
 * calling thread runs on. Called in a signal handler. */
typedef bool overflow_describe(const struct stack *stack, char *text, size_t size);

/* Watches the calling thread until overflow_unwatch_thread: a signal stack of its own; the first call in the process
 * installs the handlers, which pass on to those that were there before. Returns 0 or -ENOMEM. */
int overflow_watch_thread(overflow_describe *describe, void **signal_stack);
void overflow_unwatch_thread(void *signal_stack);

#endif
