/* Moving many bytes to a stream, from another stream or from a file. */
#ifndef WEFT_NET_COPY_H
#define WEFT_NET_COPY_H

#include <weft/extend.h>

#include "core/driver.h"

struct copy {
    struct wf_stream *from; /* NULL: a file */
    struct desc *file;
    int64_t offset; /* of the file */
    struct wf_stream *to;
    uint64_t left, done;
};

/* Moves what is left, or up to the end. The caller keeps the source; `to` is kept here. Suspends. */
int copy_run(struct copy *copy);

#endif
