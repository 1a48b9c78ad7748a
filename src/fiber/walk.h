/*
 * The calls that a stack holds, as addresses to return to, innermost first.
 *
 * There are two ways. Frame pointers: a tenth of a microsecond, needs nothing and touches nothing but the stack, in
 * whose bounds it stays, so it is the way for signal handlers and for comparing many stacks; it ends at the first
 * function that was compiled without them. The unwinder, by the tables that every program has: all the calls, for a few
 * kilobytes of the stack that is looked at.
 *
 * Threads: the one that owns the stack, while it does not run there.
 */
#ifndef WEFT_FIBER_WALK_H
#define WEFT_FIBER_WALK_H

#include "fiber/stack.h"

/* From a frame record on; gives how many were found. For signal handlers. */
size_t walk_records(uintptr_t record, const struct stack *stack, void **frames, size_t max);

/* Of the fiber that is suspended at `sp`, by frame pointers. For signal handlers. */
size_t walk_parked(const void *sp, const struct stack *stack, void **frames, size_t max);

/* The same by the unwinder, where the stack has room for it. */
size_t trace_parked(void *sp, const struct stack *stack, void **frames, size_t max);

/* What every task has says nothing: takes away how its fiber began, and `skipped` on top. Gives how many are left. */
size_t walk_shorten(void **frames, size_t count, size_t skipped);

/* Of the caller itself, without this function. */
size_t trace_here(const struct stack *stack, void **frames, size_t max);

#endif
