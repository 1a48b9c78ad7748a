/* A loop from its making to its end, in pieces. */
#ifndef WEFT_CORE_RUN_H
#define WEFT_CORE_RUN_H

#include <weft/run.h>

#include "core/loop.h"

struct run {
    struct loop *loop;
    struct wf_handle main;
    void *signal_stack;
    bool embedded; /* set before: the driver must have a descriptor ... */
    int fd;        /* ... which is this */
};

/* A loop without tasks, which is then the thread's current one. Takes apart what it is but its memory, which `loop`
 * still is. */
int loop_make(struct run *run, const struct wf_run_options *options);
void loop_take_apart(struct run *run);

/* Makes the loop, with its main task ready to run; it is then the thread's current one. */
int run_begin(struct run *run, int (*fn)(void *), const struct wf_run_options *options);

/* Works until all has ended; gives the main task's result. The loop must be the current one. */
int run_end(struct run *run);

#endif
