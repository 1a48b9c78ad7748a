/*
 * Requests of HTTP/1.1. A short body goes out with its head, in one write. While a long one goes out, another task
 * hears the answer: a server may refuse it at once, and stop reading.
 */
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/c1.h"
#include "client/proxy.h"

enum { SHORT_BODY = 65536 };

/* ---- The head ---- */

static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

static char *put_text(char *to, const char *text)
{
    return put(to, text, strlen(text));
}

static const char *login_for_proxy(const struct call *call)
{
    return call->wire->proxied ? call->origin->proxy->login : NULL;
}

static size_t size_of(const struct call *call)
{
    size_t size = 128 + strlen(call->url.text) + strlen(call->url.authority);
    for (uint32_t i = 0; i < call->headers.count; i++)
        size += call->headers.list[i].name_size + call->headers.list[i].value_size + 4;
    if (login_for_proxy(call) != NULL) size += 30 + strlen(login_for_proxy(call));
    return size;
}

/* A method that means something by its body says that there is none (RFC 9110 section 8.6). */
static char *put_framing(char *to, const struct call *call)
{
    int64_t length = has_body(call) ? call->payload.length : 0;
    bool means_body = call->method == WF_POST || call->method == WF_PUT || call->method == WF_PATCH;
    if (length < 0) return put_text(to, "transfer-encoding: chunked\r\n");
    if (has_body(call) || means_body) to += snprintf(to, 40, "content-length: %lld\r\n", (long long)length);
    return to;
}

static char *put_head(char *to, const struct call *call)
{
    to = put_text(to, wf_method_name(call->method));
    *to++ = ' ';
    bool whole = call->wire->proxied && call->method != WF_CONNECT;
    to = put_text(to, whole ? call->url.text : call->method == WF_CONNECT ? call->url.authority : call->url.target);
    to = put_text(to, " HTTP/1.1\r\nhost: ");
    to = put_text(to, call->url.authority);
    to = put_text(to, "\r\n");
    if (login_for_proxy(call) != NULL) {
        to = put_text(to, "proxy-authorization: ");
        to = put_text(to, login_for_proxy(call));
        to = put_text(to, "\r\n");
    }
    to = put_framing(to, call);
    for (uint32_t i = 0; i < call->headers.count; i++) {
        const struct wf_header *field = &call->headers.list[i];
        to = put(to, field->name, field->name_size);
        to = put(to, ": ", 2);
        to = put(to, field->value, field->value_size);
        to = put(to, "\r\n", 2);
    }
    return put(to, "\r\n", 2);
}

/* ---- The body ---- */

/* All of it; each write that brings no byte further for too long ends with -ETIME. */
static int write_parts(struct call *call, struct iovec *parts, int count)
{
    while (count > 0) {
        struct wf_stream *stream = call->wire->stream;
        if (stream == NULL) return -ESHUTDOWN;
        ssize_t sent = IN_STEP(call, STEP_WRITE, wf_stream_writev(stream, parts, count));
        if (sent < 0) return call->wire->stream == NULL ? -ESHUTDOWN : (int)sent;
        while (count > 0 && (size_t)sent >= parts->iov_len) {
            sent -= (ssize_t)parts->iov_len;
            parts++;
            count--;
        }
        if (count == 0) break;
        parts->iov_base = (char *)parts->iov_base + sent;
        parts->iov_len -= (size_t)sent;
    }
    return 0;
}

static int write_chunk(struct call *call, const struct iovec *piece)
{
    char line[20];
    int size = snprintf(line, sizeof line, "%zx\r\n", piece->iov_len);
    struct iovec parts[3] = {{line, (size_t)size}, *piece, {(char[]){"\r\n"}, 2}};
    return write_parts(call, parts, 3);
}

static int write_piece(struct call *call, const struct iovec *piece)
{
    struct iovec part = *piece;
    return write_parts(call, &part, 1);
}

static int send_body(struct call *call)
{
    bool chunked = call->payload.length < 0;
    struct iovec piece;
    uint64_t sent = 0;
    int more, rc = 0;
    while (rc == 0 && (more = payload_next(&call->payload, &piece)) > 0) {
        if (piece.iov_len == 0) continue;
        sent += piece.iov_len;
        if (!chunked && sent > (uint64_t)call->payload.length)
            return call_fail(call, -EMSGSIZE, "the body is longer than its length of %lld",
                             (long long)call->payload.length);
        rc = chunked ? write_chunk(call, &piece) : write_piece(call, &piece);
    }
    if (rc < 0) return rc;
    if (more < 0) return call_fail_as_told(call, more);
    if (!chunked && sent < (uint64_t)call->payload.length)
        return call_fail(call, -EBADMSG, "the body is shorter than its length of %lld",
                         (long long)call->payload.length);
    call->sent += sent;
    return chunked ? write_piece(call, &(struct iovec){(char[]){"0\r\n\r\n"}, 5}) : 0;
}

/* ---- Both ---- */

struct answer {
    struct call *call;
    int (*read_head)(struct call *call);
    struct wf_scope *scope;
    bool sent, lost, early; /* the body has gone; not all of it was taken; the answer came before that */
};

/* A server that has said no is not told more. */
static int listen_for_answer(struct answer *answer)
{
    int rc = answer->read_head(answer->call);
    if (rc < 0 || answer->sent || answer->call->response->status < 300) return rc;
    answer->early = true;
    wf_scope_cancel(answer->scope, "the answer came before the body had gone");
    return 0;
}

static bool may_have_answered(const struct call *call, int code)
{
    return call->why == NULL && (code == -EPIPE || code == -ECONNRESET || code == -ECONNABORTED);
}

/* A connection that takes no more may still have an answer. */
static int send_all(struct call *call, const struct iovec *head, struct answer *answer)
{
    struct iovec part = *head;
    int rc = write_parts(call, &part, 1);
    if (rc == 0) rc = send_body(call);
    answer->lost = rc < 0;
    if (rc < 0 && !may_have_answered(call, rc)) return rc;
    answer->sent = true;
    int64_t limit = call_step(call, STEP_HEAD);
    if (limit < WF_FOREVER) wf_scope_set_deadline(answer->scope, wf_now() + limit);
    return 0;
}

/* The body is the caller's, and so its own task asks for its pieces. */
static int send_long(struct call *call, const struct iovec *head, int (*read_head)(struct call *call))
{
    struct answer answer = {.call = call, .read_head = read_head};
    WF_SCOPE(scope);
    answer.scope = &scope;
    int rc = wf_spawn(&scope, listen_for_answer, &answer, .name = "http answer");
    if (rc == 0) rc = send_all(call, head, &answer);
    if (answer.early) rc = 0;
    rc = wf_scope_end(&scope, rc);
    if (answer.early || answer.lost) call->keep_alive = false;
    return rc;
}

static int send_short(struct call *call, const struct iovec *head)
{
    struct iovec parts[2] = {*head, call->payload.whole};
    bool both = has_body(call) && parts[1].iov_len > 0;
    call->payload.told = true;
    if (both) call->sent += parts[1].iov_len;
    return write_parts(call, parts, both ? 2 : 1);
}

int c1_send(struct call *call, int (*read_head)(struct call *call))
{
    char *text = wf_arena_alloc(call->arena, size_of(call));
    if (text == NULL) return -ENOMEM;
    struct iovec head = {text, (size_t)(put_head(text, call) - text)};
    const struct payload *payload = &call->payload;
    bool is_short = !has_body(call) || (payload->whole.iov_base != NULL && payload->length <= SHORT_BODY);
    if (!is_short) return send_long(call, &head, read_head);
    int rc = send_short(call, &head);
    if (rc < 0) return rc;
    return IN_STEP(call, STEP_HEAD, read_head(call));
}
