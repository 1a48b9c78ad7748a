/*
 * A server of HTTP/2 for tests of the client, which may break any rule: frames by a script (tests/http/frames.h).
 *
 *     "A1; H1h :status=200; D1e abc; A3; R 3 8; E"
 *
 * Besides the statements of frames.h, where no "T" is, these stand alone between "; ":
 *
 *     A ID    waits until the head of that stream's request has come
 *     B ID N  waits until that stream has brought so many bytes
 *     T MS    waits
 *     E       ends the connection
 *
 * It begins with SETTINGS, unless the script's first character is "!". When the script is over, it waits for the client
 * to end the connection. What the client says is a text: "1:head." for HEADERS, "1:data=5.", "1:reset=CANCEL",
 * "goaway=NO_ERROR", "ack", "pong", "end".
 */
#ifndef WEFT_TESTS_CLIENT_C2_SERVER_H
#define WEFT_TESTS_CLIENT_C2_SERVER_H

#include <weft/scope.h>

enum { C2_SCRIPTS_MAX = 4, C2_STREAMS_MAX = 64, C2_SAID_MAX = 8192 };

struct c2_server {
    const char *scripts[C2_SCRIPTS_MAX]; /* of one connection after the other; the last one for all that follow */
    bool by_bytes;
    unsigned connections;
    char *said; /* in the task's arena */
    uint16_t port;
    struct wf_listener *listener;
    struct wf_scope *scope;
};

/* Listens at 127.0.0.1, and serves in the scope. 0, or why not. */
int c2_server_start(struct c2_server *server, struct wf_scope *scope);

/* "http://127.0.0.1:1234/", in a buffer of the caller's. */
const char *c2_server_url(const struct c2_server *server, char url[64]);

#endif
