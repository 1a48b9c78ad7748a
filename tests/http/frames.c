/* Frames of HTTP/2 from a script, and a text from frames: frames.h. */
#include "frames.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/scope.h>
#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/testing.h>
#include <weft/time.h>

enum { BYTES_MAX = 4 << 20, PAYLOAD_MAX = 1 << 20, TEXT_MAX = 1 << 16, WORDS_MAX = 4096 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* ---- Writing ---- */

struct writer {
    char *bytes;
    size_t size;
};

static void put(struct writer *to, const void *bytes, size_t size)
{
    if (to->size + size > BYTES_MAX) abort();
    memcpy(to->bytes + to->size, bytes, size);
    to->size += size;
}

static void put_number(struct writer *to, uint32_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0;) {
        char byte = (char)(number >> (8 * i));
        put(to, &byte, 1);
    }
}

static void put_frame(struct writer *to, unsigned type, unsigned flags, uint32_t id, const struct writer *payload)
{
    put_number(to, (uint32_t)payload->size, 3);
    put_number(to, type, 1);
    put_number(to, flags, 1);
    put_number(to, id, 4);
    put(to, payload->bytes, payload->size);
}

static unsigned hex(const char *text)
{
    char digits[3] = {text[0], text[1], '\0'};
    return (unsigned)strtoul(digits, NULL, 16);
}

static void put_hex(struct writer *to, const char *text)
{
    for (; text[0] != '\0' && text[0] != ' '; text += 2) put_number(to, hex(text), 1);
}

/* "abc", "*200", "a%20b" */
static void put_text(struct writer *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '*' && i + 1 < size) {
            for (long left = strtol(text + i + 1, NULL, 10); left > 0; left--) put(to, "a", 1);
            return;
        }
        if (text[i] != '%') put(to, text + i, 1);
        else {
            put_number(to, hex(text + i + 1), 1);
            i += 2;
        }
    }
}

/* An integer of HPACK with a prefix of seven bits (RFC 7541 section 5.1). */
static void put_length(struct writer *to, size_t length)
{
    if (length < 127) {
        put_number(to, (uint32_t)length, 1);
        return;
    }
    put_number(to, 127, 1);
    for (length -= 127; length >= 128; length /= 128) put_number(to, (uint32_t)(length % 128) | 128, 1);
    put_number(to, (uint32_t)length, 1);
}

static void put_string(struct writer *to, const char *text, size_t size)
{
    char *room = malloc(PAYLOAD_MAX);
    struct writer string = {.bytes = room};
    put_text(&string, text, size);
    put_length(to, string.size);
    put(to, string.bytes, string.size);
    free(room);
}

/* A literal that is not indexed. */
static void put_field(struct writer *to, const char *name, size_t name_size, const char *value, size_t value_size)
{
    put_number(to, 0, 1);
    put_string(to, name, name_size);
    put_string(to, value, value_size);
}

#define FIELD(to, name, value, size) put_field((to), (name), sizeof(name) - 1, (value), (size))

static const char *put_request(struct writer *to, const char *at)
{
    size_t method = strcspn(at, " "), path = strcspn(at + method + 1, " ");
    FIELD(to, ":method", at, method);
    FIELD(to, ":scheme", "http", 4);
    FIELD(to, ":authority", "a", 1);
    FIELD(to, ":path", at + method + 1, path);
    return at + method + 1 + path;
}

static void put_fields(struct writer *to, const char *at)
{
    for (at += strspn(at, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " "), name = strspn(at, ":");
        name += strcspn(at + name, "= ");
        if (name >= size) at = put_request(to, at);
        else {
            put_field(to, at, name, at + name + 1, size - name - 1);
            at += size;
        }
    }
}

static unsigned flags_of(const char **at)
{
    unsigned flags = 0;
    for (; **at != ' ' && **at != '\0'; (*at)++)
        flags |= **at == 'e' ? 1U : **at == 'h' ? 4U : **at == 'p' ? 8U : **at == 'y' ? 0x20U : 0U;
    if (**at == ' ') (*at)++;
    return flags;
}

static uint32_t next_number(char **at)
{
    return (uint32_t)strtoul(*at, at, 0);
}

static void put_with_flags(struct writer *to, unsigned type, char *at, struct writer *payload)
{
    uint32_t id = next_number(&at);
    const char *rest = at;
    unsigned flags = flags_of(&rest);
    if (type == NGHTTP2_DATA) put_text(payload, rest, strlen(rest));
    else put_fields(payload, rest);
    put_frame(to, type, flags, id, payload);
}

static void put_settings(struct writer *to, char *at, struct writer *payload)
{
    const char *rest = at + strspn(at, " ");
    unsigned flags = *rest == 'e' ? flags_of(&rest) : 0;
    at = (char *)(uintptr_t)rest;
    while (*at != '\0') {
        put_number(payload, next_number(&at), 2);
        at++;
        put_number(payload, next_number(&at), 4);
    }
    put_frame(to, NGHTTP2_SETTINGS, flags, 0, payload);
}

static void put_any(struct writer *to, char *at, struct writer *payload)
{
    unsigned type = next_number(&at), flags = next_number(&at);
    uint32_t id = next_number(&at);
    put_hex(payload, at + strspn(at, " "));
    put_frame(to, type, flags, id, payload);
}

static void put_numbers(struct writer *to, unsigned type, char *at, struct writer *payload)
{
    uint32_t first = next_number(&at), second = next_number(&at);
    bool goes = type == NGHTTP2_GOAWAY;
    if (goes) put_number(payload, first, 4);
    put_number(payload, second, 4);
    put_frame(to, type, 0, goes ? 0 : first, payload);
}

static void put_statement(struct writer *to, char *at)
{
    char *room = malloc(PAYLOAD_MAX);
    struct writer payload = {.bytes = room};
    const char *rest = at + 1;
    switch (at[0]) {
    case 'H':
        put_with_flags(to, NGHTTP2_HEADERS, at + 1, &payload);
        break;
    case 'C':
        put_with_flags(to, NGHTTP2_CONTINUATION, at + 1, &payload);
        break;
    case 'D':
        put_with_flags(to, NGHTTP2_DATA, at + 1, &payload);
        break;
    case 'R':
        put_numbers(to, NGHTTP2_RST_STREAM, at + 1, &payload);
        break;
    case 'W':
        put_numbers(to, NGHTTP2_WINDOW_UPDATE, at + 1, &payload);
        break;
    case 'G':
        put_numbers(to, NGHTTP2_GOAWAY, at + 1, &payload);
        break;
    case 'S':
        put_settings(to, at + 1, &payload);
        break;
    case 'P':
        rest += strspn(rest, " ");
        put(&payload, "pingpong", 8);
        put_frame(to, NGHTTP2_PING, flags_of(&rest), 0, &payload);
        break;
    case 'F':
        put_any(to, at + 1, &payload);
        break;
    case 'X':
        put_hex(to, at + 2);
        break;
    default:
        abort();
    }
    free(room);
}

/* ---- Scripts ---- */

/* The next statement, terminated; NULL: no more. */
static char *next_statement(char **at)
{
    char *statement = *at + strspn(*at, " ");
    if (*statement == '\0') return NULL;
    char *end = strstr(statement, "; ");
    *at = end != NULL ? end + 2 : statement + strlen(statement);
    if (end != NULL) *end = '\0';
    return statement;
}

/* "3 H%eh GET /" -> "H1eh GET /; H3eh GET /; H5eh GET /" */
static char *repeated(const char *script)
{
    char *rest;
    unsigned long times = strtoul(script, &rest, 10);
    size_t size = times * (strlen(rest) + 12) + 1, at = 0;
    char *text = wf_arena_alloc(wf_task_arena(), size);
    if (text == NULL) return NULL;
    text[0] = '\0';
    for (unsigned long i = 0; i < times; i++) {
        for (const char *from = rest + 1; *from != '\0'; from++) {
            if (*from == '%') at += (size_t)sprintf(text + at, "%lu", 2 * i + 1);
            else text[at++] = *from;
        }
        at += (size_t)sprintf(text + at, "; ");
    }
    return text;
}

static char *writable(const char *script)
{
    size_t lead = strspn(script, "!");
    script += lead;
    const char *count = strpbrk(script, "0123456789");
    bool repeats = count == script;
    return repeats ? repeated(script) : wf_arena_strdup(wf_task_arena(), script);
}

static bool begin(struct writer *to, const char *script)
{
    to->bytes = wf_arena_alloc(wf_task_arena(), BYTES_MAX);
    to->size = 0;
    if (to->bytes == NULL) return false;
    if (script[0] == '!') return true;
    put(to, preface, sizeof preface - 1);
    put_frame(to, NGHTTP2_SETTINGS, 0, 0, &(struct writer){.bytes = to->bytes});
    return true;
}

char *frames_bytes(const char *script, size_t *size)
{
    struct writer to;
    char *at = writable(script), *statement;
    if (at == NULL || !begin(&to, script)) return NULL;
    while ((statement = next_statement(&at)) != NULL) put_statement(&to, statement);
    *size = to.size;
    return to.bytes;
}

/* ---- Reading ---- */

struct reader {
    struct frames_log *log;
    char *bytes; /* that were not a whole frame yet */
    size_t size;
    nghttp2_hd_inflater *inflater;
};

static void say(struct frames_log *log, const char *format, ...) WF_PRINTF_(2, 3);
static void say(struct frames_log *log, const char *format, ...)
{
    size_t at = strlen(log->text);
    va_list arguments;
    va_start(arguments, format);
    if (at > 0 && at < TEXT_MAX - 1) log->text[at++] = ' ';
    vsnprintf(log->text + at, TEXT_MAX - at, format, arguments);
    va_end(arguments);
}

static uint32_t number_at(const char *bytes, unsigned count)
{
    uint32_t number = 0;
    for (unsigned i = 0; i < count; i++) number = number << 8 | (unsigned char)bytes[i];
    return number;
}

static void read_fields(struct reader *reader, uint32_t id, const char *bytes, size_t size, bool ends)
{
    char words[256] = "";
    int flags = 0;
    nghttp2_nv field;
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        ssize_t used = nghttp2_hd_inflate_hd2(reader->inflater, &field, &flags, (const uint8_t *)bytes, size, 1);
        if (used < 0) {
            say(reader->log, "unreadable");
            return;
        }
        bytes += used;
        size -= (size_t)used;
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT)) continue;
        size_t at = strlen(words);
        if (field.namelen == 7 && memcmp(field.name, ":status", 7) == 0)
            snprintf(words, sizeof words, "%s", field.value);
        else if (field.name[0] == 'x')
            snprintf(words + at, sizeof words - at, "%s%s=%s", at > 0 ? "," : "", field.name, field.value);
    }
    for (char *at = words; *at != '\0'; at++)
        if (*at == ' ') *at = '_';
    nghttp2_hd_inflate_end_headers(reader->inflater);
    say(reader->log, "%u:%s%s", id, words, ends ? "." : "");
}

static void read_settings(struct frames_log *log, const char *bytes, size_t size)
{
    for (size_t i = 0; i + 6 <= size; i += 6) {
        uint32_t number = number_at(bytes + i, 2);
        if (number < WF_COUNT(log->settings)) log->settings[number] = number_at(bytes + i + 2, 4);
    }
}

static void read_frame(struct reader *reader, unsigned type, unsigned flags, uint32_t id, const char *bytes,
                       size_t size)
{
    struct frames_log *log = reader->log;
    switch (type) {
    case NGHTTP2_DATA:
        log->body += (int64_t)size;
        say(log, "%u:data=%zu%s", id, size, flags & 1 ? "." : "");
        break;
    case NGHTTP2_HEADERS:
        read_fields(reader, id, bytes, size, flags & 1);
        break;
    case NGHTTP2_RST_STREAM:
        say(log, "%u:reset=%s", id, nghttp2_http2_strerror(number_at(bytes, 4)));
        break;
    case NGHTTP2_GOAWAY:
        if (number_at(bytes, 4) == 0x7fffffff) say(log, "goaway=all");
        else say(log, "goaway=%u,%s", number_at(bytes, 4), nghttp2_http2_strerror(number_at(bytes + 4, 4)));
        break;
    case NGHTTP2_PING:
        say(log, "ping");
        break;
    case NGHTTP2_SETTINGS:
        read_settings(log, bytes, size);
        break;
    case NGHTTP2_WINDOW_UPDATE:
        if (id == 0) log->windows += number_at(bytes, 4);
        break;
    default:
        say(log, "frame=%u", type);
    }
}

static void read_frames(struct reader *reader)
{
    size_t at = 0;
    while (reader->size - at >= 9) {
        const char *head = reader->bytes + at;
        size_t size = number_at(head, 3);
        if (reader->size - at < 9 + size) break;
        read_frame(reader, (unsigned char)head[3], (unsigned char)head[4], number_at(head + 5, 4), head + 9, size);
        at += 9 + size;
    }
    memmove(reader->bytes, reader->bytes + at, reader->size - at);
    reader->size -= at;
}

/* ---- The conversation ---- */

struct play {
    struct frames_log *log;
    struct wf_app *app;
    const char *script;
    enum frame_delivery delivery;
    bool patient;
    struct wf_stream *client, *server;
    struct wf_event ended;
    int64_t said_at;
};

static int serve(struct play *play)
{
    WF_SCOPE(scope);
    play->log->scope = &scope;
    play->log->served = wf_app_serve_stream(play->app, play->server);
    play->log->scope = NULL;
    wf_stream_close(play->server);
    return wf_scope_end(&scope, play->log->served == -ECANCELED ? -ECANCELED : 0);
}

static int send_bytes(struct play *play, struct writer *from)
{
    size_t step = play->delivery == FRAMES_BY_BYTES ? 1 : from->size;
    int rc = 0;
    for (size_t at = 0; at < from->size && rc == 0; at += step) {
        rc = wf_stream_write_all(play->client, from->bytes + at, step, NULL);
        if (rc == 0 && step == 1) rc = wf_yield();
    }
    from->size = 0;
    return rc;
}

static int say_script(struct play *play)
{
    struct writer to;
    char *at = writable(play->script), *statement;
    if (at == NULL || !begin(&to, play->script)) return -ENOMEM;
    int rc = 0;
    while (rc == 0 && (statement = next_statement(&at)) != NULL) {
        if (statement[0] != 'T') {
            put_statement(&to, statement);
            continue;
        }
        rc = send_bytes(play, &to);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(strtol(statement + 1, NULL, 10)));
    }
    if (rc == 0) rc = send_bytes(play, &to);
    return rc;
}

static int speak(struct play *play)
{
    int rc = say_script(play);
    play->said_at = wf_now();
    if (rc == 0) {
        rc = wf_within(play->patient ? WF_SECONDS(100) : WF_MILLISECONDS(50), wf_event_wait(&play->ended));
        if (rc == -ETIME) rc = 0;
    }
    if (rc == 0) rc = wf_stream_shutdown(play->client);
    return rc == -EPIPE ? 0 : rc;
}

static int listen_to_it(struct play *play, struct reader *reader)
{
    ssize_t got;
    while ((got = wf_stream_read(play->client, reader->bytes + reader->size, BYTES_MAX - reader->size)) > 0) {
        reader->size += (size_t)got;
        read_frames(reader);
    }
    if (got == 0) say(play->log, "end");
    play->log->ended_after = wf_now() - play->said_at;
    wf_event_set(&play->ended);
    return (int)got;
}

static void converse(struct play *play, struct reader *reader)
{
    WF_SCOPE(scope);
    if (wf_spawn(&scope, serve, play) < 0) wf_stream_close(play->server);
    wf_spawn(&scope, speak, play);
    int rc = listen_to_it(play, reader);
    wf_scope_end(&scope, rc);
}

void frames_play(struct frames_log *log, struct wf_app *app, const char *script, enum frame_delivery delivery,
                 bool patient)
{
    static char nothing[1];
    *log = (struct frames_log){.served = -EINPROGRESS, .text = wf_arena_zero(wf_task_arena(), TEXT_MAX)};
    if (log->text == NULL) log->text = nothing;
    struct play play = {.log = log, .app = app, .script = script, .delivery = delivery, .patient = patient};
    play.ended = (struct wf_event)WF_EVENT;
    struct reader reader = {.log = log, .bytes = wf_arena_alloc(wf_task_arena(), BYTES_MAX)};
    if (log->text == nothing || reader.bytes == NULL || nghttp2_hd_inflate_new(&reader.inflater) != 0) return;
    if (wf_stream_pair(1 << 16, &play.client, &play.server) == 0) {
        converse(&play, &reader);
        wf_stream_close(play.client);
    }
    nghttp2_hd_inflate_del(reader.inflater);
}

/* ---- Order ---- */

struct word {
    unsigned long stream;
    size_t place;
    char *text;
};

static int compare(const void *one, const void *other)
{
    const struct word *a = one, *b = other;
    if (a->stream != b->stream) return a->stream < b->stream ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

void frames_sort(struct frames_log *log)
{
    struct word *words = wf_arena_array(wf_task_arena(), WORDS_MAX, sizeof *words);
    size_t count = 0;
    char *copy = wf_arena_strdup(wf_task_arena(), log->text), *rest = NULL;
    if (copy == NULL || words == NULL) return;
    for (char *at = strtok_r(copy, " ", &rest); at != NULL && count < WORDS_MAX; at = strtok_r(NULL, " ", &rest)) {
        bool numbered = at[0] >= '0' && at[0] <= '9';
        words[count] = (struct word){numbered ? strtoul(at, NULL, 10) : UINT32_MAX, count, at};
        count++;
    }
    qsort(words, count, sizeof *words, compare);
    log->text[0] = '\0';
    for (size_t i = 0; i < count; i++) say(log, "%s", words[i].text);
}
