#include "observe/cells.h"

#include <pthread.h>
#include <sys/mman.h>
#include <weft/metrics.h>

#include "core/registry.h"

/* Not from the allocator: most of it is never touched, and it lives as long as its thread. */
struct block {
    uint64_t cells[CELLS_MAX]; /* first, so that it is found by them */
    struct block *next, *prev;
};

__thread uint64_t *wf_own_cells_;
uint64_t shared_cells[CELLS_MAX];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;
static struct block *blocks;
static uint32_t reserved = 1; /* the first is nobody's */

static void begin(void);

void cells_lock(void)
{
    pthread_once(&once, begin);
    pthread_mutex_lock(&lock);
}

void cells_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* ---- Threads ---- */

static void thread_ends(void *argument)
{
    struct block *block = argument;
    wf_own_cells_ = NULL;
    cells_lock();
    for (uint32_t i = 1; i < reserved; i++)
        if (block->cells[i] != 0) __atomic_fetch_add(&shared_cells[i], block->cells[i], __ATOMIC_RELAXED);
    if (block->next != NULL) block->next->prev = block->prev;
    if (block->prev != NULL) block->prev->next = block->next;
    else blocks = block->next;
    cells_unlock();
    munmap(block, sizeof *block);
}

static void begin(void)
{
    weft_registry.metrics.cells_max = CELLS_MAX;
    weft_registry.metrics.blocks = &blocks;
    weft_registry.metrics.shared_cells = shared_cells;
    pthread_atfork(cells_lock, cells_unlock, cells_unlock);
    pthread_key_create(&at_end, thread_ends);
}

static void make_own(void)
{
    pthread_once(&once, begin);
    struct block *block = mmap(NULL, sizeof *block, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return;
    if (pthread_setspecific(at_end, block) != 0) {
        munmap(block, sizeof *block);
        return;
    }
    cells_lock();
    block->next = blocks;
    if (blocks != NULL) blocks->prev = block;
    blocks = block;
    cells_unlock();
    wf_own_cells_ = block->cells;
}

/* The shared ones where there is no memory. */
void wf_cell_add_slowly_(uint32_t cell, uint64_t amount)
{
    make_own();
    if (wf_own_cells_ != NULL) wf_cell_add_(cell, amount);
    else __atomic_fetch_add(&shared_cells[cell], amount, __ATOMIC_RELAXED);
}

/* ---- With the lock ---- */

uint32_t cells_reserve(uint32_t count)
{
    if (count > CELLS_MAX - reserved) return 0;
    uint32_t first = reserved;
    reserved += count;
    return first;
}

uint64_t cells_sum(uint32_t cell)
{
    uint64_t sum = __atomic_load_n(&shared_cells[cell], __ATOMIC_RELAXED);
    for (const struct block *block = blocks; block != NULL; block = block->next)
        sum += __atomic_load_n(&block->cells[cell], __ATOMIC_RELAXED);
    return sum;
}
