/* Whether a declaration is right, said at the start of a program and not when the first input comes. */
#include <math.h>
#include <string.h>

#include "http/model.h"

/* "order.quantity: what". */
static int wrong(const struct wf_model *model, const struct wf_member *member, const char *what)
{
    const char *name = member->name != NULL ? member->name : "an item";
    if (model == NULL) return FAIL(-EINVAL, "%s: %s", name, what);
    return FAIL(-EINVAL, "model %s, %s: %s", model->name, name, what);
}

/* ---- Members ---- */

static bool is_number(const struct wf_member *member)
{
    return member->kind >= WF_KIND_INT32 && member->kind <= WF_KIND_DOUBLE;
}

static bool has_length(const struct wf_member *member)
{
    return member->kind == WF_KIND_STRING || member->kind == WF_KIND_BYTES || member->kind == WF_KIND_LIST ||
           member->kind == WF_KIND_MAP;
}

static bool is_count(double bound)
{
    return bound >= 0 && bound < (double)UINT32_MAX && (double)(uint32_t)bound == bound;
}

static const char *wrong_bounds(const struct wf_member *member)
{
    bool exclusive = !isinf(member->above) || !isinf(member->below), any = !isinf(member->min) || !isinf(member->max);
    if (isnan(member->min) || isnan(member->max) || isnan(member->above) || isnan(member->below))
        return "a bound is no number";
    if (exclusive && !is_number(member)) return ".above and .below are for numbers";
    if (any && !is_number(member) && !has_length(member)) return ".min and .max are for numbers and what has a length";
    if (member->min > member->max || member->above >= member->below) return "its bounds leave nothing";
    if (has_length(member) && (member->max < 0 || (isfinite(member->min) && !is_count(member->min))))
        return "a length is a whole number";
    return NULL;
}

static const char *wrong_kind(const struct wf_member *member)
{
    if (member->kind <= WF_KIND_NONE || member->kind > WF_KIND_MAP) return "it has no kind";
    if ((member->kind == WF_KIND_ENUM) != (member->values != NULL)) return "an ENUM has .values, and nothing else has";
    if (member->values != NULL && member->values[0] == NULL) return "an ENUM has values";
    if (member->kind == WF_KIND_MODEL && member->model == NULL) return "there is no model";
    if (member->kind != WF_KIND_STRING && (member->pattern != NULL || member->format != WF_ANY_FORMAT))
        return ".pattern and .format are for STRING";
    if (member->digits > (member->kind == WF_KIND_DATE_TIME ? 9 : 0)) return ".digits are for DATE_TIME, up to 9";
    if (member->read_only && member->write_only) return "neither read nor written";
    return NULL;
}

/* Does a preset or an example parse? The message says what is wrong with it. */
static int check_sample(const struct wf_model *model, const struct wf_member *member, const char *sample)
{
    struct wf_arena arena;
    struct wf_problems problems;
    char out[16 + sizeof(struct wf_uuid)];
    wf_arena_init(&arena);
    wf_problems_init(&problems, &arena);
    struct wf_member alone = {.preset = sample};
    struct parse parse = {.arena = &arena, .problems = &problems};
    bool large = member->kind == WF_KIND_MODEL && member->model->size > sizeof out;
    void *place = large ? wf_arena_alloc(&arena, member->model->size) : out;
    alone = *member;
    alone.preset = sample;
    alone.read_only = false;
    int rc = place != NULL ? read_absent(&parse, &alone, place, NULL) : -ENOMEM;
    if (rc == 0 && problems.first != NULL) {
        rc = FAIL(-EINVAL, "%s%s%s: the preset or example \"%s\": %s", model != NULL ? model->name : "",
                  model != NULL ? ", " : "", member->name != NULL ? member->name : "an item", sample,
                  problems.first->message);
    }
    wf_arena_finish(&arena);
    return rc;
}

static int check_samples(const struct wf_model *model, const struct wf_member *member)
{
    int rc = member->preset != NULL ? check_sample(model, member, member->preset) : 0;
    return rc == 0 && member->example != NULL ? check_sample(model, member, member->example) : rc;
}

static int check_declaration(const struct wf_model *model, const struct wf_member *member)
{
    const char *what = wrong_kind(member);
    if (what == NULL) what = wrong_bounds(member);
    if (what != NULL) return wrong(model, member, what);
    int rc = member->pattern != NULL ? wf_pattern_check(member->pattern) : 0;
    return rc < 0 ? rc : check_samples(model, member);
}

/* What lies in a list or map, and has no place of its own in a struct. */
static int check_item(const struct wf_model *model, const struct wf_member *item)
{
    if (item->optional || item->nullable || item->preset != NULL)
        return wrong(model, item, "an item is there; .optional, .nullable and .preset are for members");
    return check_declaration(model, item);
}

static int check_whole(const struct wf_model *model, const struct wf_member *member)
{
    bool contains = member->kind == WF_KIND_LIST || member->kind == WF_KIND_MAP;
    if (contains && member->item == NULL) return wrong(model, member, "there is no item");
    int rc = contains ? check_item(model, member->item) : 0;
    return rc < 0 ? rc : check_declaration(model, member);
}

/* ---- Models ---- */

static bool is_repeated(const struct wf_model *model, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(model->members[i].name, model->members[index].name) == 0) return true;
    return false;
}

static bool has_member(const struct wf_model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->members[i].name, name) == 0) return true;
    return false;
}

/* A case of a union. */
static const char *wrong_case(const struct wf_model *model, const struct wf_member *member)
{
    if (member->model == NULL || member->model->tag != NULL) return "a case is a model, and no union";
    if (has_member(member->model, model->tag)) return "the tag is a member of the case already";
    return NULL;
}

static int check_one(const struct wf_model *model)
{
    if (model->count > WF_MEMBERS_MAX) return FAIL(-EINVAL, "model %s has too many members", model->name);
    if ((model->tag == NULL) != (model->places_ != NULL)) return FAIL(-EINVAL, "union %s has no .tag", model->name);
    for (size_t i = 0; i < model->count; i++) {
        const struct wf_member *member = &model->members[i];
        const char *what = model->tag != NULL ? wrong_case(model, member) : NULL;
        if (what != NULL) return wrong(model, member, what);
        if (is_repeated(model, i)) return wrong(model, member, "the name is there twice");
        int rc = check_whole(model, member);
        if (rc < 0) return rc;
    }
    return 0;
}

static int check_all(struct models *models, int rc)
{
    for (size_t i = 0; i < models->count && rc == 0; i++) rc = check_one(models->list[i]);
    models_finish(models);
    return rc;
}

int wf_model_check(const struct wf_model *model)
{
    struct models models = {.list = NULL};
    return check_all(&models, models_reach(&models, model));
}

int wf_member_check(const struct wf_member *member)
{
    struct models models = {.list = NULL};
    int rc = check_whole(NULL, member);
    return rc < 0 ? rc : check_all(&models, models_reach_member(&models, member));
}
