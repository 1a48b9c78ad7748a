/* Texts of another process: names, places. Bounded, escaped, read once each. */
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

enum { FIRST_BYTES = 64, TEXT_MAX = 256, PAGE = 4096 };

/* As much as a text may have there without going on to another page, which may be missing. */
static size_t bytes_before_border(uint64_t address, size_t most)
{
    size_t left = PAGE - (size_t)(address % PAGE);
    return left < most ? left : most;
}

/* A copy of the bytes before the first zero, with `\xNN` for what is not printed as it is. UTF-8 is left alone. */
static const char *escaped(struct store *store, const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = store_take(store, 4 * size + 1), *end = text;
    for (size_t i = 0; i < size && bytes[i] != '\0'; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= ' ' && c != 0x7f && c != '\\' && c < 0x80) {
            *end++ = (char)c;
            continue;
        }
        *end++ = '\\';
        *end++ = 'x';
        *end++ = digits[c >> 4];
        *end++ = digits[c & 15];
    }
    return text;
}

/* Reads on where the first bytes held no end. */
static const char *long_text(struct memory *memory, struct store *store, uint64_t address, const char *first,
                             size_t size)
{
    char bytes[TEXT_MAX];
    memcpy(bytes, first, size);
    while (size < TEXT_MAX && memchr(bytes, '\0', size) == NULL) {
        size_t more = bytes_before_border(address + size, TEXT_MAX - size);
        if (!read_memory(memory, address + size, bytes + size, more)) break;
        size += more;
    }
    return escaped(store, bytes, size);
}

const char *fresh_text(struct memory *memory, struct snapshot *snapshot, uint64_t address)
{
    char bytes[FIRST_BYTES];
    size_t size = bytes_before_border(address, sizeof bytes);
    if (address == 0 || !read_memory(memory, address, bytes, size)) return "?";
    return long_text(memory, &snapshot->store, address, bytes, size);
}

const char *text_at(struct memory *memory, struct snapshot *snapshot, uint64_t address)
{
    const char *known = table_find(&snapshot->strings, address);
    if (known != NULL) return known;
    const char *text = fresh_text(memory, snapshot, address);
    table_put(&snapshot->strings, address, (void *)(uintptr_t)text);
    return text;
}

void read_texts(struct memory *memory, struct snapshot *snapshot, const uint64_t *addresses, size_t count)
{
    struct piece *pieces = calloc(count + 1, sizeof *pieces);
    char(*bytes)[FIRST_BYTES] = calloc(count + 1, sizeof *bytes);
    size_t unknown = 0;
    for (size_t i = 0; pieces != NULL && bytes != NULL && i < count; i++) {
        if (addresses[i] == 0 || table_find(&snapshot->strings, addresses[i]) != NULL) continue;
        table_put(&snapshot->strings, addresses[i], (void *)(uintptr_t) "?");
        size_t size = bytes_before_border(addresses[i], FIRST_BYTES);
        pieces[unknown] = (struct piece){.address = addresses[i], .into = bytes[unknown], .size = size};
        unknown++;
    }
    if (unknown > 0) memory->read(memory, pieces, unknown);
    for (size_t i = 0; i < unknown; i++) {
        if (!pieces[i].whole) continue;
        const char *text = long_text(memory, &snapshot->store, pieces[i].address, bytes[i], pieces[i].size);
        table_put(&snapshot->strings, pieces[i].address, (void *)(uintptr_t)text);
    }
    free(pieces);
    free(bytes);
}
