/* The library's heap: every allocation goes through the public allocator hook and is counted. */
#ifndef WEFT_BASE_MEMORY_H
#define WEFT_BASE_MEMORY_H

#include <weft/base.h>

WF_CHECKED void *memory_alloc(size_t size);
WF_CHECKED void *memory_zero(size_t size);
/* NULL is allowed for `memory`; on failure the old block stays valid. */
WF_CHECKED void *memory_resize(void *memory, size_t size);
/* A copy of a text. */
WF_CHECKED char *memory_copy_text(const char *text);
/* NULL is ignored. */
void memory_free(void *memory);

#endif
