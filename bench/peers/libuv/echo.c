/* Callbacks; writes at once what the socket takes (uv_try_write) and queues only the rest, which is libuv's fastest. */
#include "../../floors/listener.h"

#include <string.h>
#include <unistd.h>
#include <uv.h>

struct remainder {
    uv_write_t write;
    char bytes[];
};

static char input[64 * 1024];  /* a read is answered before the next one is made: one buffer serves all */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle, (void)suggested;
    *buffer = uv_buf_init(input, sizeof input);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void free_write(uv_write_t *write, int status)
{
    (void)status;
    free(write);
}

static void write_rest(uv_stream_t *stream, const char *bytes, size_t size)
{
    struct remainder *rest = malloc(sizeof *rest + size);
    if (rest == NULL) abort();
    memcpy(rest->bytes, bytes, size);
    uv_buf_t buffer = uv_buf_init(rest->bytes, (unsigned)size);
    uv_write(&rest->write, stream, &buffer, 1, free_write);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    if (size < 0) {
        uv_close((uv_handle_t *)stream, free_handle);
        return;
    }
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)size);
    int written = uv_try_write(stream, &answer, 1);
    if (written < 0 && written != UV_EAGAIN) return;  /* the next read reports why and closes */
    if (written < 0) written = 0;
    if (written < size) write_rest(stream, buffer->base + written, (size_t)(size - written));
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *connection = malloc(sizeof *connection);
    if (status < 0 || connection == NULL) abort();
    uv_tcp_init(listener->loop, connection);
    uv_accept(listener, (uv_stream_t *)connection);
    uv_tcp_nodelay(connection, 1);
    uv_read_start((uv_stream_t *)connection, give_buffer, on_read);
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    uv_tcp_init(loop, &listener);
    uv_ip4_addr("127.0.0.1", 0, &address);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) < 0) fail("bind");
    if (uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection) < 0) fail("listen");
    uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
