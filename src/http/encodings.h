/* Ways to compress content, and which of them a client takes (RFC 9110 section 12.5.3). */
#ifndef WEFT_HTTP_ENCODINGS_H
#define WEFT_HTTP_ENCODINGS_H

#include <weft/message.h>

enum encoding {
    ENCODING_ZSTD,
    ENCODING_BROTLI,
    ENCODING_GZIP,
    ENCODINGS,
};

struct encoding_name {
    const char *name, *ending; /* as a token; of a file */
};

extern const struct encoding_name encodings[ENCODINGS];

/* Those that the client takes, what it likes best first, of equals in the order above. Gives how many. */
unsigned encodings_accepted(const struct wf_headers *headers, unsigned order[ENCODINGS]);

/* The one of that name, "x-gzip" too; -1: not known. */
int encoding_named(const char *name, size_t size);

#endif
