/* Answers in JSON: values by their models, problems, errors. */
#include <string.h>
#include <weft/extend.h>
#include <weft/model.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/model.h"
#include "http/reply.h"

static const char json_type[] = "application/json", problem_type[] = "application/problem+json";

static int reply_typed(struct wf_request *request, int status, const char *type, struct wf_json_writer *writer)
{
    const char *text;
    size_t size;
    int rc = wf_json_write_end(writer, &text, &size);
    return rc < 0 ? rc : reply_whole(request, status, type, text, size);
}

static int reply_written(struct wf_request *request, int status, struct wf_json_writer *writer)
{
    return reply_typed(request, status, json_type, writer);
}

int wf_reply(struct wf_request *request, int status, const struct wf_model *model, const void *value)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, &request->arena, 0);
    rc = wf_model_write(model, value, &writer);
    return rc < 0 ? rc : reply_written(request, status, &writer);
}

int wf_reply_json(struct wf_request *request, int status, struct wf_json_writer *writer)
{
    int rc = wf_checkpoint();
    return rc < 0 ? rc : reply_written(request, status, writer);
}

/* ---- Errors ---- */

static void write_member(struct wf_json_writer *writer, const char *name, const char *text)
{
    if (text == NULL) return;
    wf_json_write_key(writer, name);
    wf_json_write_string(writer, text);
}

/* RFC 9457; `problems` may be NULL. */
static int reply_problem_details(struct wf_request *request, int status, const struct wf_problem_options *options,
                                 const struct wf_problems *problems)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, &request->arena, 0);
    wf_json_open_object(&writer);
    write_member(&writer, "type", options->type != NULL ? options->type : "about:blank");
    write_member(&writer, "title", options->title != NULL ? options->title : wf_status_reason(status));
    wf_json_write_key(&writer, "status");
    wf_json_write_int(&writer, status);
    write_member(&writer, "detail", options->detail);
    write_member(&writer, "instance", options->instance != NULL ? options->instance : request->path);
    if (problems != NULL) {
        wf_json_write_key(&writer, "errors");
        problems_write_list(problems, &writer);
    }
    wf_json_close_object(&writer);
    return reply_typed(request, status, problem_type, &writer);
}

static bool wants_details(const struct wf_request *request)
{
    return request->target->problem_details || request->root->problem_details;
}

static void write_plain(const struct wf_error_answer *error, struct wf_json_writer *writer)
{
    if (error->problems != NULL) {
        wf_problems_write(error->problems, writer);
        return;
    }
    wf_json_open_object(writer);
    write_member(writer, "detail", error->detail);
    wf_json_close_object(writer);
}

/* An error in the form that the app has for them. */
static int reply_error(struct wf_request *request, const struct wf_error_answer *error)
{
    const struct wf_app *app = request->target->write_error != NULL ? request->target : request->root;
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, &request->arena, 0);
    if (app->write_error != NULL) {
        int rc = app->write_error(request, error, &writer);
        return rc < 0 ? rc : reply_written(request, error->status, &writer);
    }
    struct wf_problem_options why = {.detail = error->detail};
    if (wants_details(request)) return reply_problem_details(request, error->status, &why, error->problems);
    write_plain(error, &writer);
    return reply_written(request, error->status, &writer);
}

int reply_problems(struct wf_request *request, int status, const struct wf_problems *problems)
{
    int rc = reply_error(request, &(struct wf_error_answer){.status = status,
                                                            .detail = "the input is not what is expected",
                                                            .problems = problems});
    return rc < 0 ? rc : status == 400 ? -EBADMSG : -EINVAL;
}

int reply_detail(struct wf_request *request, int status, const char *detail)
{
    int rc = reply_error(request, &(struct wf_error_answer){.status = status, .detail = detail});
    return rc == -EILSEQ ? wf_reply_empty(request, status) : rc;
}

int wf_reply_problem_(struct wf_request *request, int status, const struct wf_problem_options *options)
{
    int rc = wf_checkpoint();
    if (rc == 0 && options->size != sizeof *options) rc = -EINVAL;
    if (rc == 0) rc = reply_problem_details(request, status, options, NULL);
    return rc < 0 ? rc : reply_code(status);
}

int wf_request_model(struct wf_request *request, const struct wf_model *model, void *out)
{
    char *bytes;
    size_t size;
    int rc = wf_request_body(request, &bytes, &size);
    if (rc < 0) return rc;
    struct wf_problems problems;
    wf_problems_init(&problems, &request->arena);
    rc = wf_model_parse(model, &request->arena, bytes, size, out, &problems);
    if (rc != -EINVAL && rc != -EBADMSG) return rc;
    return reply_problems(request, rc == -EBADMSG ? 400 : 422, &problems);
}
