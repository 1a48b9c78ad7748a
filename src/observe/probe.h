/*
 * Asking a thread what it does: by a signal, whose handler writes down the running task and its calls. Nothing that the
 * thread does is disturbed by it, but for the time: system calls that a signal ends are made again.
 *
 * Threads: one asks at a time.
 */
#ifndef WEFT_OBSERVE_PROBE_H
#define WEFT_OBSERVE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/watchdog.h"
#include "fiber/machine.h"

enum { PROBE_FRAMES = 32, PROBE_NAME = 64, PROBE_PLACE = 128 };

struct probe {
    char name[PROBE_NAME], place[PROBE_PLACE];
    uint64_t task_id; /* 0: no task runs */
    void *frames[PROBE_FRAMES];
    size_t frame_count;
};

/* Takes a signal that nobody uses; gives it back. */
void probe_begin(void);
void probe_end(void);

/* How a thread is: 'R' computes or would, 'S' and 'D' wait in the system, 'T' and 't' are stopped; 0: unknown. */
char probe_state(pid_t thread_id);

/* The processor time that a thread has used; 0: unknown. */
int64_t probe_processor_ns(pthread_t thread);

/* False: it did not answer in time. */
bool probe_ask(pid_t thread_id, struct probe *answer);

#endif
