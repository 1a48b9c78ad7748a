/* Reading a directory: what wf_directory and wf_walk stand on. */
#ifndef WEFT_OS_LISTING_H
#define WEFT_OS_LISTING_H

#include "core/driver.h"

struct listing;

/* `flags`: LIST_STATUS or 0. Suspends. */
int listing_open(const char *path, unsigned flags, struct listing **listing);
/* The next one, valid until the next call: 1, or 0 at the end. Suspends. */
int listing_next(struct listing *listing, const struct listed **listed);
void listing_close(struct listing *listing);

/* The error as it is, with a message that begins with the path. */
int path_failed(int rc, const char *path);

#endif
