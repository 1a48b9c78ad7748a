/*
 * Answers on tape: each is a line of JSON in a file, written when it was whole, and given again to a call with the same
 * method and URL, in the order of the tape. Bodies are as they travel, compressed or not.
 */
#include "client/tape.h"

#include <fcntl.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/file.h>
#include <weft/model.h>
#include <weft/task.h>

#include "http/utf8.h"

enum { TAPE_MAX = 256 << 20 }; /* bytes of a tape */

#define TAPE_FIELD_MEMBERS(M) M(STRING, name) M(STRING, value)
WF_MODEL(tape_field, TAPE_FIELD_MEMBERS)

/* The body is a text where it can be one. */
#define TAPE_LINE_MEMBERS(M)                                                                                           \
    M(STRING, method)                                                                                                  \
    M(STRING, url)                                                                                                     \
    M(INT32, status)                                                                                                   \
    M(LIST(MODEL(tape_field)), headers)                                                                                \
    M(STRING, text, .optional = true)                                                                                  \
    M(BYTES, bytes, .optional = true)
WF_MODEL(tape_line, TAPE_LINE_MEMBERS)

/* What was heard, and not yet told. */
struct tape {
    struct tape *next;
    struct tape_line line;
};

/* ---- Playing ---- */

static int read_line(struct client *client, const char *text, size_t size, struct tape ***end)
{
    struct tape *heard = wf_arena_new(&client->arena, struct tape);
    struct wf_problems problems;
    if (heard == NULL) return -ENOMEM;
    wf_problems_init(&problems, &client->arena);
    int rc = wf_model_parse(&tape_line_model, &client->arena, text, size, &heard->line, &problems);
    if (rc == -ENOMEM) return rc;
    if (rc < 0) return wf_fail(-EBADMSG, "%s: this is no tape", client->options.replay);
    heard->next = NULL;
    **end = heard;
    *end = &heard->next;
    return 0;
}

static int load_tape(struct client *client)
{
    char *text;
    size_t size;
    struct tape **end = &client->tape;
    int rc = wf_file_load(client->options.replay, TAPE_MAX, &client->arena, &text, &size);
    for (char *at = text, *stop; rc == 0 && at < text + size; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(text + size - at));
        if (stop == NULL) stop = text + size;
        if (stop > at) rc = read_line(client, at, (size_t)(stop - at), &end);
    }
    return rc;
}

/* An answer that is being told; its wire is of no pool. */
struct telling {
    struct wire wire; /* first */
    const struct tape_line *line;
    const char *bytes;
    size_t left;
};

static int tell_head(struct call *call)
{
    struct telling *telling = (struct telling *)(void *)call->wire;
    const struct tape_line *line = telling->line;
    struct wf_response *response = call->response;
    response->version = "HTTP/1.1";
    response->status = line->status;
    response->headers = (struct wf_headers){.count = 0};
    for (size_t i = 0; i < line->headers.count; i++) {
        const struct tape_field *field = &line->headers.items[i];
        int rc = wf_headers_add(&response->headers, call->arena, field->name, field->value);
        if (rc < 0) return rc;
    }
    call->framing = FRAMING_LENGTH;
    call->body_left = telling->left;
    call->body_length = (int64_t)telling->left;
    return 0;
}

static ssize_t tell_body(struct call *call, void *buffer, size_t size)
{
    struct telling *telling = (struct telling *)(void *)call->wire;
    if (telling->left < size) size = telling->left;
    memcpy(buffer, telling->bytes, size);
    telling->bytes += size;
    telling->left -= size;
    return (ssize_t)size;
}

static void end_telling(struct call *call)
{
    call->wire = NULL;
}

static void close_telling(struct wire *wire)
{
    (void)wire;
}

static const struct protocol told = {.version = "HTTP/1.1",
                                     .ask = tell_head,
                                     .read = tell_body,
                                     .leave = end_telling,
                                     .close = close_telling};

static bool is_for(const struct tape_line *line, const struct call *call)
{
    return strcmp(line->method, wf_method_name(call->method)) == 0 && strcmp(line->url, call->url.text) == 0;
}

int tape_take(struct call *call)
{
    struct client *client = call->client;
    int rc = wf_once(&client->tape_loaded, load_tape, client);
    if (rc < 0) return call_fail_as_told(call, rc);
    struct tape **at = &client->tape;
    while (*at != NULL && !is_for(&(*at)->line, call)) at = &(*at)->next;
    if (*at == NULL) return call_fail(call, -ENOENT, "%s has no further answer to that", client->options.replay);
    struct telling *telling = wf_arena_new(call->arena, struct telling);
    if (telling == NULL) return -ENOMEM;
    const struct tape_line *line = &(*at)->line;
    *telling = (struct telling){.wire = {.client = client, .protocol = &told}, .line = line};
    telling->bytes = line->has.text ? line->text : line->bytes.data;
    telling->left = line->has.text ? strlen(line->text) : line->bytes.size;
    *at = (*at)->next;
    call->wire = &telling->wire;
    return 0;
}

/* ---- Recording ---- */

int tape_keep(struct call *call, const void *bytes, size_t size)
{
    if (call->kept_size + size > call->kept_room) {
        size_t room = call->kept_room == 0 ? 4096 : call->kept_room;
        while (room < call->kept_size + size) room *= 2;
        char *kept = wf_memory_resize(call->kept, room);
        if (kept == NULL) return -ENOMEM;
        call->kept = kept;
        call->kept_room = room;
    }
    memcpy(call->kept + call->kept_size, bytes, size);
    call->kept_size += size;
    return 0;
}

void tape_forget(struct call *call)
{
    wf_memory_free(call->kept);
    call->kept = NULL;
    call->kept_size = call->kept_room = 0;
}

static bool is_text(const char *bytes, size_t size)
{
    struct utf8 utf8 = {0};
    return memchr(bytes, '\0', size) == NULL && utf8_take(&utf8, bytes, size) && utf8_may_end(&utf8);
}

static int describe(struct call *call, struct tape_line *line)
{
    const struct wf_headers *headers = &call->response->headers;
    struct tape_field *fields = wf_arena_alloc(call->arena, (headers->count + 1) * sizeof *fields);
    const char *body = wf_arena_strndup(call->arena, call->kept != NULL ? call->kept : "", call->kept_size);
    if (fields == NULL || body == NULL) return -ENOMEM;
    for (uint32_t i = 0; i < headers->count; i++)
        fields[i] = (struct tape_field){.name = headers->list[i].name, .value = headers->list[i].value};
    *line = (struct tape_line){.method = wf_method_name(call->method), .url = call->url.text};
    line->status = call->response->status;
    line->headers.items = fields;
    line->headers.count = headers->count;
    line->has.text = call->kept == NULL || is_text(call->kept, call->kept_size);
    line->has.bytes = !line->has.text;
    if (line->has.text) line->text = body;
    else line->bytes = (struct wf_bytes){call->kept, call->kept_size};
    return 0;
}

static int append(const char *path, const char *text, size_t size)
{
    struct wf_file *file = NULL;
    int rc = wf_file_open(path, O_WRONLY | O_CREAT | O_APPEND, 0600, &file);
    while (rc == 0 && size > 0) {
        ssize_t written = wf_file_write(file, text, size);
        if (written < 0) rc = (int)written;
        else {
            text += written;
            size -= (size_t)written;
        }
    }
    wf_file_close(file);
    return rc;
}

int tape_write(struct call *call)
{
    struct tape_line line;
    struct wf_json_writer writer;
    const char *text;
    int rc = describe(call, &line);
    if (rc < 0) return rc;
    wf_json_writer_init(&writer, call->arena, TAPE_MAX);
    wf_ignore(wf_model_write(&tape_line_model, &line, &writer));
    rc = wf_json_write_end(&writer, &text, NULL);
    if (rc == 0 && (text = wf_arena_printf(call->arena, "%s\n", text)) == NULL) rc = -ENOMEM;
    if (rc == 0) rc = append(call->client->options.record, text, strlen(text));
    tape_forget(call);
    return rc < 0 && rc != -ENOMEM ? call_fail_as_told(call, rc) : rc;
}
