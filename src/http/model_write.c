/* Structs as JSON, straight into the text. */
#include <string.h>

#include "http/model.h"

static int bad_value(struct wf_json_writer *writer, const struct wf_member *member, const char *what)
{
    if (writer->code_ == 0)
        writer->code_ = FAIL(-EINVAL, "JSON: %s %s", member->name != NULL ? member->name : "an item", what);
    return writer->code_;
}

/* ---- Scalars ---- */

static int write_text(const struct wf_member *member, const char *text, struct wf_json_writer *writer)
{
    return text != NULL ? wf_json_write_string(writer, text) : bad_value(writer, member, "is NULL");
}

static int write_raw(const struct wf_member *member, const char *text, struct wf_json_writer *writer)
{
    return text != NULL ? wf_json_write_raw(writer, text, strlen(text)) : bad_value(writer, member, "is NULL");
}

static int write_enum(const struct wf_member *member, int value, struct wf_json_writer *writer)
{
    for (int i = 0; member->values[i] != NULL; i++)
        if (i == value) return wf_json_write_string(writer, member->values[i]);
    return bad_value(writer, member, "is none of its values");
}

/* Quoted, without a look for escapes: there are none. */
static int write_form(struct wf_json_writer *writer, char quoted[FORM_TEXT + 2], size_t size)
{
    quoted[0] = quoted[size + 1] = '"';
    return wf_json_write_raw(writer, quoted, size + 2);
}

static int write_bytes(const struct wf_bytes *bytes, struct wf_json_writer *writer)
{
    unsigned char part[192]; /* a multiple of three */
    char text[sizeof part / 3 * 4];
    const unsigned char *at = bytes->data;
    if (!json_reserve(writer, bytes->size / 3 * 4 + 7)) return writer->code_;
    if (wf_json_write_text(writer, "", 0) < 0) return writer->code_;
    writer->size_--; /* the closing quote, which comes last */
    for (size_t left = bytes->size, size; left > 0; left -= size, at += size) {
        size = left < sizeof part ? left : sizeof part;
        size_t written = base64_encode(at, size, text);
        memcpy(writer->bytes_ + writer->size_, text, written);
        writer->size_ += written;
    }
    writer->bytes_[writer->size_++] = '"';
    return 0;
}

/* ---- Lists and maps ---- */

static int write_list(const struct wf_member *item, const struct list *list, struct wf_json_writer *writer)
{
    size_t size = member_size(item);
    int rc = wf_json_open_array(writer);
    for (size_t i = 0; i < list->count && rc == 0; i++) rc = wf_member_write(item, list->items + i * size, writer);
    return rc < 0 ? rc : wf_json_close_array(writer);
}

static int write_map(const struct wf_member *item, const struct list *map, struct wf_json_writer *writer)
{
    size_t size = map_entry_size(item);
    int rc = wf_json_open_object(writer);
    for (size_t i = 0; i < map->count && rc == 0; i++) {
        const char *entry = map->items + i * size, *key;
        memcpy(&key, entry, sizeof key);
        rc = key != NULL ? wf_json_write_key(writer, key) : bad_value(writer, item, "has a key that is NULL");
        if (rc == 0) rc = wf_member_write(item, entry + MAP_VALUE, writer);
    }
    return rc < 0 ? rc : wf_json_close_object(writer);
}

/* ---- Models ---- */

/* Texts, JSON, bytes, lists and maps begin with a pointer. */
static bool holds_something(const struct wf_member *member, const char *value)
{
    const void *pointer;
    switch (member->kind) {
    case WF_KIND_STRING:
    case WF_KIND_JSON:
    case WF_KIND_BYTES:
    case WF_KIND_LIST:
    case WF_KIND_MAP:
        memcpy(&pointer, value, sizeof pointer);
        return pointer != NULL;
    default:
        return false;
    }
}

static int write_member(const struct wf_member *member, const struct wf_place_ *place, const char *value,
                        struct wf_json_writer *writer)
{
    bool null = member->nullable && *(const bool *)(value + place->null);
    if (member->write_only) return 0;
    if (member->optional && !null && !*(const bool *)(value + place->has) &&
        !holds_something(member, value + place->at))
        return 0;
    int rc = json_write_name(writer, member->name);
    if (rc < 0) return rc;
    return null ? wf_json_write_null(writer) : wf_member_write(member, value + place->at, writer);
}

static int write_members(const struct wf_model *model, const char *value, struct wf_json_writer *writer)
{
    const struct wf_place_ *places = model->places_();
    int rc = 0;
    for (size_t i = 0; i < model->count && rc == 0; i++)
        rc = write_member(&model->members[i], &places[i], value, writer);
    return rc;
}

static const struct wf_member *find_case(const struct wf_model *model, const char *value)
{
    const struct wf_model *which;
    memcpy(&which, value, sizeof which);
    for (size_t i = 0; i < model->count; i++)
        if (model->members[i].model == which) return &model->members[i];
    return NULL;
}

int wf_model_write(const struct wf_model *model, const void *value, struct wf_json_writer *writer)
{
    const struct wf_member *chosen = NULL;
    wf_json_open_object(writer);
    if (model->tag != NULL) {
        chosen = find_case(model, value);
        if (chosen == NULL) return bad_value(writer, &(struct wf_member){.name = model->name}, "is none of its cases");
        wf_json_write_key(writer, model->tag);
        wf_json_write_string(writer, chosen->name);
        write_members(chosen->model, (const char *)value + UNION_VALUE, writer);
    } else {
        write_members(model, value, writer);
    }
    return wf_json_close_object(writer);
}

int wf_member_write(const struct wf_member *member, const void *value, struct wf_json_writer *writer)
{
    char quoted[FORM_TEXT + 2];
    switch (member->kind) {
    case WF_KIND_BOOL:
        return wf_json_write_bool(writer, *(const bool *)value);
    case WF_KIND_INT32:
        return wf_json_write_int(writer, *(const int32_t *)value);
    case WF_KIND_INT64:
        return wf_json_write_int(writer, *(const int64_t *)value);
    case WF_KIND_UINT64:
        return wf_json_write_uint(writer, *(const uint64_t *)value);
    case WF_KIND_DOUBLE:
        return wf_json_write_double(writer, *(const double *)value);
    case WF_KIND_STRING:
        return write_text(member, *(const char *const *)value, writer);
    case WF_KIND_BYTES:
        return write_bytes(value, writer);
    case WF_KIND_UUID:
        return write_form(writer, quoted, uuid_text(value, quoted + 1));
    case WF_KIND_DATE:
        if (!date_is_real(value)) return bad_value(writer, member, "is no date");
        return write_form(writer, quoted, date_text(value, quoted + 1));
    case WF_KIND_DATE_TIME:
        return write_form(writer, quoted, date_time_text(*(const int64_t *)value, member->digits, quoted + 1));
    case WF_KIND_ENUM:
        return write_enum(member, *(const int *)value, writer);
    case WF_KIND_JSON:
        return write_raw(member, *(const char *const *)value, writer);
    case WF_KIND_MODEL:
        return wf_model_write(member->model, value, writer);
    case WF_KIND_LIST:
        return write_list(member->item, value, writer);
    case WF_KIND_MAP:
        return write_map(member->item, value, writer);
    case WF_KIND_NONE:
        break;
    }
    return bad_value(writer, member, "is of no kind");
}
