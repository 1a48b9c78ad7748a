/*
 * The connection below, as OpenSSL sees it: two buffers. Nothing waits in here, so that a reader and a writer, tasks of
 * one loop, never meet inside OpenSSL; what is short makes OpenSSL return, and the task waits outside.
 */
#include <openssl/bio.h>
#include <string.h>

#include "tls/tls.h"

static int bytes_read(BIO *bio, char *bytes, int size_max)
{
    struct connection *connection = BIO_get_data(bio);
    size_t size = connection->in_used - connection->in_first;
    BIO_clear_retry_flags(bio);
    if (size_max <= 0) return 0;
    if (size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    if (size > (size_t)size_max) size = (size_t)size_max;
    memcpy(bytes, connection->in + connection->in_first, size);
    connection->in_first += size;
    return (int)size;
}

/* While `out` is being sent its bytes stay where they are: more of them go behind. */
static int bytes_write(BIO *bio, const char *bytes, int size_max)
{
    struct connection *connection = BIO_get_data(bio);
    size_t room = OUT_SIZE - connection->out_used;
    BIO_clear_retry_flags(bio);
    if (size_max <= 0) return 0;
    if (room == 0) {
        BIO_set_retry_write(bio);
        return -1;
    }
    size_t size = room < (size_t)size_max ? room : (size_t)size_max;
    memcpy(connection->out + connection->out_used, bytes, size);
    connection->out_used += size;
    return (int)size;
}

static long bytes_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bytes_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *bytes_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weft stream");
    if (method == NULL) return NULL;
    BIO_meth_set_create(method, bytes_create);
    BIO_meth_set_read(method, bytes_read);
    BIO_meth_set_write(method, bytes_write);
    BIO_meth_set_ctrl(method, bytes_control);
    return method;
}

BIO *bytes_open(struct connection *connection)
{
    BIO *bio = BIO_new(connection->config->bytes);
    if (bio != NULL) BIO_set_data(bio, connection);
    return bio;
}
