/* The client of the tests: it says bytes to an app over a connection in memory. */
#include "rig.h"

#include <stdio.h>
#include <string.h>
#include <weft/scope.h>
#include <weft/stream.h>
#include <weft/task.h>
#include <weft/time.h>

struct talk {
    const struct pieces *pieces;
    struct wf_app *app;
    struct wf_stream *client, *server;
    struct exchange_log *log;
};

enum { ANSWERS_MAX = 1 << 20 };

static int say(struct talk *talk)
{
    const struct pieces *pieces = talk->pieces;
    int rc = 0;
    for (unsigned i = 0; i < pieces->count && rc == 0; i++) {
        size_t step = pieces->one_by_one ? 1 : pieces->sizes[i];
        for (size_t at = 0; at < pieces->sizes[i] && rc == 0; at += step) {
            rc = wf_stream_write_all(talk->client, pieces->bytes[i] + at, step, NULL);
            if (rc == 0 && !pieces->glued) rc = wf_yield();
            if (rc == 0 && !pieces->glued) rc = wf_yield();
        }
    }
    if (rc == 0) rc = wf_stream_shutdown(talk->client);
    return rc == -EPIPE ? 0 : rc; /* the server may have had enough */
}

static int serve(struct talk *talk)
{
    talk->log->served = wf_app_serve_stream(talk->app, talk->server);
    wf_stream_close(talk->server);
    return talk->log->served == -ECANCELED ? -ECANCELED : 0;
}

static int listen_to_answers(struct talk *talk)
{
    struct exchange_log *log = talk->log;
    ssize_t got = 1;
    while (got > 0 && log->size < ANSWERS_MAX) {
        got = wf_stream_read(talk->client, log->bytes + log->size, ANSWERS_MAX - log->size);
        if (got > 0) log->size += (size_t)got;
    }
    return (int)got;
}

static void note_statuses(struct exchange_log *log)
{
    log->bytes[log->size] = '\0';
    const char *at = log->bytes;
    while ((at = strstr(at, "HTTP/1.1 ")) != NULL && strlen(log->statuses) < sizeof log->statuses - 8) {
        at += 9;
        if (at[0] != '1') sprintf(log->statuses + strlen(log->statuses), "%.3s ", at);
    }
}

void talk_to(struct exchange_log *log, const struct pieces *pieces, struct wf_app *app)
{
    *log = (struct exchange_log){.bytes = wf_arena_alloc(wf_task_arena(), ANSWERS_MAX + 1)};
    struct talk talk = {.pieces = pieces, .app = app, .log = log};
    static char nothing[1];
    if (log->bytes == NULL) {
        log->bytes = nothing;
        return;
    }
    if (wf_stream_pair(1 << 16, &talk.client, &talk.server) < 0) {
        log->bytes[0] = '\0';
        return;
    }
    WF_SCOPE(scope);
    if (wf_spawn(&scope, serve, &talk) < 0) wf_stream_close(talk.server);
    wf_spawn(&scope, say, &talk);
    int rc = listen_to_answers(&talk);
    wf_scope_end(&scope, rc);
    wf_stream_close(talk.client);
    note_statuses(log);
}

void ask(struct exchange_log *log, struct wf_app *app, const char *text)
{
    struct pieces pieces = {.bytes = {text}, .sizes = {strlen(text)}, .count = 1};
    talk_to(log, &pieces, app);
}

static int take_everything(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    return rc < 0 ? rc : wf_reply_bytes(request, 200, "text/plain", body, size);
}

void talk(struct exchange_log *log, const struct pieces *pieces)
{
    struct wf_app app = {.title = "rig"};
    wf_route(&app, WF_GET, "/{path:rest}", take_everything);
    wf_route(&app, WF_POST, "/{path:rest}", take_everything);
    talk_to(log, pieces, &app);
    wf_app_finish(&app);
}
