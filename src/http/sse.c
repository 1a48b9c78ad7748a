/* Sending server-sent events: each is put together in one piece, so that it goes out in one. */
#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/sse.h>
#include <weft/task.h>

int wf_sse_begin_(struct wf_request *request, const struct wf_sse_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    *options->out_ = (struct wf_sse){
        .request_ = request,
        .heartbeat_ = options->heartbeat != 0 ? options->heartbeat : WF_SECONDS(15),
    };
    rc = wf_reply_header(request, "Cache-Control", "no-store");
    if (rc == 0) rc = wf_reply_header(request, "X-Accel-Buffering", "no"); /* nginx would hold events back */
    if (rc == 0) rc = wf_reply_begin(request, 200, "text/event-stream", -1);
    return rc == 0 ? wf_reply_flush(request) : rc;
}

const char *wf_sse_last_id(const struct wf_request *request)
{
    return wf_request_header(request, "last-event-id");
}

static int say(struct wf_sse *events, const char *bytes, size_t size)
{
    int rc = wf_reply_write(events->request_, bytes, size);
    return rc == 0 ? wf_reply_flush(events->request_) : rc;
}

int wf_sse_beat_(struct wf_sse *events)
{
    return say(events, ":\n\n", 3);
}

/* ---- An event as text ---- */

/* The size of the next line, without its end, which is "\n", "\r\n" or "\r". */
static size_t next_line(const char **text, const char **line)
{
    size_t size = strcspn(*text, "\r\n");
    *line = *text;
    *text += size;
    if (**text == '\r' && (*text)[1] == '\n') ++*text;
    if (**text != '\0') ++*text;
    return size;
}

/* Writes "name: line" for every line, or only counts where `to` is NULL. */
static size_t put_lines(char *to, const char *name, const char *text)
{
    size_t total = 0, name_size = strlen(name), size;
    const char *line;
    bool more;
    do {
        size = next_line(&text, &line);
        more = line[size] != '\0';
        if (to != NULL) {
            memcpy(to + total, name, name_size);
            memcpy(to + total + name_size, line, size);
            to[total + name_size + size] = '\n';
        }
        total += name_size + size + 1;
    } while (more);
    return total;
}

static size_t put_event(char *to, const struct wf_sse_event *event)
{
    char retry[40];
    snprintf(retry, sizeof retry, "%lld", (long long)(event->retry / 1000000));
    const struct {
        const char *name, *text;
    } fields[] = {
        {": ", event->comment},  {"event: ", event->event},
        {"id: ", event->id},     {"retry: ", event->retry > 0 ? retry : NULL},
        {"data: ", event->data},
    };
    size_t size = 0;
    for (size_t i = 0; i < WF_COUNT(fields); i++)
        if (fields[i].text != NULL) size += put_lines(to != NULL ? to + size : NULL, fields[i].name, fields[i].text);
    if (to != NULL) to[size] = '\n';
    return size + 1;
}

static bool is_line(const char *text)
{
    return text == NULL || strpbrk(text, "\r\n") == NULL;
}

int wf_sse_send_(struct wf_sse *events, const struct wf_sse_event *event)
{
    if (event->size != sizeof *event) return -EINVAL;
    if (!is_line(event->event) || !is_line(event->id))
        return wf_fail(-EINVAL, "the kind and the id of an event are one line each");
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    size_t size = put_event(NULL, event);
    char *text = wf_memory_alloc(size);
    if (text == NULL) return -ENOMEM;
    put_event(text, event);
    rc = say(events, text, size);
    wf_memory_free(text);
    return rc;
}
