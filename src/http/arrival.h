/* What happens on a connection before its first request: a proxy says whose it is, TLS shakes hands. */
#ifndef WEFT_HTTP_ARRIVAL_H
#define WEFT_HTTP_ARRIVAL_H

#include "http/connection.h"
#include "http/lent.h"

struct arrival {
    struct lent lent;
    bool lends;
    struct wf_stream *tls; /* NULL: there is none */
    bool speaks_h2;        /* by ALPN */
};

/* connection->stream is then what requests come on. Whatever this gives, arrival_end follows. */
int arrival_begin(struct arrival *arrival, struct connection *connection);
void arrival_end(struct arrival *arrival, bool abort);

#endif
