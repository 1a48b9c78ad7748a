/* The public allocator hook, and the count that the leak checks read. */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <weft/extend.h>

static void *system_allocate(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void *system_resize(void *context, void *memory, size_t size)
{
    (void)context;
    return realloc(memory, size);
}

static void system_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static const struct wf_allocator system_allocator = {
    .allocate = system_allocate,
    .resize = system_resize,
    .release = system_release,
};

static struct wf_allocator allocator = {
    .allocate = system_allocate,
    .resize = system_resize,
    .release = system_release,
};
static atomic_size_t blocks;

int wf_set_allocator(const struct wf_allocator *replacement)
{
    if (atomic_load(&blocks) != 0) return -EBUSY;
    if (replacement == NULL) replacement = &system_allocator;
    if (replacement->allocate == NULL || replacement->resize == NULL || replacement->release == NULL) return -EINVAL;
    allocator = *replacement;
    return 0;
}

size_t wf_allocated_blocks(void)
{
    return atomic_load(&blocks);
}

void *memory_alloc(size_t size)
{
    void *memory = allocator.allocate(allocator.context, size);
    if (memory != NULL) atomic_fetch_add_explicit(&blocks, 1, memory_order_relaxed);
    return memory;
}

void *memory_zero(size_t size)
{
    void *memory = memory_alloc(size);
    if (memory != NULL) memset(memory, 0, size);
    return memory;
}

void *memory_resize(void *memory, size_t size)
{
    if (memory == NULL) return memory_alloc(size);
    return allocator.resize(allocator.context, memory, size);
}

char *memory_copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memory_alloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void memory_free(void *memory)
{
    if (memory == NULL) return;
    atomic_fetch_sub_explicit(&blocks, 1, memory_order_relaxed);
    allocator.release(allocator.context, memory);
}

/* ---- For streams of other libraries ---- */

void *wf_memory_alloc(size_t size)
{
    return memory_alloc(size);
}

void *wf_memory_resize(void *memory, size_t size)
{
    return memory_resize(memory, size);
}

void wf_memory_free(void *memory)
{
    memory_free(memory);
}
