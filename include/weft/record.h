/*
 * The flight recorder: what the scheduler of a loop did last.
 *
 *     FILE *file = fopen("/tmp/weft.trace.json", "w");
 *     int rc = wf_record_dump(file);                   // open it in https://ui.perfetto.dev, or in chrome://tracing
 *
 * It is always on: 4,096 events for each loop, in 64 KiB, older ones overwritten. Who ran, from when to when, and what
 * for it stopped (the name of the wait, "yielded", "ended"); who was spawned, woken, cancelled; which timers were due;
 * when the loop slept. With .signals (weft/run.h) a crash leaves the record of every loop in the folder that
 * $WEFT_RECORD_DIR names, and so does the signal for a dump.
 *
 * Times are those of passes: the loop reads the clock once a pass, and before it sleeps. Within a pass the order is
 * exact, and the times are spread evenly. A generator and its consumer that take turns are one slice. What has ended
 * has its name, and its number where it was spawned within the record.
 *
 * Threads: the caller's loop.
 */
#ifndef WEFT_RECORD_H
#define WEFT_RECORD_H

#include <stdio.h>

#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Writes the record as a trace in the JSON of Chrome. The loop waits for the file.
 * Suspends: never. Errors: -EINVAL; -EBUSY while another thread writes one; -EIO where the file does not take it.
 * Threads: inside a loop.
 */
WF_API int wf_record_dump(FILE *file);

#ifdef __cplusplus
}
#endif
#endif
