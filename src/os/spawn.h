/* Starting a program: from the fork to the exec. */
#ifndef WEFT_OS_SPAWN_H
#define WEFT_OS_SPAWN_H

#include <sys/types.h>
#include <weft/process.h>

struct spawn {
    const struct wf_process_options *options;
    int fds[3]; /* what the child has as 0, 1 and 2; -1: ours */
};

/*
 * Starts it; the loop stands still until the program has begun or could not. Gives 0, and a descriptor that is readable
 * when it has ended; or why not, `*what` being "" for the program itself.
 */
int spawn_program(const struct spawn *spawn, pid_t *pid, int *fd, const char **what);

#endif
