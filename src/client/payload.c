/* Bodies of requests. */
#include "client/payload.h"

#include <fcntl.h>
#include <string.h>
#include <weft/file.h>
#include <weft/generator.h>
#include <weft/json.h>
#include <weft/model.h>
#include <weft/static_files.h>
#include <weft/stream.h>
#include <weft/task.h>
#include <weft/url.h>

enum { PIECE = 65536 };

static const char form_type[] = "application/x-www-form-urlencoded";

/* ---- Kinds ---- */

static int set_whole(struct payload *payload, const char *type, const void *bytes, size_t size)
{
    payload->content_type = type;
    payload->whole = (struct iovec){(void *)(uintptr_t)(bytes != NULL ? bytes : ""), size};
    payload->length = (int64_t)size;
    return 0;
}

static int open_model(struct payload *payload)
{
    struct wf_json_writer writer;
    const char *text;
    size_t size;
    if (payload->options->value == NULL) return wf_fail(-EINVAL, "a body by a model needs .value");
    wf_json_writer_init(&writer, payload->arena, 0);
    wf_ignore(wf_model_write(payload->options->model, payload->options->value, &writer));
    int rc = wf_json_write_end(&writer, &text, &size);
    return rc < 0 ? rc : set_whole(payload, "application/json", text, size);
}

static int open_form(struct payload *payload)
{
    const char *text = "";
    for (const struct wf_named *field = payload->options->form; field->name != NULL; field++) {
        const char *name = wf_url_encode(field->name, payload->arena);
        const char *value = wf_url_encode(field->value != NULL ? field->value : "", payload->arena);
        if (name == NULL || value == NULL) return -ENOMEM;
        text = wf_arena_printf(payload->arena, "%s%s%s=%s", text, text[0] != '\0' ? "&" : "", name, value);
        if (text == NULL) return -ENOMEM;
    }
    return set_whole(payload, form_type, text, strlen(text));
}

static int open_file(struct payload *payload)
{
    struct stat status = {.st_size = 0};
    int rc = wf_file_open(payload->options->file, O_RDONLY, 0, &payload->file);
    if (rc == 0) rc = wf_file_status(payload->file, &status);
    if (rc < 0) return rc;
    if (!S_ISREG(status.st_mode)) return wf_fail(-EINVAL, "%s is no file to be sent", payload->options->file);
    payload->content_type = wf_media_type(payload->options->file);
    payload->length = status.st_size;
    return 0;
}

static int open_source(struct payload *payload)
{
    payload->content_type = "application/octet-stream";
    payload->length = payload->options->length > 0 ? payload->options->length : -1;
    payload->once = true;
    return 0;
}

static int count_bodies(const struct wf_fetch_options *options)
{
    return (options->text != NULL) + (options->bytes != NULL) + (options->json != NULL) + (options->model != NULL) +
           (options->form != NULL) + (options->parts != NULL) + (options->file != NULL) + (options->stream != NULL) +
           (options->items != NULL);
}

static int open_kind(struct payload *payload)
{
    const struct wf_fetch_options *options = payload->options;
    if (options->text != NULL)
        return set_whole(payload, "text/plain; charset=utf-8", options->text, strlen(options->text));
    if (options->bytes != NULL)
        return set_whole(payload, "application/octet-stream", options->bytes, options->bytes_size);
    if (options->json != NULL) return set_whole(payload, "application/json", options->json, strlen(options->json));
    if (options->model != NULL) return open_model(payload);
    if (options->form != NULL) return open_form(payload);
    if (options->parts != NULL) return multipart_open(payload);
    if (options->file != NULL) return open_file(payload);
    return options->stream != NULL || options->items != NULL ? open_source(payload) : 0;
}

int payload_open(struct payload *payload, const struct wf_fetch_options *options, struct wf_arena *arena)
{
    *payload = (struct payload){.options = options, .arena = arena};
    if (count_bodies(options) > 1) return wf_fail(-EINVAL, "a request has one body, and more than one was given");
    int rc = open_kind(payload);
    if (rc == 0 && options->content_type != NULL && payload->content_type != NULL)
        payload->content_type = options->content_type;
    return rc;
}

/* ---- Pieces ---- */

static int make_buffer(struct payload *payload)
{
    if (payload->buffer == NULL) payload->buffer = wf_arena_alloc(payload->arena, PIECE);
    return payload->buffer != NULL ? 0 : -ENOMEM;
}

static int next_of_file(struct payload *payload, struct iovec *piece)
{
    int rc = make_buffer(payload);
    if (rc < 0) return rc;
    ssize_t got = wf_file_read_at(payload->file, payload->buffer, PIECE, payload->offset);
    if (got <= 0) return (int)got;
    payload->offset += got;
    *piece = (struct iovec){payload->buffer, (size_t)got};
    return 1;
}

static int next_of_stream(struct payload *payload, struct iovec *piece)
{
    int rc = make_buffer(payload);
    if (rc < 0) return rc;
    ssize_t got = wf_stream_read(payload->options->stream, payload->buffer, PIECE);
    if (got <= 0) return (int)got;
    *piece = (struct iovec){payload->buffer, (size_t)got};
    return 1;
}

int payload_next(struct payload *payload, struct iovec *piece)
{
    if (payload->multipart != NULL) return multipart_next(payload, piece);
    if (payload->file != NULL) return next_of_file(payload, piece);
    if (payload->content_type == NULL || (payload->whole.iov_base != NULL && payload->told)) return 0;
    payload->told = true;
    if (payload->whole.iov_base != NULL) {
        *piece = payload->whole;
        return piece->iov_len > 0;
    }
    if (payload->options->stream != NULL) return next_of_stream(payload, piece);
    return wf_next_(payload->options->items, piece, sizeof *piece);
}

bool payload_rewind(struct payload *payload)
{
    if (payload->once && payload->told) return false;
    payload->told = false;
    payload->offset = 0;
    if (payload->multipart != NULL) multipart_rewind(payload);
    return true;
}

void payload_close(struct payload *payload)
{
    if (payload->multipart != NULL) multipart_close(payload);
    wf_file_close(payload->file);
    payload->file = NULL;
}
