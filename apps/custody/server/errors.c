/* Errors in the form of the API: {"error": {code, message, fields, request_id}}. */
#include <string.h>

#include "server.h"

const char invalid_vin[] = "invalid_vin", unknown_location[] = "unknown_location",
           unknown_transfer_type[] = "unknown_transfer_type", bad_cursor[] = "bad_cursor",
           bad_event_id[] = "bad_event_id";

static const char validation_failed[] = "validation_failed";

/* ---- Fields ---- */

/* {"body", "vins", 1} is "body.vins.1". */
static const char *write_loc(struct wf_arena *arena, const struct wf_problem *problem, size_t depth)
{
    const char *loc = "";
    for (size_t i = 0; i < depth && loc != NULL; i++) {
        const struct wf_step *step = &problem->path[i];
        const char *dot = i > 0 ? "." : "";
        if (step->name != NULL) loc = wf_arena_printf(arena, "%s%s%s", loc, dot, step->name);
        else loc = wf_arena_printf(arena, "%s%s%zu", loc, dot, step->index);
    }
    return loc;
}

static bool is_told(const struct custody_error_field *fields, size_t count, const char *loc)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].loc, loc) == 0) return true;
    return false;
}

/* Each field once, with the first that is wrong about it. */
static int list_fields(struct wf_arena *arena, const struct wf_error_answer *error, struct custody_error_detail *detail)
{
    size_t room = 0, count = 0;
    for (const struct wf_problem *each = error->problems->first; each != NULL; each = each->next) room++;
    struct custody_error_field *fields = wf_arena_array(arena, room + 1, sizeof *fields);
    if (fields == NULL) return -ENOMEM;
    for (const struct wf_problem *each = error->problems->first; each != NULL; each = each->next) {
        const char *loc = write_loc(arena, each, each->depth);
        if (loc == NULL) return -ENOMEM;
        if (!is_told(fields, count, loc))
            fields[count++] = (struct custody_error_field){.loc = loc, .msg = each->message};
    }
    detail->fields.items = fields;
    detail->fields.count = count;
    return 0;
}

/* ---- Codes ---- */

static const char *code_of_problem(const char *type)
{
    static const char *const own[] = {invalid_vin, unknown_location, unknown_transfer_type};
    for (size_t i = 0; i < WF_COUNT(own); i++)
        if (strcmp(type, own[i]) == 0) return own[i];
    return validation_failed;
}

/* Of 400: the first that is wrong in such a way. */
static const char *code_of_bad(const struct wf_problems *problems)
{
    for (const struct wf_problem *each = problems->first; each != NULL; each = each->next)
        if (strcmp(each->type, bad_cursor) == 0 || strcmp(each->type, bad_event_id) == 0) return each->type;
    return "malformed_json";
}

static const char *code_of_status(int status)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {
        {401, "invalid_token"},
        {403, "insufficient_scope"},
        {404, "not_found"},
        {405, "method_not_allowed"},
        {408, "request_timeout"},
        {409, "conflict"},
        {413, "body_too_large"},
        {414, "uri_too_long"},
        {415, "unsupported_media_type"},
        {422, "validation_failed"},
        {429, "rate_limited"},
        {431, "fields_too_large"},
        {503, "unavailable"},
        {504, "timeout"},
    };
    for (size_t i = 0; i < WF_COUNT(codes); i++)
        if (codes[i].status == status) return codes[i].code;
    return status < 500 ? "bad_request" : "internal_error";
}

/* ---- Writing ---- */

static int write_detail(struct wf_request *request, struct custody_error_detail *detail, struct wf_json_writer *writer)
{
    detail->request_id = wf_request_id(request);
    if (detail->request_id == NULL) detail->request_id = "";
    struct custody_error_body body = {.error = *detail};
    return wf_model_write(&custody_error_body_model, &body, writer);
}

static void sum_up(struct wf_request *request, struct custody_error_detail *detail)
{
    const char *many = wf_arena_printf(wf_request_arena(request), "%zu fields are wrong", detail->fields.count);
    detail->message = detail->fields.count == 1 ? detail->fields.items[0].msg : many != NULL ? many : "";
}

int write_error(struct wf_request *request, const struct wf_error_answer *error, struct wf_json_writer *writer)
{
    struct custody_error_detail detail = {.code = code_of_status(error->status), .message = error->detail};
    if (error->problems == NULL) return write_detail(request, &detail, writer);
    int rc = list_fields(wf_request_arena(request), error, &detail);
    if (rc < 0) return rc;
    sum_up(request, &detail);
    if (error->status == 400) detail.code = code_of_bad(error->problems);
    else if (detail.fields.count == 1) detail.code = code_of_problem(error->problems->first->type);
    return write_detail(request, &detail, writer);
}

int refuse(struct wf_request *request, int status, const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *message = wf_arena_vprintf(wf_request_arena(request), format, arguments);
    va_end(arguments);
    struct custody_error_detail detail = {.code = code, .message = message != NULL ? message : ""};
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    write_detail(request, &detail, &writer);
    int rc = wf_reply_json(request, status, &writer);
    return rc < 0 ? rc : -EINVAL;
}

/* ---- Refusals ---- */

static const struct {
    int status;
    const char *code, *message;
} refusals[] = {
    [REFUSED_UNKNOWN_VIN] = {404, "unknown_vin", "no vehicle has this VIN"},
    [REFUSED_DUPLICATE] = {409, "duplicate_open_authorization",
                           "this person has an open authorization for the vehicle already"},
    [REFUSED_STATE] = {409, "bad_state", "the authorization is not in a state that allows this"},
    [REFUSED_KEY_REUSED] = {409, "idempotency_key_reused", "the Idempotency-Key was used for another request"},
    [REFUSED_NOT_APPROVED] = {409, "credential_not_approved", "the credential is no approved authorization"},
    [REFUSED_OTHER_VIN] = {409, "credential_vin_mismatch", "the credential is for another vehicle"},
    [REFUSED_NOT_RELEASABLE] = {409, "not_releasable", "the vehicle is held"},
};

static bool is_refusal(int rc)
{
    return rc > 0 && (size_t)rc < WF_COUNT(refusals);
}

const char *refusal_code(int rc)
{
    return is_refusal(rc) ? refusals[rc].code : "internal_error";
}

const char *refusal_message(int rc)
{
    return is_refusal(rc) ? refusals[rc].message : "Internal Server Error";
}

int refuse_result(struct wf_request *request, int rc)
{
    if (rc == -ENOENT) return refuse(request, 404, "not_found", "there is no such thing");
    return is_refusal(rc) ? refuse(request, refusals[rc].status, refusals[rc].code, "%s", refusals[rc].message) : rc;
}
