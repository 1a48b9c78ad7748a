/* JSON into structs: one pass over the text, no tree. Members are expected in the order of their declaration. */
#include <math.h>
#include <string.h>

#include "http/model.h"

_Static_assert(sizeof(struct list) == 16 && sizeof(char *) == MAP_VALUE, "the layouts of model.h are those of 64 bits");

enum { FIRST_ITEMS = 4 };

/* ---- Layout ---- */

size_t member_size(const struct wf_member *member)
{
    switch (member->kind) {
    case WF_KIND_BOOL:
        return sizeof(bool);
    case WF_KIND_INT32:
    case WF_KIND_ENUM:
        return sizeof(int32_t);
    case WF_KIND_BYTES:
        return sizeof(struct wf_bytes);
    case WF_KIND_UUID:
        return sizeof(struct wf_uuid);
    case WF_KIND_MODEL:
        return member->model->size;
    case WF_KIND_LIST:
    case WF_KIND_MAP:
        return sizeof(struct list);
    default:
        return sizeof(int64_t);
    }
}

size_t map_entry_size(const struct wf_member *item)
{
    return (MAP_VALUE + member_size(item) + 7) & ~(size_t)7;
}

size_t items_max(const struct wf_member *member)
{
    return member->max < (double)UINT32_MAX ? (size_t)member->max : WF_ITEMS_MAX;
}

/* ---- Wrong kinds ---- */

static const struct {
    const char *type, *message;
} wrong_kinds[] = {
    [WF_KIND_BOOL] = {"bool_type", "Input should be a valid boolean"},
    [WF_KIND_INT32] = {"int_type", "Input should be a valid integer"},
    [WF_KIND_INT64] = {"int_type", "Input should be a valid integer"},
    [WF_KIND_UINT64] = {"int_type", "Input should be a valid integer"},
    [WF_KIND_DOUBLE] = {"float_type", "Input should be a valid number"},
    [WF_KIND_STRING] = {"string_type", "Input should be a valid string"},
    [WF_KIND_BYTES] = {"bytes_type", "Input should be valid bytes, a string of base64"},
    [WF_KIND_UUID] = {"uuid_type", "UUID input should be a string"},
    [WF_KIND_DATE] = {"date_type", "Input should be a valid date"},
    [WF_KIND_DATE_TIME] = {"datetime_type", "Input should be a valid datetime"},
    [WF_KIND_ENUM] = {"string_type", "Input should be a valid string"},
    [WF_KIND_MODEL] = {"model_type", "Input should be a valid object"},
    [WF_KIND_LIST] = {"list_type", "Input should be a valid list"},
    [WF_KIND_MAP] = {"dict_type", "Input should be a valid dictionary"},
};

static int wrong_kind(struct parse *parse, const struct wf_member *member, const struct path *path)
{
    int rc = problem(parse, path, wrong_kinds[member->kind].type, "%s", wrong_kinds[member->kind].message);
    return rc < 0 ? rc : wf_json_skip(parse->reader);
}

/* ---- Scalars ---- */

static int read_bool(struct parse *parse, const struct wf_member *member, bool *out, const struct path *path)
{
    if (json_kind(parse->reader) != WF_JSON_BOOL) return wrong_kind(parse, member, path);
    return wf_json_read_bool(parse->reader, out);
}

static int read_json_number(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    struct wf_json_reader *reader = parse->reader;
    struct json_number number;
    if (json_kind(reader) != WF_JSON_NUMBER) return wrong_kind(parse, member, path);
    if (!json_scan_number(reader->next_, reader->end_, &number)) return wf_json_skip(reader); /* which says why */
    reader->next_ += number.text.size;
    return read_number(parse, member, &number, out, path);
}

static int read_json_text(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    struct json_slice text;
    if (json_kind(parse->reader) != WF_JSON_STRING) return wrong_kind(parse, member, path);
    int rc = json_scan_string(parse->reader, &text);
    if (rc == 0) rc = json_decode(parse->reader, &text);
    return rc < 0 ? rc : read_text(parse, member, &text, out, path);
}

static int read_raw(struct parse *parse, const char **out)
{
    struct json_slice raw;
    int rc = wf_json_read_raw(parse->reader, &raw.bytes, &raw.size);
    if (rc < 0) return rc;
    return (*out = json_copy(parse->arena, &raw)) != NULL ? 0 : -ENOMEM;
}

/* ---- Lists and maps ---- */

/* A cleared place for one more; NULL: no memory. */
static char *add_place(struct parse *parse, struct list *list, size_t *room, size_t size)
{
    if (list->count == *room) {
        *room = *room == 0 ? FIRST_ITEMS : *room * 2;
        char *items = wf_arena_array(parse->arena, *room, size);
        if (items == NULL) return NULL;
        if (list->items != NULL) memcpy(items, list->items, list->count * size);
        list->items = items;
    }
    return list->items + size * list->count++;
}

/* An entry past the maximum is only counted. */
static int skip_extra(struct parse *parse, struct list *list)
{
    list->count++;
    return wf_json_skip(parse->reader);
}

/* Had its declaration no maximum, there is one all the same. */
static int check_items(struct parse *parse, const struct wf_member *member, size_t count, const char *what,
                       const struct path *path)
{
    struct wf_member bounds = {.min = member->min, .max = (double)items_max(member)};
    return check_count(parse, &bounds, count, what, "item", path);
}

static int read_list(struct parse *parse, const struct wf_member *member, struct list *out, const struct path *path)
{
    if (json_kind(parse->reader) != WF_JSON_ARRAY) return wrong_kind(parse, member, path);
    size_t room = 0, size = member_size(member->item), max = items_max(member);
    int rc = wf_json_begin_array(parse->reader);
    *out = (struct list){.items = NULL};
    while (rc >= 0 && (rc = wf_json_next_item(parse->reader)) > 0) {
        struct path inside = {.before = path, .index = out->count};
        char *item = out->count < max ? add_place(parse, out, &room, size) : NULL;
        if (item != NULL) rc = read_value(parse, member->item, item, &inside);
        else rc = out->count < max ? -ENOMEM : skip_extra(parse, out);
    }
    return rc < 0 ? rc : check_items(parse, member, out->count, "List", path);
}

/* The key of the member, terminated, checked. */
static int read_map_key(struct parse *parse, const char **key, const struct path *path)
{
    struct json_slice slice = {.bytes = parse->reader->key, .size = parse->reader->key_size};
    *key = json_copy(parse->arena, &slice);
    if (*key == NULL) return -ENOMEM;
    if (memchr(slice.bytes, '\0', slice.size) == NULL) return 0;
    return problem(parse, path, "string_zero", "A key should not contain U+0000");
}

/* Keys in order, so that equal ones are side by side: a heap, in place. */
static void sift(const char **keys, size_t at, size_t count)
{
    const char *moved = keys[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && strcmp(keys[child + 1], keys[child]) > 0) child++;
        if (strcmp(keys[child], moved) <= 0) break;
        keys[at] = keys[child];
    }
    keys[at] = moved;
}

static void sort(const char **keys, size_t count)
{
    for (size_t i = count / 2; i > 0; i--) sift(keys, i - 1, count);
    for (size_t last = count; last > 1; last--) {
        const char *largest = keys[0];
        keys[0] = keys[last - 1];
        keys[last - 1] = largest;
        sift(keys, 0, last - 1);
    }
}

static int check_keys(struct parse *parse, const struct list *map, size_t size, const struct path *path)
{
    if (map->count < 2 || map->items == NULL) return 0;
    const char **keys = wf_arena_array(parse->arena, map->count, sizeof *keys);
    if (keys == NULL) return -ENOMEM;
    for (size_t i = 0; i < map->count; i++) memcpy(&keys[i], map->items + i * size, sizeof keys[i]);
    sort(keys, map->count);
    int rc = 0;
    for (size_t i = 1; i < map->count && rc == 0; i++) {
        struct path inside = {.before = path, .name = keys[i]};
        if (strcmp(keys[i - 1], keys[i]) == 0) rc = problem(parse, &inside, "duplicate", "Key comes twice");
    }
    return rc;
}

static int read_entry(struct parse *parse, const struct wf_member *item, char *entry, const struct path *path)
{
    struct path inside = {.before = path};
    int rc = read_map_key(parse, &inside.name, path);
    memcpy(entry, &inside.name, sizeof inside.name);
    return rc < 0 ? rc : read_value(parse, item, entry + MAP_VALUE, &inside);
}

static int read_map(struct parse *parse, const struct wf_member *member, struct list *out, const struct path *path)
{
    if (json_kind(parse->reader) != WF_JSON_OBJECT) return wrong_kind(parse, member, path);
    size_t room = 0, size = map_entry_size(member->item), max = items_max(member), found = parse->found;
    int rc = wf_json_begin_object(parse->reader);
    *out = (struct list){.items = NULL};
    while (rc >= 0 && (rc = wf_json_next_member(parse->reader)) > 0) {
        char *entry = out->count < max ? add_place(parse, out, &room, size) : NULL;
        if (entry != NULL) rc = read_entry(parse, member->item, entry, path);
        else rc = out->count < max ? -ENOMEM : skip_extra(parse, out);
    }
    if (rc == 0) rc = check_items(parse, member, out->count, "Dictionary", path);
    return rc < 0 || parse->found > found ? rc : check_keys(parse, out, size, path);
}

/* ---- Models ---- */

/* An object that is being read. */
struct object {
    const struct wf_model *model;
    const struct wf_place_ *places;
    char *out;
    const struct path *path;
    size_t expected;                    /* the member behind the one before */
    uint64_t seen[WF_MEMBERS_MAX / 64]; /* a bit for each member */
};

static const struct wf_member *find_member(const struct object *object, const struct wf_json_reader *reader)
{
    const struct wf_model *model = object->model;
    for (size_t i = 0, at = object->expected; i < model->count; i++, at++) {
        if (at >= model->count) at = 0;
        if (wf_json_key_is(reader, model->members[at].name)) return &model->members[at];
    }
    return NULL;
}

static int read_unknown(struct parse *parse, const struct object *object)
{
    if (object->model->unknown == WF_UNKNOWN_IGNORED) return wf_json_skip(parse->reader);
    struct path inside = {.before = object->path};
    int rc = read_map_key(parse, &inside.name, object->path);
    if (rc == 0) rc = problem(parse, &inside, "extra_forbidden", "Extra inputs are not permitted");
    return rc < 0 ? rc : wf_json_skip(parse->reader);
}

static int read_present(struct parse *parse, const struct object *object, const struct wf_member *member,
                        const struct path *path)
{
    const struct wf_place_ *place = &object->places[member - object->model->members];
    if (member->nullable && json_kind(parse->reader) == WF_JSON_NULL) {
        *(bool *)(object->out + place->null) = true;
        return wf_json_read_null(parse->reader);
    }
    *(bool *)(object->out + place->has) = true;
    return read_value(parse, member, object->out + place->at, path);
}

/* One that has been found, its key read. */
static int read_known(struct parse *parse, struct object *object, const struct wf_member *member)
{
    size_t index = (size_t)(member - object->model->members);
    uint64_t bit = UINT64_C(1) << index % 64, *seen = &object->seen[index / 64];
    struct path inside = {.before = object->path, .name = member->name};
    if ((*seen & bit) != 0) {
        int rc = problem(parse, &inside, "duplicate", "Key comes twice");
        return rc < 0 ? rc : wf_json_skip(parse->reader);
    }
    *seen |= bit;
    object->expected = index + 1;
    return member->read_only ? wf_json_skip(parse->reader) : read_present(parse, object, member, &inside);
}

static int read_member(struct parse *parse, struct object *object, const char *tag)
{
    const struct wf_model *model = object->model;
    const struct wf_member *member = &model->members[object->expected];
    if (object->expected < model->count && json_take_key(parse->reader, member->name))
        return read_known(parse, object, member);
    int rc = json_read_key(parse->reader);
    if (rc < 0) return rc;
    if (tag != NULL && wf_json_key_is(parse->reader, tag)) return wf_json_skip(parse->reader);
    member = find_member(object, parse->reader);
    return member != NULL ? read_known(parse, object, member) : read_unknown(parse, object);
}

static int read_missing(struct parse *parse, const struct object *object)
{
    for (size_t i = 0; i < object->model->count; i++) {
        if ((object->seen[i / 64] >> i % 64 & 1) != 0) continue;
        const struct wf_member *member = &object->model->members[i];
        struct path inside = {.before = object->path, .name = member->name};
        int rc = read_absent(parse, member, object->out + object->places[i].at, &inside);
        if (rc < 0) return rc;
    }
    return 0;
}

/* `tag` is a member that has been looked at before, or NULL. */
static int read_object(struct parse *parse, const struct wf_model *model, const char *tag, char *out,
                       const struct path *path)
{
    struct object object = {.model = model, .places = model->places_(), .out = out, .path = path};
    size_t found = parse->found;
    memset(out, 0, model->size);
    int rc = wf_json_begin_object(parse->reader);
    while (rc >= 0 && (rc = json_next_member(parse->reader)) > 0) rc = read_member(parse, &object, tag);
    if (rc == 0) rc = read_missing(parse, &object);
    if (rc < 0 || model->check == NULL || parse->found > found) return rc;
    return check_own(parse, model->check, out, path);
}

/* ---- Unions ---- */

/* Looks ahead for the member that says which case; bytes NULL: it is not there, or no string. */
static int find_tag(struct parse *parse, const char *name, struct json_slice *tag)
{
    struct wf_json_reader ahead = *parse->reader;
    int rc = wf_json_begin_object(&ahead);
    tag->bytes = NULL;
    while (rc >= 0 && (rc = wf_json_next_member(&ahead)) > 0) {
        bool found = wf_json_key_is(&ahead, name) && wf_json_peek(&ahead) == WF_JSON_STRING;
        rc = found ? wf_json_read_string(&ahead, &tag->bytes, &tag->size) : wf_json_skip(&ahead);
        if (found) return rc;
    }
    if (rc == -EBADMSG) return wf_json_skip(parse->reader); /* finds the same */
    return rc;
}

static const struct wf_model *find_case(const struct wf_model *model, const struct json_slice *tag)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->members[i].name, tag->bytes) == 0) return model->members[i].model;
    return NULL;
}

static int no_case(struct parse *parse, const struct wf_model *model, const struct json_slice *tag,
                   const struct path *path)
{
    int rc = tag->bytes == NULL ? problem(parse, path, "union_tag_not_found",
                                          "Unable to extract tag using discriminator '%s'", model->tag)
                                : problem(parse, path, "union_tag_invalid",
                                          "Input tag '%s' found using '%s' does not match any of the expected tags",
                                          tag->bytes, model->tag);
    return rc < 0 ? rc : wf_json_skip(parse->reader);
}

static int read_union(struct parse *parse, const struct wf_model *model, char *out, const struct path *path)
{
    struct json_slice tag;
    int rc = find_tag(parse, model->tag, &tag);
    if (rc < 0) return rc;
    const struct wf_model *chosen = tag.bytes != NULL ? find_case(model, &tag) : NULL;
    if (chosen == NULL) return no_case(parse, model, &tag, path);
    memset(out, 0, model->size);
    memcpy(out, &chosen, sizeof chosen);
    return read_object(parse, chosen, model->tag, out + UNION_VALUE, path);
}

static int read_model(struct parse *parse, const struct wf_member *member, char *out, const struct path *path)
{
    if (json_kind(parse->reader) != WF_JSON_OBJECT) return wrong_kind(parse, member, path);
    const struct wf_model *model = member->model;
    return model->tag != NULL ? read_union(parse, model, out, path) : read_object(parse, model, NULL, out, path);
}

/* ---- All of it ---- */

static int read_kind(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    switch (member->kind) {
    case WF_KIND_BOOL:
        return read_bool(parse, member, out, path);
    case WF_KIND_INT32:
    case WF_KIND_INT64:
    case WF_KIND_UINT64:
    case WF_KIND_DOUBLE:
        return read_json_number(parse, member, out, path);
    case WF_KIND_JSON:
        return read_raw(parse, out);
    case WF_KIND_MODEL:
        return read_model(parse, member, out, path);
    case WF_KIND_LIST:
        return read_list(parse, member, out, path);
    case WF_KIND_MAP:
        return read_map(parse, member, out, path);
    default:
        return read_json_text(parse, member, out, path);
    }
}

int read_value(struct parse *parse, const struct wf_member *member, void *out, const struct path *path)
{
    size_t found = parse->found;
    int rc = read_kind(parse, member, out, path);
    if (rc < 0 || member->check == NULL || parse->found > found) return rc;
    return check_own(parse, member->check, out, path);
}

int read_whole(struct parse *parse, const struct wf_member *member, const struct json_slice *text, void *out,
               const struct path *path)
{
    struct wf_json_reader inner, *outer = parse->reader;
    wf_json_reader_init(&inner, parse->arena, text->bytes, text->size);
    parse->reader = &inner;
    int rc = read_value(parse, member, out, path);
    if (rc == 0) rc = wf_json_read_end(&inner);
    parse->reader = outer;
    return rc == -EBADMSG ? problem(parse, path, "json_invalid", "Input should be valid JSON") : rc;
}

/* What was found before the fault is not worth telling. */
static int malformed(struct parse *parse, const struct wf_problems *before, const struct wf_json_reader *reader)
{
    struct wf_json_place place;
    wf_json_find_place(reader, &place);
    struct path path = {.index = place.offset};
    if (parse->problems != NULL) {
        *parse->problems = *before;
        if (before->last_ != NULL) before->last_->next = NULL;
    }
    int rc = problem(parse, &path, "json_invalid", "JSON decode error, line %zu, column %zu", place.line, place.column);
    return rc < 0 ? rc : -EBADMSG;
}

int wf_member_parse(const struct wf_member *member, struct wf_arena *arena, const void *bytes, size_t size, void *out,
                    struct wf_problems *problems)
{
    struct wf_json_reader reader;
    struct parse parse = {.arena = arena, .problems = problems, .reader = &reader};
    struct wf_problems before = problems != NULL ? *problems : (struct wf_problems){.first = NULL};
    wf_json_reader_init(&reader, arena, bytes, size);
    int rc = read_value(&parse, member, out, NULL);
    if (rc == 0) rc = wf_json_read_end(&reader);
    if (rc == -EBADMSG) return malformed(&parse, &before, &reader);
    return rc < 0 ? rc : parse_result(&parse);
}

int wf_model_parse(const struct wf_model *model, struct wf_arena *arena, const void *bytes, size_t size, void *out,
                   struct wf_problems *problems)
{
    struct wf_member whole = {.kind = WF_KIND_MODEL, .model = model};
    return wf_member_parse(&whole, arena, bytes, size, out, problems);
}
