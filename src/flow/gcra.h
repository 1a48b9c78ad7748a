/*
 * The generic cell rate algorithm: `due` is when the next one is due if all come evenly. One that comes at `now` passes
 * where due - tolerance <= now, and then the next one is due an interval after the later of the two. Tolerance is an
 * interval for each of a burst beyond the first.
 */
#ifndef WEFT_FLOW_GCRA_H
#define WEFT_FLOW_GCRA_H

#include <weft/rate.h>

/* 0, or -EINVAL with a message: then the outputs are untouched. */
int gcra_prepare(const struct wf_rate_options *options, int64_t *interval, int64_t *tolerance);

/* How long until one passes; 0 or less: now. */
static inline int64_t gcra_wait(int64_t due, int64_t tolerance, int64_t now)
{
    return due - tolerance - now;
}

/* When the next one is due after one that passes now. */
static inline int64_t gcra_next(int64_t due, int64_t interval, int64_t now)
{
    return (due > now ? due : now) + interval;
}

#endif
