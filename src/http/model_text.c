/* Scalars out of texts: what is a string in JSON, and what comes as a parameter or in a form. */
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "http/model.h"

#define EXACT_MAX (INT64_C(1) << 53) /* a double has all integers up to it */

/* ---- Numbers ---- */

static int out_of_range(struct parse *parse, const struct wf_member *member, const struct json_number *number,
                        const struct path *path)
{
    bool negative = number->text.bytes[0] == '-';
    if (member->kind == WF_KIND_INT32)
        return negative
                   ? problem(parse, path, "greater_than_equal", "Input should be greater than or equal to -2147483648")
                   : problem(parse, path, "less_than_equal", "Input should be less than or equal to 2147483647");
    if (member->kind == WF_KIND_UINT64 && negative)
        return problem(parse, path, "greater_than_equal", "Input should be greater than or equal to 0");
    return problem(parse, path, "int_parsing_size", "Input should be a valid integer, it exceeds 64 bits");
}

static int no_integer(struct parse *parse, const struct wf_member *member, const struct json_number *number, int rc,
                      const struct path *path)
{
    if (rc == -ERANGE) return out_of_range(parse, member, number, path);
    return problem(parse, path, "int_from_float",
                   "Input should be a valid integer, got a number with a fractional part");
}

static int read_double(struct parse *parse, const struct wf_member *member, const struct json_number *number,
                       double *out, const struct path *path)
{
    if (json_to_double(number, out) < 0)
        return problem(parse, path, "finite_number", "Input should be a finite number");
    return is_inside(member, *out) ? 0 : check_number(parse, member, (long double)*out, path);
}

static int read_uint(struct parse *parse, const struct wf_member *member, const struct json_number *number,
                     uint64_t *out, const struct path *path)
{
    int rc = json_to_uint(number, out);
    if (rc < 0) return no_integer(parse, member, number, rc, path);
    return check_number(parse, member, (long double)*out, path);
}

int read_number(struct parse *parse, const struct wf_member *member, const struct json_number *number, void *out,
                const struct path *path)
{
    int64_t value;
    if (member->kind == WF_KIND_DOUBLE) return read_double(parse, member, number, out, path);
    if (member->kind == WF_KIND_UINT64) return read_uint(parse, member, number, out, path);
    int rc = json_to_int(number, &value);
    if (rc == 0 && member->kind == WF_KIND_INT32 && value != (int32_t)value) rc = -ERANGE;
    if (rc < 0) return no_integer(parse, member, number, rc, path);
    if (member->kind == WF_KIND_INT32) *(int32_t *)out = (int32_t)value;
    else *(int64_t *)out = value;
    if (value >= -EXACT_MAX && value <= EXACT_MAX && is_inside(member, (double)value)) return 0;
    return check_number(parse, member, (long double)value, path);
}

/* ---- Strings of JSON ---- */

static int read_string(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                       const char **out, const struct path *path)
{
    size_t found = parse->found;
    int rc = check_text(parse, member, text, path);
    if (rc < 0 || parse->found > found) return rc;
    return (*out = json_copy(parse->arena, text)) != NULL ? 0 : -ENOMEM;
}

static int read_bytes(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                      struct wf_bytes *out, const struct path *path)
{
    unsigned char *bytes = wf_arena_alloc(parse->arena, base64_room(text->size));
    if (bytes == NULL) return -ENOMEM;
    out->data = bytes;
    if (!base64_decode(text, bytes, &out->size))
        return problem(parse, path, "base64_decode", "Input should be valid base64");
    return check_count(parse, member, out->size, "Data", "byte", path);
}

static bool is_text(const struct json_slice *slice, const char *text)
{
    return strncmp(text, slice->bytes, slice->size) == 0 && strlen(text) == slice->size;
}

/* "'open', 'paid' or 'sent'", as much as fits. */
static const char *list_values(const char *const *values, char *list, size_t room)
{
    size_t at = 0;
    for (size_t i = 0; values[i] != NULL; i++) {
        const char *between = i == 0 ? "" : values[i + 1] == NULL ? "' or '" : "', '";
        size_t needed = strlen(between) + strlen(values[i]);
        if (at + needed >= room) break;
        memcpy(mempcpy(list + at, between, strlen(between)), values[i], strlen(values[i]));
        at += needed;
    }
    list[at] = '\0';
    return list;
}

static int read_enum(struct parse *parse, const struct wf_member *member, const struct json_slice *text, int *out,
                     const struct path *path)
{
    char list[300];
    for (int i = 0; member->values[i] != NULL; i++) {
        if (!is_text(text, member->values[i])) continue;
        *out = i;
        return 0;
    }
    return problem(parse, path, "enum", "Input should be '%s'", list_values(member->values, list, sizeof list));
}

static int read_form(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
                     const struct path *path)
{
    if (member->kind == WF_KIND_UUID)
        return uuid_parse(text, out) ? 0 : problem(parse, path, "uuid_parsing", "Input should be a valid UUID");
    if (member->kind == WF_KIND_DATE)
        return date_parse(text, out) ? 0
                                     : problem(parse, path, "date_parsing", "Input should be a valid date, YYYY-MM-DD");
    if (time_parse(text, out)) return 0;
    return problem(parse, path, "datetime_parsing", "Input should be a valid datetime with an offset, as in RFC 3339");
}

int read_text(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
              const struct path *path)
{
    switch (member->kind) {
    case WF_KIND_STRING:
        return read_string(parse, member, text, out, path);
    case WF_KIND_BYTES:
        return read_bytes(parse, member, text, out, path);
    case WF_KIND_ENUM:
        return read_enum(parse, member, text, out, path);
    default:
        return read_form(parse, member, text, out, path);
    }
}

/* ---- Texts that are no JSON ---- */

bool bool_of_text(const struct json_slice *text, bool *value)
{
    static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < WF_COUNT(words); i++) {
        if (strlen(words[i]) != text->size || strncasecmp(words[i], text->bytes, text->size) != 0) continue;
        *value = i % 2 == 1;
        return true;
    }
    return false;
}

static int read_plain_number(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                             void *out, const struct path *path)
{
    struct json_number number;
    const char *end = text->bytes + text->size;
    if (json_scan_number(text->bytes, end, &number) && number.text.size == text->size)
        return read_number(parse, member, &number, out, path);
    if (member->kind == WF_KIND_DOUBLE)
        return problem(parse, path, "float_parsing",
                       "Input should be a valid number, unable to parse string as a number");
    return problem(parse, path, "int_parsing", "Input should be a valid integer, unable to parse string as an integer");
}

static bool is_utf8(const struct json_slice *text)
{
    for (size_t at = 0, size; at < text->size; at += size) {
        size = utf8_character(text->bytes + at, text->size - at);
        if (size == 0) return false;
    }
    return true;
}

/* One text is a list of one. */
static int read_only_item(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                          struct list *out, const struct path *path)
{
    struct path inside = {.before = path, .index = 0};
    out->items = wf_arena_zero(parse->arena, member_size(member->item));
    out->count = 1;
    if (out->items == NULL) return -ENOMEM;
    int rc = check_count(parse, member, 1, "List", "item", path);
    return rc < 0 ? rc : read_plain(parse, member->item, text, out->items, &inside);
}

static int read_plain_kind(struct parse *parse, const struct wf_member *member, const struct json_slice *text,
                           void *out, const struct path *path)
{
    switch (member->kind) {
    case WF_KIND_BOOL:
        if (bool_of_text(text, out)) return 0;
        return problem(parse, path, "bool_parsing", "Input should be a valid boolean, unable to interpret input");
    case WF_KIND_INT32:
    case WF_KIND_INT64:
    case WF_KIND_UINT64:
    case WF_KIND_DOUBLE:
        return read_plain_number(parse, member, text, out, path);
    case WF_KIND_LIST:
        return read_only_item(parse, member, text, out, path);
    default:
        return read_text(parse, member, text, out, path);
    }
}

int read_plain(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
               const struct path *path)
{
    if (!is_utf8(text)) return problem(parse, path, "string_unicode", "Input should be valid text, it is no UTF-8");
    if (member->kind == WF_KIND_JSON || member->kind == WF_KIND_MODEL || member->kind == WF_KIND_MAP)
        return read_whole(parse, member, text, out, path);
    size_t found = parse->found;
    int rc = read_plain_kind(parse, member, text, out, path);
    if (rc < 0 || member->check == NULL || parse->found > found) return rc;
    return check_own(parse, member->check, out, path);
}

static int read_preset(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    struct json_slice preset = {.bytes = member->preset, .size = strlen(member->preset)};
    if (member->kind == WF_KIND_LIST) return read_whole(parse, member, &preset, out, path);
    return read_plain(parse, member, &preset, out, path);
}

int read_absent(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    if (member->read_only) return 1;
    if (member->preset != NULL) return read_preset(parse, member, out, path);
    if (member->optional) return 1;
    return problem(parse, path, "missing", "Field required");
}

/* ---- Parameters ---- */

int wf_member_parse_text(const struct wf_member *member, struct wf_arena *arena, const char *text, size_t size,
                         void *out, struct wf_problems *problems)
{
    struct parse parse = {.arena = arena, .problems = problems};
    struct path path = {.name = member->name};
    struct json_slice slice = {.bytes = text, .size = size};
    memset(out, 0, member_size(member));
    int rc = text != NULL ? read_plain(&parse, member, &slice, out, &path) : read_absent(&parse, member, out, &path);
    return rc != 0 ? rc : parse_result(&parse);
}
