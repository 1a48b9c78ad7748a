/*
 * OpenSSL's buffers for records, 33 KB a connection. Giving them back after every record, as it does where it is asked
 * to (SSL_MODE_RELEASE_BUFFERS), costs an allocation for each record read or written. So the connections of a thread
 * that came last keep theirs, a number that is bounded, and whoever needs a place gives those of the oldest back.
 */
#include "tls/tls.h"

enum { WARM_MAX = 128 };

static _Thread_local struct {
    struct connection *connections[WARM_MAX];
    unsigned next;
} warm;

/* In the middle of a record, or of what is taken out of one, they are in use, which not every OpenSSL notices
 * (CVE-2024-4741); it gets a place again with its next bytes. */
static void cool_down(struct connection *connection)
{
    connection->warm_place = 0;
    if (connection->between_records && !SSL_has_pending(connection->ssl)) SSL_free_buffers(connection->ssl);
}

void warm_up(struct connection *connection)
{
    unsigned place = warm.next++ % WARM_MAX;
    if (warm.connections[place] != NULL) cool_down(warm.connections[place]);
    warm.connections[place] = connection;
    connection->warm_place = place + 1;
}

void warm_leave(struct connection *connection)
{
    if (connection->warm_place > 0) warm.connections[connection->warm_place - 1] = NULL;
}
