/*
 * The numbers behind metrics. Each number is a cell: one in memory of each thread that counts, and a shared one, where
 * the cells of threads that have ended are added up. Only a thread itself writes to its cells, so an addition is a load
 * and a store; who asks for the sum reads them all.
 */
#ifndef WEFT_OBSERVE_CELLS_H
#define WEFT_OBSERVE_CELLS_H

#include <weft/base.h>

enum { CELLS_MAX = 32768 };

/* This thread's; NULL before it first counted. */
extern _Thread_local uint64_t *own_cells __attribute__((tls_model("initial-exec")));

extern uint64_t shared_cells[CELLS_MAX];

/* This thread's, made now; the shared ones where there is no memory, or the thread is about to end. */
void cells_add_slowly(uint32_t cell, uint64_t amount);

/* The first of so many; 0, which counts for nothing, when there are no more. With the lock. */
uint32_t cells_reserve(uint32_t count);

/* Of a cell, over all threads. With the lock. */
uint64_t cells_sum(uint32_t cell);

void cells_lock(void);
void cells_unlock(void);

static inline void cells_add(uint32_t cell, uint64_t amount)
{
    uint64_t *cells = own_cells;
    if (__builtin_expect(cells == NULL, 0)) return cells_add_slowly(cell, amount);
    uint64_t before = __atomic_load_n(&cells[cell], __ATOMIC_RELAXED);
    __atomic_store_n(&cells[cell], before + amount, __ATOMIC_RELAXED);
}

#endif
