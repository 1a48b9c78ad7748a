/*
 * A stream that stays its owner's: what is put on it may close it without closing the one below. It may have bytes that
 * were read already, and other addresses than its own.
 */
#ifndef WEFT_HTTP_LENT_H
#define WEFT_HTTP_LENT_H

#include <weft/address.h>
#include <weft/extend.h>

struct lent {
    struct wf_stream stream; /* first */
    struct wf_stream *under;
    char *bytes; /* on the heap: those from `first` to `end` are read before those below; NULL: none */
    size_t first, end;
    bool has_addresses;
    struct wf_address peer, local;
};

void lent_init(struct lent *lent, struct wf_stream *under);

/* Whatever happened to it; it is closed, if nobody did it. */
void lent_finish(struct lent *lent);

#endif
