/* A call over HTTP/1.1: what sending (c1_send.c), heads (c1_head.c) and bodies (c1.c) share. */
#ifndef WEFT_CLIENT_C1_H
#define WEFT_CLIENT_C1_H

#include "client/client.h"

/* A whole head, which is changed; it must lie in the arena of the call. Sets the response's status and fields, and how
 * the body is framed. */
int c1_parse_head(struct call *call, char *text, size_t size);

/* Sends the request. Its body goes out while the answer may come already; `read_head` is called meanwhile. Suspends. */
int c1_send(struct call *call, int (*read_head)(struct call *call));

/* Bytes from the connection: 0 at its end; -ESHUTDOWN where the client is closed. Suspends. */
ssize_t c1_receive(struct call *call, void *buffer, size_t size);

#endif
