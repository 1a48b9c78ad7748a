/* Methods, statuses and fields. */
#include <weft/message.h>

#include <string.h>
#include <strings.h>

#include "http/grammar.h"

/* ---- Methods and statuses ---- */

static const char *const methods[WF_METHODS] = {
    [WF_GET] = "GET",         [WF_HEAD] = "HEAD",          [WF_POST] = "POST",
    [WF_PUT] = "PUT",         [WF_DELETE] = "DELETE",      [WF_CONNECT] = "CONNECT",
    [WF_OPTIONS] = "OPTIONS", [WF_METHOD_TRACE] = "TRACE", [WF_PATCH] = "PATCH",
};

const char *wf_method_name(enum wf_method method)
{
    return (unsigned)method < WF_METHODS ? methods[method] : NULL;
}

int wf_method_parse(const char *name, size_t size)
{
    for (int i = 0; i < WF_METHODS; i++)
        if (strlen(methods[i]) == size && memcmp(methods[i], name, size) == 0) return i;
    return -EINVAL;
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {404, "Not Found"},
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *wf_status_reason(int status)
{
    for (size_t i = 0; i < WF_COUNT(reasons); i++)
        if (reasons[i].status == status) return reasons[i].reason;
    return "";
}

/* ---- Fields ---- */

static int make_room(struct wf_headers *fields, struct wf_arena *arena)
{
    if (fields->count < fields->room_) return 0;
    if (fields->count >= WF_HEADERS_MAX) return -E2BIG;
    uint32_t room = fields->room_ == 0 ? 8 : fields->room_ * 2;
    struct wf_header *list = wf_arena_array(arena, room, sizeof *list);
    if (list == NULL) return -ENOMEM;
    if (fields->count > 0) memcpy(list, fields->list, fields->count * sizeof *list);
    fields->list = list;
    fields->room_ = room;
    return 0;
}

int wf_headers_add(struct wf_headers *fields, struct wf_arena *arena, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    if (!is_token(name, name_size) || !is_field_value(value, value_size)) return -EINVAL;
    if (name_size > UINT32_MAX || value_size > UINT32_MAX) return -E2BIG;
    int rc = make_room(fields, arena);
    if (rc < 0) return rc;
    struct wf_header field = {
        .name = wf_arena_copy(arena, name, name_size + 1),
        .value = wf_arena_copy(arena, value, value_size + 1),
        .name_size = (uint32_t)name_size,
        .value_size = (uint32_t)value_size,
    };
    if (field.name == NULL || field.value == NULL) return -ENOMEM;
    fields->list[fields->count++] = field;
    return 0;
}

const char *wf_headers_next(const struct wf_headers *fields, const char *name, uint32_t *after)
{
    size_t size = strlen(name);
    while (*after < fields->count) {
        const struct wf_header *field = &fields->list[(*after)++];
        if (field->name_size == size && strncasecmp(field->name, name, size) == 0) return field->value;
    }
    return NULL;
}

const char *wf_headers_find(const struct wf_headers *fields, const char *name)
{
    uint32_t after = 0;
    return wf_headers_next(fields, name, &after);
}

bool wf_headers_have_token(const struct wf_headers *fields, const char *name, const char *token)
{
    uint32_t after = 0;
    const char *value;
    while ((value = wf_headers_next(fields, name, &after)) != NULL)
        if (list_has_token(value, token)) return true;
    return false;
}
