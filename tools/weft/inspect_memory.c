/* Reading another process's memory, many pieces at a time, and keeping what was read. */
#include "inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "command.h"

enum { PIECES_AT_ONCE = 512, BLOCK_SIZE = 256 * 1024 };

/* ---- Reading ---- */

/* Pieces that lie side by side, here and there, are one to the system. */
static size_t join(const struct piece *pieces, size_t count, struct iovec *here, struct iovec *there)
{
    size_t parts = 0;
    for (size_t i = 0; i < count; i++) {
        const struct piece *piece = &pieces[i];
        struct iovec *into = &here[parts], *from = &there[parts];
        bool follows = parts > 0 && (char *)into[-1].iov_base + into[-1].iov_len == piece->into &&
                       (uintptr_t)from[-1].iov_base + from[-1].iov_len == piece->address;
        if (follows) {
            into[-1].iov_len += piece->size;
            from[-1].iov_len += piece->size;
            continue;
        }
        *into = (struct iovec){.iov_base = piece->into, .iov_len = piece->size};
        *from = (struct iovec){.iov_base = (void *)(uintptr_t)piece->address, .iov_len = piece->size};
        parts++;
    }
    return parts;
}

/* Reads up to the first piece that cannot be read; gives how many were. */
static size_t read_some(struct memory *memory, struct piece *pieces, size_t count)
{
    static struct iovec here[PIECES_AT_ONCE], there[PIECES_AT_ONCE];
    size_t parts = join(pieces, count, here, there);
    ssize_t got = process_vm_readv(memory->pid, here, parts, there, parts, 0);
    if (got < 0 && errno != EFAULT) memory->failed = errno;
    size_t left = got > 0 ? (size_t)got : 0, whole = 0;
    while (whole < count && left >= pieces[whole].size) {
        left -= pieces[whole].size;
        pieces[whole++].whole = true;
    }
    return whole;
}

static void read_process(struct memory *memory, struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++) pieces[i].whole = false;
    for (size_t done = 0; done < count;) {
        size_t batch = count - done < PIECES_AT_ONCE ? count - done : PIECES_AT_ONCE;
        size_t whole = memory->failed == 0 ? read_some(memory, pieces + done, batch) : 0;
        done += whole;
        if (whole == batch) continue;
        memset(pieces[done].into, 0, pieces[done].size);
        done++;
    }
}

void memory_of_process(struct memory *memory, pid_t pid)
{
    *memory = (struct memory){.read = read_process, .pid = pid};
}

bool read_memory(struct memory *memory, uint64_t address, void *into, size_t size)
{
    struct piece piece = {.address = address, .into = into, .size = size};
    memory->read(memory, &piece, 1);
    return piece.whole;
}

/* ---- A store ---- */

struct store_block {
    struct store_block *before;
    size_t used, size;
    max_align_t memory[];
};

static void out_of_memory(void)
{
    fail("out of memory");
}

void *store_take(struct store *store, size_t size)
{
    size = (size + 15) & ~(size_t)15;
    struct store_block *block = store->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        block = calloc(1, sizeof *block + room);
        if (block == NULL) out_of_memory();
        block->size = room;
        block->before = store->blocks;
        store->blocks = block;
    }
    void *memory = (char *)block->memory + block->used;
    block->used += size;
    return memory;
}

void store_clear(struct store *store)
{
    while (store->blocks != NULL) {
        struct store_block *block = store->blocks;
        store->blocks = block->before;
        free(block);
    }
}

/* ---- A table: open addressing, never over half full ---- */

static size_t slot_of(const struct table *table, uint64_t key)
{
    size_t slot = (size_t)((key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (table->room - 1);
    while (table->values[slot] != NULL && table->keys[slot] != key) slot = (slot + 1) & (table->room - 1);
    return slot;
}

void *table_find(const struct table *table, uint64_t key)
{
    return table->room > 0 ? table->values[slot_of(table, key)] : NULL;
}

static void grow(struct table *table)
{
    struct table larger = {.room = table->room > 0 ? table->room * 2 : 256};
    larger.keys = calloc(larger.room, sizeof *larger.keys);
    larger.values = calloc(larger.room, sizeof *larger.values);
    if (larger.keys == NULL || larger.values == NULL) out_of_memory();
    for (size_t i = 0; i < table->room; i++)
        if (table->values[i] != NULL) table_put(&larger, table->keys[i], table->values[i]);
    table_clear(table);
    *table = larger;
}

void table_put(struct table *table, uint64_t key, void *value)
{
    if (table->count * 2 >= table->room) grow(table);
    size_t slot = slot_of(table, key);
    if (table->values[slot] == NULL) table->count++;
    table->keys[slot] = key;
    table->values[slot] = value;
}

void table_clear(struct table *table)
{
    free(table->keys);
    free(table->values);
    *table = (struct table){.count = 0};
}
