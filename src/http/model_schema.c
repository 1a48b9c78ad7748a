/* The schema of a model: JSON Schema 2020-12, the dialect of OpenAPI 3.1. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "http/model.h"

/* What each kind is in a schema. */
static const struct {
    const char *type, *format;
} kinds[] = {
    [WF_KIND_BOOL] = {"boolean", NULL},      [WF_KIND_INT32] = {"integer", "int32"},
    [WF_KIND_INT64] = {"integer", "int64"},  [WF_KIND_UINT64] = {"integer", "uint64"},
    [WF_KIND_DOUBLE] = {"number", "double"}, [WF_KIND_STRING] = {"string", NULL},
    [WF_KIND_BYTES] = {"string", NULL},      [WF_KIND_UUID] = {"string", "uuid"},
    [WF_KIND_DATE] = {"string", "date"},     [WF_KIND_DATE_TIME] = {"string", "date-time"},
    [WF_KIND_ENUM] = {"string", NULL},       [WF_KIND_LIST] = {"array", NULL},
    [WF_KIND_MAP] = {"object", NULL},        [WF_KIND_JSON] = {NULL, NULL},
};

static const char *const formats[] = {
    [WF_ANY_FORMAT] = NULL, [WF_EMAIL] = "email", [WF_URI] = "uri",           [WF_HOSTNAME] = "hostname",
    [WF_IPV4] = "ipv4",     [WF_IPV6] = "ipv6",   [WF_PASSWORD] = "password",
};

void json_write_pair(struct wf_json_writer *writer, const char *key, const char *text)
{
    if (text == NULL) return;
    wf_json_write_key(writer, key);
    wf_json_write_string(writer, text);
}

void json_write_flag(struct wf_json_writer *writer, const char *key, bool flag)
{
    if (!flag) return;
    wf_json_write_key(writer, key);
    wf_json_write_bool(writer, true);
}

/* ---- Bounds ---- */

static void write_bound(struct wf_json_writer *writer, const char *key, double bound)
{
    char text[JSON_DOUBLE_TEXT];
    if (!isfinite(bound)) return;
    wf_json_write_key(writer, key);
    wf_json_write_raw(writer, text, json_double_text(bound, false, text));
}

static void write_bounds(const struct wf_member *member, struct wf_json_writer *writer)
{
    switch (member->kind) {
    case WF_KIND_INT32:
    case WF_KIND_INT64:
    case WF_KIND_DOUBLE:
        write_bound(writer, "minimum", member->min);
        break;
    case WF_KIND_UINT64:
        write_bound(writer, "minimum", member->min > 0 ? member->min : 0);
        break;
    case WF_KIND_STRING:
        write_bound(writer, "minLength", member->min);
        write_bound(writer, "maxLength", member->max);
        return;
    case WF_KIND_LIST:
        write_bound(writer, "minItems", member->min);
        write_bound(writer, "maxItems", (double)items_max(member));
        return;
    case WF_KIND_MAP:
        write_bound(writer, "minProperties", member->min);
        write_bound(writer, "maxProperties", (double)items_max(member));
        return;
    default:
        return;
    }
    write_bound(writer, "maximum", member->max);
    write_bound(writer, "exclusiveMinimum", member->above);
    write_bound(writer, "exclusiveMaximum", member->below);
}

/* ---- Members ---- */

/* A preset or example: a text is put into quotes, the rest is JSON. */
static void write_plain(const struct wf_member *member, const char *text, struct wf_json_writer *writer)
{
    struct json_slice slice = {.bytes = text, .size = strlen(text)};
    const char *type = kinds[member->kind].type;
    bool value;
    if (member->kind == WF_KIND_BOOL && bool_of_text(&slice, &value)) wf_json_write_bool(writer, value);
    else if (type != NULL && strcmp(type, "string") == 0) wf_json_write_text(writer, text, slice.size);
    else wf_json_write_raw(writer, text, slice.size);
}

void json_write_reference(struct wf_json_writer *writer, const char *name)
{
    char reference[200];
    snprintf(reference, sizeof reference, "#/components/schemas/%s", name);
    json_write_pair(writer, "$ref", reference);
}

static void write_type(const struct wf_member *member, struct wf_json_writer *writer)
{
    if (kinds[member->kind].type == NULL) return;
    if (!member->nullable) {
        json_write_pair(writer, "type", kinds[member->kind].type);
        return;
    }
    wf_json_write_key(writer, "type");
    wf_json_open_array(writer);
    wf_json_write_string(writer, kinds[member->kind].type);
    wf_json_write_string(writer, "null");
    wf_json_close_array(writer);
}

static void write_values(const struct wf_member *member, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "enum");
    wf_json_open_array(writer);
    for (size_t i = 0; member->values[i] != NULL; i++) wf_json_write_string(writer, member->values[i]);
    if (member->nullable) wf_json_write_null(writer);
    wf_json_close_array(writer);
}

/* A reference cannot say that null is right as well. */
static void write_model_member(const struct wf_member *member, struct wf_json_writer *writer)
{
    if (!member->nullable) {
        json_write_reference(writer, member->model->name);
        return;
    }
    wf_json_write_key(writer, "anyOf");
    wf_json_open_array(writer);
    wf_json_open_object(writer);
    json_write_reference(writer, member->model->name);
    wf_json_close_object(writer);
    wf_json_open_object(writer);
    json_write_pair(writer, "type", "null");
    wf_json_close_object(writer);
    wf_json_close_array(writer);
}

static void write_kind(const struct wf_member *member, struct wf_json_writer *writer)
{
    const char *format = member->kind == WF_KIND_STRING ? formats[member->format] : kinds[member->kind].format;
    write_type(member, writer);
    json_write_pair(writer, "format", format);
    if (member->kind == WF_KIND_BYTES) json_write_pair(writer, "contentEncoding", "base64");
    if (member->kind == WF_KIND_ENUM) write_values(member, writer);
    if (member->kind == WF_KIND_LIST || member->kind == WF_KIND_MAP) {
        wf_json_write_key(writer, member->kind == WF_KIND_LIST ? "items" : "additionalProperties");
        wf_member_write_schema(member->item, writer);
    }
    write_bounds(member, writer);
    json_write_pair(writer, "pattern", member->pattern);
}

int wf_member_write_schema(const struct wf_member *member, struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    if (member->kind == WF_KIND_MODEL) write_model_member(member, writer);
    else write_kind(member, writer);
    json_write_pair(writer, "title", member->title);
    json_write_pair(writer, "description", member->description);
    if (member->preset != NULL) {
        wf_json_write_key(writer, "default");
        write_plain(member, member->preset, writer);
    }
    if (member->example != NULL) {
        wf_json_write_key(writer, "examples");
        wf_json_open_array(writer);
        write_plain(member, member->example, writer);
        wf_json_close_array(writer);
    }
    json_write_flag(writer, "deprecated", member->deprecated);
    json_write_flag(writer, "readOnly", member->read_only);
    json_write_flag(writer, "writeOnly", member->write_only);
    return wf_json_close_object(writer);
}

/* ---- Models ---- */

/* One direction of two that a message may have: what is there in one of them only is not required. */
static bool is_required(const struct wf_member *member)
{
    return !member->optional && member->preset == NULL && !member->read_only && !member->write_only;
}

static void write_required(const struct wf_model *model, const char *tag, struct wf_json_writer *writer)
{
    bool any = tag != NULL;
    for (size_t i = 0; i < model->count; i++) any |= is_required(&model->members[i]);
    if (!any) return;
    wf_json_write_key(writer, "required");
    wf_json_open_array(writer);
    if (tag != NULL) wf_json_write_string(writer, tag);
    for (size_t i = 0; i < model->count; i++)
        if (is_required(&model->members[i])) wf_json_write_string(writer, model->members[i].name);
    wf_json_close_array(writer);
}

/* An object; as a case of a union it has its tag, too. */
static void write_object(const struct wf_model *model, const char *tag, const char *name, struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    json_write_pair(writer, "type", "object");
    json_write_pair(writer, "title", model->title != NULL ? model->title : model->name);
    json_write_pair(writer, "description", model->description);
    wf_json_write_key(writer, "properties");
    wf_json_open_object(writer);
    if (tag != NULL) {
        wf_json_write_key(writer, tag);
        wf_json_open_object(writer);
        json_write_pair(writer, "const", name);
        wf_json_close_object(writer);
    }
    for (size_t i = 0; i < model->count && writer->code_ == 0; i++) {
        wf_json_write_key(writer, model->members[i].name);
        wf_member_write_schema(&model->members[i], writer);
    }
    wf_json_close_object(writer);
    write_required(model, tag, writer);
    if (model->unknown == WF_UNKNOWN_REFUSED) {
        wf_json_write_key(writer, "additionalProperties");
        wf_json_write_bool(writer, false);
    }
    wf_json_close_object(writer);
}

/* Cases stand in it themselves: a reference to one would not have the tag. */
static void write_union(const struct wf_model *model, struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    json_write_pair(writer, "title", model->title != NULL ? model->title : model->name);
    json_write_pair(writer, "description", model->description);
    wf_json_write_key(writer, "oneOf");
    wf_json_open_array(writer);
    for (size_t i = 0; i < model->count; i++)
        write_object(model->members[i].model, model->tag, model->members[i].name, writer);
    wf_json_close_array(writer);
    wf_json_close_object(writer);
}

int wf_model_write_schema(const struct wf_model *model, struct wf_json_writer *writer)
{
    if (model->tag != NULL) write_union(model, writer);
    else write_object(model, NULL, NULL, writer);
    return writer->code_;
}

int wf_model_write_schemas(const struct wf_model *const *models, size_t count, struct wf_json_writer *writer)
{
    struct models all = {.list = NULL};
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) rc = models_reach(&all, models[i]);
    wf_json_open_object(writer);
    for (size_t i = 0; i < all.count && rc == 0; i++) {
        wf_json_write_key(writer, all.list[i]->name);
        rc = wf_model_write_schema(all.list[i], writer);
    }
    models_finish(&all);
    wf_json_close_object(writer);
    return rc < 0 ? rc : writer->code_;
}
