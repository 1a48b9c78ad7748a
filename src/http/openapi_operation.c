/* One operation of an OpenAPI document: its parameters, its body and what it answers. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "http/openapi.h"

/* ---- The answers that are not the handler's ---- */

#define PROBLEM_MEMBERS(M)                                                                                             \
    M(LIST(JSON), loc, .description = "Where: names and indexes, from \"body\" or another part of the request")        \
    M(STRING, msg, .description = "For a person")                                                                      \
    M(STRING, type, .description = "For a program")
WF_MODEL(problem_answer, PROBLEM_MEMBERS, .name = "ValidationError")

#define PROBLEMS_MEMBERS(M) M(LIST(MODEL(problem_answer)), detail)
WF_MODEL(problems_answer, PROBLEMS_MEMBERS, .name = "HTTPValidationError")

#define ERROR_MEMBERS(M) M(STRING, detail)
WF_MODEL(error_answer, ERROR_MEMBERS, .name = "Error")

#define DETAILS_MEMBERS(M)                                                                                             \
    M(STRING, type, .format = WF_URI, .description = "The kind of problem")                                            \
    M(STRING, title)                                                                                                   \
    M(INT32, status)                                                                                                   \
    M(STRING, detail, .optional = true)                                                                                \
    M(STRING, instance, .optional = true, .description = "What it is about")                                           \
    M(LIST(MODEL(problem_answer)), errors, .optional = true)
WF_MODEL(details_answer, DETAILS_MEMBERS, .name = "Problem", .description = "RFC 9457")

/* What errors of an operation look like: `inputs` for those that list problems. */
static const struct wf_model *error_model(const struct operation *operation, bool inputs)
{
    if (operation->error_model != NULL) return operation->error_model;
    if (operation->problem_details) return &details_answer_model;
    return inputs ? &problems_answer_model : &error_answer_model;
}

static bool has_body(const struct wf_route_options *options)
{
    return options->body != NULL || options->form != NULL;
}

static bool has_inputs(const struct wf_route_options *options)
{
    return has_body(options) || options->path != NULL || options->query != NULL || options->header != NULL ||
           options->cookie != NULL;
}

int openapi_reach_errors(struct models *models, const struct operation *operation)
{
    int rc = models_reach(models, error_model(operation, false));
    return rc < 0 || !has_inputs(&operation->route->options) ? rc : models_reach(models, error_model(operation, true));
}

/* ---- Names ---- */

static const char *base_name(const struct operation *operation)
{
    const struct wf_route_options *options = &operation->route->options;
    if (options->name != NULL) return options->name;
    return options->function_ != NULL ? options->function_ : "operation";
}

/* "show_user"; the second route of that name is "show_user_2". */
static void write_id(const struct openapi *openapi, const struct operation *operation, struct wf_json_writer *writer)
{
    const char *base = base_name(operation);
    char text[160];
    unsigned before = 0;
    for (const struct operation *each = openapi->operations; each < operation; each++)
        before += strcmp(base_name(each), base) == 0;
    if (before == 0) snprintf(text, sizeof text, "%.128s", base);
    else snprintf(text, sizeof text, "%.128s_%u", base, before + 1);
    json_write_pair(writer, "operationId", text);
}

/* "Show user", for show_user. */
static void write_summary(const struct operation *operation, struct wf_json_writer *writer)
{
    char text[128];
    if (operation->route->options.summary != NULL) {
        json_write_pair(writer, "summary", operation->route->options.summary);
        return;
    }
    snprintf(text, sizeof text, "%s", base_name(operation));
    for (char *at = text; *at != '\0'; at++)
        if (*at == '_') *at = ' ';
    text[0] = (char)toupper((unsigned char)text[0]);
    json_write_pair(writer, "summary", text);
}

static void write_tag(const char *tag, struct wf_json_writer *writer)
{
    if (tag == NULL) return;
    wf_json_write_key(writer, "tags");
    wf_json_open_array(writer);
    wf_json_write_string(writer, tag);
    wf_json_close_array(writer);
}

/* ---- Parameters ---- */

/* Models and maps are JSON as a whole, in a text. */
static bool is_json_text(const struct wf_member *member)
{
    return member->kind == WF_KIND_MODEL || member->kind == WF_KIND_MAP || member->kind == WF_KIND_JSON;
}

static void write_parameter_schema(const struct wf_member *member, struct wf_json_writer *writer)
{
    if (is_json_text(member)) {
        wf_json_write_key(writer, "content");
        wf_json_open_object(writer);
        wf_json_write_key(writer, "application/json");
        wf_json_open_object(writer);
    }
    wf_json_write_key(writer, "schema");
    wf_member_write_schema(member, writer);
    if (is_json_text(member)) {
        wf_json_close_object(writer);
        wf_json_close_object(writer);
    }
}

static void write_parameter(const struct wf_member *member, const char *name, const char *in,
                            struct wf_json_writer *writer)
{
    bool required = strcmp(in, "path") == 0 || (!member->optional && member->preset == NULL);
    wf_json_open_object(writer);
    json_write_pair(writer, "name", name);
    json_write_pair(writer, "in", in);
    wf_json_write_key(writer, "required");
    wf_json_write_bool(writer, required);
    json_write_pair(writer, "description", member->description);
    json_write_flag(writer, "deprecated", member->deprecated);
    write_parameter_schema(member, writer);
    wf_json_close_object(writer);
}

/* A name that no model tells of is a text. */
static const struct wf_member *path_member(const struct wf_model *model, const char *name)
{
    static const struct wf_member text = {WF_NO_BOUNDS_, .name = "", .kind = WF_KIND_STRING};
    for (size_t i = 0; model != NULL && i < model->count; i++)
        if (strcmp(model->members[i].name, name) == 0) return &model->members[i];
    return &text;
}

static void write_members(const struct wf_model *model, const char *in, struct wf_json_writer *writer)
{
    if (model == NULL || model->tag != NULL) return;
    for (size_t i = 0; i < model->count; i++)
        if (!model->members[i].read_only) write_parameter(&model->members[i], model->members[i].name, in, writer);
}

static void write_parameters(const struct operation *operation, struct wf_json_writer *writer)
{
    const struct route *route = operation->route;
    const struct wf_route_options *options = &route->options;
    if (route->captures == 0 && options->query == NULL && options->header == NULL && options->cookie == NULL) return;
    wf_json_write_key(writer, "parameters");
    wf_json_open_array(writer);
    for (unsigned i = 0; i < route->captures; i++)
        write_parameter(path_member(options->path, route->names[i]), operation->head->route->names[i], "path", writer);
    write_members(options->query, "query", writer);
    write_members(options->header, "header", writer);
    write_members(options->cookie, "cookie", writer);
    wf_json_close_array(writer);
}

/* ---- Bodies ---- */

static void write_content(const char *type, const struct wf_model *model, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "content");
    wf_json_open_object(writer);
    wf_json_write_key(writer, type);
    wf_json_open_object(writer);
    wf_json_write_key(writer, "schema");
    wf_json_open_object(writer);
    json_write_reference(writer, model->name);
    wf_json_close_object(writer);
    wf_json_close_object(writer);
    wf_json_close_object(writer);
}

static void write_body(const struct wf_route_options *options, struct wf_json_writer *writer)
{
    if (!has_body(options)) return;
    wf_json_write_key(writer, "requestBody");
    wf_json_open_object(writer);
    wf_json_write_key(writer, "required");
    wf_json_write_bool(writer, true);
    if (options->body != NULL) write_content("application/json", options->body, writer);
    else write_content("application/x-www-form-urlencoded", options->form, writer);
    wf_json_close_object(writer);
}

/* ---- Answers ---- */

static void write_answer(int status, const char *type, const struct wf_model *model, struct wf_json_writer *writer)
{
    char number[12];
    snprintf(number, sizeof number, "%d", status);
    wf_json_write_key(writer, status == 0 ? "default" : number);
    wf_json_open_object(writer);
    json_write_pair(writer, "description", status == 0 ? "Any other error" : wf_status_reason(status));
    if (model != NULL) write_content(type, model, writer);
    wf_json_close_object(writer);
}

static void write_error(const struct operation *operation, int status, struct wf_json_writer *writer)
{
    const char *type =
        operation->problem_details && operation->error_model == NULL ? "application/problem+json" : "application/json";
    write_answer(status, type, error_model(operation, status == 400 || status == 422), writer);
}

static void write_answers(const struct operation *operation, struct wf_json_writer *writer)
{
    const struct wf_route_options *options = &operation->route->options;
    wf_json_write_key(writer, "responses");
    wf_json_open_object(writer);
    write_answer(options->status != 0 ? options->status : 200, "application/json", options->response, writer);
    if (has_body(options)) write_error(operation, 400, writer);
    if (openapi_is_guarded(operation)) write_error(operation, 401, writer);
    if (options->scopes != NULL) write_error(operation, 403, writer);
    if (has_body(options)) write_error(operation, 413, writer);
    if (has_body(options)) write_error(operation, 415, writer);
    if (has_inputs(options)) write_error(operation, 422, writer);
    write_error(operation, 0, writer);
    wf_json_close_object(writer);
}

void openapi_write_operation(const struct openapi *openapi, const struct operation *operation,
                             struct wf_json_writer *writer)
{
    const struct wf_route_options *options = &operation->route->options;
    wf_json_open_object(writer);
    write_tag(options->tag, writer);
    write_summary(operation, writer);
    json_write_pair(writer, "description", options->description);
    write_id(openapi, operation, writer);
    write_parameters(operation, writer);
    write_body(options, writer);
    write_answers(operation, writer);
    openapi_write_security(operation, writer);
    wf_json_close_object(writer);
}
