/* What a condition needs of a mutex. */
#ifndef WEFT_SYNC_MUTEX_H
#define WEFT_SYNC_MUTEX_H

#include <weft/sync.h>

/*
 * Moves a wait that is on no queue to the lock: it ends, at once or when its turn has come, with 0 or -EOWNERDEAD, and
 * its task then holds the lock. It cannot be cancelled any more.
 */
void mutex_take_for(struct wf_mutex *mutex, struct wf_wait *wait);

#endif
