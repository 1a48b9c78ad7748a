/*
 * Answers.
 *
 *     NONE --reply_begin()--> BEGUN --wf_reply_end()--> ENDED
 *
 * An answer that cannot be completed any more ends the connection: that is how the client sees that it is not whole.
 */
#define WF_LOG_MODULE "http"
#include "http/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/address.h>
#include <weft/extend.h>
#include <weft/log.h>
#include <weft/task.h>

#include "http/app.h"

struct deferred_work {
    struct deferred_work *next;
    int (*fn)(void *);
    void *arg;
};

/* ---- Beginning ---- */

static _Noreturn void answered_twice(const struct wf_request *request)
{
    wf_report("%s %s was answered twice: with %d, and again. A handler makes one answer; return right after it.",
              wf_method_name(request->method), request->path, request->status);
    abort();
}

static bool has_no_body(const struct wf_request *request, int status)
{
    return request->method == WF_HEAD || status == 204 || status == 304;
}

static inline int reply_begin(struct wf_request *request, int status, const char *content_type, int64_t length)
{
    if (status < 200 || status > 599) return wf_fail(-EINVAL, "%d is no status of an answer", status);
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (request->state != ANSWER_NONE) answered_twice(request);
    request->state = ANSWER_BEGUN;
    request->status = status;
    request->content_type = content_type;
    request->answer_length = length;
    request->without_body = has_no_body(request, status);
    return request->exchange->begin(request, length);
}

int wf_reply_begin(struct wf_request *request, int status, const char *content_type, int64_t length)
{
    if (length < -1) return -EINVAL;
    if (content_type != NULL && strpbrk(content_type, "\r\n") != NULL) return -EINVAL;
    return reply_begin(request, status, content_type, length);
}

/* What the client's connection gave. */
static inline int heard(struct wf_request *request, int rc)
{
    if (rc == -EPIPE || rc == -ECONNRESET) request->client_gone = true;
    return rc;
}

static int put(struct wf_request *request, const void *bytes, size_t size)
{
    request->answer_written += size;
    return request->without_body ? 0 : heard(request, request->exchange->write(request, bytes, size));
}

static int end(struct wf_request *request)
{
    int rc = heard(request, request->exchange->end(request));
    if (rc == 0) request->state = ANSWER_ENDED;
    return rc;
}

int wf_reply_write(struct wf_request *request, const void *bytes, size_t size)
{
    if (request->state != ANSWER_BEGUN) return -EINVAL;
    if (request->answer_length >= 0 && size > (uint64_t)request->answer_length - request->answer_written)
        return wf_fail(-EMSGSIZE, "the answer is longer than the %lld bytes that were announced",
                       (long long)request->answer_length);
    int rc = wf_checkpoint();
    return rc < 0 || size == 0 ? rc : put(request, bytes, size);
}

int wf_reply_flush(struct wf_request *request)
{
    if (request->state != ANSWER_BEGUN) return -EINVAL;
    int rc = wf_checkpoint();
    return rc < 0 ? rc : heard(request, request->exchange->flush(request));
}

int wf_reply_end(struct wf_request *request)
{
    if (request->state != ANSWER_BEGUN) return -EINVAL;
    if (request->answer_length >= 0 && !request->without_body &&
        request->answer_written < (uint64_t)request->answer_length)
        return wf_fail(-EINVAL, "the answer is shorter than the %lld bytes that were announced",
                       (long long)request->answer_length);
    int rc = wf_checkpoint();
    return rc < 0 ? rc : end(request);
}

int reply_whole(struct wf_request *request, int status, const char *content_type, const void *bytes, size_t size)
{
    int rc = reply_begin(request, status, content_type, (int64_t)size);
    if (rc == 0 && size > 0) rc = put(request, bytes, size);
    return rc == 0 ? end(request) : rc;
}

int wf_reply_inform(struct wf_request *request, int status)
{
    if (status < 100 || status > 199 || status == 101) return -EINVAL;
    if (request->state != ANSWER_NONE) return -EINVAL;
    int rc = wf_checkpoint();
    return rc < 0 ? rc : request->exchange->inform(request, status);
}

/* ---- Whole answers ---- */

int wf_reply_text(struct wf_request *request, int status, const char *text)
{
    return reply_whole(request, status, "text/plain; charset=utf-8", text, strlen(text));
}

int wf_reply_bytes(struct wf_request *request, int status, const char *content_type, const void *bytes, size_t size)
{
    if (content_type != NULL && strpbrk(content_type, "\r\n") != NULL) return -EINVAL;
    return reply_whole(request, status, content_type, bytes, size);
}

int wf_reply_empty(struct wf_request *request, int status)
{
    return reply_whole(request, status, NULL, "", 0);
}

int wf_reply_redirect(struct wf_request *request, int status, const char *location)
{
    if (status < 300 || status > 308) return wf_fail(-EINVAL, "%d does not redirect", status);
    int rc = wf_checkpoint();
    if (rc == 0) rc = wf_reply_header(request, "location", location);
    return rc < 0 ? rc : wf_reply_empty(request, status);
}

int wf_reply_header(struct wf_request *request, const char *name, const char *value)
{
    if (request->state != ANSWER_NONE) return wf_fail(-EINVAL, "the head of the answer is out already");
    return wf_headers_add(&request->answer, &request->arena, name, value);
}

int wf_reply_trailer(struct wf_request *request, const char *name, const char *value)
{
    return wf_headers_add(&request->trailers, &request->arena, name, value);
}

/* ---- Errors ---- */

int reply_code(int status)
{
    switch (status) {
    case 404:
        return -ENOENT;
    case 401:
    case 403:
        return -EACCES;
    case 409:
        return -EEXIST;
    case 503:
        return -EBUSY;
    case 504:
        return -ETIMEDOUT;
    default:
        return status < 500 ? -EINVAL : -EIO;
    }
}

int wf_http_error(struct wf_request *request, int status, const char *format, ...)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    va_list arguments;
    va_start(arguments, format);
    char *detail = wf_arena_vprintf(&request->arena, format, arguments);
    va_end(arguments);
    rc = reply_detail(request, status, detail != NULL ? detail : wf_status_reason(status));
    return rc < 0 ? rc : reply_code(status);
}

/* ---- The end ---- */

static void log_failure(const struct wf_request *request, int rc)
{
    wf_logf(WF_ERROR, "%s %s failed: %s", wf_method_name(request->method), request->path,
            wf_failure() != NULL && wf_failure()[0] != '\0' ? wf_failure() : wf_strerror(rc));
}

/* A client that leaves in the middle of an answer is no failure of the handler's. */
static bool is_worth_a_line(const struct wf_request *request, int rc)
{
    return rc != -ECANCELED && !(request->client_gone && (rc == -EPIPE || rc == -ECONNRESET));
}

static int reply_outcome(struct wf_request *request, int rc)
{
    int status = outcome_status(rc);
    if (status >= 500) log_failure(request, rc);
    if (status == 0) return -ECANCELED;
    if (status == 204) return wf_reply_empty(request, 204);
    const char *detail = status < 500 ? wf_failure() : NULL;
    return reply_detail(request, status, detail != NULL && detail[0] != '\0' ? detail : wf_status_reason(status));
}

void reply_finish(struct wf_request *request, int rc)
{
    if (request->state == ANSWER_ENDED) return;
    int sent = 0;
    if (request->state == ANSWER_NONE) sent = reply_outcome(request, rc);
    else {
        sent = rc >= 0 || rc == -ESHUTDOWN ? wf_reply_end(request) : rc; /* a drain ends what is open in order */
        if (sent < 0 && is_worth_a_line(request, sent)) log_failure(request, sent);
    }
    if (sent < 0 || request->state == ANSWER_BEGUN) {
        request->close_after = true;
        request->broken = true;
    }
}

int wf_after_reply_(struct wf_request *request, int (*fn)(void *), const void *arg)
{
    struct deferred_work *work = wf_arena_new(&request->arena, struct deferred_work);
    if (work == NULL) return -ENOMEM;
    *work = (struct deferred_work){.fn = fn, .arg = (void *)(uintptr_t)arg};
    if (request->after == NULL) request->after_end = &request->after;
    *request->after_end = work;
    request->after_end = &work->next;
    return 0;
}

void reply_run_after(struct wf_request *request)
{
    if (request->after == NULL) return;
    if (request->exchange->flush(request) < 0) request->close_after = true;
    for (struct deferred_work *work = request->after; work != NULL; work = work->next) {
        int rc = work->fn(work->arg);
        if (rc < 0 && rc != -ECANCELED) log_failure(request, rc);
    }
}
