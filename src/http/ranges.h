/* Parts of a representation that a client asks for (RFC 9110 section 14.1). */
#ifndef WEFT_HTTP_RANGES_H
#define WEFT_HTTP_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t first, size;
};

enum {
    RANGES_ALL = -1,  /* there are none, or none that are taken: all is sent */
    RANGES_NONE = -2, /* none of them is within the size */
};

/* The ranges of "bytes=0-99,-10" within `size` bytes; how many, at most `max`, or what is above. */
int ranges_read(const char *text, uint64_t size, struct range *ranges, int max);

#endif
