/* What happens on a connection before its first request: a proxy says whose it is, TLS shakes hands. */
#ifndef WEFT_HTTP_ARRIVAL_H
#define WEFT_HTTP_ARRIVAL_H

#include "http/connection.h"

struct arrival;

/*
 * connection->stream is then what requests come on, and `*arrival`, on the heap, what it needs; NULL: nothing. Whatever
 * this gives, arrival_end follows.
 */
int arrival_begin(struct connection *connection, struct arrival **arrival);
void arrival_end(struct arrival *arrival);

#endif
