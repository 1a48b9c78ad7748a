/* Answers on tape, for tests without their server. */
#ifndef WEFT_CLIENT_TAPE_H
#define WEFT_CLIENT_TAPE_H

#include "client/client.h"

/* Gives call->wire: one from which the answer comes that is next on the tape. Suspends while the tape is read. */
int tape_take(struct call *call);

/* Some bytes of an answer that is to be kept. */
int tape_keep(struct call *call, const void *bytes, size_t size);

/* The answer is whole: it goes onto the tape. Suspends. */
int tape_write(struct call *call);

/* Never suspends. */
void tape_forget(struct call *call);

#endif
