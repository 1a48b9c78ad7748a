/* A table of places that are taken and given back by one atomic step each, and a count of those who look. */
#include "core/census.h"

#include <sched.h>
#include <stdatomic.h>

static struct loop *_Atomic places[CENSUS_MAX];
static atomic_size_t used; /* places past that were never taken */
static atomic_int looking;

void census_enter(struct loop *loop)
{
    for (size_t i = 0; i < CENSUS_MAX; i++) {
        struct loop *none = NULL;
        if (!atomic_compare_exchange_strong(&places[i], &none, loop)) continue;
        size_t known = atomic_load(&used);
        while (known <= i && !atomic_compare_exchange_weak(&used, &known, i + 1)) {}
        return;
    }
}

void census_leave(struct loop *loop)
{
    for (size_t i = 0; i < atomic_load(&used); i++) {
        struct loop *expected = loop;
        if (atomic_compare_exchange_strong(&places[i], &expected, NULL)) break;
    }
    while (atomic_load(&looking) > 0) sched_yield();
}

void census_hold(void)
{
    atomic_fetch_add(&looking, 1);
}

void census_release(void)
{
    atomic_fetch_sub(&looking, 1);
}

struct loop *census_loop(size_t index)
{
    return index < atomic_load(&used) ? atomic_load(&places[index]) : NULL;
}

void census_in_forked_child(void)
{
    for (size_t i = 0; i < atomic_load(&used); i++) atomic_store(&places[i], NULL);
    atomic_store(&looking, 0);
}
