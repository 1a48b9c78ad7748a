/* The table of loops and of what is where in them, for who looks on from outside. */
#include "core/registry.h"

#include <weft/metrics.h>

#include <sched.h>

#include "core/layout.h"
#include "core/loop.h"
#include "core/scope.h"
#include "fiber/saved.h"

#define STRUCT_ENTRY(prefix, type) {.name = #prefix, .size = sizeof(type)},
#define FIELD_ENTRY(prefix, type, member)                                                                              \
    {.name = #prefix "." #member, .offset = offsetof(type, member), .size = sizeof(((type *)NULL)->member)},
#define NUMBER_ENTRY(value) {.name = #value, .offset = (value)},
#define SAVED_ENTRY(number, place) {.name = "saved." #number, .offset = (place), .size = 8},

#define COUNT_STRUCT(prefix, type) +1
#define COUNT_FIELD(prefix, type, member) +1
#define COUNT_ONE(...) +1

enum {
    ENTRIES = LAYOUT(COUNT_STRUCT, COUNT_FIELD, COUNT_ONE) SAVED_REGISTERS(COUNT_ONE) + 1,
};
_Static_assert((int)ENTRIES <= (int)REGISTRY_ENTRIES, "the table is full");

__attribute__((section(".weft_registry"), used, aligned(64))) struct registry weft_registry = {
    .magic = REGISTRY_MAGIC,
    .self = &weft_registry,
    .version = REGISTRY_VERSION,
    .layout_offset = offsetof(struct registry, layout),
    .layout_count = ENTRIES,
    .layout_entry_size = sizeof(struct layout_entry),
    .loops_offset = offsetof(struct registry, loops),
    .loops_max = REGISTRY_LOOPS,
    .library = WF_VERSION,
    .layout = {LAYOUT(STRUCT_ENTRY, FIELD_ENTRY, NUMBER_ENTRY)
                   SAVED_REGISTERS(SAVED_ENTRY){.name = "saved", .size = SAVED_SIZE}},
};

void registry_add(struct loop *loop)
{
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        struct loop *nobody = NULL;
        if (atomic_compare_exchange_strong(&weft_registry.loops[i], &nobody, loop)) return;
    }
    weft_registry.unlisted++;
}

static atomic_int looking;

void registry_remove(struct loop *loop)
{
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        struct loop *expected = loop;
        if (atomic_compare_exchange_strong(&weft_registry.loops[i], &expected, NULL)) break;
    }
    while (atomic_load(&looking) > 0) sched_yield();
}

void registry_hold(void)
{
    atomic_fetch_add(&looking, 1);
}

void registry_release(void)
{
    atomic_fetch_sub(&looking, 1);
}

void registry_in_forked_child(void)
{
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) weft_registry.loops[i] = NULL;
    atomic_store(&looking, 0);
}
