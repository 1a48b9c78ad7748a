/*
 * One end of a WebSocket.
 *
 *     OPEN --we say close--> CLOSING --the peer's close--> CLOSED
 *      |  \--the peer's close, answered ----------------->  |
 *      \--a rule broken: told, --\                          |
 *      \--the stream's error ----- FAILED                   |
 *
 * Reading: websocket_read.c. Writing: websocket_write.c. The handshake of a server: websocket_accept.c.
 */
#ifndef WEFT_HTTP_WEBSOCKET_H
#define WEFT_HTTP_WEBSOCKET_H

#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/websocket.h>

#include "http/utf8.h"
#include "http/ws_deflate.h"
#include "http/ws_frame.h"

enum { WS_OWN = 512 };

struct wf_websocket {
    struct wf_stream *stream;
    bool client; /* this end is: it masks, the peer does not */
    const char *protocol;
    size_t message_max;
    int64_t heartbeat, close_time;

    /* What has come and was not looked at, own[first] to own[end] */
    char own[WS_OWN];
    size_t first, end;
    bool receiving, pinged;

    /* The frame whose payload is coming */
    bool in_frame;
    struct ws_frame frame;
    uint64_t frame_left;
    char control[WS_CONTROL_MAX];
    size_t control_size;

    /* The message so far; its bytes are memory of their own, which an idle socket does not have */
    bool in_message, whole, text, compressed;
    struct utf8 utf8;
    char *bytes;
    size_t size, room;

    /* Going out */
    struct wf_mutex writing;
    char pong[WS_CONTROL_MAX];
    size_t pong_size;
    bool pong_due;

    /* The end */
    bool close_sent, close_came;
    int failed; /* what every later call gives; 0: nothing */
    unsigned code;
    char reason[WS_CONTROL_MAX];

    struct ws_deflate deflate;
};

void ws_init(struct wf_websocket *socket, struct wf_stream *stream, const struct wf_websocket_options *options);

/* A mask that nobody can foresee. False: there is none. */
bool ws_new_key(unsigned char key[4]);

/* The memory of it, and the stream. */
void ws_finish(struct wf_websocket *socket);

/* What its owner returned decides how it is closed, where it is not yet. */
int ws_end(struct wf_websocket *socket, int outcome);

/* Notes why it ends, once; the first reason is the one that counts. */
void ws_note_end(struct wf_websocket *socket, unsigned code, const char *reason, size_t size);

/* ---- websocket_read.c ---- */

/* Throws away what comes until the peer's close. */
int ws_await_close(struct wf_websocket *socket);

/* ---- websocket_write.c ---- */

int ws_send_ping(struct wf_websocket *socket);

/* Answers the last ping, unless a task is writing: it does so when it has done. */
int ws_send_pong(struct wf_websocket *socket);

/* Says close, once. A code of 0: without one. */
int ws_send_close(struct wf_websocket *socket, unsigned code, const char *reason, size_t size);

#endif
