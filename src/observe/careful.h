/*
 * Reading memory that may not be there: the system copies it, and says where it cannot be read.
 *
 * Threads: any, and signal handlers.
 */
#ifndef WEFT_OBSERVE_CAREFUL_H
#define WEFT_OBSERVE_CAREFUL_H

#include <stdbool.h>
#include <stddef.h>

bool careful_copy(void *into, const void *from, size_t size);

/* As much of a text as can be read, and has room; '?' for control characters; "?" where nothing can. `size` > 1. */
void careful_text(char *into, size_t size, const char *from);

#endif
