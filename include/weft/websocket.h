/*
 * WebSocket (RFC 6455): messages both ways over one connection.
 *
 *     static int echo(struct wf_request *request)
 *     {
 *         struct wf_websocket *socket;
 *         int rc = wf_websocket_accept(request, &socket);
 *         if (rc < 0) return rc;                                    // was no such request: answered already
 *         struct wf_websocket_message message;
 *         while ((rc = wf_websocket_receive(socket, wf_task_arena(), &message)) > 0) {
 *             rc = wf_websocket_send(socket, &message);
 *             if (rc < 0) break;
 *             wf_arena_finish(wf_task_arena());
 *         }
 *         return rc;                                                // 0: closed in order
 *     }
 *     ...
 *     wf_route(&app, WF_GET, "/echo", echo);
 *
 * Messages come whole, whatever the frames were; texts are checked to be UTF-8. Pings are answered, and sent after a
 * time without a word, while a task receives: a peer that does not answer them is gone. When the handler returns, the
 * socket is closed: with 1000, with 1001 when the server ends, with 1011 when the handler failed.
 *
 * One task receives at a time. Any number may send: each message goes out whole, in the order of asking. When the
 * server drains, a receive that waits between two messages closes with 1001 and gives 0.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_WEBSOCKET_H
#define WEFT_WEBSOCKET_H

#include <string.h>
#include <weft/arena.h>
#include <weft/base.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_client;
struct wf_named;
struct wf_websocket;

/* Codes with which a socket is closed (RFC 6455 section 7.4). */
enum wf_websocket_code {
    WF_WEBSOCKET_NORMAL = 1000,
    WF_WEBSOCKET_GOING_AWAY = 1001,
    WF_WEBSOCKET_PROTOCOL = 1002, /* the peer broke a rule */
    WF_WEBSOCKET_UNWANTED = 1003, /* a kind of message that is not for here */
    WF_WEBSOCKET_NO_CODE = 1005,  /* the peer gave none; never sent */
    WF_WEBSOCKET_ABNORMAL = 1006, /* the connection broke; never sent */
    WF_WEBSOCKET_BAD_DATA = 1007, /* a text that is not UTF-8, a compressed message that is none */
    WF_WEBSOCKET_POLICY = 1008,
    WF_WEBSOCKET_TOO_BIG = 1009,
    WF_WEBSOCKET_FAILED = 1011, /* the server could not go on */
    WF_WEBSOCKET_AGAIN_LATER = 1013,
};

struct wf_websocket_message {
    bool text;         /* UTF-8; else any bytes */
    const char *bytes; /* a zero byte follows them */
    size_t size;
};

struct wf_websocket_options {
    size_t size; /* filled by the macro */
    struct wf_websocket **out_;
    const char *protocols[8]; /* that are spoken, the best first; the first that the client offers is taken */
    const char *origins[8];   /* of pages that may connect, "https://example.org"; "*": all. None: the same host */
    bool deflate;             /* compress messages (RFC 7692) where the client can */
    bool no_context;          /* each message by itself: less memory (300 KB less for each socket), less is saved */
    size_t message_max;       /* bytes of a message, decompressed; default 1 MiB: 1009 */
    int64_t heartbeat;        /* without a word, then a ping; as long again, then gone; default 30 s; negative: none */
    int64_t close_time;       /* that the peer has to answer a close; default 5 s */
};

/*
 * wf_websocket_accept(request, &socket, .option = value, ...) answers 101. What is no handshake is answered already:
 * 405, 426 for another version or no upgrade, 400 for a bad key, 403 for an origin that may not.
 * The socket lives as long as the request, and goes with it.
 * Suspends: until the answer is out. On cancel: the connection ends.
 * Errors: -EINVAL, -EACCES after an answer; -EOPNOTSUPP where the connection has other requests; -ENOMEM.
 */
#define wf_websocket_accept(request, ...)                                                                              \
    wf_websocket_accept_((request), &(struct wf_websocket_options){.size = sizeof(struct wf_websocket_options),        \
                                                                   .out_ = __VA_ARGS__})

/* ---- As a client ---- */

struct wf_websocket_connect_options {
    size_t size; /* filled by the macro */
    struct wf_websocket **out_;
    const char *protocols[8];       /* that are spoken, the best first; the server takes one or none */
    const struct wf_named *headers; /* besides those of the client: "Origin", say. WF_NAMED, at most 50 */
    bool deflate;                   /* offers to compress messages (RFC 7692) */
    bool no_context;                /* as above */
    size_t message_max;             /* as above */
    int64_t heartbeat, close_time;  /* as above */
};

/*
 * wf_websocket_connect(client, arena, url, &socket, .option = value, ...) opens a socket by a client (weft/client.h):
 * "wss://example.org/echo", or what its base makes a URL of; http and https stand for ws and wss. Its connection is one
 * of the client's, of HTTP/1.1 (a .tls of your own must not offer "h2"), with its proxy, logins, cookies and times. It
 * ends with the arena, without a word: say wf_websocket_close first.
 *
 *     WF_CLIENT(client);
 *     struct wf_websocket *socket;
 *     int rc = wf_websocket_connect(&client, arena, "wss://example.org/echo", &socket, .deflate = true);
 *     if (rc == 0) rc = wf_websocket_send_text(socket, "hello");
 *     if (rc == 0) rc = wf_websocket_receive(socket, arena, &message);
 *     if (rc > 0) rc = wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, NULL);
 *
 * Suspends: until the server has answered. On cancel: nothing is open.
 * Errors: as wf_fetch; WF_ESTATUS for any other answer than 101; -EPROTO for one that is no handshake, names a protocol
 * that was not offered, or an extension; with a message. Once the client is closed the socket gives -ECONNABORTED.
 */
#define wf_websocket_connect(client, arena, url, ...)                                                                  \
    wf_websocket_connect_((client), (arena), (url),                                                                    \
                          &(struct wf_websocket_connect_options){.size = sizeof(struct wf_websocket_connect_options),  \
                                                                 .out_ = __VA_ARGS__})

/* ---- Both ---- */

/* Which of the protocols was agreed on; NULL: none. Suspends: never. */
WF_API const char *wf_websocket_protocol(const struct wf_websocket *socket);

/*
 * The next message, whole, in the arena. Returns 1; 0 once the socket is closed in order, by whichever side.
 * Suspends: until it is there. On cancel: nothing is lost: what has come stays for the next call.
 * Errors: -EBUSY while another task receives; -ECONNRESET where the connection ended without a close, -ETIMEDOUT where
 * no ping was answered; -EBADMSG where the peer broke a rule, -EMSGSIZE where its message is too long: it was told so,
 * and the socket is closed; -ENOMEM, -ECANCELED, the stream's. All but -EBUSY, -ENOMEM and -ECANCELED are for good.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_websocket_receive(struct wf_websocket *socket, struct wf_arena *arena,
                                                       struct wf_websocket_message *message);

/*
 * Sends a message. Returns 0 when the system has taken it.
 * Suspends: while the peer does not take it, or others send. On cancel: not sent; where it was cut in the middle, the
 * socket is broken: every later call gives -EPIPE.
 * Errors: -EINVAL for a text that is not UTF-8; -EPIPE once the socket is closed; -ENOMEM; the stream's.
 */
WF_API WF_SUSPENDS int wf_websocket_send(struct wf_websocket *socket, const struct wf_websocket_message *message);

/* The same with a terminated text, or with bytes. Suspends: as above. On cancel: as above. Errors: as above. */
WF_SUSPENDS static inline int wf_websocket_send_text(struct wf_websocket *socket, const char *text)
{
    struct wf_websocket_message message = {true, text, strlen(text)};
    return wf_websocket_send(socket, &message);
}
WF_SUSPENDS static inline int wf_websocket_send_binary(struct wf_websocket *socket, const void *bytes, size_t size)
{
    struct wf_websocket_message message = {false, (const char *)bytes, size};
    return wf_websocket_send(socket, &message);
}

/*
 * Closes: says so, with a code and a reason (UTF-8, at most 123 bytes; NULL: none), and waits until the peer has said
 * so too, or has had its time. While another task receives, that one waits for the answer. Returns 0, also when it was
 * closed already.
 * Suspends: until then. On cancel: perhaps the peer was told, perhaps not; the connection ends with the request.
 * Errors: -EINVAL for a code that is not to be sent, or such a reason; the stream's.
 */
WF_API WF_SUSPENDS int wf_websocket_close(struct wf_websocket *socket, unsigned code, const char *reason);

/* With which code it was closed, by the side that said it first, and why; 0 and "" while it is open. Suspends: never.
 */
WF_API unsigned wf_websocket_code(const struct wf_websocket *socket);
WF_API const char *wf_websocket_reason(const struct wf_websocket *socket);

/* ---- What the macro stands on: private ---- */

WF_API WF_SUSPENDS int wf_websocket_accept_(struct wf_request *request, const struct wf_websocket_options *options);
WF_API WF_SUSPENDS int wf_websocket_connect_(struct wf_client *client, struct wf_arena *arena, const char *url,
                                             const struct wf_websocket_connect_options *options);

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
