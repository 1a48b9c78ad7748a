/*
 * Waiting for what belongs to no loop: a lock, and queues of those who wait, each on a loop of its own, or none.
 *
 *     queued --granted, under the lock--> decided --its mail arrives--> the task goes on
 *       |                                    |
 *       |                                    +-- cancelled: too late, it goes on with what it was granted
 *       +-- cancelled, under the lock: it leaves the queue, and the task goes on with that
 *
 * A grant is sent under the lock, and whoever it is sent to takes the lock before it goes on: so the sender is done
 * with the receiver's loop when the receiver, and with it perhaps its loop, ends. As long the object itself is kept.
 */
#ifndef WEFT_SYNC_SHARED_H
#define WEFT_SYNC_SHARED_H

#include <pthread.h>
#include <weft/shared.h>

#include "core/loops.h"

struct shared {
    pthread_mutex_t lock; /* guards everything in the object */
    const struct loops *loops;
    bool with_threads;
    uint32_t references; /* one of its owner, one of each who waits or has not yet gone on */
};

struct shared_queue {
    struct shared_wait *first, *last;
};

struct shared_wait {
    struct wf_wait wait; /* of a task */
    struct mail mail;
    struct station *home;   /* NULL: it is a thread ... */
    pthread_cond_t decided; /* ... and is told by this */
    struct shared *shared;
    struct shared_queue *queue; /* NULL once decided */
    struct shared_wait *next, *prev;
    void *item;
    int result;
};

void shared_init(struct shared *shared, enum wf_shared_with with, const char *function);

/* Under the lock, which is given back. The owner's reference goes; true: nobody has one, and the memory is to be freed.
 * Aborts when someone waits. */
bool shared_finish(struct shared *shared, bool waited_for, const char *function);

/* Takes the lock, for who may; aborts for who may not. */
void shared_lock(struct shared *shared, const char *function);
static inline void shared_unlock(struct shared *shared)
{
    pthread_mutex_unlock(&shared->lock);
}

/* Waits in the queue. Under the lock, which is given back; gives what was granted, or the cancel's code. */
int shared_wait(struct shared *shared, struct shared_queue *queue, void *item, const struct wait_class *class);

/* The same for a thread, which blocks. */
int shared_block(struct shared *shared, struct shared_queue *queue, void *item, const char *function);

/* The cancel function of such waits. */
void shared_cancel(struct wf_wait *wait, int code);

/* Under the lock: the first one has that result, whatever happens to it before it runs. */
void shared_grant(struct shared_queue *queue, int result);

size_t shared_length(const struct shared_queue *queue);

#endif
