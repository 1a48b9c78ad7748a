/*
 * Arenas: a chain of blocks, newest first; a pointer moves through the newest. Blocks double in size up to a bound, and
 * what is larger than a block gets one of its own. A reset keeps the newest block, so that a loop of requests settles
 * on one block and no allocation.
 */
#include <weft/arena.h>

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/sanitize.h"

enum {
    ALIGNMENT = 16,
    FIRST_BLOCK = 1024,
    LARGEST_BLOCK = 256 * 1024,
};

struct wf_arena_block_ {
    struct wf_arena_block_ *older;
    size_t size; /* of the whole block */
    _Alignas(ALIGNMENT) char bytes[];
};
_Static_assert(sizeof(struct wf_arena_block_) == ARENA_BLOCK_HEAD, "who lends a first block makes room for its head");

struct wf_arena_deferred_ {
    struct wf_arena_deferred_ *earlier;
    void (*fn)(void *arg);
    void *arg;
};

void wf_arena_init(struct wf_arena *arena)
{
    *arena = (struct wf_arena){.block_ = NULL};
}

void wf_arena_set_limit(struct wf_arena *arena, size_t bytes)
{
    arena->limit_ = bytes;
}

size_t wf_arena_used(const struct wf_arena *arena)
{
    return arena != NULL ? arena->used_ : 0;
}

static void block_free(struct wf_arena *arena, struct wf_arena_block_ *block)
{
    unpoison(block->bytes, block->size - sizeof *block);
    if (block == arena->lent_) arena->lent_ = NULL;
    else memory_free(block);
}

static void use_block(struct wf_arena *arena, struct wf_arena_block_ *block)
{
    arena->block_ = block;
    arena->next_ = block->bytes;
    arena->end_ = (char *)block + block->size;
    poison(block->bytes, block->size - sizeof *block);
}

void arena_lend(struct wf_arena *arena, void *memory, size_t size)
{
    struct wf_arena_block_ *block = memory;
    *block = (struct wf_arena_block_){.size = size};
    arena->lent_ = block;
    use_block(arena, block);
}

size_t arena_own_memory(const struct wf_arena *arena)
{
    size_t size = 0;
    for (const struct wf_arena_block_ *block = arena->block_; block != NULL; block = block->older)
        if (block != arena->lent_) size += block->size;
    return size;
}

static void make_deferred_calls(struct wf_arena *arena)
{
    while (arena->deferred_ != NULL) {
        const struct wf_arena_deferred_ *last = arena->deferred_;
        arena->deferred_ = last->earlier;
        last->fn(last->arg);
    }
}

void wf_arena_reset(struct wf_arena *arena)
{
    make_deferred_calls(arena);
    struct wf_arena_block_ *newest = arena->block_;
    if (newest == NULL) return;
    if (newest->size > LARGEST_BLOCK) { /* one large request must not be kept for ever */
        wf_arena_finish(arena);
        return;
    }
    while (newest->older != NULL) {
        struct wf_arena_block_ *older = newest->older;
        newest->older = older->older;
        block_free(arena, older);
    }
    arena->used_ = 0;
    use_block(arena, newest);
}

void wf_arena_finish(struct wf_arena *arena)
{
    make_deferred_calls(arena);
    while (arena->block_ != NULL) {
        struct wf_arena_block_ *block = arena->block_;
        arena->block_ = block->older;
        block_free(arena, block);
    }
    arena->next_ = arena->end_ = NULL;
    arena->used_ = 0;
}

static bool grow(struct wf_arena *arena, size_t needed)
{
    size_t size = arena->block_ == NULL ? FIRST_BLOCK : arena->block_->size * 2;
    if (size > LARGEST_BLOCK) size = LARGEST_BLOCK;
    if (size < needed + sizeof(struct wf_arena_block_)) size = needed + sizeof(struct wf_arena_block_);
    struct wf_arena_block_ *block = memory_alloc(size);
    if (block == NULL) return false;
    block->older = arena->block_;
    block->size = size;
    use_block(arena, block);
    return true;
}

void *wf_arena_alloc(struct wf_arena *arena, size_t size)
{
    if (arena == NULL || size > PTRDIFF_MAX - FIRST_BLOCK) return NULL;
    size_t rounded = (size + (size == 0) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (arena->limit_ != 0 && (arena->used_ > arena->limit_ || rounded > arena->limit_ - arena->used_)) return NULL;
    if ((size_t)(arena->end_ - arena->next_) < rounded && !grow(arena, rounded)) return NULL;
    void *memory = arena->next_;
    arena->next_ += rounded;
    arena->used_ += rounded;
    unpoison(memory, size);
    return memory;
}

void *wf_arena_zero(struct wf_arena *arena, size_t size)
{
    void *memory = wf_arena_alloc(arena, size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

void *wf_arena_array(struct wf_arena *arena, size_t count, size_t element_size)
{
    size_t size;
    if (__builtin_mul_overflow(count, element_size, &size)) return NULL;
    return wf_arena_zero(arena, size);
}

void *wf_arena_copy(struct wf_arena *arena, const void *bytes, size_t size)
{
    void *memory = wf_arena_alloc(arena, size);
    if (memory != NULL && size > 0) memcpy(memory, bytes, size);
    return memory;
}

char *wf_arena_strndup(struct wf_arena *arena, const char *text, size_t size_max)
{
    size_t size = strnlen(text, size_max);
    char *copy = wf_arena_alloc(arena, size + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *wf_arena_strdup(struct wf_arena *arena, const char *text)
{
    return wf_arena_copy(arena, text, strlen(text) + 1);
}

char *wf_arena_vprintf(struct wf_arena *arena, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0) return NULL;
    char *text = wf_arena_alloc(arena, (size_t)size + 1);
    if (text != NULL) vsnprintf(text, (size_t)size + 1, format, arguments);
    return text;
}

char *wf_arena_printf(struct wf_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = wf_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

int wf_arena_defer_(struct wf_arena *arena, void (*fn)(void *arg), const void *arg)
{
    struct wf_arena_deferred_ *deferred = wf_arena_alloc(arena, sizeof *deferred);
    if (deferred == NULL) return -ENOMEM;
    *deferred = (struct wf_arena_deferred_){.earlier = arena->deferred_, .fn = fn};
    deferred->arg = (void *)(uintptr_t)arg;
    arena->deferred_ = deferred;
    return 0;
}
