/*
 * Looking into another process that runs weft, by reading its memory alone: it is neither stopped nor made to run
 * anything. What is read may change meanwhile and may be damaged, so nothing here trusts it: every walk has a bound,
 * every address may be wrong, and a record counts only when its task was not resumed while it was read.
 *
 *     memory --find_registry()--> registry --take_snapshot()--> snapshot --make_tree()--> what is printed
 */
#ifndef WEFT_TOOLS_INSPECT_H
#define WEFT_TOOLS_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* From one time to another; where what was read is nonsense, as far as numbers go. */
static inline int64_t time_between(int64_t from, int64_t to)
{
    int64_t between;
    if (!__builtin_sub_overflow(to, from, &between) && between != INT64_MIN) return between;
    return to > from ? INT64_MAX : -INT64_MAX;
}

/* ---- inspect_memory.c: reading, and a store for what was read ---- */

struct piece {
    uint64_t address;
    void *into;
    size_t size;
    bool whole; /* it was read; else `into` is all zero */
};

struct memory {
    /* Fills in as many of the pieces as can be read. */
    void (*read)(struct memory *memory, struct piece *pieces, size_t count);
    pid_t pid;
    int failed; /* why nothing at all can be read any more: EPERM, ESRCH; 0: it can */
};

void memory_of_process(struct memory *memory, pid_t pid);
bool read_memory(struct memory *memory, uint64_t address, void *into, size_t size);

/* Memory that is given back at once. All zero: empty. */
struct store {
    struct store_block *blocks;
    size_t left;
};
void *store_take(struct store *store, size_t size); /* zeroed */
void store_clear(struct store *store);

/* From addresses to what was read there. All zero: empty. */
struct table {
    uint64_t *keys;
    void **values;
    size_t count, room;
};
void *table_find(const struct table *table, uint64_t key);
void table_put(struct table *table, uint64_t key, void *value);
void table_clear(struct table *table);

/* ---- inspect_registry.c: where things are ---- */

/* What we must know of the library's structs: the names as src/core/layout.h has them. */
#define WANTED_STRUCTS(W)                                                                                              \
    W(TASK, "task")                                                                                                    \
    W(SCOPE, "scope")                                                                                                  \
    W(WAIT, "wait")                                                                                                    \
    W(METRIC, "metric")                                                                                                \
    W(SERIES, "series")                                                                                                \
    W(OP, "op")                                                                                                        \
    W(REASON, "reason")
#define WANTED_FIELDS(W)                                                                                               \
    W(LOOP_RUNNING, "loop.running")                                                                                    \
    W(LOOP_RUNNABLE, "loop.runnable")                                                                                  \
    W(LOOP_RUNS_GIVEN, "loop.runs_given")                                                                              \
    W(LOOP_RUNS_LEFT, "loop.runs_left")                                                                                \
    W(LOOP_NOW, "loop.now")                                                                                            \
    W(LOOP_THREAD, "loop.thread")                                                                                      \
    W(LOOP_CHUNKS, "loop.chunks")                                                                                      \
    W(LOOP_ALIVE, "loop.alive")                                                                                        \
    W(LOOP_SPAWNED, "loop.spawned")                                                                                    \
    W(LOOP_PASSES, "loop.passes")                                                                                      \
    W(LOOP_DRIVER, "loop.driver")                                                                                      \
    W(LOOP_OPS, "loop.pending_ops")                                                                                    \
    W(LOOP_JOBS, "loop.pending_jobs")                                                                                  \
    W(LOOP_SLEEPING, "loop.sleeping")                                                                                  \
    W(LOOP_WAKERS, "loop.wakers")                                                                                      \
    W(LOOP_TIMERS, "loop.timers.armed")                                                                                \
    W(LOOP_NEXT_TIMER, "loop.timers.next")                                                                             \
    W(LOOP_ROOT, "loop.root")                                                                                          \
    W(DRIVER_NAME, "driver.name")                                                                                      \
    W(DRIVER_SIMULATED, "driver.simulated")                                                                            \
    W(CHUNK_OLDER, "chunk.older")                                                                                      \
    W(CHUNK_RECORDS, "chunk.tasks")                                                                                    \
    W(TASK_SP, "task.sp")                                                                                              \
    W(TASK_STACK, "task.stack")                                                                                        \
    W(TASK_CURRENT, "task.current")                                                                                    \
    W(TASK_WAIT, "task.wait")                                                                                          \
    W(TASK_NODE, "task.node")                                                                                          \
    W(TASK_NAME, "task.name")                                                                                          \
    W(TASK_PLACE, "task.place")                                                                                        \
    W(TASK_ID, "task.id")                                                                                              \
    W(TASK_RESUMES, "task.resumes")                                                                                    \
    W(TASK_FLAGS, "task.flags")                                                                                        \
    W(TASK_SINCE, "task.since")                                                                                        \
    W(TASK_SLEEP, "task.sleep_timer.deadline")                                                                         \
    W(NODE_PARENT, "node.parent")                                                                                      \
    W(NODE_REASON, "node.reason")                                                                                      \
    W(NODE_FLAGS, "node.flags")                                                                                        \
    W(SCOPE_NODE, "scope.node_")                                                                                       \
    W(SCOPE_LOOP, "scope.loop_")                                                                                       \
    W(SCOPE_OWNER, "scope.owner_")                                                                                     \
    W(SCOPE_NAME, "scope.name_")                                                                                       \
    W(SCOPE_PLACE, "scope.place_")                                                                                     \
    W(SCOPE_DEADLINE, "scope.timer_.deadline")                                                                         \
    W(SCOPE_ALIVE, "scope.alive_")                                                                                     \
    W(SCOPE_DAEMONS, "scope.daemons_")                                                                                 \
    W(SCOPE_LIMIT, "scope.limit_")                                                                                     \
    W(SCOPE_STATE, "scope.state_")                                                                                     \
    W(REASON_TEXT, "reason.text")                                                                                      \
    W(REASON_PLACE, "reason.place")                                                                                    \
    W(REASON_TASK, "reason.task")                                                                                      \
    W(WAIT_TASK, "wait.task")                                                                                          \
    W(WAIT_CLASS, "wait.class")                                                                                        \
    W(CLASS_NAME, "class.name")                                                                                        \
    W(CLASS_OPERATION, "class.operation")                                                                              \
    W(OP_DESC, "op.desc")                                                                                              \
    W(OP_FD, "op.fd")                                                                                                  \
    W(OP_PATH, "op.path")                                                                                              \
    W(DESC_FD, "desc.fd")                                                                                              \
    W(STACK_LOW, "stack.low")                                                                                          \
    W(STACK_SIZE, "stack.size")                                                                                        \
    W(REGISTRY_METRICS, "registry.metrics")                                                                            \
    W(METRICS_FIRST, "metrics.first")                                                                                  \
    W(METRICS_SHARED, "metrics.shared_cells")                                                                          \
    W(METRICS_BLOCKS, "metrics.blocks")                                                                                \
    W(METRICS_CELLS, "metrics.cells_max")                                                                              \
    W(METRIC_KIND, "metric.kind_")                                                                                     \
    W(METRIC_NAME, "metric.name")                                                                                      \
    W(METRIC_LABELS, "metric.labels")                                                                                  \
    W(METRIC_SECONDS, "metric.seconds")                                                                                \
    W(METRIC_NEXT, "metric.next_")                                                                                     \
    W(METRIC_SERIES, "metric.series_")                                                                                 \
    W(METRIC_LABEL_COUNT, "metric.label_count_")                                                                       \
    W(METRIC_BUCKETS, "metric.bucket_count_")                                                                          \
    W(SERIES_CELL, "series.cell")                                                                                      \
    W(SERIES_NEXT, "series.next")                                                                                      \
    W(SERIES_VALUES, "series.values")
#define WANTED_NUMBERS(W)                                                                                              \
    W(CHUNK_TASKS, "CHUNK_TASKS")                                                                                      \
    W(NODE_CANCELLED, "NODE_CANCELLED")                                                                                \
    W(NODE_REQUESTED, "NODE_REQUESTED")                                                                                \
    W(NODE_SHIELD, "NODE_SHIELD")                                                                                      \
    W(TASK_DAEMON, "TASK_DAEMON")                                                                                      \
    W(TASK_OWNS_NAME, "TASK_OWNS_NAME")                                                                                \
    W(TASK_ENDED, "TASK_ENDED")                                                                                        \
    W(SCOPE_OPEN, "SCOPE_OPEN")                                                                                        \
    W(SCOPE_ENDING, "SCOPE_ENDING")

#define WANTED_AS_ENUMERATOR(name, text) AT_##name,
enum wanted {
    WANTED_STRUCTS(WANTED_AS_ENUMERATOR) WANTED_FIELDS(WANTED_AS_ENUMERATOR) WANTED_NUMBERS(WANTED_AS_ENUMERATOR) WANTED
};

enum { SAVED_MAX = 16, RECORD_MAX = 4096 /* bytes of any struct that is read as a whole */ };

struct registry {
    uint64_t address;
    char library[16];
    struct {
        uint32_t offset, size;
    } at[WANTED]; /* a number's value is its offset */
    struct {
        char name[8];
        uint32_t offset;
    } saved[SAVED_MAX]; /* registers of a parked task, from its stack pointer */
    uint32_t saved_count, saved_size;
    uint64_t loops, loops_max;
};

/* The process's registry, or the next one after `from`. 0, or a code with a line for people in `*why`. */
int find_registry(struct memory *memory, struct registry *registry, const char **why);

/* The registry that is at registry->address, as find_registry gives it. */
int read_registry(struct memory *memory, struct registry *registry, const char **why);

/* A member of a record that was read, as a number; for 0 as a register's width. */
uint64_t member(const struct registry *registry, const void *record, enum wanted field);

/* ---- inspect_tasks.c: what all tasks do, at one moment each ---- */

struct seen_reason {
    const char *text, *place, *task;
};

struct seen_scope {
    uint64_t address, outer; /* the node around it */
    uint64_t owner_address, reason_address;
    const char *name, *place; /* name: "" where it has none */
    int64_t deadline;
    uint32_t flags, alive, daemons, limit;
    bool whole;
    bool drawn;
    const struct seen_reason *reason;
};

enum seen_state { SEEN_MOVING, SEEN_NOT_STARTED, SEEN_RUNNABLE, SEEN_RUNNING, SEEN_WAITING, SEEN_ENDED };
extern const char *const state_names[];

struct seen_task {
    uint64_t address, id;
    uint32_t resumes, flags, node_flags, loop;
    uint64_t sp, stack, current, wait, home_address, reason_address, name_address;
    enum seen_state state;
    bool whole, gone; /* it was not resumed while it was read; it ended meanwhile */
    const char *name, *place;
    const char *waits; /* for what; NULL: it does not */
    int64_t since;     /* it waits, by its loop's clock */
    int64_t until;     /* of a sleep; INT64_MAX: not known, or for ever */
    int fd;            /* -1: none */
    const char *path;
    uint64_t stack_low;
    uint32_t stack_size;
    const struct seen_reason *cancelled;
    struct seen_scope *home, *inner; /* the scope that it is in, and its own innermost one; NULL: none */
    struct seen_task *parent, *children, *last_child, *next; /* make_tree */
    uint64_t stack_kind;                                     /* what tells its stack from others, where stacks count */
    uint64_t kind;
    uint32_t same; /* siblings after it that are of its kind, which are not drawn */
    uint64_t last_same;
    bool folded, names_differ;
};

struct seen_loop {
    uint64_t address, root, running, alive, spawned, passes, timers, ops;
    uint64_t jobs, wakers, runnable;
    int64_t now, next_timer;
    pid_t thread;
    const char *driver;
    bool simulated, sleeping;
    size_t tasks;
};

struct snapshot {
    struct store store;
    struct table strings, scopes, reasons, classes, by_address;
    struct seen_loop *loops;
    size_t loop_count;
    struct seen_task *tasks; /* by loop, then by number */
    size_t task_count, room;
    int64_t taken_at;    /* CLOCK_MONOTONIC */
    size_t moving;       /* never seen whole */
    const char *damaged; /* what made no sense, for people; NULL: nothing */
};

/* 0, or a code: -ESRCH where the process is gone. `*why` as above. */
int take_snapshot(struct memory *memory, const struct registry *registry, struct snapshot *snapshot, const char **why);
void free_snapshot(struct snapshot *snapshot);

/* The loops alone; again, what of them changes quickly. */
int read_loops(struct memory *memory, const struct registry *registry, struct snapshot *snapshot, const char **why);

/* ---- inspect_records.c: tasks, scopes, waits ---- */

/* Reads the tasks' records, and what hangs on them, until each was read whole or has been tried often enough. */
void read_records(struct memory *memory, const struct registry *registry, struct snapshot *snapshot);

/* ---- inspect_scopes.c ---- */

/* The scopes that these tasks are in, and those around them. */
void read_scopes(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                 struct seen_task *const *tasks, size_t count);

/* Who was cancelled, and why: once everything else is known. */
void read_reasons(struct memory *memory, const struct registry *registry, struct snapshot *snapshot);

/* Does the node belong to a task's own record? */
struct seen_task *task_of_node(const struct registry *registry, const struct snapshot *snapshot, uint64_t node);

/* ---- inspect_text.c ---- */

/* Text at an address, with what cannot be printed escaped; "?" where there is none. Kept with the snapshot. */
const char *text_at(struct memory *memory, struct snapshot *snapshot, uint64_t address);

/* Reads many at once, for text_at to find; zeros are left out. */
void read_texts(struct memory *memory, struct snapshot *snapshot, const uint64_t *addresses, size_t count);

/* The same without remembering: a text that is freed with its task. */
const char *fresh_text(struct memory *memory, struct snapshot *snapshot, uint64_t address);

/* ---- inspect_metrics.c: what the program counts ---- */

struct seen_metric {
    uint64_t series;           /* its address, which tells it from others */
    const char *name, *labels; /* labels: "name=pool, reason=old", or "" */
    bool counts;               /* it only grows */
    bool seconds;              /* values are nanoseconds */
    int64_t value;             /* of a histogram: the sum */
    uint64_t observed;         /* of a histogram: how many; else 0 */
    bool histogram;
};

/* All that are not zero, in the order of their definitions, kept with the snapshot; how many. */
size_t read_metrics(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                    struct seen_metric **metrics);

/* ---- inspect_tree.c ---- */

/* Parents, children, and which siblings are alike. */
void make_tree(struct snapshot *snapshot, bool fold);

/* ---- inspect_process.c: what the system knows of the process ---- */

/* The process that the word means, a number or a name; else the command ends. */
pid_t find_process(const char *word);

/* The file of its program, and the name under which it is listed. */
const char *process_name(pid_t pid);

/* Bytes of a stack that were touched: from its lowest page in memory up. 0: not known. */
struct page_map {
    int fd;
    uint64_t first; /* page of the window */
    size_t count;
    uint64_t window[2048];
};
bool page_map_open(struct page_map *map, pid_t pid);
uint64_t stack_used(struct page_map *map, uint64_t low, uint64_t size);

/* ---- inspect_sockets.c ---- */

struct socket_ends {
    const char *kind, *local, *peer; /* peer: NULL where there is none */
};

/* What a descriptor is: a socket with its ends, or the path of a file. All zero: nothing is loaded yet. */
struct sockets {
    struct store store;
    struct table by_inode;
    bool loaded;
};
struct socket_ends socket_ends(struct sockets *sockets, pid_t pid, int fd);
void sockets_clear(struct sockets *sockets);

#endif
