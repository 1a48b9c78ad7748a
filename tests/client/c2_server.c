/* The server of HTTP/2 of the client's tests. */
#include "c2_server.h"

#include <nghttp2/nghttp2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/time.h>

#include "../http/frames.h"

enum { PREFACE_SIZE = 24, IN_ROOM = 1 << 17 };

struct conversation {
    struct c2_server *server;
    struct wf_stream *stream;
    const char *script;
    char *in;
    size_t size;
    bool greeted, over;
    struct wf_event heard;
    uint32_t highest; /* stream whose head has come */
    uint64_t bytes[C2_STREAMS_MAX];
};

/* ---- What the client says ---- */

static void note(struct conversation *talk, const char *format, ...) WF_PRINTF_(2, 3);
static void note(struct conversation *talk, const char *format, ...)
{
    char *text = talk->server->said;
    size_t at = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    if (at > 0 && at < C2_SAID_MAX - 1) text[at++] = ' ';
    vsnprintf(text + at, C2_SAID_MAX - at, format, arguments);
    va_end(arguments);
}

static uint32_t number_at(const char *bytes, unsigned count)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < count; i++) number = number << 8 | (unsigned char)bytes[i];
    return number;
}

static void hear_frame(struct conversation *talk, const char *head, uint32_t size)
{
    unsigned type = (unsigned char)head[3], flags = (unsigned char)head[4];
    uint32_t id = number_at(head + 5, 4);
    switch (type) {
    case NGHTTP2_HEADERS:
        talk->highest = id;
        note(talk, "%u:head%s", id, flags & 1 ? "." : "");
        break;
    case NGHTTP2_DATA:
        talk->bytes[id / 2 % C2_STREAMS_MAX] += size;
        note(talk, "%u:data=%u%s", id, size, flags & 1 ? "." : "");
        break;
    case NGHTTP2_RST_STREAM:
        note(talk, "%u:reset=%s", id, nghttp2_http2_strerror(number_at(head + 9, 4)));
        break;
    case NGHTTP2_GOAWAY:
        note(talk, "goaway=%s", nghttp2_http2_strerror(number_at(head + 13, 4)));
        break;
    case NGHTTP2_PING:
        note(talk, flags & 1 ? "pong" : "ping");
        break;
    case NGHTTP2_SETTINGS:
        if (flags & 1) note(talk, "ack");
        break;
    default:
        break;
    }
}

static void hear_frames(struct conversation *talk)
{
    size_t at = talk->greeted || talk->size < PREFACE_SIZE ? 0 : PREFACE_SIZE;
    if (at > 0) talk->greeted = true;
    while (talk->greeted && talk->size - at >= 9) {
        uint32_t size = number_at(talk->in + at, 3);
        if (talk->size - at < 9 + size) break;
        hear_frame(talk, talk->in + at, size);
        at += 9 + size;
    }
    memmove(talk->in, talk->in + at, talk->size - at);
    talk->size -= at;
    wf_event_set(&talk->heard);
}

static int hear(struct conversation *talk)
{
    ssize_t got;
    while ((got = wf_stream_read(talk->stream, talk->in + talk->size, IN_ROOM - talk->size)) > 0) {
        talk->size += (size_t)got;
        hear_frames(talk);
    }
    if (got == 0) note(talk, "end");
    talk->over = true;
    wf_event_set(&talk->heard);
    return got == -ECANCELED ? -ECANCELED : 0;
}

/* ---- What it says ---- */

static int wait_for(struct conversation *talk, uint32_t id, uint64_t bytes)
{
    int rc = 0;
    while (rc == 0 && !talk->over && (talk->highest < id || talk->bytes[id / 2 % C2_STREAMS_MAX] < bytes)) {
        wf_event_clear(&talk->heard);
        rc = wf_event_wait(&talk->heard);
    }
    return rc;
}

/* 1: it takes no more. */
static int say(struct conversation *talk, const char *frames)
{
    size_t size = 0;
    const char *bytes = frames_bytes(wf_arena_printf(wf_task_arena(), "!%s", frames), &size);
    if (bytes == NULL) return -ENOMEM;
    size_t step = talk->server->by_bytes ? 1 : size;
    int rc = 0;
    for (size_t at = 0; at < size && rc == 0 && !talk->over; at += step) {
        rc = wf_stream_write_all(talk->stream, bytes + at, step, NULL);
        if (rc == 0 && step == 1) rc = wf_yield();
    }
    return rc == -ECANCELED || rc == 0 ? rc : 1; /* the client may have gone meanwhile */
}

static bool stands_alone(const char *statement)
{
    return strchr("ABTE", statement[0]) != NULL;
}

/* 1: the script ends the connection. */
static int perform(struct conversation *talk, const char *statement)
{
    char *rest;
    uint32_t id = (uint32_t)strtoul(statement + 1, &rest, 10);
    if (statement[0] == 'E') return 1;
    if (statement[0] == 'T') return wf_sleep(WF_MILLISECONDS(id));
    return wait_for(talk, id, strtoul(rest, NULL, 10));
}

/* Frames in a row go out together. */
static int play(struct conversation *talk)
{
    char *at = wf_arena_strdup(wf_task_arena(), talk->script + (talk->script[0] == '!'));
    int rc = at == NULL ? -ENOMEM : talk->script[0] == '!' ? 0 : say(talk, "S");
    while (rc == 0 && *at != '\0') {
        char *end = at;
        bool alone = stands_alone(at);
        do end = strstr(end, "; ") != NULL ? strstr(end, "; ") + 2 : end + strlen(end);
        while (!alone && *end != '\0' && !stands_alone(end));
        size_t divider = *end != '\0' ? 2 : 0;
        char *statement = wf_arena_strndup(wf_task_arena(), at, (size_t)(end - at) - divider);
        rc = statement == NULL ? -ENOMEM : alone ? perform(talk, statement) : say(talk, statement);
        at = end;
    }
    return rc;
}

static int converse(struct conversation *talk)
{
    WF_SCOPE(scope);
    int rc = wf_spawn(&scope, hear, talk);
    if (rc == 0) rc = play(talk);
    if (rc == 1) { /* what nobody has read would be answered with a reset, which overtakes what was said */
        wf_ignore(wf_stream_shutdown(talk->stream));
        wf_scope_set_deadline(&scope, wf_now() + WF_SECONDS(1));
    }
    return wf_scope_end(&scope, rc < 0 ? rc : 0);
}

/* ---- Serving ---- */

static int answer(struct conversation *talk)
{
    talk->in = wf_arena_alloc(wf_task_arena(), IN_ROOM);
    int rc = talk->in == NULL ? -ENOMEM : converse(talk);
    wf_stream_close(talk->stream);
    return rc == -ECANCELED ? rc : 0;
}

static int serve(struct c2_server *server)
{
    struct wf_stream *stream;
    int rc;
    while ((rc = wf_tcp_accept(server->listener, &stream)) >= 0) {
        struct conversation talk = {.server = server, .stream = stream, .heard = WF_EVENT};
        unsigned which = server->connections++;
        while (which > 0 && (which >= C2_SCRIPTS_MAX || server->scripts[which] == NULL)) which--;
        talk.script = server->scripts[which];
        rc = wf_spawn_copy(server->scope, answer, &talk, .daemon = true);
        if (rc < 0) wf_stream_close(stream);
        if (rc < 0) break;
    }
    wf_listener_close(server->listener);
    return rc;
}

int c2_server_start(struct c2_server *server, struct wf_scope *scope)
{
    server->said = wf_arena_zero(wf_task_arena(), C2_SAID_MAX);
    if (server->said == NULL) return -ENOMEM;
    int rc = wf_tcp_listen("127.0.0.1", 0, &server->listener);
    if (rc < 0) return rc;
    server->port = wf_listener_port(server->listener);
    server->scope = scope;
    rc = wf_spawn(scope, serve, server, .daemon = true);
    if (rc < 0) wf_listener_close(server->listener);
    return rc;
}

const char *c2_server_url(const struct c2_server *server, char url[64])
{
    snprintf(url, 64, "http://127.0.0.1:%u/", server->port);
    return url;
}
