/* Walks of stacks: by frame pointers, and by the unwinder from a call made on the stack in question. */
#include "fiber/walk.h"

#include <execinfo.h>
#include <string.h>

#include "fiber/fiber.h"

enum {
    BEGINNING = 32,  /* bytes of code with which a fiber begins */
    BOTTOM = 2,      /* calls below those of the task: that, and the function that runs task after task */
    OWN = 1,         /* on top: the function that left the stack */
    ROOM = 8 * 1024, /* what the unwinder may use: 5 KiB as measured, and what the first call of a function costs */
    HERE = 1,        /* frames of this file on top of those that are asked for */
    TRACE_MAX = 64,
};

size_t walk_records(uintptr_t record, const struct stack *stack, void **frames, size_t max)
{
    uintptr_t low = (uintptr_t)stack->low, high = low + stack->size - 2 * sizeof(uintptr_t);
    size_t count = 0;
    while (count < max && record >= low && record <= high && record % sizeof(uintptr_t) == 0) {
        const uintptr_t *pair = (const uintptr_t *)record;
        if (pair[1] == 0) break;
        frames[count++] = (void *)pair[1];
        if (pair[0] <= record) break;
        record = pair[0];
    }
    return count;
}

size_t walk_shorten(void **frames, size_t count, size_t skipped)
{
    const char *last = count > 0 ? frames[count - 1] : NULL;
    if (last > weft_fiber_start && last < weft_fiber_start + BEGINNING && count >= BOTTOM) count -= BOTTOM;
    if (skipped > count) return 0;
    memmove(frames, frames + skipped, (count - skipped) * sizeof *frames);
    return count - skipped;
}

size_t walk_parked(const void *sp, const struct stack *stack, void **frames, size_t max)
{
    if (sp == NULL || weft_fiber_record_at < 0) return 0;
    size_t count = walk_records((uintptr_t)sp + (uintptr_t)weft_fiber_record_at, stack, frames, max);
    return walk_shorten(frames, count, OWN);
}

struct trace {
    void *frames[TRACE_MAX];
    int count;
};

static void trace(void *argument)
{
    struct trace *found = argument;
    found->count = backtrace(found->frames, TRACE_MAX);
}

static size_t take(struct trace *found, size_t skipped, void **frames, size_t max)
{
    size_t count = walk_shorten(found->frames, (size_t)found->count, skipped);
    if (count > max) count = max;
    memcpy(frames, found->frames, count * sizeof *frames);
    return count;
}

static bool has_room(const void *sp, const struct stack *stack)
{
    return (const char *)sp >= stack->low + ROOM && (const char *)sp < stack->low + stack->size;
}

/* A sanitizer keeps its own books of what runs where. */
size_t trace_parked(void *sp, const struct stack *stack, void **frames, size_t max)
{
    struct trace found;
    if (WEFT_ASAN || WEFT_TSAN || !has_room(sp, stack) || !weft_fiber_peek(sp, trace, &found))
        return walk_parked(sp, stack, frames, max);
    return take(&found, HERE + 1 + OWN, frames, max); /* and the peek */
}

size_t trace_here(const struct stack *stack, void **frames, size_t max)
{
    if (!has_room(__builtin_frame_address(0), stack))
        return walk_records((uintptr_t)__builtin_frame_address(0), stack, frames, max);
    struct trace found;
    trace(&found);
    return take(&found, HERE + 1, frames, max);
}
