/*
 * Tasks of a running process, each as it was at one moment. A task that was resumed as often after reading as before
 * has not moved meanwhile, and neither has what lies on its stack: its wait, its scopes.
 *
 *     read id, resumes --> read the record --> read what hangs on it --> read id, resumes again: all alike? whole
 *           ^----------------------------------- up to 8 times ----------------------------------- no
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "inspect.h"

enum { BATCH = 512, TRIES = 8 };

struct class_seen {
    const char *name;
    bool operation;
};

/* What is read of some tasks at a time. */
struct batch {
    struct memory *memory;
    const struct registry *registry;
    struct snapshot *snapshot;
    struct seen_task *tasks[BATCH];
    size_t count;
    char *records, *waits;
    struct piece pieces[2 * BATCH];
    uint64_t texts[2 * BATCH];
    bool same[BATCH];
};

/* ---- Records ---- */

static char *record_of(const struct batch *batch, size_t index)
{
    return batch->records + index * batch->registry->at[AT_TASK].size;
}

static void read_batch(struct batch *batch)
{
    size_t size = batch->registry->at[AT_TASK].size;
    for (size_t i = 0; i < batch->count; i++)
        batch->pieces[i] =
            (struct piece){.address = batch->tasks[i]->address, .into = record_of(batch, i), .size = size};
    batch->memory->read(batch->memory, batch->pieces, batch->count);
}

/* Did it stay as it is known? Notes what it is now. */
static bool compare(const struct batch *batch, size_t index)
{
    struct seen_task *task = batch->tasks[index];
    const char *record = record_of(batch, index);
    uint64_t id = member(batch->registry, record, AT_TASK_ID);
    uint32_t resumes = (uint32_t)member(batch->registry, record, AT_TASK_RESUMES);
    if (id != task->id) task->gone = true;
    bool same = !task->gone && resumes == task->resumes;
    task->resumes = resumes;
    return same;
}

static void take_record(const struct registry *registry, struct seen_task *task, const char *record)
{
    const char *node = record + registry->at[AT_TASK_NODE].offset;
    task->sp = member(registry, record, AT_TASK_SP);
    task->stack = member(registry, record, AT_TASK_STACK);
    task->current = member(registry, record, AT_TASK_CURRENT);
    task->name_address = member(registry, record, AT_TASK_NAME);
    task->wait = member(registry, record, AT_TASK_WAIT);
    task->flags = (uint32_t)member(registry, record, AT_TASK_FLAGS);
    task->since = (int64_t)member(registry, record, AT_TASK_SINCE);
    task->until = (int64_t)member(registry, record, AT_TASK_SLEEP);
    task->home_address = member(registry, node, AT_NODE_PARENT);
    task->reason_address = member(registry, node, AT_NODE_REASON);
    task->node_flags = (uint32_t)member(registry, node, AT_NODE_FLAGS);
}

static void read_names(struct batch *batch)
{
    const struct registry *registry = batch->registry;
    for (size_t i = 0; i < batch->count; i++) {
        bool owns = batch->tasks[i]->flags & registry->at[AT_TASK_OWNS_NAME].offset;
        batch->texts[2 * i] = owns ? 0 : member(registry, record_of(batch, i), AT_TASK_NAME);
        batch->texts[2 * i + 1] = member(registry, record_of(batch, i), AT_TASK_PLACE);
    }
    read_texts(batch->memory, batch->snapshot, batch->texts, 2 * batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t name = member(registry, record_of(batch, i), AT_TASK_NAME);
        bool owns = batch->texts[2 * i] == 0;
        batch->tasks[i]->name =
            owns ? fresh_text(batch->memory, batch->snapshot, name) : text_at(batch->memory, batch->snapshot, name);
        batch->tasks[i]->place = text_at(batch->memory, batch->snapshot, batch->texts[2 * i + 1]);
    }
}

/* ---- What they wait for ---- */

static const struct class_seen *class_at(struct batch *batch, uint64_t address)
{
    struct class_seen *class = table_find(&batch->snapshot->classes, address);
    if (class != NULL) return class;
    const struct registry *registry = batch->registry;
    class = store_take(&batch->snapshot->store, sizeof *class);
    table_put(&batch->snapshot->classes, address, class);
    uint64_t name = 0;
    uint8_t operation = 0;
    struct piece pieces[] = {
        {.address = address + registry->at[AT_CLASS_NAME].offset, .into = &name, .size = sizeof name},
        {.address = address + registry->at[AT_CLASS_OPERATION].offset, .into = &operation, .size = 1},
    };
    batch->memory->read(batch->memory, pieces, 2);
    class->name = text_at(batch->memory, batch->snapshot, name);
    class->operation = operation != 0;
    return class;
}

static void take_operation(struct batch *batch, struct seen_task *task)
{
    const struct registry *registry = batch->registry;
    static char record[RECORD_MAX];
    if (!read_memory(batch->memory, task->wait, record, registry->at[AT_OP].size)) return;
    uint64_t desc = member(registry, record, AT_OP_DESC), path = member(registry, record, AT_OP_PATH);
    int32_t fd = -1;
    if (desc != 0) read_memory(batch->memory, desc + registry->at[AT_DESC_FD].offset, &fd, sizeof fd);
    if (desc != 0) task->fd = fd;
    if (path != 0) task->path = fresh_text(batch->memory, batch->snapshot, path);
}

static void take_wait(struct batch *batch, struct seen_task *task, const char *wait)
{
    const struct registry *registry = batch->registry;
    if (member(registry, wait, AT_WAIT_TASK) != task->address) return;
    const struct class_seen *class = class_at(batch, member(registry, wait, AT_WAIT_CLASS));
    task->waits = class->name;
    if (class->operation) take_operation(batch, task);
}

static void read_waits(struct batch *batch)
{
    size_t size = batch->registry->at[AT_WAIT].size;
    struct piece *pieces = batch->pieces;
    for (size_t i = 0; i < batch->count; i++) {
        pieces[i] = (struct piece){.address = batch->tasks[i]->wait, .into = batch->waits + i * size, .size = size};
        uint64_t offset = batch->tasks[i]->wait - batch->tasks[i]->address;
        if (batch->tasks[i]->wait == 0) pieces[i].size = 0;
        if (offset >= batch->registry->at[AT_TASK].size - size) continue;
        memcpy(pieces[i].into, record_of(batch, i) + offset, size); /* it lies in the record itself */
        pieces[i].size = 0;
    }
    batch->memory->read(batch->memory, pieces, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct seen_task *task = batch->tasks[i];
        task->waits = task->path = NULL;
        task->fd = -1;
        if (task->wait != 0 && pieces[i].whole) take_wait(batch, task, batch->waits + i * size);
    }
}

/* Where the stack is and how large: two members of one small struct. */
static void read_stacks(struct batch *batch)
{
    const struct registry *registry = batch->registry;
    uint32_t low = registry->at[AT_STACK_LOW].offset, size = registry->at[AT_STACK_SIZE].offset;
    enum { HEAD = 64 };
    static char heads[BATCH][HEAD];
    if (low + 8 > HEAD || size + 8 > HEAD) return;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t stack = batch->tasks[i]->stack;
        size_t end = (low > size ? low : size) + 8;
        batch->pieces[i] = (struct piece){.address = stack, .into = heads[i], .size = stack != 0 ? end : 0};
    }
    batch->memory->read(batch->memory, batch->pieces, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        bool known = batch->tasks[i]->stack != 0 && batch->pieces[i].whole;
        batch->tasks[i]->stack_low = known ? member(registry, heads[i], AT_STACK_LOW) : 0;
        batch->tasks[i]->stack_size = known ? (uint32_t)member(registry, heads[i], AT_STACK_SIZE) : 0;
    }
}

/* ---- Until they are whole ---- */

static enum seen_state state_of(const struct batch *batch, const struct seen_task *task)
{
    if (task->flags & batch->registry->at[AT_TASK_ENDED].offset) return SEEN_ENDED;
    if (task->wait != 0) return SEEN_WAITING;
    if (task->stack == 0) return SEEN_NOT_STARTED;
    return task->address == batch->snapshot->loops[task->loop].running ? SEEN_RUNNING : SEEN_RUNNABLE;
}

/* The one that runs may open scopes, or end, without being resumed. */
static void judge(struct batch *batch, size_t index)
{
    const struct registry *registry = batch->registry;
    struct seen_task *task = batch->tasks[index];
    const char *record = record_of(batch, index);
    bool same = compare(batch, index) && batch->same[index];
    same = same && member(registry, record, AT_TASK_WAIT) == task->wait;
    same = same && member(registry, record, AT_TASK_CURRENT) == task->current;
    same = same && member(registry, record, AT_TASK_NAME) == task->name_address;
    task->whole = same && (task->wait == 0 || task->waits != NULL);
    task->state = state_of(batch, task);
}

static void observe(struct batch *batch)
{
    read_batch(batch);
    for (size_t i = 0; i < batch->count; i++) {
        batch->same[i] = compare(batch, i);
        take_record(batch->registry, batch->tasks[i], record_of(batch, i));
    }
    read_names(batch);
    read_waits(batch);
    read_stacks(batch);
    read_scopes(batch->memory, batch->registry, batch->snapshot, batch->tasks, batch->count);
    read_batch(batch);
    for (size_t i = 0; i < batch->count; i++) judge(batch, i);
}

static size_t observe_all(struct batch *batch)
{
    size_t moving = 0;
    struct snapshot *snapshot = batch->snapshot;
    for (size_t next = 0; next < snapshot->task_count;) {
        for (batch->count = 0; next < snapshot->task_count && batch->count < BATCH; next++) {
            struct seen_task *task = &snapshot->tasks[next];
            if (!task->whole && !task->gone) batch->tasks[batch->count++] = task;
        }
        if (batch->count > 0) observe(batch);
        for (size_t i = 0; i < batch->count; i++) moving += !batch->tasks[i]->whole && !batch->tasks[i]->gone;
    }
    return moving;
}

void read_records(struct memory *memory, const struct registry *registry, struct snapshot *snapshot)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) fail("out of memory");
    *batch = (struct batch){.memory = memory, .registry = registry, .snapshot = snapshot};
    batch->records = calloc(BATCH, registry->at[AT_TASK].size);
    batch->waits = calloc(BATCH, registry->at[AT_WAIT].size);
    if (batch->records == NULL || batch->waits == NULL) fail("out of memory");
    size_t moving = 1;
    for (int tries = 0; moving > 0 && tries < TRIES && memory->failed == 0; tries++) moving = observe_all(batch);
    snapshot->moving = moving;
    for (size_t i = 0; i < snapshot->task_count; i++)
        if (!snapshot->tasks[i].whole) snapshot->tasks[i].state = SEEN_MOVING;
    free(batch->records);
    free(batch->waits);
    free(batch);
}
