/* Heads of answers of HTTP/1.x: what llhttp finds, and what it does not refuse by itself. */
#include <llhttp.h>
#include <string.h>
#include <strings.h>
#include <weft/task.h>

#include "client/c1.h"
#include "http/grammar.h"

enum { HEAD_FIELDS = 16 };

struct head {
    llhttp_t llhttp;
    struct call *call;
    char *text;
    bool in_value;      /* the last span was of a value */
    unsigned codings;   /* fields of Transfer-Encoding */
    const char *coding; /* the last of them */
};

static struct head *head_of(llhttp_t *llhttp)
{
    return (struct head *)((char *)llhttp - offsetof(struct head, llhttp));
}

static struct wf_headers *fields_of(const struct head *head)
{
    return &head->call->response->headers;
}

/* ---- What llhttp finds ---- */

static struct wf_header *add_field(struct head *head)
{
    struct wf_headers *fields = fields_of(head);
    if (fields->count < fields->room_) return &fields->list[fields->count++];
    uint32_t room = fields->room_ == 0 ? HEAD_FIELDS : fields->room_ * 2;
    struct wf_header *list = wf_arena_alloc(head->call->arena, room * sizeof *list);
    if (list == NULL) return NULL;
    if (fields->count > 0) memcpy(list, fields->list, fields->count * sizeof *list);
    fields->list = list;
    fields->room_ = room;
    return &fields->list[fields->count++];
}

static int on_name(llhttp_t *llhttp, const char *at, size_t size)
{
    struct head *head = head_of(llhttp);
    struct wf_headers *fields = fields_of(head);
    if (fields->count >= head->call->client->options.limits.fields_max) return HPE_USER;
    struct wf_header *field = add_field(head);
    if (field == NULL) return HPE_USER;
    *field = (struct wf_header){.name = at, .name_size = (uint32_t)size, .value = at + size};
    head->in_value = false;
    return 0;
}

/* In several spans where it is folded. */
static int on_value(llhttp_t *llhttp, const char *at, size_t size)
{
    struct head *head = head_of(llhttp);
    struct wf_headers *fields = fields_of(head);
    struct wf_header *field = &fields->list[fields->count - 1];
    if (!head->in_value) field->value = at;
    head->in_value = true;
    field->value_size = (uint32_t)(at + size - field->value);
    return 0;
}

/* The body is read by whoever asked. */
static int on_headers_complete(llhttp_t *llhttp)
{
    (void)llhttp;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {.on_header_field = on_name,
                                           .on_header_value = on_value,
                                           .on_headers_complete = on_headers_complete};

/* ---- What it lets pass ---- */

/* A line that goes on in the next one is one line with a space (RFC 9112 section 5.2). False: CR stands alone. */
static bool unfold(char *value, size_t size)
{
    if (memchr(value, '\n', size) == NULL && memchr(value, '\r', size) == NULL) return true;
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '\r' && (i + 1 == size || value[i + 1] != '\n')) return false;
        if (value[i] == '\r' || value[i] == '\n') value[i] = ' ';
    }
    return true;
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static int finish_field(struct head *head, struct wf_header *field)
{
    char *name = head->text + (field->name - head->text), *value = head->text + (field->value - head->text);
    if (name[field->name_size] != ':' || name[field->name_size - 1] == ' ') return -EPROTO;
    name[field->name_size] = '\0';
    while (field->value_size > 0 && is_space(value[field->value_size - 1])) field->value_size--;
    if (!unfold(value, field->value_size) || !is_field_value(value, field->value_size)) return -EPROTO;
    value[field->value_size] = '\0';
    if (field->name_size != 17 || strcasecmp(name, "transfer-encoding") != 0) return 0;
    head->codings++;
    head->coding = field->value;
    return 0;
}

static int finish_fields(struct head *head)
{
    const struct wf_headers *fields = fields_of(head);
    for (uint32_t i = 0; i < fields->count; i++) {
        if (finish_field(head, &fields->list[i]) == 0) continue;
        return call_fail(head->call, -EPROTO, "a field of the answer's head is none");
    }
    return 0;
}

/* ---- The body that follows (RFC 9112 section 6.3) ---- */

static bool is_chunked_last(const char *coding)
{
    size_t size = strlen(coding);
    return size >= 7 && strcasecmp(coding + size - 7, "chunked") == 0 &&
           (size == 7 || strchr(" \t,", coding[size - 8]) != NULL);
}

static int find_framing(struct head *head)
{
    struct call *call = head->call;
    const llhttp_t *llhttp = &head->llhttp;
    int status = call->response->status;
    bool has_length = (llhttp->flags & F_CONTENT_LENGTH) != 0;
    bool old = llhttp->http_minor == 0;
    call->keep_alive =
        (llhttp->flags & (old ? F_CONNECTION_KEEP_ALIVE : F_CONNECTION_CLOSE)) == (old ? F_CONNECTION_KEEP_ALIVE : 0);
    call->body_length = -1;
    call->framing = FRAMING_CLOSE;
    if (status < 200 || status == 204 || status == 304 || call->method == WF_HEAD ||
        (call->method == WF_CONNECT && status < 300)) {
        call->framing = FRAMING_NONE;
        call->body_length = 0;
    } else if (head->codings > 0) {
        if (has_length || head->codings > 1)
            return call_fail(call, -EPROTO, "the answer says two things of its length");
        if (is_chunked_last(head->coding)) call->framing = FRAMING_CHUNKS;
        if (call->framing == FRAMING_CHUNKS && strlen(head->coding) != 7)
            return call_fail(call, -EPROTO, "the transfer coding \"%s\" is unknown", head->coding);
    } else if (has_length) {
        if (llhttp->content_length > INT64_MAX) return call_fail(call, -EPROTO, "the answer's length is none");
        call->framing = FRAMING_LENGTH;
        call->body_left = llhttp->content_length;
        call->body_length = (int64_t)llhttp->content_length;
    }
    if (call->framing == FRAMING_CLOSE || (old && head->codings > 0)) call->keep_alive = false;
    return 0;
}

int c1_parse_head(struct call *call, char *text, size_t size)
{
    struct head head = {.call = call, .text = text};
    llhttp_init(&head.llhttp, HTTP_RESPONSE, &settings);
    call->response->headers = (struct wf_headers){.count = 0};
    llhttp_errno_t error = llhttp_execute(&head.llhttp, text, size);
    if (error == HPE_USER)
        return call_fail(call, -EMSGSIZE, "the head of the answer has more than %u fields",
                         call->client->options.limits.fields_max);
    if (error != HPE_PAUSED)
        return call_fail(call, -EPROTO, "the answer is none of HTTP/1.1: %s",
                         error == HPE_OK ? "its head does not end" : llhttp_get_error_reason(&head.llhttp));
    if (llhttp_get_error_pos(&head.llhttp) != text + size)
        return call_fail(call, -EPROTO, "the head of the answer has two ends");
    int status = call->response->status = head.llhttp.status_code;
    if (head.llhttp.http_major != 1) return call_fail(call, -EPROTO, "the answer is of another version than HTTP/1");
    if (status < 100 || status > 999) return call_fail(call, -EPROTO, "%d is no status", status);
    int rc = finish_fields(&head);
    return rc < 0 ? rc : find_framing(&head);
}
