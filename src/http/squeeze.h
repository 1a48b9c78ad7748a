/* Compressing and decompressing piece by piece, the same for every encoding. */
#ifndef WEFT_HTTP_SQUEEZE_H
#define WEFT_HTTP_SQUEEZE_H

#include <stddef.h>
#include <stdint.h>

#include "http/encodings.h"

enum squeeze_until {
    SQUEEZE_MORE,   /* keep what is worth keeping */
    SQUEEZE_FLUSH,  /* all that was taken has to come out */
    SQUEEZE_FINISH, /* and nothing follows */
};

/* Bytes that go in, and room for those that come out; both move on. */
struct squeeze_piece {
    const char *in;
    size_t in_size;
    char *out;
    size_t out_size;
};

struct squeezer {
    const struct squeeze_class *class;
    void *state;
};

struct squeeze_class {
    int (*begin)(struct squeezer *squeezer);
    /* 1: there may be more to come out; 0: all that was asked for is done; for a decompressor: the end has come. */
    int (*step)(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until);
    void (*finish)(struct squeezer *squeezer);
};

extern const struct squeeze_class squeeze_classes[ENCODINGS], swell_classes[ENCODINGS];

/* Errors: -ENOMEM. */
static inline int squeezer_begin(struct squeezer *squeezer, const struct squeeze_class *class)
{
    squeezer->class = class;
    squeezer->state = NULL;
    return class->begin(squeezer);
}

/* Errors: -EBADMSG, -ENOMEM. */
static inline int squeezer_step(struct squeezer *squeezer, struct squeeze_piece *piece, enum squeeze_until until)
{
    return squeezer->class->step(squeezer, piece, until);
}

static inline void squeezer_finish(struct squeezer *squeezer)
{
    if (squeezer->state != NULL) squeezer->class->finish(squeezer);
    squeezer->state = NULL;
}

#endif
