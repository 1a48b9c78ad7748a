/* Answers in JSON: values by their models, problems, errors. */
#include <string.h>
#include <weft/extend.h>
#include <weft/model.h>
#include <weft/task.h>

#include "http/app.h"
#include "http/reply.h"

static const char json_type[] = "application/json";

static int reply_written(struct wf_request *request, int status, struct wf_json_writer *writer)
{
    const char *text;
    size_t size;
    int rc = wf_json_write_end(writer, &text, &size);
    return rc < 0 ? rc : reply_whole(request, status, json_type, text, size);
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

int reply_problems(struct wf_request *request, int status, const struct wf_problems *problems)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, &request->arena, 0);
    int rc = wf_problems_write(problems, &writer);
    if (rc == 0) rc = reply_written(request, status, &writer);
    return rc < 0 ? rc : status == 400 ? -EBADMSG : -EINVAL;
}

int reply_detail(struct wf_request *request, int status, const char *detail)
{
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, &request->arena, 0);
    wf_json_open_object(&writer);
    wf_json_write_key(&writer, "detail");
    if (wf_json_write_string(&writer, detail) < 0) return wf_reply_empty(request, status);
    wf_json_close_object(&writer);
    return reply_written(request, status, &writer);
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
