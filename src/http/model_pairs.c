/* Forms and queries: pairs of names and texts, taken apart and made into a struct. */
#include <string.h>

#include "base/utf8.h"
#include "http/grammar.h"
#include "http/model.h"

/* ---- Taking apart ---- */

/* What was escaped is decoded in a copy. */
static int decode(struct wf_arena *arena, const char **text, size_t *size)
{
    if (memchr(*text, '%', *size) == NULL && memchr(*text, '+', *size) == NULL) return 0;
    struct json_slice slice = {.bytes = *text, .size = *size};
    char *copy = json_copy(arena, &slice);
    if (copy == NULL) return -ENOMEM;
    long decoded = percent_decode(copy, *size, true);
    if (decoded < 0) return FAIL(-EBADMSG, "a form or query with a %% that begins no escape");
    *text = copy;
    *size = (size_t)decoded;
    return 0;
}

static int parse_pair(struct wf_arena *arena, const char *text, size_t size, struct wf_pair *pair)
{
    const char *equals = memchr(text, '=', size);
    size_t name_size = equals != NULL ? (size_t)(equals - text) : size;
    *pair = (struct wf_pair){.name = text, .name_size = name_size, .text = ""};
    if (equals != NULL) {
        pair->text = equals + 1;
        pair->text_size = size - name_size - 1;
    }
    int rc = decode(arena, &pair->name, &pair->name_size);
    return rc < 0 ? rc : decode(arena, &pair->text, &pair->text_size);
}

static size_t count_pairs(const char *at, const char *end)
{
    size_t count = 1;
    for (; at < end; at++) count += *at == '&';
    return count;
}

int wf_pairs_parse(struct wf_arena *arena, const void *bytes, size_t size, struct wf_pairs *pairs)
{
    const char *at = bytes, *end = at + size;
    *pairs = (struct wf_pairs){.items = NULL};
    size_t count = size > 0 ? count_pairs(at, end) : 0;
    if (count == 0) return 0;
    if (count > WF_PAIRS_MAX) return FAIL(-E2BIG, "a form or query of more than %d pairs", WF_PAIRS_MAX);
    pairs->items = wf_arena_array(arena, count, sizeof *pairs->items);
    if (pairs->items == NULL) return -ENOMEM;
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (stop == NULL) stop = end;
        int rc = stop > at ? parse_pair(arena, at, (size_t)(stop - at), &pairs->items[pairs->count++]) : 0;
        if (rc < 0) return rc;
        at = stop + 1;
    }
    return 0;
}

/* ---- Into a struct ---- */

static bool has_name(const struct wf_pair *pair, const char *name)
{
    return strlen(name) == pair->name_size && memcmp(name, pair->name, pair->name_size) == 0;
}

/* A browser sends every input of a form, those that nobody filled in as "": except for texts that is none. */
static bool is_given(const struct wf_member *member, const struct wf_pair *pair)
{
    const struct wf_member *item = member->kind == WF_KIND_LIST ? member->item : member;
    return pair->text_size > 0 || item->kind == WF_KIND_STRING;
}

/* How many pairs of that name there are; `last` is the last of them. */
static size_t find_pairs(const struct wf_pairs *pairs, const struct wf_member *member, struct json_slice *last)
{
    size_t count = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        const struct wf_pair *pair = &pairs->items[i];
        if (!has_name(pair, member->name) || !is_given(member, pair)) continue;
        *last = (struct json_slice){.bytes = pair->text, .size = pair->text_size};
        count++;
    }
    return count;
}

static int read_list(struct parse *parse, const struct wf_member *member, const struct wf_pairs *pairs, size_t count,
                     struct list *out, const struct path *path)
{
    size_t size = member_size(member->item);
    struct wf_member bounds = {.min = member->min, .max = (double)items_max(member)};
    size_t found = parse->found;
    int rc = check_count(parse, &bounds, count, "List", "item", path);
    if (rc < 0 || parse->found > found) return rc;
    *out = (struct list){.items = wf_arena_array(parse->arena, count, size)};
    if (out->items == NULL) return -ENOMEM;
    for (size_t i = 0; i < pairs->count && rc == 0; i++) {
        const struct wf_pair *pair = &pairs->items[i];
        if (!has_name(pair, member->name) || !is_given(member, pair)) continue;
        struct json_slice text = {.bytes = pair->text, .size = pair->text_size};
        struct path inside = {.before = path, .index = out->count};
        rc = read_plain(parse, member->item, &text, out->items + size * out->count++, &inside);
    }
    return rc;
}

static int read_one(struct parse *parse, const struct wf_member *member, const struct wf_place_ *place,
                    const struct wf_pairs *pairs, char *out)
{
    struct path path = {.name = member->name};
    struct json_slice text;
    size_t count = member->read_only ? 0 : find_pairs(pairs, member, &text), found = parse->found;
    if (count == 0) return read_absent(parse, member, out + place->at, &path);
    *(bool *)(out + place->has) = true;
    if (member->kind != WF_KIND_LIST) {
        if (count > 1) return problem(parse, &path, "duplicate", "Key comes twice");
        return read_plain(parse, member, &text, out + place->at, &path);
    }
    int rc = read_list(parse, member, pairs, count, (struct list *)(void *)(out + place->at), &path);
    if (rc < 0 || member->check == NULL || parse->found > found) return rc;
    return check_own(parse, member->check, out + place->at, &path);
}

static bool is_member(const struct wf_model *model, const struct wf_pair *pair)
{
    for (size_t i = 0; i < model->count; i++)
        if (has_name(pair, model->members[i].name)) return true;
    return false;
}

/* The name as it may be shown. */
static const char *show_name(struct parse *parse, const struct wf_pair *pair)
{
    for (size_t at = 0, size; at < pair->name_size; at += size) {
        size = utf8_character(pair->name + at, pair->name_size - at);
        if (size == 0) return UTF8_REPLACEMENT;
    }
    struct json_slice name = {.bytes = pair->name, .size = pair->name_size};
    return json_copy(parse->arena, &name);
}

static int refuse_unknown(struct parse *parse, const struct wf_model *model, const struct wf_pairs *pairs)
{
    int rc = 0;
    for (size_t i = 0; i < pairs->count && rc == 0; i++) {
        if (is_member(model, &pairs->items[i])) continue;
        struct path path = {.name = show_name(parse, &pairs->items[i])};
        if (path.name == NULL) return -ENOMEM;
        rc = problem(parse, &path, "extra_forbidden", "Extra inputs are not permitted");
    }
    return rc;
}

int wf_model_parse_pairs(const struct wf_model *model, struct wf_arena *arena, const struct wf_pairs *pairs, void *out,
                         struct wf_problems *problems)
{
    struct parse parse = {.arena = arena, .problems = problems};
    if (model->tag != NULL) return FAIL(-ENOTSUP, "%s: a union cannot be read from a form", model->name);
    const struct wf_place_ *places = model->places_();
    int rc = 0;
    memset(out, 0, model->size);
    for (size_t i = 0; i < model->count && rc >= 0; i++)
        rc = read_one(&parse, &model->members[i], &places[i], pairs, out);
    if (rc >= 0 && model->unknown == WF_UNKNOWN_REFUSED) rc = refuse_unknown(&parse, model, pairs);
    if (rc >= 0 && model->check != NULL && parse.found == 0) rc = check_own(&parse, model->check, out, NULL);
    return rc < 0 ? rc : parse_result(&parse);
}
