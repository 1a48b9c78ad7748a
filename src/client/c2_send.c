/*
 * Requests of HTTP/2. Pieces of a body are lent by the call's own task, which asks its source for the next one when
 * nghttp2 has taken them, as far as the server's windows allow.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "client/c2.h"

enum { SHORT_BODY = 65536, OWN_FIELDS = 5 /* four pseudo fields, and the length */ };

/* ---- The head ---- */

static nghttp2_nv pair_of(const char *name, size_t name_size, const char *value, size_t value_size)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_size, value_size,
                        NGHTTP2_NV_FLAG_NONE};
}

#define PAIR(name, value) pair_of((name), sizeof(name) - 1, (value), strlen(value))

static size_t put_target(nghttp2_nv *pairs, const struct call *call)
{
    size_t count = 0;
    pairs[count++] = PAIR(":method", wf_method_name(call->method));
    pairs[count++] = PAIR(":authority", call->url.authority);
    if (call->method == WF_CONNECT) return count; /* has nothing else (RFC 9113 section 8.5) */
    pairs[count++] = PAIR(":scheme", call->url.scheme);
    pairs[count++] = PAIR(":path", call->url.target);
    return count;
}

/* A method that means something by its body says that there is none (RFC 9110 section 8.6). */
static size_t put_length(nghttp2_nv *pairs, const struct call *call, char text[24])
{
    int64_t length = has_body(call) ? call->payload.length : 0;
    bool means_body = call->method == WF_POST || call->method == WF_PUT || call->method == WF_PATCH;
    if (length < 0 || (!has_body(call) && !means_body)) return 0;
    snprintf(text, 24, "%lld", (long long)length);
    pairs[0] = PAIR("content-length", text);
    return 1;
}

/* Fields about a connection have no place here; "te" may say that trailers are welcome, and nothing else. */
static size_t put_fields(nghttp2_nv *pairs, const struct call *call)
{
    size_t count = 0;
    for (uint32_t i = 0; i < call->headers.count; i++) {
        const struct wf_header *field = &call->headers.list[i];
        if (h2_is_foreign(field->name)) continue;
        if (strcasecmp(field->name, "te") == 0 && strcasecmp(field->value, "trailers") != 0) continue;
        pairs[count++] = pair_of(field->name, field->name_size, field->value, field->value_size);
    }
    return count;
}

/* ---- The body, as nghttp2 takes it ---- */

static void take_lent(struct c2_stream *stream, uint8_t *to, size_t size)
{
    memcpy(to, stream->lent, size);
    stream->lent += size;
    stream->lent_size -= size;
    stream->call->sent += size;
    if (stream->lends != NULL) wf_event_set(&stream->moved);
}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *to, size_t size, uint32_t *flags,
                    nghttp2_data_source *source, void *argument)
{
    (void)source;
    (void)argument;
    struct c2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream == NULL) return NGHTTP2_ERR_DEFERRED; /* its call has left, and it is about to be reset */
    if (stream->lent_size == 0 && !stream->lent_all) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (stream->lent_size < size) size = stream->lent_size;
    if (size > 0) take_lent(stream, to, size);
    if (stream->lent_size == 0 && stream->lent_all) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

/* nghttp2 copies the fields. */
static int submit(struct c2_stream *stream, const nghttp2_nv *pairs, size_t count, bool empty)
{
    struct c2 *c2 = stream->c2;
    nghttp2_data_provider body = {.read_callback = give};
    stream->id = nghttp2_submit_request(c2->session, NULL, pairs, count, empty ? NULL : &body, stream);
    if (stream->id >= 0) return 0;
    if (stream->id == NGHTTP2_ERR_NOMEM) return -ENOMEM;
    return call_fail(stream->call, -EPROTO, "%s", nghttp2_strerror(stream->id));
}

int c2_submit(struct c2_stream *stream)
{
    struct call *call = stream->call;
    struct payload *payload = &call->payload;
    char length[24];
    nghttp2_nv *pairs = wf_arena_alloc(call->arena, (call->headers.count + OWN_FIELDS) * sizeof *pairs);
    if (pairs == NULL) return -ENOMEM;
    size_t count = put_target(pairs, call);
    count += put_length(pairs + count, call, length);
    count += put_fields(pairs + count, call);
    bool empty = !has_body(call) || payload->length == 0;
    stream->lent_all = empty || (payload->whole.iov_base != NULL && payload->length <= SHORT_BODY);
    payload->told = payload->told || stream->lent_all;
    if (!empty && stream->lent_all) {
        stream->lent = payload->whole.iov_base;
        stream->lent_size = payload->whole.iov_len;
    }
    return submit(stream, pairs, count, empty);
}

/* ---- The body, as its source gives it ---- */

static void there_is_more(struct c2_stream *stream)
{
    struct c2 *c2 = stream->c2;
    if (stream->deferred) c2_check(c2, nghttp2_session_resume_data(c2->session, stream->id));
    stream->deferred = false;
    c2_kick(c2);
}

/* Until all of it is taken; each wait that brings no byte further for too long ends with -ETIME. */
static int lend(struct c2_stream *stream, const struct iovec *piece)
{
    int rc = 0;
    stream->lent = piece->iov_base;
    stream->lent_size = piece->iov_len;
    there_is_more(stream);
    while (rc == 0 && stream->lent_size > 0 && !c2_has_said_no(stream))
        rc = IN_STEP(stream->call, STEP_WRITE, c2_wait(stream));
    stream->lent = NULL;
    stream->lent_size = 0;
    return rc;
}

static int check_length(struct call *call, uint64_t given, bool at_end)
{
    int64_t length = call->payload.length;
    if (length >= 0 && given > (uint64_t)length)
        return call_fail(call, -EMSGSIZE, "the body is longer than its length of %lld", (long long)length);
    if (length >= 0 && at_end && given < (uint64_t)length)
        return call_fail(call, -EBADMSG, "the body is shorter than its length of %lld", (long long)length);
    return 0;
}

static int lend_all(struct c2_stream *stream)
{
    struct call *call = stream->call;
    struct iovec piece;
    uint64_t given = 0;
    int more = 0, rc = 0;
    while (rc == 0 && !c2_has_said_no(stream) && (more = payload_next(&call->payload, &piece)) > 0) {
        given += piece.iov_len;
        rc = check_length(call, given, false);
        if (rc == 0 && piece.iov_len > 0) rc = lend(stream, &piece);
    }
    if (rc < 0 || c2_has_said_no(stream)) return rc;
    if (more < 0) return call_fail_as_told(call, more);
    rc = check_length(call, given, true);
    if (rc < 0) return rc;
    stream->lent_all = true;
    there_is_more(stream);
    return 0;
}

int c2_send_body(struct c2_stream *stream)
{
    WF_SCOPE(scope);
    stream->lends = &scope;
    int rc = lend_all(stream);
    stream->lends = NULL;
    if (c2_has_said_no(stream)) rc = 0; /* what it says is the answer, or why there is none */
    return wf_scope_end(&scope, rc);
}
