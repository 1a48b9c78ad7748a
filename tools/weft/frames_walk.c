/* Where a parked task stands: the registers that its switch saved, and the chain of frame pointers above. */
#include <string.h>

#include "frames.h"

/* The register of one of two names, for one processor or the other; gives its place among the others, or -1. */
static int find_saved(const struct registry *registry, const char *one, const char *other)
{
    for (uint32_t i = 0; i < registry->saved_count; i++)
        if (strcmp(registry->saved[i].name, one) == 0 || strcmp(registry->saved[i].name, other) == 0) return (int)i;
    return -1;
}

static bool is_on_stack(const struct seen_task *task, uint64_t address)
{
    return address >= task->stack_low && address < task->stack_low + task->stack_size;
}

bool read_parked(struct memory *memory, const struct registry *registry, const struct seen_task *task,
                 struct parked *parked)
{
    struct piece pieces[SAVED_MAX];
    int pc = find_saved(registry, "rip", "x30"), fp = find_saved(registry, "rbp", "x29");
    int sp = find_saved(registry, "rsp", "sp");
    bool parks = task->state == SEEN_WAITING || task->state == SEEN_RUNNABLE;
    if (pc < 0 || fp < 0 || !parks || !is_on_stack(task, task->sp)) return false;
    for (uint32_t i = 0; i < registry->saved_count; i++)
        pieces[i] =
            (struct piece){.address = task->sp + registry->saved[i].offset, .into = &parked->others[i], .size = 8};
    memory->read(memory, pieces, registry->saved_count);
    for (uint32_t i = 0; i < registry->saved_count; i++)
        if (!pieces[i].whole) return false;
    parked->pc = parked->others[pc];
    parked->fp = parked->others[fp];
    parked->sp = sp >= 0 ? parked->others[sp] : task->sp + registry->saved_size;
    return true;
}

size_t walk_frames(struct memory *memory, const struct seen_task *task, const struct parked *parked, uint64_t *pcs,
                   size_t room)
{
    size_t count = 0;
    uint64_t fp = parked->fp, below = task->sp;
    if (room > 0) pcs[count++] = parked->pc;
    while (count < room && fp > below && fp % 8 == 0 && is_on_stack(task, fp)) {
        uint64_t record[2]; /* the caller's frame pointer, and where to return to */
        if (!read_memory(memory, fp, record, sizeof record) || record[1] == 0) break;
        pcs[count++] = record[1];
        below = fp;
        fp = record[0];
    }
    return count;
}

uint64_t stack_kind(struct memory *memory, const struct registry *registry, const struct seen_task *task)
{
    struct parked parked;
    uint64_t pcs[FRAMES_MAX], kind = 1;
    if (!read_parked(memory, registry, task, &parked)) return 0;
    size_t count = walk_frames(memory, task, &parked, pcs, FRAMES_MAX);
    /* Not the innermost one: a switch to another task and one to the loop are two places of the scheduler. */
    for (size_t i = 1; i < count; i++) kind = (kind ^ pcs[i]) * UINT64_C(0x100000001b3);
    return kind;
}
