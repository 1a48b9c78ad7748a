/* The numbers that every primitive of sync.h has. */
#ifndef WEFT_SYNC_STATISTICS_H
#define WEFT_SYNC_STATISTICS_H

#include <weft/sync.h>

#include "core/wait.h"

#define STATISTICS_OF(it)                                                                                              \
    ((struct wf_sync_statistics){.waiting = queue_length(&(it)->waiters_),                                             \
                                 .passed = (it)->passed_,                                                              \
                                 .waited = (it)->waited_})

#endif
