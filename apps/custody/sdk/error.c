/*
 * Why calls failed, for custody_error(): a record for each task that had a failure, which lives in the task's arena and
 * goes with it. It is found by that arena's address.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

enum { BUCKETS = 64, MESSAGE_MAX = 512, WAIT_DIGITS = 9 };

struct record {
    struct custody_error error;
    struct wf_arena texts; /* of the error */
    const struct wf_arena *task;
    struct record *next; /* in its bucket */
};

static _Thread_local struct record *records[BUCKETS];

/* ---- Records ---- */

static struct record **bucket_of(const struct wf_arena *task)
{
    return &records[((uintptr_t)task >> 6) % BUCKETS];
}

static struct record *find(const struct wf_arena *task)
{
    struct record *record = *bucket_of(task);
    while (record != NULL && record->task != task) record = record->next;
    return record;
}

static void drop(struct record *record)
{
    struct record **at = bucket_of(record->task);
    while (*at != record) at = &(*at)->next;
    *at = record->next;
    wf_arena_finish(&record->texts);
}

static struct record *find_or_make(struct wf_arena *task)
{
    struct record *record = find(task);
    if (record != NULL || task == NULL) return record;
    record = wf_arena_new(task, struct record);
    if (record == NULL || wf_arena_defer(task, drop, record) < 0) return NULL;
    wf_arena_init(&record->texts);
    record->task = task;
    record->next = *bucket_of(task);
    return *bucket_of(task) = record;
}

const struct custody_error *custody_error(void)
{
    static const struct custody_error none = {.code = "", .message = "no error", .request_id = ""};
    const struct record *record = wf_in_task() ? find(wf_task_arena()) : NULL;
    return record != NULL ? &record->error : &none;
}

const char *custody_error_name(enum custody_error_kind kind)
{
    static const char *const names[] = {
        "no error",      "ValidationError", "AuthenticationError", "PermissionError",
        "NotFoundError", "ConflictError",   "RateLimitError",      "ServerError",
        "TimeoutError",  "ConnectionError", "CancelledError",      "CustodyError",
    };
    return (size_t)kind < WF_COUNT(names) ? names[kind] : "CustodyError";
}

/* ---- Setting ---- */

static const char *keep(struct wf_arena *arena, const char *text, const char *otherwise)
{
    const char *copy = text != NULL && text[0] != '\0' ? wf_arena_strdup(arena, text) : NULL;
    return copy != NULL ? copy : otherwise;
}

static void keep_fields(struct custody_error *error, struct wf_arena *arena)
{
    const struct custody_error_field *from = error->fields;
    struct custody_error_field *copies =
        error->field_count > 0 ? wf_arena_array(arena, error->field_count, sizeof *copies) : NULL;
    if (copies == NULL) error->field_count = 0;
    for (size_t i = 0; i < error->field_count; i++) {
        copies[i].loc = keep(arena, from[i].loc, "");
        copies[i].msg = keep(arena, from[i].msg, "");
    }
    error->fields = copies;
}

/* Nothing that it points to lies in the record. */
int sdk_error_set(const struct custody_error *error)
{
    struct record *record = find_or_make(wf_task_arena());
    if (error->rc != -ENOMEM) wf_fail(error->rc, "%s", error->message);
    if (record == NULL) return error->rc;
    wf_arena_reset(&record->texts);
    record->error = *error;
    record->error.code = keep(&record->texts, error->code, "");
    record->error.message = keep(&record->texts, error->message, "no memory for the message");
    record->error.request_id = keep(&record->texts, error->request_id, "");
    keep_fields(&record->error, &record->texts);
    return error->rc;
}

int sdk_error_invalid(const char *code, const char *loc, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct custody_error_field field = {.loc = loc, .msg = message};
    return sdk_error_set(&(struct custody_error){.kind = CUSTODY_VALIDATION,
                                                 .rc = -EINVAL,
                                                 .code = code,
                                                 .message = message,
                                                 .fields = &field,
                                                 .field_count = 1});
}

/* ---- No answer ---- */

/* Codes that say something else in this library, when they come from below. */
static int as_connection_code(int rc)
{
    bool taken = rc == -ENOENT || rc == -EPERM || rc == -EEXIST || rc == -EAGAIN || rc == -EREMOTEIO;
    return taken ? -EHOSTUNREACH : rc;
}

static enum custody_error_kind kind_of_code(int rc)
{
    const struct wf_reason *reason = rc == -ECANCELED ? wf_cancel_reason() : NULL;
    if (rc == -ETIME || (reason != NULL && reason->kind == WF_REASON_DEADLINE)) return CUSTODY_TIMEOUT;
    if (rc == -ECANCELED) return CUSTODY_CANCELLATION;
    if (rc == -EINVAL) return CUSTODY_VALIDATION;
    if (rc == -EACCES) return CUSTODY_AUTHENTICATION;
    if (rc == -EPROTO || rc == -EMSGSIZE || rc == -EBADMSG) return CUSTODY_SERVER;
    return rc == -ENOMEM || rc == -EBADF || rc == -ESHUTDOWN || rc == WF_EFULL ? CUSTODY_OTHER : CUSTODY_CONNECTION;
}

static void name_subject(char message[MESSAGE_MAX], const char *subject, const char *text)
{
    bool named = subject == NULL || strstr(text, subject) != NULL;
    snprintf(message, MESSAGE_MAX, "%s%s%s", named ? "" : subject, named ? "" : ": ", text);
}

int sdk_error_unanswered(int rc, const char *subject)
{
    char message[MESSAGE_MAX];
    struct custody_error error = {.kind = kind_of_code(rc), .rc = rc, .message = message};
    bool told = rc != -ENOMEM && wf_failure() != NULL;
    name_subject(message, subject, told ? wf_failure() : wf_strerror(rc));
    if (error.kind == CUSTODY_SERVER) error.rc = -EREMOTEIO;
    if (error.kind == CUSTODY_CONNECTION) error.rc = as_connection_code(rc);
    return sdk_error_set(&error);
}

/* ---- An answer ---- */

static void judge_status(struct custody_error *error, int status)
{
    static const struct {
        int status, rc;
        enum custody_error_kind kind;
    } rows[] = {{401, -EACCES, CUSTODY_AUTHENTICATION},
                {403, -EPERM, CUSTODY_PERMISSION},
                {404, -ENOENT, CUSTODY_NOT_FOUND},
                {409, -EEXIST, CUSTODY_CONFLICT},
                {429, -EAGAIN, CUSTODY_RATE_LIMIT}};
    bool ours = status >= 400 && status < 500;
    error->status = status;
    error->kind = ours ? CUSTODY_VALIDATION : CUSTODY_SERVER;
    error->rc = ours ? -EINVAL : -EREMOTEIO;
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        if (rows[i].status != status) continue;
        error->kind = rows[i].kind;
        error->rc = rows[i].rc;
    }
}

/* In seconds; a date is waited for, but not told. */
static int64_t read_retry_after(const struct wf_response *response)
{
    const char *value = wf_response_header(response, "retry-after");
    if (value == NULL) return 0;
    size_t digits = strspn(value, "0123456789");
    return digits > 0 && digits <= WAIT_DIGITS && value[digits] == '\0' ? WF_SECONDS(atoll(value)) : 0;
}

static struct custody_error begin_answer(const struct wf_response *response)
{
    struct custody_error error = {.retry_after = read_retry_after(response),
                                  .request_id = wf_response_header(response, "x-request-id")};
    judge_status(&error, response->status);
    return error;
}

/* Adds what is wrong with each field, where the message does not say it. */
static void add_fields(char message[MESSAGE_MAX], const struct custody_error_detail *detail)
{
    for (size_t i = 0; i < detail->fields.count; i++) {
        const struct custody_error_field *field = &detail->fields.items[i];
        size_t size = strlen(message);
        if (strstr(message, field->msg) != NULL) continue;
        snprintf(message + size, MESSAGE_MAX - size, "%s%s: %s", i == 0 ? ": " : "; ", field->loc, field->msg);
    }
}

/* Where only one field is wrong, its message is the whole; a VIN names itself. */
static const char *find_place(const struct custody_error_detail *detail, const char *subject)
{
    const struct custody_error_field *only = detail->fields.count == 1 ? &detail->fields.items[0] : NULL;
    bool told = only == NULL || strcmp(detail->code, "validation_failed") != 0 || strstr(detail->message, only->loc);
    return told ? subject : only->loc;
}

static int set_detail(struct custody_error *error, const struct custody_error_detail *detail, const char *subject)
{
    char message[MESSAGE_MAX];
    name_subject(message, find_place(detail, subject),
                 detail->message[0] != '\0' ? detail->message : wf_status_reason(error->status));
    add_fields(message, detail);
    error->code = detail->code;
    error->message = message;
    error->fields = detail->fields.items;
    error->field_count = detail->fields.count;
    if (detail->request_id[0] != '\0') error->request_id = detail->request_id;
    return sdk_error_set(error);
}

int sdk_error_answered(const struct wf_response *response, const char *subject, struct wf_arena *arena)
{
    struct custody_error_body body;
    char message[MESSAGE_MAX];
    struct custody_error error = begin_answer(response);
    const char *bytes = response->body != NULL ? response->body : "";
    int rc = wf_model_parse(&custody_error_body_model, arena, bytes, response->body != NULL ? response->size : 0, &body,
                            NULL);
    if (rc == 0) return set_detail(&error, &body.error, subject);
    bool told = wf_response_check(response) < 0;
    if (!told)
        wf_fail(error.rc, "%s: the answer was %d %s", response->url, response->status,
                wf_status_reason(response->status));
    name_subject(message, subject, wf_failure() != NULL ? wf_failure() : wf_status_reason(response->status));
    error.message = message;
    return sdk_error_set(&error);
}

int sdk_error_senseless(const struct wf_response *response, const char *subject)
{
    char message[MESSAGE_MAX];
    struct custody_error error = begin_answer(response);
    name_subject(message, subject, wf_failure() != NULL ? wf_failure() : "an answer that is none");
    error.message = message;
    return sdk_error_set(&error);
}
