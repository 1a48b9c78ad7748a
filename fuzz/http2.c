/*
 * Bytes that a client of HTTP/2 says behind its preface, to a server that takes and returns every body: all at once,
 * and again in pieces. What the handler sees must be a sound request, and both times the connection must end in the
 * same way: without a word, or with the same code.
 */
#include <string.h>
#include <weft/app.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "fuzz.h"

enum { SIZE_MAX_HERE = 800, ANSWERS_MAX = 1 << 20 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0"; /* and empty SETTINGS */

struct talk {
    const uint8_t *bytes;
    size_t size;
    struct input pieces;
    bool whole;
    struct wf_stream *client, *server;
    struct wf_app *app;
    int64_t code; /* of the GOAWAY; -1: there was none */
};

static char answers[ANSWERS_MAX];

/* ---- The server ---- */

static void check_fields(const struct wf_headers *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct wf_header *field = &fields->list[i];
        CLAIM(field->name_size > 0 && strlen(field->name) == field->name_size && field->name[0] != ':');
        CLAIM(strlen(field->value) == field->value_size);
        CLAIM(strpbrk(field->value, "\r\n") == NULL);
        for (const char *at = field->name; *at != '\0'; at++) CLAIM(*at > ' ' && (*at < 'A' || *at > 'Z'));
    }
}

static int give_back(struct wf_request *request)
{
    char *body;
    size_t size;
    const char *path = wf_request_path(request);
    CLAIM(path[0] == '/' || strcmp(path, "*") == 0);
    check_fields(wf_request_headers(request));
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    rc = wf_sleep(WF_MILLISECONDS(5)); /* everything has come by then: an answer changes what a frame means */
    if (rc < 0) return rc;
    CLAIM(wf_request_length(request) < 0 || (size_t)wf_request_length(request) == size);
    return wf_reply_bytes(request, 200, "text/plain", body, size);
}

static int serve(struct talk *talk)
{
    CLAIM(wf_app_serve_stream(talk->app, talk->server) <= 0);
    wf_stream_close(talk->server);
    return 0;
}

/* ---- The client ---- */

static int say(struct talk *talk)
{
    int rc = wf_stream_write_all(talk->client, preface, sizeof preface, NULL);
    for (size_t at = 0; at < talk->size && rc == 0;) {
        size_t left = talk->size - at, size = talk->whole ? left : 1 + take(&talk->pieces, 40);
        if (size > left) size = left;
        rc = wf_stream_write_all(talk->client, talk->bytes + at, size, NULL);
        if (rc == 0) rc = wf_sleep(1000);
        at += size;
    }
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) rc = wf_stream_shutdown(talk->client);
    return rc == -EPIPE ? 0 : rc;
}

/* What the server says are whole frames, and GOAWAY has the code. */
static void look_for_goaway(struct talk *talk, size_t size)
{
    for (size_t at = 0; at < size;) {
        const unsigned char *head = (unsigned char *)answers + at;
        CLAIM(size - at >= 9);
        size_t payload = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        CLAIM(size - at >= 9 + payload);
        if (head[3] == 7) talk->code = head[16];
        at += 9 + payload;
    }
}

static int listen_to_it(struct talk *talk)
{
    size_t size = 0;
    ssize_t got;
    while ((got = wf_stream_read(talk->client, answers + size, sizeof answers - size)) > 0) size += (size_t)got;
    CLAIM(got == 0);
    look_for_goaway(talk, size);
    return 0;
}

static int converse(struct talk *talk)
{
    struct wf_app app = {.title = "fuzz"};
    for (int method = 0; method < WF_METHODS; method++)
        if (method != WF_HEAD && method != WF_OPTIONS)
            wf_route(&app, (enum wf_method)method, "/{path:rest}", give_back);
    talk->app = &app;
    talk->code = -1;
    CLAIM(wf_stream_pair(1 << 16, &talk->client, &talk->server) == 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, talk);
    wf_spawn(&scope, say, talk);
    int rc = wf_scope_end(&scope, listen_to_it(talk));
    wf_stream_close(talk->client);
    wf_app_finish(&app);
    return rc;
}

static void ignore_report(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static int64_t play(const uint8_t *bytes, size_t size, bool whole)
{
    struct talk talk = {.bytes = bytes, .size = size, .whole = whole, .pieces = {.bytes = bytes, .left = size}};
    wf_sim_seed(1);
    CLAIM(wf_run(converse, &talk, .driver = "sim") == 0);
    return talk.code;
}

/* Floods are counted by frames here, by pieces there; what comes for a stream that is over is an error, or too late to
 * be one. */
static bool depends_on_time(int64_t code)
{
    enum { STREAM_CLOSED = 5, ENHANCE_YOUR_CALM = 11 };
    return code == STREAM_CLOSED || code == ENHANCE_YOUR_CALM;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size > SIZE_MAX_HERE) size = SIZE_MAX_HERE;
    wf_set_report(ignore_report, NULL);
    size_t before = wf_allocated_blocks();
    int64_t whole = play(bytes, size, true), pieces = play(bytes, size, false);
    CLAIM(whole == pieces || depends_on_time(whole) || depends_on_time(pieces));
    CLAIM(wf_allocated_blocks() == before);
    return 0;
}
