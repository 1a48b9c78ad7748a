/*
 * The handshake of a server: an upgrade of HTTP/1.1 (RFC 6455 section 4.2), or an extended CONNECT of HTTP/2 (RFC
 * 8441), which needs neither key nor upgrade.
 */
#define WF_LOG_MODULE "http"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/log.h>
#include <weft/task.h>

#include "http/grammar.h"
#include "http/request.h"
#include "http/websocket.h"

struct served {
    struct wf_websocket socket; /* first */
    struct wf_request *request;
};

/* ---- Checks: 0, or answered ---- */

static int refuse_version(struct wf_request *request)
{
    wf_reply_header(request, "Sec-WebSocket-Version", "13");
    wf_reply_header(request, "Upgrade", "websocket");
    return wf_http_error(request, 426, "this is a WebSocket of version 13");
}

/* 16 bytes in base64. */
static bool is_key(const char *key)
{
    unsigned char bytes[20];
    if (key == NULL || strlen(key) != 24 || memcmp(key + 22, "==", 2) != 0 || key[21] == '=') return false;
    return EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

static int check_upgrade(struct wf_request *request)
{
    const struct wf_headers *headers = &request->headers;
    if (request->method != WF_GET) return wf_http_error(request, 405, "a WebSocket begins with GET");
    const char *version = wf_headers_find(headers, "sec-websocket-version");
    if (request->http10 || !wf_headers_have_token(headers, "upgrade", "websocket") ||
        !wf_headers_have_token(headers, "connection", "upgrade") || version == NULL || strcmp(version, "13") != 0)
        return refuse_version(request);
    if (request->length != 0) return wf_http_error(request, 400, "a handshake of WebSocket has no body");
    return is_key(wf_headers_find(headers, "sec-websocket-key"))
               ? 0
               : wf_http_error(request, 400, "Sec-WebSocket-Key is not 16 bytes in base64");
}

static int check_connect(struct wf_request *request)
{
    if (strcasecmp(request->protocol, "websocket") != 0) return wf_http_error(request, 501, "this is a WebSocket");
    const char *version = wf_headers_find(&request->headers, "sec-websocket-version");
    return version != NULL && strcmp(version, "13") == 0 ? 0 : refuse_version(request);
}

/* Pages of other hosts may not speak in the name of who looks at them, unless they are named. */
static bool may_come_from(const struct wf_request *request, const char *origin, const char *const *origins)
{
    if (origin == NULL) return true; /* no browser */
    for (unsigned i = 0; i < 8 && origins[i] != NULL; i++)
        if (strcmp(origins[i], "*") == 0 || strcasecmp(origins[i], origin) == 0) return true;
    const char *host = strstr(origin, "://");
    return origins[0] == NULL && host != NULL && strcasecmp(host + 3, wf_request_host(request)) == 0;
}

/* ---- The answer ---- */

static int add_accept(struct wf_request *request)
{
    static const char identifier[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof identifier];
    unsigned char digest[SHA_DIGEST_LENGTH], encoded[32];
    memcpy(text, wf_headers_find(&request->headers, "sec-websocket-key"), 24);
    memcpy(text + 24, identifier, sizeof identifier);
    SHA1((unsigned char *)text, 24 + sizeof identifier - 1, digest);
    EVP_EncodeBlock(encoded, digest, sizeof digest);
    int rc = wf_reply_header(request, "Upgrade", "websocket");
    return rc == 0 ? wf_reply_header(request, "Sec-WebSocket-Accept", (char *)encoded) : rc;
}

/* The first of the client's list that we speak, too. */
static int add_protocol(struct wf_request *request, struct wf_websocket *socket, const char *const *protocols)
{
    for (unsigned i = 0; i < 8 && protocols[i] != NULL; i++) {
        if (!wf_headers_have_token(&request->headers, "sec-websocket-protocol", protocols[i])) continue;
        socket->protocol = wf_arena_strdup(&request->arena, protocols[i]);
        if (socket->protocol == NULL) return -ENOMEM;
        return wf_reply_header(request, "Sec-WebSocket-Protocol", protocols[i]);
    }
    return 0;
}

static int add_deflate(struct wf_request *request, struct wf_websocket *socket)
{
    char answer[160];
    uint32_t after = 0;
    const char *offers;
    while ((offers = wf_headers_next(&request->headers, "sec-websocket-extensions", &after)) != NULL)
        if (ws_deflate_accept(&socket->deflate, offers, answer, sizeof answer))
            return wf_reply_header(request, "Sec-WebSocket-Extensions", answer);
    return 0;
}

static int add_answer(struct wf_request *request, struct wf_websocket *socket,
                      const struct wf_websocket_options *options)
{
    int rc = request->protocol != NULL ? 0 : add_accept(request);
    if (rc == 0) rc = add_protocol(request, socket, options->protocols);
    socket->deflate.forget_sent = options->no_context;
    return rc == 0 && options->deflate ? add_deflate(request, socket) : rc;
}

/* ---- The end of the request ---- */

static int end_served(struct served *served)
{
    int outcome = served->request->outcome;
    if (outcome < 0 && outcome != -ECANCELED && served->socket.failed == 0)
        wf_logf(WF_ERROR, "the WebSocket %s failed: %s", served->request->path, wf_strerror(outcome));
    int rc = ws_end(&served->socket, outcome);
    return rc == -ECANCELED || rc == -EPIPE ? 0 : rc;
}

static void finish_served(struct served *served)
{
    ws_finish(&served->socket);
    wf_memory_free(served);
}

/* From here on the connection is the socket's; the arena of the request takes it away. */
static int take_over(struct wf_request *request, struct served *served, const struct wf_websocket_options *options)
{
    request->status = request->protocol != NULL ? 200 : 101;
    request->answer_length = -1;
    int rc = request->exchange->begin(request, request->protocol != NULL ? -1 : 0);
    if (rc < 0) return rc;
    request->state = ANSWER_ENDED;
    request->close_after = true;
    struct wf_stream *stream = NULL;
    rc = request->exchange->take_over(request, &stream);
    if (rc < 0) return rc;
    served->socket.stream = stream;
    *options->out_ = &served->socket;
    return 0;
}

static int make(struct wf_request *request, const struct wf_websocket_options *options)
{
    struct served *served = wf_memory_alloc(sizeof *served); /* an arena would take twice as much for it */
    if (served == NULL) return -ENOMEM;
    served->request = request;
    ws_init(&served->socket, NULL, options);
    int rc = wf_arena_defer(&request->arena, finish_served, served);
    if (rc < 0) {
        finish_served(served);
        return rc;
    }
    rc = wf_after_reply(request, end_served, served);
    if (rc == 0) rc = add_answer(request, &served->socket, options);
    if (rc == 0) rc = take_over(request, served, options);
    if (rc < 0) served->socket.failed = rc;
    return rc;
}

int wf_websocket_accept_(struct wf_request *request, const struct wf_websocket_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    if (request->state != ANSWER_NONE) return wf_fail(-EINVAL, "the request is answered already");
    int rc = wf_checkpoint();
    if (rc == 0) rc = request->protocol != NULL ? check_connect(request) : check_upgrade(request);
    if (rc < 0) return rc;
    const char *origin = wf_headers_find(&request->headers, "origin");
    if (!may_come_from(request, origin, options->origins))
        return wf_http_error(request, 403, "pages from %s may not connect", origin);
    if (request->exchange->take_over == NULL) return -EOPNOTSUPP;
    return make(request, options);
}
