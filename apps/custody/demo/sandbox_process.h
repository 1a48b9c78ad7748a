/* A custody sandbox that runs as long as the demonstration does: a process of its own, on a database on the disk. */
#ifndef CUSTODY_SANDBOX_PROCESS_H
#define CUSTODY_SANDBOX_PROCESS_H

#include <custody/custody.h>
#include <weft/process.h>
#include <weft/temporary.h>

struct sandbox_process {
    struct wf_process *process;
    const char *folder;     /* of its database */
    const char *url, *page; /* where it is */
    const char *token;      /* that it takes; these live in the task's arena */
};

/* Starts the program, and waits until it serves. Suspends: until then. Errors: -EPROTO where it says something else. */
WF_SUSPENDS int sandbox_start(struct sandbox_process *sandbox, const char *program);

/* Has every request below that path take so long; 0: as before. */
WF_SUSPENDS int sandbox_delay(const struct sandbox_process *sandbox, const char *path, int delay_ms);

/* How many checks the server had at once, at most, since this was asked for last. */
WF_SUSPENDS int sandbox_peak(const struct sandbox_process *sandbox, int64_t *peak);

/* Tells it to end as an operator does, SIGTERM, and waits for its exit status. */
WF_SUSPENDS int sandbox_stop(struct sandbox_process *sandbox, int *status);

#endif
