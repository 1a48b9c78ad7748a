/* Answers in HTTP/1.x: the head, the framing of the body, and when bytes go out. */
#include "http/h1.h"

#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/task.h>

enum {
    OUT_FIRST = 4096,
    OUT_MAX = 16384, /* what is collected; more goes out at once */
};

/* ---- Bytes ---- */

int h1_flush(struct h1 *h1)
{
    struct outgoing *out = &h1->work->out;
    if (out->size == 0) return 0;
    struct connection *connection = h1->connection;
    connection->writing = true;
    int rc = wf_stream_write_all(connection->stream, out->bytes, out->size, NULL);
    connection->writing = false;
    out->size = 0;
    return rc;
}

static int grow(struct outgoing *out, size_t needed)
{
    size_t room = out->room == 0 ? OUT_FIRST : out->room;
    while (room < needed) room *= 2;
    char *bytes = wf_memory_resize(out->bytes, room);
    if (bytes == NULL) return -ENOMEM;
    out->bytes = bytes;
    out->room = room;
    return 0;
}

static int make_room(struct h1 *h1, size_t size)
{
    struct outgoing *out = &h1->work->out;
    int rc = out->size + size > OUT_MAX ? h1_flush(h1) : 0;
    return rc == 0 && out->size + size > out->room ? grow(out, out->size + size) : rc;
}

/* Room for so many bytes in one piece; NULL with *rc set when there is none. */
static inline char *reserve(struct h1 *h1, size_t size, int *rc)
{
    struct outgoing *out = &h1->work->out;
    bool there = out->size + size <= OUT_MAX && out->size + size <= out->room;
    *rc = there ? 0 : make_room(h1, size);
    return *rc == 0 ? out->bytes + out->size : NULL;
}

/* Both at once, what was collected first. */
static __attribute__((noinline)) int write_through(struct h1 *h1, const void *bytes, size_t size)
{
    struct outgoing *out = &h1->work->out;
    struct connection *connection = h1->connection;
    struct iovec parts[2] = {{out->bytes, out->size}, {(void *)(uintptr_t)bytes, size}};
    bool first = out->size > 0;
    connection->writing = true;
    int rc = wf_stream_writev_all(connection->stream, first ? parts : parts + 1, first ? 2 : 1, NULL);
    connection->writing = false;
    out->size = 0;
    return rc;
}

static inline int put_out(struct h1 *h1, const void *bytes, size_t size)
{
    if (__builtin_expect(size > OUT_MAX / 2, 0)) return write_through(h1, bytes, size);
    int rc;
    char *to = reserve(h1, size, &rc);
    if (to == NULL) return rc;
    memcpy(to, bytes, size);
    h1->work->out.size += size;
    return 0;
}

int h1_out(struct h1 *h1, const void *bytes, size_t size)
{
    return put_out(h1, bytes, size);
}

/* ---- Heads ---- */

static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

#define PUT(to, literal) put((to), (literal), sizeof(literal) - 1)

static char *put_number(char *to, uint64_t number)
{
    size_t digits = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10) digits++;
    for (size_t at = digits; at-- > 0; number /= 10) to[at] = (char)('0' + number % 10);
    return to + digits;
}

static __attribute__((noinline)) char *put_other_status(char *to, int status)
{
    const char *reason = wf_status_reason(status);
    to = PUT(to, "HTTP/1.1 ");
    to = put_number(to, (uint64_t)status);
    to = PUT(to, " ");
    to = put(to, reason, strlen(reason));
    return PUT(to, "\r\n");
}

static char *put_status(char *to, int status)
{
    return status == 200 ? PUT(to, "HTTP/1.1 200 OK\r\n") : put_other_status(to, status);
}

static char *put_headers(char *to, const struct wf_headers *headers)
{
    for (uint32_t i = 0; i < headers->count; i++) {
        const struct wf_header *header = &headers->list[i];
        to = put(to, header->name, header->name_size);
        to = PUT(to, ": ");
        to = put(to, header->value, header->value_size);
        to = PUT(to, "\r\n");
    }
    return to;
}

static size_t size_of_headers(const struct wf_headers *headers)
{
    size_t size = 0;
    for (uint32_t i = 0; i < headers->count; i++) size += headers->list[i].name_size + headers->list[i].value_size + 4;
    return size;
}

/* How the client knows where the body ends (RFC 9112 section 6). */
static char *put_framing(char *to, struct wf_request *request, int64_t length)
{
    struct h1 *h1 = h1_of(request);
    h1->chunked = false;
    if (request->status == 204 || request->status == 101) return to;
    if (length >= 0) {
        if (request->status == 304) return to;
        to = PUT(to, "content-length: ");
        to = put_number(to, (uint64_t)length);
        return PUT(to, "\r\n");
    }
    if (request->http10) {
        request->close_after = true;
        return to;
    }
    h1->chunked = !request->without_body;
    return PUT(to, "transfer-encoding: chunked\r\n");
}

static char *put_connection(char *to, const struct wf_request *request)
{
    if (request->status == 101) return PUT(to, "connection: upgrade\r\n");
    if (request->close_after) return PUT(to, "connection: close\r\n");
    return request->http10 ? PUT(to, "connection: keep-alive\r\n") : to;
}

int h1_begin(struct wf_request *request, int64_t length)
{
    struct h1 *h1 = h1_of(request);
    const struct server *server = h1->connection->server;
    size_t type_size = request->content_type != NULL ? strlen(request->content_type) : 0;
    int rc;
    char *to = reserve(h1, size_of_headers(&request->answer) + type_size + 256, &rc);
    if (to == NULL) return rc;
    if (wf_draining()) request->close_after = true;
    to = put_status(to, request->status);
    to = put(to, server->date, SERVER_DATE);
    if (type_size > 0) {
        to = PUT(to, "content-type: ");
        to = put(to, request->content_type, type_size);
        to = PUT(to, "\r\n");
    }
    to = put_framing(to, request, length);
    to = put_headers(to, &request->answer);
    to = put_connection(to, request);
    to = PUT(to, "\r\n");
    h1->work->out.size = (size_t)(to - h1->work->out.bytes);
    return 0;
}

int h1_inform(struct wf_request *request, int status)
{
    struct h1 *h1 = h1_of(request);
    if (request->http10) return 0;
    int rc;
    char *to = reserve(h1, size_of_headers(&request->answer) + 128, &rc);
    if (to == NULL) return rc;
    to = put_status(to, status);
    to = put_headers(to, &request->answer);
    to = PUT(to, "\r\n");
    h1->work->out.size = (size_t)(to - h1->work->out.bytes);
    return h1_flush(h1);
}

/* ---- Bodies ---- */

static __attribute__((noinline)) int write_chunk(struct h1 *h1, const void *bytes, size_t size)
{
    char head[24];
    int head_size = snprintf(head, sizeof head, "%zx\r\n", size);
    int rc = h1_out(h1, head, (size_t)head_size);
    if (rc == 0) rc = h1_out(h1, bytes, size);
    return rc == 0 ? h1_out(h1, "\r\n", 2) : rc;
}

int h1_write(struct wf_request *request, const void *bytes, size_t size)
{
    struct h1 *h1 = h1_of(request);
    return h1->chunked ? write_chunk(h1, bytes, size) : put_out(h1, bytes, size);
}

int h1_send(struct wf_request *request, struct wf_file *file, int64_t offset, uint64_t size)
{
    struct h1 *h1 = h1_of(request);
    uint64_t done = 0;
    int rc = h1_flush(h1);
    if (rc < 0) return rc;
    h1->connection->writing = true;
    rc = wf_file_send(file, offset, size, h1->connection->stream, &done);
    h1->connection->writing = false;
    return rc == 0 && done < size ? wf_fail(-EIO, "the file became shorter") : rc;
}

int h1_flush_answer(struct wf_request *request)
{
    return h1_flush(h1_of(request));
}

static __attribute__((noinline)) int end_chunks(struct h1 *h1, const struct wf_request *request)
{
    int rc;
    char *to = reserve(h1, size_of_headers(&request->trailers) + 16, &rc);
    if (to == NULL) return rc;
    to = PUT(to, "0\r\n");
    to = put_headers(to, &request->trailers);
    to = PUT(to, "\r\n");
    h1->work->out.size = (size_t)(to - h1->work->out.bytes);
    return 0;
}

int h1_end(struct wf_request *request)
{
    struct h1 *h1 = h1_of(request);
    return h1->chunked ? end_chunks(h1, request) : 0;
}
