/*
 * The head of a request in HTTP/2. nghttp2 has checked the order, number and characters of its fields (RFC 9113 section
 * 8.2 and 8.3) before they come here; what is left is what it means for HTTP, and how much of it there is.
 */
#include <string.h>
#include <strings.h>
#include <weft/extend.h>

#include "http/app.h"
#include "http/grammar.h"
#include "http/h2.h"

static void refuse(struct h2_stream *stream, int status, const char *why)
{
    if (stream->refused != 0) return;
    stream->refused = status;
    stream->why = why;
}

/* ---- Fields ---- */

static bool is(const struct wf_header *field, const char *name, size_t size)
{
    return field->name_size == size && memcmp(field->name, name, size) == 0;
}

static int add_pseudo(struct h2_stream *stream, const uint8_t *name, size_t name_size, const uint8_t *value,
                      size_t value_size)
{
    struct wf_request *request = &stream->request;
    if (name_size == 7 && memcmp(name, ":method", 7) == 0) {
        int method = wf_method_parse((const char *)value, value_size);
        if (method < 0) refuse(stream, 501, "the method is unknown");
        else request->method = (enum wf_method)method;
        return 0;
    }
    char *text = wf_arena_strndup(&request->arena, (const char *)value, value_size);
    if (text == NULL) return -ENOMEM;
    if (name_size == 5) stream->target = text; /* :path */
    else if (name_size == 10) request->authority = text;
    else if (name_size == 9) stream->protocol = text;
    return 0;
}

static void look_at(struct h2_stream *stream, const struct wf_header *field)
{
    struct wf_request *request = &stream->request;
    if (is(field, "host", 4)) stream->host = field->value;
    else if (is(field, "cookie", 6)) stream->cookies++;
    else if (is(field, "expect", 6)) {
        if (strcasecmp(field->value, "100-continue") != 0) refuse(stream, 417, "the expectation is unknown");
        request->wants_continue = true;
    } else if (is(field, "content-length", 14)) {
        request->length = 0; /* nghttp2 has seen that these are digits, and that they fit */
        for (const char *at = field->value; *at != '\0'; at++) request->length = request->length * 10 + (*at - '0');
    }
}

/* Counts against the limits; what is too much is not kept. */
static bool takes_field(struct h2_stream *stream, const struct wf_headers *fields, size_t size)
{
    const struct wf_http_limits *limits = &stream->h2->connection->server->app->private_->limits;
    stream->head_size += size + H2_FIELD_OVERHEAD;
    if (stream->head_size > limits->head_max) refuse(stream, 431, "the fields are too long");
    if (fields->count >= limits->fields_max) refuse(stream, 431, "there are too many fields");
    return stream->refused != 431;
}

int h2_add_field(struct h2_stream *stream, nghttp2_headers_category category, const uint8_t *name, size_t name_size,
                 const uint8_t *value, size_t value_size)
{
    struct wf_request *request = &stream->request;
    bool head = category == NGHTTP2_HCAT_REQUEST;
    struct wf_headers *fields = head ? &request->headers : &request->request_trailers;
    if (!takes_field(stream, fields, name_size + value_size)) return 0;
    if (name_size > 0 && name[0] == ':') return add_pseudo(stream, name, name_size, value, value_size);
    const struct wf_header *field = h2_keep_field(fields, &request->arena, name, name_size, value, value_size);
    if (field == NULL) return -ENOMEM;
    if (head) look_at(stream, field);
    return 0;
}

/* ---- The whole head ---- */

/* A client may split its cookies for the sake of compression; whoever reads them sees one field (section 8.2.3). */
static void join_cookies(struct h2_stream *stream)
{
    struct wf_headers *fields = &stream->request.headers;
    struct wf_header *first = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fields->count; i++) {
        struct wf_header *field = &fields->list[i];
        if (first != NULL && is(field, "cookie", 6)) {
            char *joined = wf_arena_printf(&stream->request.arena, "%s; %s", first->value, field->value);
            if (joined == NULL) {
                refuse(stream, 503, "out of memory");
                return;
            }
            first->value = joined;
            first->value_size += field->value_size + 2;
            continue;
        }
        fields->list[kept] = *field;
        if (first == NULL && is(field, "cookie", 6)) first = &fields->list[kept];
        kept++;
    }
    fields->count = kept;
}

/* What another protocol is asked for (RFC 8441) is a GET that is upgraded, so that one route serves both versions. */
static void look_at_protocol(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    request->protocol = stream->protocol;
    request->method = WF_GET;
    request->length = -1;
}

static void check_authority(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    if (request->authority[0] == '\0' && stream->host != NULL) request->authority = stream->host;
    if (stream->host != NULL && strcasecmp(stream->host, request->authority) != 0)
        refuse(stream, 400, ":authority and the Host field differ");
    if (!is_authority(request->authority, strlen(request->authority))) refuse(stream, 400, ":authority is no host");
}

static void check_target(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    if (stream->target == NULL) {
        request->path = request->authority; /* CONNECT has nothing else */
        return;
    }
    size_t size = strlen(stream->target);
    for (size_t i = 0; i < size; i++) {
        if ((signed char)stream->target[i] > ' ' && stream->target[i] != '#' && stream->target[i] != 0x7f) continue;
        refuse(stream, 400, "the path has characters that have to be encoded");
    }
    if (size > stream->h2->connection->server->app->private_->limits.line_max)
        refuse(stream, 414, "the path is too long");
    if (stream->target[0] != '/' && strcmp(stream->target, "*") != 0)
        refuse(stream, 400, "the path does not begin with /");
    else if (!request_set_target(request, stream->target, size)) refuse(stream, 400, "the request's target is none");
}

void h2_check_head(struct h2_stream *stream)
{
    struct wf_request *request = &stream->request;
    if (stream->client_done) request->length = 0;
    check_authority(stream);
    check_target(stream);
    if (stream->cookies > 1) join_cookies(stream);
    if (stream->protocol != NULL) look_at_protocol(stream);
    request->wants_continue = request->wants_continue && !stream->client_done;
    request->body_ended = stream->client_done;
}
