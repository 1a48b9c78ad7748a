/*
 * An arena against a list of what it handed out: every piece is aligned, keeps its bytes, and nothing past the limit or
 * past what memory there is comes out. AddressSanitizer watches the borders.
 */
#include <weft/arena.h>

#include <string.h>

#include "fuzz.h"

enum {
    PIECES_MAX = 200,
    ALIGNMENT = 16,
    TEXT_MAX = 5000,
    BLOCK_MAX = 1 << 20, /* the system has no larger ones: a request past that fails */
};

struct piece {
    unsigned char *bytes;
    size_t size;
    unsigned char fill;
};

static struct input input;
static struct wf_arena arena;
static struct piece pieces[PIECES_MAX];
static size_t count, limit, handed_out;

/* ---- An allocator that runs out ---- */

static void *allocate(void *context, size_t size)
{
    (void)context;
    return size > BLOCK_MAX ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return size > BLOCK_MAX ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* ---- The model ---- */

static void check_pieces(void)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].size; j++) CLAIM(pieces[i].bytes[j] == pieces[i].fill);
    CLAIM(limit == 0 || handed_out <= limit);
}

/* A piece that came out, or did not. */
static void note(void *memory, size_t size)
{
    size_t used = wf_arena_used(&arena);
    if (memory == NULL) {
        CLAIM(used == handed_out);
        bool too_large = size > BLOCK_MAX / 2;
        CLAIM(too_large || (limit != 0 && size + ALIGNMENT > limit - handed_out));
        return;
    }
    CLAIM((uintptr_t)memory % ALIGNMENT == 0);
    CLAIM(used >= handed_out + size && used <= handed_out + size + ALIGNMENT);
    handed_out = used;
    struct piece *piece = &pieces[count++];
    *piece = (struct piece){.bytes = memory, .size = size, .fill = (unsigned char)count};
    memset(memory, piece->fill, size);
}

static void check_zero(const void *memory, size_t size)
{
    for (size_t i = 0; memory != NULL && i < size; i++) CLAIM(((const unsigned char *)memory)[i] == 0);
}

/* ---- Operations ---- */

static size_t take_size(void)
{
    return take(&input, 4) == 0 ? (size_t)take_wide(&input) : take(&input, 256);
}

static void allocate_piece(void)
{
    size_t size = take_size();
    note(wf_arena_alloc(&arena, size), size);
}

static void allocate_array(void)
{
    size_t elements = take_size(), element_size = take_size(), size;
    void *memory = wf_arena_array(&arena, elements, element_size);
    if (__builtin_mul_overflow(elements, element_size, &size)) {
        CLAIM(memory == NULL);
        return;
    }
    check_zero(memory, size);
    note(memory, size);
}

static void copy_bytes(void)
{
    size_t size = take(&input, 64);
    if (size > input.left) size = input.left;
    void *copy = wf_arena_copy(&arena, input.bytes, size);
    if (copy != NULL && size > 0) CLAIM(memcmp(copy, input.bytes, size) == 0);
    note(copy, size);
}

/* The rest of the input is not terminated: the bound is all that holds. */
static void copy_text(void)
{
    size_t most = take(&input, 64);
    if (most > input.left) most = input.left;
    size_t size = strnlen((const char *)input.bytes, most);
    char *copy = wf_arena_strndup(&arena, (const char *)input.bytes, most);
    if (copy != NULL) CLAIM(strlen(copy) == size && memcmp(copy, input.bytes, size) == 0);
    note(copy, size + 1);
}

static void print_text(void)
{
    int width = (int)(take_size() % TEXT_MAX), number = (int)take(&input, 256) - 128;
    static char expected[2 * TEXT_MAX + 16];
    int size = snprintf(expected, sizeof expected, "%*d|%-*s|%%", width, number, number, "text");
    char *text = wf_arena_printf(&arena, "%*d|%-*s|%%", width, number, number, "text");
    if (text != NULL) CLAIM(strcmp(text, expected) == 0);
    note(text, (size_t)size + 1);
}

static void forget(void)
{
    check_pieces();
    if (take(&input, 2) == 0) wf_arena_finish(&arena);
    else wf_arena_reset(&arena);
    CLAIM(wf_arena_used(&arena) == 0);
    count = handed_out = 0;
}

static void set_limit(void)
{
    forget();
    limit = take(&input, 2) == 0 ? 0 : take_size();
    wf_arena_set_limit(&arena, limit);
}

static void step(void)
{
    static void (*const operations[])(void) = {
        allocate_piece, allocate_array, copy_bytes, copy_text, print_text, forget, set_limit,
    };
    operations[take(&input, sizeof operations / sizeof *operations)]();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct wf_allocator small = {.allocate = allocate, .resize = resize, .release = release};
    CLAIM(wf_set_allocator(&small) == 0);
    input = (struct input){.bytes = bytes, .left = size};
    count = limit = handed_out = 0;
    wf_arena_init(&arena);
    while (!input_over(&input) && count < PIECES_MAX) step();
    check_pieces();
    wf_arena_finish(&arena);
    CLAIM(wf_allocated_blocks() == 0);
    return 0;
}
