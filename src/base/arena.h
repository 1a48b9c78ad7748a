/* An arena that begins in memory of somebody else's, and what it took beyond. */
#ifndef WEFT_BASE_ARENA_H
#define WEFT_BASE_ARENA_H

#include <weft/arena.h>

enum { ARENA_BLOCK_HEAD = 16 }; /* of a block's bytes the arena keeps so many for itself */

/* Has an empty arena begin in that memory, aligned for any type and larger than the head of a block. It must live until
 * the arena is finished, which does not free it. */
void arena_lend(struct wf_arena *arena, void *memory, size_t size);

/* Bytes of the blocks that it took from the heap. */
size_t arena_own_memory(const struct wf_arena *arena);

#endif
