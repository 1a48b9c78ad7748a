/*
 * Bytes that a client of HTTP/1 says, to a server that takes and returns every body: all at once, and again in pieces.
 * What the handler sees must be a sound request, and both times the server must say the same. The same bytes are read
 * as the header of a proxy, too, whole and as all their beginnings.
 */
#include <string.h>
#include <weft/address.h>
#include <weft/app.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "fuzz.h"
#include "http/proxy_header.h" /* the parser itself: no connection is needed */

enum { SIZE_MAX_HERE = 800, ANSWERS_MAX = 1 << 18 };

struct answers {
    char bytes[ANSWERS_MAX + 16];
    size_t size;
};

struct talk {
    const uint8_t *bytes;
    size_t size;
    struct input pieces;
    bool whole;
    struct wf_stream *client, *server;
    struct wf_app *app;
    struct answers *answers;
};

/* ---- The server ---- */

static void check_fields(const struct wf_headers *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        const struct wf_header *field = &fields->list[i];
        CLAIM(field->name_size > 0 && strlen(field->name) == field->name_size);
        CLAIM(strlen(field->value) == field->value_size);
        CLAIM(strpbrk(field->value, "\r\n") == NULL && strpbrk(field->name, " \t\r\n:") == NULL);
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
    int rc = 0;
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

static int listen_to_it(struct talk *talk)
{
    struct answers *answers = talk->answers;
    ssize_t got = 1;
    while (got > 0) {
        CLAIM(answers->size < ANSWERS_MAX);
        got = wf_stream_read(talk->client, answers->bytes + answers->size, ANSWERS_MAX - answers->size);
        if (got > 0) answers->size += (size_t)got;
    }
    CLAIM(got == 0);
    return 0;
}

/* Nobody has to be told to go on with a body that has come already. */
static void leave_out_continue(struct answers *answers)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char *found;
    while ((found = memmem(answers->bytes, answers->size, text, sizeof text - 1)) != NULL) {
        char *rest = found + sizeof text - 1;
        memmove(found, rest, answers->size - (size_t)(rest - answers->bytes));
        answers->size -= sizeof text - 1;
    }
}

static int converse(struct talk *talk)
{
    struct wf_app app = {.title = "fuzz"};
    for (int method = 0; method < WF_METHODS; method++)
        if (method != WF_HEAD && method != WF_OPTIONS)
            wf_route(&app, (enum wf_method)method, "/{path:rest}", give_back);
    talk->app = &app;
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

/* A method is refused as soon as it cannot be one: with 501, or with 400 where it was seen whole to be no token. */
static void forget_why_a_method_is_refused(struct answers *answers)
{
    static const char *const why[] = {"{\"detail\":\"the method is no token\"}",
                                      "{\"detail\":\"the method is unknown\"}"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(why[i]);
        if (answers->size < size || memcmp(answers->bytes + answers->size - size, why[i], size) != 0) continue;
        while (answers->size > 0 && strncmp(answers->bytes + answers->size, "HTTP/1.1 ", 9) != 0) answers->size--;
    }
}

static void play(const uint8_t *bytes, size_t size, bool whole, struct answers *answers)
{
    struct talk talk = {.bytes = bytes,
                        .size = size,
                        .whole = whole,
                        .pieces = {.bytes = bytes, .left = size},
                        .answers = answers};
    answers->size = 0;
    wf_sim_seed(1);
    CLAIM(wf_run(converse, &talk, .driver = "sim") == 0);
    leave_out_continue(answers);
    forget_why_a_method_is_refused(answers);
}

/* ---- A proxy's header ---- */

static void read_as_header(const char *bytes, size_t size)
{
    struct proxy_header whole = {.has_addresses = false}, part;
    ssize_t used = proxy_header_parse(bytes, size, &whole);
    CLAIM(used <= (ssize_t)size);
    for (size_t i = 0; i < size; i++) {
        ssize_t sooner = proxy_header_parse(bytes, i, &part);
        CLAIM(sooner == 0 || sooner == used); /* it is told as soon as it is known, and stays so */
        if (sooner > 0) CLAIM(part.has_addresses == whole.has_addresses && (size_t)sooner <= i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct answers whole, pieces;
    if (size > SIZE_MAX_HERE) size = SIZE_MAX_HERE;
    read_as_header((const char *)bytes, size);
    if (size >= 3 && memcmp(bytes, "PRI", 3) == 0) return 0; /* that is HTTP/2 */
    wf_set_report(ignore_report, NULL);
    size_t before = wf_allocated_blocks();
    play(bytes, size, true, &whole);
    play(bytes, size, false, &pieces);
    CLAIM(whole.size == pieces.size && memcmp(whole.bytes, pieces.bytes, whole.size) == 0);
    CLAIM(wf_allocated_blocks() == before);
    return 0;
}
