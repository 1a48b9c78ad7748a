/*
 * Threads that ask the system's resolver. A look-up cannot be interrupted, and one that hangs may do so for minutes: so
 * they are not those of the executor, and at the loop's end a thread that is busy is left behind. It then owns its job
 * and its share of the crew, and frees both when the system has answered.
 *
 *     crew_start -> queue -> a thread: getaddrinfo -> loop_send -> the job's message is delivered
 *                                                  \-> the loop has ended: the job is freed
 */
#ifndef WEFT_NET_LOOKUP_H
#define WEFT_NET_LOOKUP_H

#include "core/loop.h"

struct crew;

struct lookup_job {
    struct message message; /* first; brings it back. It is allocated, and `message` its beginning */
    struct lookup_job *next;
    struct lookup lookup;
    bool queued; /* no thread has it yet */
};

/* NULL: out of memory. */
struct crew *crew_new(struct loop *loop);

/* -EAGAIN: no thread can be started, or too many look-ups are queued. */
int crew_start(struct crew *crew, struct lookup_job *job, uint32_t threads_max);

/* True: no thread had it yet, and none will. */
bool crew_cancel(struct crew *crew, struct lookup_job *job);

/* Nothing is sent any more. Jobs that threads have are theirs from now on; they are marked by `kept`. */
void crew_leave(struct crew *crew, void (*kept)(struct lookup_job *job));

#endif
