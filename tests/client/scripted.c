/* The server of the client's tests. */
#include "scripted.h"

#include <stdio.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/stream.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/time.h>

struct session {
    struct scripted *server;
    struct wf_stream *stream;
};

/* The head of a request; the requests of these tests have no body. 1; 0: there is no more. */
static int hear(struct session *session)
{
    struct scripted *server = session->server;
    size_t begin = server->asked_size;
    while (server->asked_size < ASKED_MAX - 1) {
        ssize_t got = wf_stream_read(session->stream, server->asked + server->asked_size, 1);
        if (got <= 0) return (int)got;
        server->asked[++server->asked_size] = '\0';
        size_t size = server->asked_size - begin;
        if (size >= 4 && strcmp(server->asked + server->asked_size - 4, "\r\n\r\n") == 0) return 1;
    }
    return -EMSGSIZE;
}

static int say(struct wf_stream *stream, const struct line *line)
{
    size_t size = line->size > 0 ? line->size : strlen(line->bytes), step = line->one_by_one ? 1 : size;
    int rc = 0;
    for (size_t at = 0; at < size && rc == 0; at += step) {
        rc = wf_stream_write_all(stream, line->bytes + at, step, NULL);
        if (rc == 0 && line->one_by_one) rc = wf_yield();
    }
    return rc;
}

static int answer(struct session *session)
{
    struct scripted *server = session->server;
    int rc;
    while ((rc = hear(session)) > 0 && server->next < server->count) {
        const struct line *line = &server->lines[server->next++];
        rc = line->silent ? wf_sleep(WF_FOREVER) : say(session->stream, line);
        if (rc < 0 || line->hang_up || line->reset) {
            if (line->reset) wf_stream_abort(session->stream);
            else wf_stream_close(session->stream);
            return rc == -ECANCELED ? rc : 0;
        }
    }
    wf_stream_close(session->stream);
    return rc == -ECANCELED ? rc : 0;
}

static int serve(struct scripted *server)
{
    struct session session = {.server = server};
    int rc;
    while ((rc = wf_tcp_accept(server->listener, &session.stream)) >= 0) {
        server->connections++;
        rc = wf_spawn_copy(server->scope, answer, &session, .daemon = true);
        if (rc < 0) wf_stream_close(session.stream);
        if (rc < 0) break;
    }
    wf_listener_close(server->listener);
    return rc;
}

int scripted_start(struct scripted *server, struct wf_scope *scope)
{
    server->asked = wf_arena_alloc(wf_task_arena(), ASKED_MAX);
    if (server->asked == NULL) return -ENOMEM;
    server->asked[0] = '\0';
    int rc = wf_tcp_listen("127.0.0.1", 0, &server->listener);
    if (rc < 0) return rc;
    server->port = wf_listener_port(server->listener);
    server->scope = scope;
    rc = wf_spawn(scope, serve, server, .daemon = true);
    if (rc < 0) wf_listener_close(server->listener);
    return rc;
}

const char *scripted_url(struct scripted *server, char url[64])
{
    snprintf(url, 64, "http://127.0.0.1:%u/", server->port);
    return url;
}
