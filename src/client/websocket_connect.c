/*
 * WebSocket as a client: an upgrade of HTTP/1.1 (RFC 6455 section 4.1), asked for by a call like any other; its
 * connection is the socket's from then on, and counts as the client's, which may close it.
 */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "client/client.h"
#include "http/websocket.h"

enum { KEY_SIZE = 24, HEADERS_MAX = 64 };

struct connected {
    struct wf_websocket socket; /* first */
    struct wf_stream stream;
    struct call *call; /* NULL: the stream is closed */
    struct wf_response response;
    char key[KEY_SIZE + 1];
};

/* ---- Its connection, as a stream ---- */

static struct connected *connected_of(const struct wf_stream *stream)
{
    return (struct connected *)((char *)(uintptr_t)stream - offsetof(struct connected, stream));
}

static struct wf_stream *wire_of(struct wf_stream *stream)
{
    const struct call *call = connected_of(stream)->call;
    return call != NULL && call->wire != NULL ? call->wire->stream : NULL;
}

/* The client may have been closed meanwhile. */
static ssize_t outcome_of(struct wf_stream *stream, ssize_t outcome)
{
    return outcome < 0 && outcome != -ECANCELED && wire_of(stream) == NULL ? -ECONNABORTED : outcome;
}

/* What came behind the answer's head is the first of it. */
static ssize_t wire_read(struct wf_stream *stream, void *buffer, size_t size)
{
    struct wf_stream *under = wire_of(stream);
    if (under == NULL) return -ECONNABORTED;
    struct wire *wire = connected_of(stream)->call->wire;
    if (wire->first == wire->end) return outcome_of(stream, wf_stream_read(under, buffer, size));
    if (size > wire->end - wire->first) size = wire->end - wire->first;
    memcpy(buffer, wire->in + wire->first, size);
    wire->first += size;
    return (ssize_t)size;
}

static ssize_t wire_write(struct wf_stream *stream, const struct iovec *parts, int count, bool all)
{
    (void)all;
    struct wf_stream *under = wire_of(stream);
    return under != NULL ? outcome_of(stream, wf_stream_writev(under, parts, count)) : -ECONNABORTED;
}

static int wire_shutdown(struct wf_stream *stream)
{
    struct wf_stream *under = wire_of(stream);
    return under != NULL ? (int)outcome_of(stream, wf_stream_shutdown(under)) : -ECONNABORTED;
}

static void wire_close(struct wf_stream *stream, bool abort)
{
    (void)abort;
    struct connected *connected = connected_of(stream);
    if (connected->call != NULL) call_leave(connected->call);
    connected->call = NULL;
    wf_stream_release(stream);
}

/* Its memory is the socket's. */
static void wire_destroy(struct wf_stream *stream)
{
    (void)stream;
}

static const struct wf_stream_class wire_class = {
    .name = "websocket",
    .read = wire_read,
    .write = wire_write,
    .shutdown = wire_shutdown,
    .close = wire_close,
    .destroy = wire_destroy,
};

/* ---- The request ---- */

static void make_key(char key[KEY_SIZE + 1])
{
    unsigned char bytes[16];
    wf_random(bytes, sizeof bytes);
    EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
}

static const char *join_protocols(const char *const protocols[8], struct wf_arena *arena)
{
    const char *joined = "";
    for (unsigned i = 0; joined != NULL && i < 8 && protocols[i] != NULL; i++)
        joined = wf_arena_printf(arena, "%s%s%s", joined, i > 0 ? ", " : "", protocols[i]);
    return joined;
}

struct fields {
    struct wf_named list[HEADERS_MAX + 8];
    unsigned count;
};

static void add(struct fields *fields, const char *name, const char *value)
{
    fields->list[fields->count++] = (struct wf_named){name, value};
}

/* Those of the handshake, and then the caller's. */
static int make_fields(struct fields *fields, const struct connected *connected,
                       const struct wf_websocket_connect_options *options, struct wf_arena *arena)
{
    const char *protocols = join_protocols(options->protocols, arena);
    if (protocols == NULL) return -ENOMEM;
    add(fields, "connection", "Upgrade");
    add(fields, "upgrade", "websocket");
    add(fields, "sec-websocket-version", "13");
    add(fields, "sec-websocket-key", connected->key);
    if (protocols[0] != '\0') add(fields, "sec-websocket-protocol", protocols);
    const char *extension = options->no_context
                                ? "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
                                : "permessage-deflate";
    if (options->deflate) add(fields, "sec-websocket-extensions", extension);
    for (const struct wf_named *field = options->headers; field != NULL && field->name != NULL; field++) {
        if (fields->count >= HEADERS_MAX) return wf_fail(-E2BIG, "a handshake with more than %d fields", HEADERS_MAX);
        add(fields, field->name, field->value);
    }
    return 0;
}

/* ---- The answer ---- */

static int refuse(const struct connected *connected, const char *why)
{
    return wf_fail(-EPROTO, "the WebSocket %s: %s", connected->response.url, why);
}

/* Sec-WebSocket-Accept (RFC 6455 section 4.2.2). */
static bool is_accepted(const struct connected *connected)
{
    static const char identifier[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_SIZE + sizeof identifier];
    unsigned char digest[SHA_DIGEST_LENGTH], encoded[32];
    const char *accept = wf_headers_find(&connected->response.headers, "sec-websocket-accept");
    memcpy(text, connected->key, KEY_SIZE);
    memcpy(text + KEY_SIZE, identifier, sizeof identifier);
    SHA1((unsigned char *)text, KEY_SIZE + sizeof identifier - 1, digest);
    EVP_EncodeBlock(encoded, digest, sizeof digest);
    return accept != NULL && strcmp(accept, (char *)encoded) == 0;
}

static int take_protocol(struct connected *connected, const char *const protocols[8], struct wf_arena *arena)
{
    const char *chosen = wf_headers_find(&connected->response.headers, "sec-websocket-protocol");
    if (chosen == NULL) return 0;
    for (unsigned i = 0; i < 8 && protocols[i] != NULL; i++) {
        if (strcmp(chosen, protocols[i]) != 0) continue;
        connected->socket.protocol = wf_arena_strdup(arena, chosen);
        return connected->socket.protocol != NULL ? 0 : -ENOMEM;
    }
    return refuse(connected, "the server speaks a protocol that was not offered");
}

static int take_extensions(struct connected *connected, const struct wf_websocket_connect_options *options)
{
    struct ws_deflate *deflate = &connected->socket.deflate;
    const char *extension;
    uint32_t after = 0;
    deflate->forget_sent = options->no_context;
    while ((extension = wf_headers_next(&connected->response.headers, "sec-websocket-extensions", &after)) != NULL)
        if (!options->deflate || deflate->on || !ws_deflate_agree(deflate, extension))
            return refuse(connected, "the server uses an extension that was not offered");
    return 0;
}

static int check_answer(struct connected *connected, const struct wf_websocket_connect_options *options,
                        struct wf_arena *arena)
{
    const struct wf_headers *headers = &connected->response.headers;
    int status = connected->response.status;
    if (status != 101)
        return wf_fail(WF_ESTATUS, "the WebSocket %s: the answer is %d %s", connected->response.url, status,
                       wf_status_reason(status));
    if (!wf_headers_have_token(headers, "upgrade", "websocket") ||
        !wf_headers_have_token(headers, "connection", "upgrade"))
        return refuse(connected, "the server has upgraded to something else");
    if (!is_accepted(connected)) return refuse(connected, "the server has not understood the handshake");
    int rc = take_protocol(connected, options->protocols, arena);
    return rc == 0 ? take_extensions(connected, options) : rc;
}

/* ---- Both ---- */

static void finish(struct connected *connected)
{
    ws_finish(&connected->socket);
    wf_memory_free(connected);
}

static void take_over(struct connected *connected)
{
    wf_stream_init(&connected->stream, &wire_class);
    connected->call = (struct call *)(void *)connected->response.call_;
    connected->socket.stream = &connected->stream;
}

static __attribute__((noinline)) int shake_hands(struct connected *connected, struct wf_client *client,
                                                 struct wf_arena *arena, const char *url,
                                                 const struct wf_websocket_connect_options *options)
{
    struct fields *fields = wf_arena_new(arena, struct fields);
    if (fields == NULL) return -ENOMEM;
    make_key(connected->key);
    int rc = make_fields(fields, connected, options, arena);
    if (rc < 0) return rc;
    struct wf_fetch_options call = {.size = sizeof call,
                                    .out_ = &connected->response,
                                    .headers = fields->list,
                                    .redirects = -1,
                                    .upgrade_ = true};
    rc = wf_fetch_open_(client, arena, WF_GET, url, &call);
    if (rc == 0) rc = check_answer(connected, options, arena);
    if (rc == 0) take_over(connected);
    else wf_response_close(&connected->response);
    return rc;
}

int wf_websocket_connect_(struct wf_client *client, struct wf_arena *arena, const char *url,
                          const struct wf_websocket_connect_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL || arena == NULL) return -EINVAL;
    int rc = wf_checkpoint();
    struct connected *connected = rc == 0 ? wf_memory_alloc(sizeof *connected) : NULL;
    if (connected == NULL) return rc < 0 ? rc : -ENOMEM;
    memset(connected, 0, sizeof *connected);
    struct wf_websocket_options own = {.message_max = options->message_max,
                                       .heartbeat = options->heartbeat,
                                       .close_time = options->close_time};
    ws_init(&connected->socket, NULL, &own);
    connected->socket.client = true;
    rc = wf_arena_defer(arena, finish, connected);
    if (rc < 0) finish(connected);
    else rc = shake_hands(connected, client, arena, url, options);
    if (rc == 0) *options->out_ = &connected->socket;
    return rc;
}
