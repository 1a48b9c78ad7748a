/* A request as its handler sees it. */
#include "http/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/app.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/tls.h>

#include "http/app.h"
#include "http/forwarded.h"
#include "http/grammar.h"

void request_begin(struct wf_request *request, const struct exchange *exchange, struct wf_app *app)
{
    char *from = (char *)request + offsetof(struct wf_request, exchange);
    memset(from, 0, offsetof(struct wf_request, captures) - offsetof(struct wf_request, exchange));
    request->exchange = exchange;
    request->app = request->root = request->target = app;
    request->path = request->path_here = request->authority = "";
}

/* "http://host/path": a proxy's way of asking (RFC 9112 section 3.2.2). */
static bool set_absolute(struct wf_request *request, char *target)
{
    char *host = target + (strncasecmp(target, "https://", 8) == 0 ? 8 : 7);
    size_t size = strcspn(host, "/?");
    if (size == 0) return false;
    request->authority = wf_arena_strndup(&request->arena, host, size);
    request->path = host + size;
    return request->authority != NULL;
}

bool request_set_target(struct wf_request *request, char *target, size_t size)
{
    target[size] = '\0';
    request->path = target;
    if (target[0] != '/') {
        if (request->method == WF_OPTIONS && strcmp(target, "*") == 0) return true;
        if (request->method == WF_CONNECT) {
            request->authority = target;
            return target[0] != '\0';
        }
        bool absolute = strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0;
        if (!absolute || !set_absolute(request, target)) return false;
    }
    char *query = strchr(request->path, '?');
    if (query != NULL) {
        *query = '\0';
        request->query = query + 1;
    }
    if (request->path[0] == '\0') request->path = "/";
    return true;
}

/* ---- The head ---- */

enum wf_method wf_request_method(const struct wf_request *request)
{
    return request->method;
}

const char *wf_request_path(const struct wf_request *request)
{
    return request->path;
}

const char *wf_request_query(const struct wf_request *request)
{
    return request->query;
}

const char *wf_request_scheme(const struct wf_request *request)
{
    const char *said = forwarded_of(request)->scheme;
    if (said != NULL) return said;
    return request->secure ? "https" : "http";
}

const char *wf_request_host(const struct wf_request *request)
{
    const char *said = forwarded_of(request)->host;
    return said != NULL ? said : request->authority;
}

const char *wf_request_version(const struct wf_request *request)
{
    return request->http10 ? "HTTP/1.0" : request->exchange->version;
}

const char *wf_request_header(const struct wf_request *request, const char *name)
{
    return wf_headers_find(&request->headers, name);
}

const struct wf_headers *wf_request_headers(const struct wf_request *request)
{
    return &request->headers;
}

int64_t wf_request_length(const struct wf_request *request)
{
    return request->length;
}

int wf_request_status(const struct wf_request *request)
{
    return request->status;
}

struct wf_arena *wf_request_arena(struct wf_request *request)
{
    return &request->arena;
}

struct wf_app *wf_request_app(const struct wf_request *request)
{
    return request->app;
}

void *wf_request_state(const struct wf_request *request)
{
    return request->app->state;
}

void *wf_request_arg(const struct wf_request *request)
{
    return request->route != NULL ? request->route->options.arg : NULL;
}

int wf_request_peer(const struct wf_request *request, struct wf_address *address)
{
    const struct forwarded *said = forwarded_of(request);
    if (said->has_peer) {
        *address = said->peer;
        return 0;
    }
    struct wf_stream *stream = request->exchange->stream((struct wf_request *)(uintptr_t)request);
    return stream != NULL ? wf_stream_peer(stream, address) : -EOPNOTSUPP;
}

int wf_request_tls(struct wf_request *request, struct wf_tls_info *info)
{
    struct wf_stream *stream = request->exchange->stream(request);
    return stream != NULL ? wf_tls_info(stream, &request->arena, info) : -EINVAL;
}

bool request_next_cookie(const struct wf_request *request, struct cookie *cookie)
{
    for (;;) {
        const char *at = cookie->rest != NULL ? cookie->rest + strspn(cookie->rest, " \t;") : "";
        if (*at == '\0') {
            cookie->rest = wf_headers_next(&request->headers, "cookie", &cookie->after_header);
            if (cookie->rest == NULL) return false;
            continue;
        }
        size_t size = strcspn(at, ";"), name_size = strcspn(at, "=;");
        cookie->rest = at + size;
        if (name_size == size) continue; /* no "=" */
        cookie->name = at;
        cookie->name_size = name_size;
        cookie->value = at + name_size + 1;
        cookie->value_size = size - name_size - 1;
        return true;
    }
}

const char *wf_request_cookie(struct wf_request *request, const char *name)
{
    struct cookie cookie = {0};
    size_t size = strlen(name);
    while (request_next_cookie(request, &cookie))
        if (cookie.name_size == size && memcmp(cookie.name, name, size) == 0)
            return wf_arena_strndup(&request->arena, cookie.value, cookie.value_size);
    return NULL;
}

/* ---- Parameters ---- */

const char *wf_path_text(struct wf_request *request, const char *name)
{
    for (unsigned i = 0; i < request->captured; i++) {
        struct capture *capture = &request->captures[i];
        if (strcmp(capture->name, name) != 0) continue;
        if (capture->decoded == NULL) {
            capture->decoded = wf_arena_strndup(&request->arena, capture->value, capture->size);
            if (capture->decoded != NULL) percent_decode(capture->decoded, capture->size, false);
        }
        return capture->decoded;
    }
    return NULL;
}

const char *wf_query_text(struct wf_request *request, const char *name)
{
    size_t wanted = strlen(name);
    const char *at = request->query != NULL ? request->query : "";
    while (*at != '\0') {
        size_t size = strcspn(at, "&"), name_size = strcspn(at, "=&");
        char *decoded = wf_arena_strndup(&request->arena, at, name_size);
        if (decoded == NULL) return NULL;
        if (percent_decode(decoded, name_size, true) == (long)wanted && memcmp(decoded, name, wanted) == 0) {
            size_t skip = name_size < size ? name_size + 1 : size;
            char *value = wf_arena_strndup(&request->arena, at + skip, size - skip);
            return value != NULL && percent_decode(value, size - skip, true) >= 0 ? value : NULL;
        }
        at += size + (at[size] == '&');
    }
    return NULL;
}

static int parse_int(struct wf_request *request, const char *where, const char *name, const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    bool begins = text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
    long long number = begins ? strtoll(text, &end, 10) : 0;
    if (!begins || *end != '\0' || errno != 0) {
        int rc = wf_http_error(request, 422, "%s parameter \"%s\" is not a whole number", where, name);
        return rc == -ECANCELED ? rc : -EINVAL;
    }
    *value = number;
    return 0;
}

int wf_path_int(struct wf_request *request, const char *name, int64_t *value)
{
    const char *text = wf_path_text(request, name);
    if (text == NULL) return wf_fail(-ENOENT, "the pattern has no {%s}", name);
    int rc = wf_checkpoint();
    return rc < 0 ? rc : parse_int(request, "the path's", name, text, value);
}

int wf_query_int(struct wf_request *request, const char *name, int64_t otherwise, int64_t *value)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    const char *text = wf_query_text(request, name);
    *value = otherwise;
    return text == NULL ? 0 : parse_int(request, "the query's", name, text, value);
}

void *wf_path_value(const struct wf_request *request)
{
    return request->path_value;
}

void *wf_query_value(const struct wf_request *request)
{
    return request->query_value;
}

void *wf_header_value(const struct wf_request *request)
{
    return request->field_value;
}

void *wf_cookie_value(const struct wf_request *request)
{
    return request->cookie_value;
}

void *wf_body_value(const struct wf_request *request)
{
    return request->body_value;
}

/* ---- The body ---- */

ssize_t wf_request_read(struct wf_request *request, void *buffer, size_t size)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (request->body_error < 0) return request->body_error;
    if (request->body_ended || size == 0) return 0;
    ssize_t got = request->exchange->read(request, buffer, size);
    if (got > 0) request->body_read += (uint64_t)got;
    if (got > 0 && request->body_read > request->body_max) got = -EMSGSIZE;
    if (got < 0 && got != -ECANCELED) {
        request->body_error = (int)got;
        request->close_after = true;
    }
    return got;
}

const char *wf_request_trailer(const struct wf_request *request, const char *name)
{
    return request->body_ended ? wf_headers_find(&request->request_trailers, name) : NULL;
}

static int refuse_body(struct wf_request *request, int code)
{
    if (code == -EMSGSIZE)
        wf_http_error(request, 413, "the body is longer than %llu bytes", (unsigned long long)request->body_max);
    else if (code == -EBADMSG) wf_http_error(request, 400, "the body is not well formed");
    return code;
}

/* Bytes that are compressed are not what the handler asks for (RFC 9110 section 15.5.16). */
static bool is_encoded(const struct wf_request *request)
{
    const char *encoding = wf_headers_find(&request->headers, "content-encoding");
    bool plain = encoding == NULL || strcasecmp(encoding, "identity") == 0;
    return !plain && request->decompressor == NULL && request->length != 0;
}

int request_refuse_too_long(struct wf_request *request)
{
    if (request->length < 0 || (uint64_t)request->length <= request->body_max) return 0;
    request->close_after = true;
    return refuse_body(request, -EMSGSIZE);
}

int wf_request_body(struct wf_request *request, char **bytes, size_t *size)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (request->body != NULL) {
        *bytes = request->body;
        *size = request->body_size;
        return 0;
    }
    if (is_encoded(request)) return wf_http_error(request, 415, "the encoding of the body is not taken here");
    rc = request_refuse_too_long(request);
    if (rc < 0) return rc;
    size_t room = request->length >= 0 ? (size_t)request->length : 4096, count = 0;
    char *body = wf_arena_alloc(&request->arena, room + 1);
    while (body != NULL) {
        if (count == room) {
            if (request->body_ended) break;
            room = room * 2 + 64;
            char *larger = wf_arena_alloc(&request->arena, room + 1);
            if (larger != NULL) memcpy(larger, body, count);
            body = larger;
            continue;
        }
        ssize_t got = wf_request_read(request, body + count, room - count);
        if (got < 0) return refuse_body(request, (int)got);
        if (got == 0) break;
        count += (size_t)got;
    }
    if (body == NULL) return -ENOMEM;
    body[count] = '\0';
    *bytes = request->body = body;
    *size = request->body_size = count;
    return 0;
}
