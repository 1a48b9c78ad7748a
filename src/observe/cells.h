/*
 * The numbers behind metrics. Each number is a cell: one in memory of each thread that counts (wf_own_cells_), and a
 * shared one, where the cells of threads that have ended are added up. Only a thread itself writes to its cells, so an
 * addition is a load and a store; who asks for the sum reads them all.
 */
#ifndef WEFT_OBSERVE_CELLS_H
#define WEFT_OBSERVE_CELLS_H

#include <weft/base.h>

enum { CELLS_MAX = 32768 };

extern uint64_t shared_cells[CELLS_MAX];

/* The first of so many; 0, which counts for nothing, when there are no more. With the lock. */
uint32_t cells_reserve(uint32_t count);

/* Of a cell, over all threads. With the lock. */
uint64_t cells_sum(uint32_t cell);

void cells_lock(void);
void cells_unlock(void);

#endif
