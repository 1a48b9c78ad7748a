/* Is a text UTF-8 (RFC 3629)? It may come in pieces that end anywhere. */
#ifndef WEFT_HTTP_UTF8_H
#define WEFT_HTTP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: the beginning of a text. */
struct utf8 {
    unsigned char left;      /* bytes that the character still lacks */
    unsigned char low, high; /* between which the next of them has to be */
};

/* The next piece. False: no text begins like that; then every further piece is refused too. */
bool utf8_take(struct utf8 *utf8, const char *bytes, size_t size);

/* May the text end here? */
static inline bool utf8_may_end(const struct utf8 *utf8)
{
    return utf8->left == 0;
}

#endif
