/*
 * A TLS connection as a stream.
 *
 * At most one task reads and one writes (net/stream.c sees to that), and both use one SSL object: each step inside
 * OpenSSL is taken without waiting, with bytes that have come (`in`) and room for what shall go (`out`). The waiting is
 * done outside, on the stream below. That one, too, has one writer at a time, so whoever sends `out` holds `sending`.
 *
 *     write:  lock - encrypt into `out` - send all of `out` - unlock
 *     read:   decrypt from `in`; nothing there: read below into `in`, again
 *
 * What reading gives birth to (an answer to a key update, a warning) stays in `out` and goes with the next write: a
 * reader that had to send could wait for a peer that does not read because it waits for us. A record that was encrypted
 * has its number, and the next one is worth nothing without it: when it could not be sent as a whole, nothing else can.
 */
#include <string.h>
#include <weft/task.h>

#include "tls/tls.h"

static struct connection *connection_of(struct wf_stream *stream)
{
    return (struct connection *)stream;
}

/* ---- The stream below ---- */

int connection_fill(struct connection *connection, const char *meanwhile)
{
    if (connection->under == NULL) return -EBADF;
    connection->in_first = connection->in_used = 0;
    ssize_t got = wf_stream_read(connection->under, connection->in, sizeof connection->in);
    if (got < 0) return (int)got;
    if (got == 0) return fault_set(&connection->fault, WF_EEND, "the peer ended the connection %s", meanwhile);
    connection->in_used = (size_t)got;
    return 0;
}

int connection_send(struct connection *connection)
{
    while (connection->out_first < connection->out_used) {
        if (connection->under == NULL) return -EBADF;
        size_t sent = 0, size = connection->out_used - connection->out_first;
        int rc = wf_stream_write_all(connection->under, connection->out + connection->out_first, size, &sent);
        connection->out_first += sent;
        if (rc < 0) {
            connection->cut |= sent > 0;
            return rc;
        }
    }
    connection->out_first = connection->out_used = 0;
    return 0;
}

static int send_locked(struct connection *connection)
{
    int rc = wf_mutex_lock(&connection->sending);
    if (rc < 0) return rc;
    rc = connection_send(connection);
    wf_mutex_unlock(&connection->sending);
    return rc;
}

void connection_send_alert(struct connection *connection)
{
    if (connection->out_first < connection->out_used)
        wf_ignore(wf_within(WF_MILLISECONDS(100), send_locked(connection)));
}

/* ---- Reading ---- */

/* May there be something to read without the stream below? */
static bool has_something(const struct connection *connection)
{
    return connection->in_first < connection->in_used || connection->read_code != 0 ||
           SSL_has_pending(connection->ssl) || (SSL_get_shutdown(connection->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

static int read_failed(struct connection *connection)
{
    fault_of_openssl(&connection->fault);
    connection->read_code = connection->fault.code;
    connection_send_alert(connection);
    return fault_tell(&connection->fault, NULL);
}

static int wait_for_bytes(struct connection *connection)
{
    int rc = connection_fill(connection, "without a goodbye (close_notify): what came may be truncated");
    if (rc != WF_EEND) return rc;
    connection->read_code = rc;
    return fault_tell(&connection->fault, NULL);
}

/* Bytes that are there; 0: the end; -EAGAIN: there are none, and something else is to be done first. */
static ssize_t decrypt(struct connection *connection, void *buffer, size_t size, int *reason)
{
    size_t got;
    forget_errors();
    int rc = SSL_read_ex(connection->ssl, buffer, size, &got);
    connection->between_records = rc == 1;
    if (connection->warm_place == 0) warm_up(connection);
    if (rc == 1) return (ssize_t)got;
    *reason = SSL_get_error(connection->ssl, rc);
    return *reason == SSL_ERROR_ZERO_RETURN ? 0 : -EAGAIN;
}

static ssize_t tls_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct connection *connection = connection_of(stream);
    int rc = has_something(connection) ? wf_checkpoint() : wait_for_bytes(connection);
    while (rc == 0) {
        if (connection->under == NULL) return -EBADF;
        if (connection->read_code != 0) return fault_tell(&connection->fault, NULL);
        int reason = SSL_ERROR_NONE;
        ssize_t got = decrypt(connection, buffer, size, &reason);
        if (got != -EAGAIN) return got;
        if (reason == SSL_ERROR_WANT_READ) rc = wait_for_bytes(connection);
        else if (reason == SSL_ERROR_WANT_WRITE) rc = send_locked(connection);
        else rc = read_failed(connection);
    }
    return rc;
}

/* ---- Writing ---- */

/* Small parts make one record: in a place of their own for a moment, where there is memory for it. */
static size_t encrypt_parts(struct connection *connection, const struct iovec *parts, int count)
{
    size_t size = 0, written = 0;
    char *together = wf_memory_alloc(RECORD_MAX);
    if (together == NULL) {
        size = parts->iov_len < RECORD_MAX ? parts->iov_len : RECORD_MAX;
        return SSL_write_ex(connection->ssl, parts->iov_base, size, &written) == 1 ? written : 0;
    }
    for (int i = 0; i < count && size < RECORD_MAX; i++) {
        size_t piece = parts[i].iov_len < RECORD_MAX - size ? parts[i].iov_len : RECORD_MAX - size;
        memcpy(together + size, parts[i].iov_base, piece);
        size += piece;
    }
    bool done = SSL_write_ex(connection->ssl, together, size, &written) == 1;
    wf_memory_free(together);
    return done ? written : 0;
}

/* One record of some of the parts; 0: it failed. There is room for it. */
static size_t encrypt(struct connection *connection, const struct iovec *parts, int count)
{
    size_t written = 0, size = parts->iov_len;
    forget_errors();
    if (count > 1 && size < RECORD_MAX) return encrypt_parts(connection, parts, count);
    if (size > RECORD_MAX) size = RECORD_MAX;
    return SSL_write_ex(connection->ssl, parts->iov_base, size, &written) == 1 ? written : 0;
}

static int write_failed(struct connection *connection)
{
    struct fault fault = {.code = 0};
    connection->cut = true;
    fault_of_openssl(&fault);
    return fault_tell(&fault, NULL);
}

/* Room for a record. Between this and what is put there nobody else runs. */
static int make_room(struct connection *connection)
{
    int rc = 0;
    while (rc == 0 && OUT_SIZE - connection->out_used < RECORD_ROOM) rc = connection_send(connection);
    if (rc < 0) return rc;
    if (connection->under == NULL) return -EBADF;
    return connection->cut ? -EPIPE : 0;
}

static bool goodbye_said(const struct connection *connection)
{
    return (SSL_get_shutdown(connection->ssl) & SSL_SENT_SHUTDOWN) != 0;
}

static ssize_t write_record(struct connection *connection, const struct iovec *parts, int count)
{
    int rc = make_room(connection);
    if (rc == 0 && goodbye_said(connection)) rc = -EPIPE;
    if (rc < 0) return rc;
    size_t written = encrypt(connection, parts, count);
    if (connection->warm_place == 0) warm_up(connection);
    if (written == 0) return write_failed(connection);
    rc = connection_send(connection);
    if (rc == 0) return (ssize_t)written;
    connection->cut = true;
    return rc;
}

static ssize_t tls_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)all;
    struct connection *connection = connection_of(stream);
    int rc = wf_mutex_lock(&connection->sending);
    if (rc < 0) return rc;
    ssize_t written = write_record(connection, parts, count);
    wf_mutex_unlock(&connection->sending);
    return written;
}

/* ---- The end ---- */

static int say_goodbye(struct connection *connection)
{
    int rc = make_room(connection);
    if (rc < 0) return rc;
    forget_errors();
    if (!goodbye_said(connection) && SSL_shutdown(connection->ssl) < 0) return write_failed(connection);
    return connection_send(connection);
}

/* Cut short before any of it was sent, it may be said again. */
static int tls_shutdown(struct wf_stream *stream)
{
    struct connection *connection = connection_of(stream);
    int rc = wf_mutex_lock(&connection->sending);
    if (rc < 0) return rc;
    rc = say_goodbye(connection);
    wf_mutex_unlock(&connection->sending);
    return rc;
}

static void tls_close(struct wf_stream *stream, bool abort)
{
    struct connection *connection = connection_of(stream);
    struct wf_stream *under = connection->under;
    connection->under = NULL;
    if (abort) wf_stream_abort(under);
    else wf_stream_close(under);
    wf_stream_release(stream);
}

static void tls_destroy(struct wf_stream *stream)
{
    connection_free(connection_of(stream));
}

static int tls_fd(const struct wf_stream *stream)
{
    const struct connection *connection = (const struct connection *)stream;
    return connection->under != NULL ? wf_stream_fd(connection->under) : -1;
}

static int tls_address(const struct wf_stream *stream, bool peer, struct wf_address *address)
{
    const struct connection *connection = (const struct connection *)stream;
    if (connection->under == NULL) return -EBADF;
    return peer ? wf_stream_peer(connection->under, address) : wf_stream_local(connection->under, address);
}

const struct wf_stream_class connection_class = {
    .name = "tls",
    .read = tls_read,
    .write = tls_write,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .destroy = tls_destroy,
    .fd = tls_fd,
    .address = tls_address,
};
