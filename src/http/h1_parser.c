/* Heads of HTTP/1.x requests: what llhttp finds, and what it does not refuse by itself. */
#include "http/h1_parser.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/grammar.h"
#include "http/head_execute.h"

static struct h1_parser *parser_of(llhttp_t *llhttp)
{
    return (struct h1_parser *)((char *)llhttp - offsetof(struct h1_parser, llhttp));
}

static int refuse(struct h1_parser *parser, int status, const char *why)
{
    if (parser->status == 0) {
        parser->status = status;
        parser->why = why;
    }
    return HPE_USER;
}

/* ---- What llhttp finds ---- */

static int on_url(llhttp_t *llhttp, const char *at, size_t size)
{
    struct h1_parser *parser = parser_of(llhttp);
    if (parser->target == NULL) parser->target = parser->start + (at - parser->start);
    parser->target_end = parser->start + (at - parser->start) + size;
    if ((size_t)(parser->target_end - parser->start) > parser->limits->line_max)
        return refuse(parser, 414, "the request line is too long");
    return 0;
}

static __attribute__((noinline)) bool make_room(struct h1_parser *parser)
{
    struct wf_headers *fields = &parser->request->headers;
    uint32_t room = fields->room_ * 2;
    struct wf_header *list = wf_arena_alloc(&parser->request->arena, room * sizeof *list);
    if (list == NULL) return false;
    memcpy(list, fields->list, fields->count * sizeof *list);
    fields->list = list;
    fields->room_ = room;
    return true;
}

static int on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct h1_parser *parser = parser_of(llhttp);
    struct wf_headers *fields = &parser->request->headers;
    const struct wf_header *last = fields->count > 0 ? &fields->list[fields->count - 1] : NULL;
    if (last == NULL || at != last->name + last->name_size) { /* else the rest of it, which came later */
        if (fields->count >= parser->limits->fields_max) return refuse(parser, 431, "there are too many fields");
        bool has_room = fields->count < fields->room_ || make_room(parser);
        if (!has_room || fields->list == NULL) return refuse(parser, 503, "out of memory");
        fields->list[fields->count++] = (struct wf_header){.name = at, .value = at};
    }
    struct wf_header *field = &fields->list[fields->count - 1];
    field->name_size = (uint32_t)(at + size - field->name);
    return 0;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct h1_parser *parser = parser_of(llhttp);
    struct wf_headers *fields = &parser->request->headers;
    struct wf_header *field = &fields->list[fields->count - 1];
    if (field->value_size == 0) field->value = at;
    field->value_size = (uint32_t)(at + size - field->value);
    return 0;
}

/* The body, if any, is read when the handler asks for it. */
static int on_headers_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t head_settings = {
    .on_url = on_url,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_headers_complete,
};

/* ---- What it lets pass ---- */

enum { VERSION_SIZE = 9 }; /* " HTTP/1.1" */

/* The name is a token, in whose characters only the bit of the case differs from that of a small letter. */
static inline bool is(const struct wf_header *field, const char *name, size_t size)
{
    if (field->name_size != size) return false;
#pragma GCC unroll 4
    for (size_t i = 0; i < size; i++)
        if ((field->name[i] | 0x20) != name[i]) return false;
    return true;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

static bool is_line_end(const char *at)
{
    return at[0] == '\r' && at[1] == '\n';
}

/* One space on both sides of the target, and nothing in it that has to be encoded. */
static bool line_is_sound(const struct h1_parser *parser)
{
    if (parser->target[-1] != ' ' || parser->target[-2] == ' ') return false;
    if (parser->target_end[0] != ' ' || parser->target_end[1] != 'H') return false;
    if (!is_line_end(parser->target_end + VERSION_SIZE)) return false;
    for (const char *at = parser->target; at < parser->target_end; at++)
        if ((signed char)*at <= ' ' || *at == '#' || *at == 0x7f) return false;
    return true;
}

struct seen {
    unsigned hosts, codings;
    bool expects_more;
};

static int look_at_host(struct h1_parser *parser, const struct wf_header *field, struct seen *seen)
{
    if (++seen->hosts > 1) return refuse(parser, 400, "there are several Host fields");
    if (!is_authority(field->value, field->value_size)) return refuse(parser, 400, "the Host field is no host");
    parser->request->authority = field->value;
    return 0;
}

static int look_at_field(struct h1_parser *parser, const struct wf_header *field, struct seen *seen)
{
    if (is(field, "host", 4)) return look_at_host(parser, field, seen);
    if (!is_field_value(field->value, field->value_size))
        return refuse(parser, 400, "there is a control character in a field");
    if (is(field, "transfer-encoding", 17)) {
        if (++seen->codings > 1 || strcasecmp(field->value, "chunked") != 0)
            return refuse(parser, 400, "the only transfer coding that is known is one \"chunked\"");
    } else if (is(field, "expect", 6)) {
        if (strcasecmp(field->value, "100-continue") != 0) return refuse(parser, 417, "the expectation is unknown");
        parser->request->wants_continue = true;
    }
    return 0;
}

/*
 * A field, from the end of the line before it to the end of its own: every byte is accounted for, so what llhttp let
 * pass between its parts is seen here. Terminates name and value. NULL: it is refused.
 */
static char *finish_field(struct h1_parser *parser, struct wf_header *field, char *at)
{
    char *colon = at + field->name_size, *value = colon + 1;
    if (field->name != at) refuse(parser, 400, "a line does not end with CR LF, or is folded");
    else if (*colon != ':') refuse(parser, 400, "there is something between a field's name and its colon");
    else if (colon == at || memchr(at, ' ', field->name_size) != NULL)
        refuse(parser, 400, "the name of a field is no token"); /* llhttp takes spaces for parts of one */
    if (parser->status != 0) return NULL;
    while (is_blank(*value)) value++;
    char *end = value + field->value_size, *line_end = end;
    while (is_blank(*line_end)) line_end++;
    if ((field->value_size > 0 && field->value != value) || !is_line_end(line_end)) {
        refuse(parser, 400, "a line does not end with CR LF, or is folded");
        return NULL;
    }
    while (end > value && is_blank(end[-1])) end--;
    field->value = value;
    field->value_size = (uint32_t)(end - value);
    *colon = *end = '\0';
    return line_end + 2;
}

/* All fields, up to the empty line behind them. */
static bool finish_fields(struct h1_parser *parser, const char *end, struct seen *seen)
{
    const struct wf_headers *fields = &parser->request->headers;
    char *at = parser->target_end + VERSION_SIZE + 2;
    for (uint32_t i = 0; i < fields->count; i++) {
        at = finish_field(parser, &fields->list[i], at);
        if (at == NULL || look_at_field(parser, &fields->list[i], seen) != 0) return false;
    }
    if (is_line_end(at) && at + 2 == end) return true;
    refuse(parser, 400, "a line does not end with CR LF, or is folded");
    return false;
}

static int look_at_framing(struct h1_parser *parser, const struct seen *seen)
{
    struct wf_request *request = parser->request;
    const llhttp_t *llhttp = &parser->llhttp;
    if (llhttp->http_major != 1) return refuse(parser, 505, "only HTTP/1.x is spoken here");
    request->http10 = llhttp->http_minor == 0;
    if (!request->http10 && seen->hosts == 0) return refuse(parser, 400, "there is no Host field");
    if (seen->codings > 0 && (request->http10 || (llhttp->flags & F_CONTENT_LENGTH)))
        return refuse(parser, 400, "Transfer-Encoding does not go with this request");
    parser->chunked = seen->codings > 0;
    if (parser->chunked) request->length = -1;
    else if (llhttp->flags & F_CONTENT_LENGTH) {
        if (llhttp->content_length > INT64_MAX) return refuse(parser, 413, "the body is too long");
        request->length = (int64_t)llhttp->content_length;
    }
    request->wants_continue = request->wants_continue && !request->http10 && request->length != 0;
    return 0;
}

static int method_of(const struct h1_parser *parser)
{
    switch (parser->llhttp.method) {
    case HTTP_GET:
        return WF_GET;
    case HTTP_HEAD:
        return WF_HEAD;
    case HTTP_POST:
        return WF_POST;
    case HTTP_PUT:
        return WF_PUT;
    case HTTP_DELETE:
        return WF_DELETE;
    case HTTP_CONNECT:
        return WF_CONNECT;
    case HTTP_OPTIONS:
        return WF_OPTIONS;
    case HTTP_TRACE:
        return WF_METHOD_TRACE;
    case HTTP_PATCH:
        return WF_PATCH;
    default:
        return -EINVAL;
    }
}

static int look_at_line(struct h1_parser *parser)
{
    struct wf_request *request = parser->request;
    int method = method_of(parser);
    if (method < 0) return refuse(parser, 501, "the method is unknown");
    request->method = (enum wf_method)method;
    if (!request_set_target(request, parser->target, (size_t)(parser->target_end - parser->target)))
        return refuse(parser, 400, "the request's target is none");
    return 0;
}

static enum h1_found finish_head(struct h1_parser *parser, const char *end)
{
    struct seen seen = {0};
    if (!line_is_sound(parser)) {
        refuse(parser, 400, "the request line is not \"METHOD target HTTP/1.1\"");
        return H1_BAD;
    }
    if (!finish_fields(parser, end, &seen)) return H1_BAD;
    if (look_at_framing(parser, &seen) != 0 || look_at_line(parser) != 0) return H1_BAD;
    parser->keep_alive = llhttp_should_keep_alive(&parser->llhttp) != 0;
    parser->upgrades = parser->llhttp.upgrade != 0;
    return H1_WHOLE;
}

/* ---- The parser ---- */

void h1_parser_init(struct h1_parser *parser, const struct h1_limits *limits)
{
    *parser = (struct h1_parser){.limits = limits};
    llhttp_init(&parser->llhttp, HTTP_REQUEST, &head_settings);
    parser->llhttp.lenient_flags |= LENIENT_VERSION; /* HTTP/1.9 is to be taken for 1.1 (RFC 9110 section 2.5) */
}

void h1_parser_begin(struct h1_parser *parser, struct wf_request *request)
{
    llhttp_reset(&parser->llhttp);
    parser->request = request;
    request->headers = (struct wf_headers){.list = parser->first, .room_ = H1_FIELDS_FIRST};
    parser->start = parser->target = parser->target_end = NULL;
    parser->chunked = parser->keep_alive = false;
    parser->status = 0;
}

/* A method that nobody knows is another mistake than a line that is none. */
static void refuse_method(struct h1_parser *parser, const char *end)
{
    const char *at = parser->start;
    while (at < end && is_token_character(*at)) at++;
    bool token = at > parser->start && (at == end || *at == ' ');
    if (token) refuse(parser, 501, "the method is unknown");
    else refuse(parser, 400, "the method is no token");
}

static enum h1_found refuse_head(struct h1_parser *parser, const char *end, llhttp_errno_t error)
{
    if (parser->status != 0) return H1_BAD;
    if (error == HPE_INVALID_METHOD) refuse_method(parser, end);
    else refuse(parser, 400, llhttp_get_error_reason(&parser->llhttp));
    return H1_BAD;
}

/* Whether it is whole or not. */
static bool is_too_long(struct h1_parser *parser, const char *end)
{
    if ((size_t)(end - parser->start) <= parser->limits->head_max) return false;
    bool in_line = parser->request->headers.count == 0;
    refuse(parser, in_line ? 414 : 431, in_line ? "the request line is too long" : "the fields are too long");
    return true;
}

enum h1_found h1_parse_head(struct h1_parser *parser, char *bytes, size_t size, size_t *used)
{
    if (parser->start == NULL) parser->start = bytes;
    llhttp_errno_t error = head_execute(&parser->llhttp, bytes, size);
    if (error == HPE_PAUSED) {
        const char *end = llhttp_get_error_pos(&parser->llhttp);
        *used = (size_t)(end - bytes);
        return is_too_long(parser, end) ? H1_BAD : finish_head(parser, end);
    }
    if (error == HPE_PAUSED_UPGRADE) {
        refuse(parser, 400, "the request cannot be understood");
        return H1_BAD;
    }
    if (error != HPE_OK) return refuse_head(parser, bytes + size, error);
    *used = size;
    return is_too_long(parser, bytes + size) ? H1_BAD : H1_MORE;
}

/* Pointers into the head, which may be elsewhere: "*", or in the arena. */
static ptrdiff_t move_of(const char *pointer, const char *from, const char *to, ptrdiff_t by)
{
    return pointer >= from && pointer <= to ? by : 0;
}

void h1_parser_moved(struct h1_parser *parser, const char *to, ptrdiff_t by)
{
    if (parser->start == NULL) return;
    const char *from = parser->start;
    struct wf_request *request = parser->request;
    request->path += move_of(request->path, from, to, by);
    if (request->query != NULL) request->query += move_of(request->query, from, to, by);
    request->authority += move_of(request->authority, from, to, by);
    for (uint32_t i = 0; i < request->headers.count; i++) {
        request->headers.list[i].name += by;
        request->headers.list[i].value += by;
    }
    parser->start += by;
    if (parser->target != NULL) {
        parser->target += by;
        parser->target_end += by;
    }
}
