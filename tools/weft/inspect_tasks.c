/* The loops of a process, and which tasks there are: their records lie in chunks, which are linked by age. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "inspect.h"

enum { TASKS_MAX = 4 << 20, CHUNKS_MAX = 1 << 20, CHUNK_SIZE_MAX = 16 << 20 };

const char *const state_names[] = {
    [SEEN_MOVING] = "moving",   [SEEN_NOT_STARTED] = "not started", [SEEN_RUNNABLE] = "runnable",
    [SEEN_RUNNING] = "running", [SEEN_WAITING] = "waiting",         [SEEN_ENDED] = "ended",
};

/* ---- Loops ---- */

struct loop_words {
    uint64_t running, alive, spawned, passes, timers, next_timer, ops, jobs, driver, now;
    uint32_t runnable, runs_given, runs_left, thread, wakers;
    uint8_t sleeping;
};

static bool read_words(struct memory *memory, const struct registry *registry, uint64_t loop, struct loop_words *words)
{
    const struct {
        enum wanted field;
        void *into;
        size_t size;
    } wanted[] = {
        {AT_LOOP_RUNNING, &words->running, 8},
        {AT_LOOP_RUNNABLE, &words->runnable, 4},
        {AT_LOOP_RUNS_GIVEN, &words->runs_given, 4},
        {AT_LOOP_RUNS_LEFT, &words->runs_left, 4},
        {AT_LOOP_NOW, &words->now, 8},
        {AT_LOOP_THREAD, &words->thread, 4},
        {AT_LOOP_ALIVE, &words->alive, 8},
        {AT_LOOP_SPAWNED, &words->spawned, 8},
        {AT_LOOP_PASSES, &words->passes, 8},
        {AT_LOOP_DRIVER, &words->driver, 8},
        {AT_LOOP_OPS, &words->ops, 8},
        {AT_LOOP_JOBS, &words->jobs, 8},
        {AT_LOOP_SLEEPING, &words->sleeping, 1},
        {AT_LOOP_WAKERS, &words->wakers, 4},
        {AT_LOOP_NEXT_TIMER, &words->next_timer, 8},
        {AT_LOOP_TIMERS, &words->timers, 8},
    };
    enum { COUNT = sizeof wanted / sizeof *wanted };
    struct piece pieces[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        pieces[i] = (struct piece){.address = loop + registry->at[wanted[i].field].offset,
                                   .into = wanted[i].into,
                                   .size = wanted[i].size};
    memory->read(memory, pieces, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        if (!pieces[i].whole || registry->at[wanted[i].field].size != wanted[i].size) return false;
    return true;
}

static void take_driver(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                        uint64_t driver, struct seen_loop *loop)
{
    uint64_t name = 0;
    uint8_t simulated = 0;
    struct piece pieces[] = {
        {.address = driver + registry->at[AT_DRIVER_NAME].offset, .into = &name, .size = sizeof name},
        {.address = driver + registry->at[AT_DRIVER_SIMULATED].offset, .into = &simulated, .size = 1},
    };
    memory->read(memory, pieces, 2);
    loop->driver = text_at(memory, snapshot, name);
    loop->simulated = simulated != 0;
}

static bool read_loop(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                      uint64_t address, struct seen_loop *loop)
{
    struct loop_words words = {.running = 0};
    if (!read_words(memory, registry, address, &words)) return false;
    *loop = (struct seen_loop){
        .address = address,
        .root = address + registry->at[AT_LOOP_ROOT].offset,
        .running = words.running,
        .alive = words.alive,
        .spawned = words.spawned,
        .passes = words.passes,
        .timers = words.timers,
        .next_timer = (int64_t)words.next_timer,
        .ops = words.ops,
        .jobs = words.jobs,
        .now = (int64_t)words.now,
        .runnable = words.runnable - (words.runs_given - words.runs_left), /* as the loop counts them */
        .thread = (pid_t)words.thread,
        .wakers = words.wakers,
        .sleeping = words.sleeping != 0,
    };
    take_driver(memory, registry, snapshot, words.driver, loop);
    return true;
}

static int64_t monotonic_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int read_loops(struct memory *memory, const struct registry *registry, struct snapshot *snapshot, const char **why)
{
    size_t size = registry->loops_max * sizeof(uint64_t);
    uint64_t *slots = store_take(&snapshot->store, size);
    snapshot->taken_at = monotonic_now();
    if (!read_memory(memory, registry->loops, slots, size)) {
        *why = memory->failed == ESRCH ? "the process has ended" : "the process runs another program now";
        return memory->failed != 0 ? -memory->failed : -ESRCH;
    }
    snapshot->loops = store_take(&snapshot->store, registry->loops_max * sizeof *snapshot->loops);
    snapshot->loop_count = 0;
    for (size_t i = 0; i < registry->loops_max; i++)
        if (slots[i] != 0 && read_loop(memory, registry, snapshot, slots[i], &snapshot->loops[snapshot->loop_count]))
            snapshot->loop_count++;
    return 0;
}

/* ---- Chunks ---- */

static void add_task(struct snapshot *snapshot, const struct registry *registry, uint32_t loop, uint64_t address,
                     const char *record)
{
    uint64_t id = member(registry, record, AT_TASK_ID);
    if (id == 0 || snapshot->task_count == TASKS_MAX) return;
    if (snapshot->task_count == snapshot->room) {
        snapshot->room = snapshot->room > 0 ? 2 * snapshot->room : 1024;
        snapshot->tasks = realloc(snapshot->tasks, snapshot->room * sizeof *snapshot->tasks);
        if (snapshot->tasks == NULL) fail("out of memory");
    }
    struct seen_task *task = &snapshot->tasks[snapshot->task_count++];
    *task = (struct seen_task){.address = address, .id = id, .loop = loop, .name = "?", .place = "?", .fd = -1};
    task->resumes = (uint32_t)member(registry, record, AT_TASK_RESUMES);
}

/* Follows the chunks from the youngest to the oldest; one that comes again would be a ring. */
static void walk_chunks(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                        uint32_t loop)
{
    uint32_t tasks = registry->at[AT_CHUNK_TASKS].offset, first = registry->at[AT_CHUNK_RECORDS].offset;
    size_t record = registry->at[AT_TASK].size, size = first + tasks * record;
    char *chunk = size <= CHUNK_SIZE_MAX ? malloc(size) : NULL;
    struct table seen = {.count = 0};
    uint64_t at = 0;
    read_memory(memory, snapshot->loops[loop].address + registry->at[AT_LOOP_CHUNKS].offset, &at, sizeof at);
    while (at != 0 && chunk != NULL && seen.count < CHUNKS_MAX) {
        bool again = table_find(&seen, at) != NULL;
        if (again || !read_memory(memory, at, chunk, size)) {
            snapshot->damaged = again ? "the tasks' records are linked in a ring" : "records of tasks cannot be read";
            break;
        }
        table_put(&seen, at, chunk);
        for (size_t i = 0; i < tasks; i++)
            add_task(snapshot, registry, loop, at + first + i * record, chunk + first + i * record);
        at = member(registry, chunk, AT_CHUNK_OLDER);
    }
    table_clear(&seen);
    free(chunk);
}

static int by_loop_and_number(const void *one, const void *other)
{
    const struct seen_task *a = one, *b = other;
    if (a->loop != b->loop) return a->loop < b->loop ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

/* Leaves out those that ended while they were read, which was in the order of their addresses. */
static void put_in_order(struct snapshot *snapshot)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->task_count; i++)
        if (!snapshot->tasks[i].gone) snapshot->tasks[kept++] = snapshot->tasks[i];
    snapshot->task_count = kept;
    if (kept > 0) qsort(snapshot->tasks, kept, sizeof *snapshot->tasks, by_loop_and_number);
}

static void index_tasks(struct snapshot *snapshot)
{
    table_clear(&snapshot->by_address);
    for (size_t i = 0; i < snapshot->task_count; i++)
        table_put(&snapshot->by_address, snapshot->tasks[i].address, &snapshot->tasks[i]);
}

static void link_scopes(const struct registry *registry, struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->task_count; i++) {
        struct seen_task *task = &snapshot->tasks[i];
        task->home = table_find(&snapshot->scopes, task->home_address);
        bool nested = task_of_node(registry, snapshot, task->current) != task;
        task->inner = nested ? table_find(&snapshot->scopes, task->current) : NULL;
        snapshot->loops[task->loop].tasks++;
    }
}

int take_snapshot(struct memory *memory, const struct registry *registry, struct snapshot *snapshot, const char **why)
{
    *snapshot = (struct snapshot){.damaged = NULL};
    int rc = read_loops(memory, registry, snapshot, why);
    if (rc < 0) return rc;
    for (uint32_t i = 0; i < snapshot->loop_count; i++) walk_chunks(memory, registry, snapshot, i);
    index_tasks(snapshot);
    read_records(memory, registry, snapshot);
    put_in_order(snapshot);
    index_tasks(snapshot);
    read_reasons(memory, registry, snapshot);
    link_scopes(registry, snapshot);
    if (memory->failed == 0) return 0;
    *why = memory->failed == ESRCH ? "the process ended while it was read" : strerror(memory->failed);
    return -memory->failed;
}

void free_snapshot(struct snapshot *snapshot)
{
    table_clear(&snapshot->strings);
    table_clear(&snapshot->scopes);
    table_clear(&snapshot->reasons);
    table_clear(&snapshot->classes);
    table_clear(&snapshot->by_address);
    store_clear(&snapshot->store);
    free(snapshot->tasks);
    *snapshot = (struct snapshot){.damaged = NULL};
}
