/*
 * The registry: one exported symbol from which a debugger, a core file's reader or another process (`weft ps`) reaches
 * every task, by reading alone.
 *
 *     weft_registry --loops[]--> struct loop --chunks--> struct wf_task --wait, node, stack--> ...
 *          +------layout[]: where the members are, by name
 *
 * It lies in a section of its own, .weft_registry, in data that is written to: so it is in every core file, and `strip`
 * leaves it. A reader without symbols finds it by its magic in the private writable mappings of the process's files;
 * that it has found the thing itself and no picture of it, it knows by `self`.
 *
 * Nothing here is on a hot path: a loop writes its slot when it begins and when it ends. A reader of a running process
 * may see a loop end, so it checks whatever it reads.
 */
#ifndef WEFT_CORE_REGISTRY_H
#define WEFT_CORE_REGISTRY_H

#include <stdatomic.h>
#include <weft/base.h>

enum {
    REGISTRY_VERSION = 1,
    REGISTRY_LOOPS = 512,
    REGISTRY_ENTRIES = 160,
};

#define REGISTRY_MAGIC "weft\x07registry\n\x1a"

struct layout_entry {
    char name[32];   /* "task.wait", "task" for the struct itself, "NODE_TASK", "saved.rip" */
    uint32_t offset; /* of a number: its value */
    uint32_t size;
};

struct loop;
struct wf_metric;

/* Where metrics are; filled in by them, all NULL until there are some. */
struct registry_metrics {
    struct wf_metric *const *first;
    const uint64_t *shared_cells;
    const void *blocks; /* a pointer to the first: cells of a thread, so many, and behind them the next block */
    uint64_t cells_max;
};

/* The members before `layout` stay where they are in every version. */
struct registry {
    char magic[16];
    const struct registry *self;
    uint32_t version;
    uint32_t layout_offset, layout_count, layout_entry_size; /* from the beginning of the registry */
    uint32_t loops_offset, loops_max;
    char library[16];           /* its version, as text */
    _Atomic(uint64_t) unlisted; /* loops, ever, for which there was no slot */
    struct registry_metrics metrics;
    struct layout_entry layout[REGISTRY_ENTRIES];
    _Atomic(struct loop *) loops[REGISTRY_LOOPS]; /* NULL: free */
};

extern WF_API struct registry weft_registry;

/*
 * For whoever looks at the loops from inside of the process, on any thread and in signal handlers:
 *
 *     registry_hold();
 *     for (size_t i = 0; i < REGISTRY_LOOPS; i++) if ((loop = registry_loop(i)) != NULL) ...
 *     registry_release();
 *
 * A loop that is found lives until the release, because who ends one waits for those who look; so looking is short.
 * That its members are those of a moment is the looker's affair.
 */
void registry_hold(void);
void registry_release(void);

static inline struct loop *registry_loop(size_t index)
{
    return atomic_load_explicit(&weft_registry.loops[index], memory_order_acquire);
}

#endif
