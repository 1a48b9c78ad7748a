/* Which models a model leads to: each once, in the order in which they are met. */
#include <string.h>
#include <weft/extend.h>

#include "http/model.h"

enum { MODELS_MAX = 1000 };

/* 1: it is there now, and was not before. */
static int add(struct models *models, const struct wf_model *model)
{
    for (size_t i = 0; i < models->count; i++) {
        if (models->list[i] == model) return 0;
        if (strcmp(models->list[i]->name, model->name) == 0)
            return FAIL(-EEXIST, "two models are called %s", model->name);
    }
    if (models->count == MODELS_MAX) return FAIL(-E2BIG, "more than %d models", MODELS_MAX);
    if ((models->count & (models->count - 1)) == 0) { /* a power of two: full */
        size_t room = models->count == 0 ? 1 : models->count * 2;
        const struct wf_model **list = wf_memory_resize((void *)models->list, room * sizeof *list);
        if (list == NULL) return -ENOMEM;
        models->list = list;
    }
    models->list[models->count++] = model;
    return 1;
}

/* The model that a member leads to; NULL: to none. */
static const struct wf_model *model_of(const struct wf_member *member)
{
    while (member->kind == WF_KIND_LIST || member->kind == WF_KIND_MAP) member = member->item;
    return member->kind == WF_KIND_MODEL ? member->model : NULL;
}

/* Those that were added are looked into in turn, so that no depth of models is a depth of calls. */
static int follow(struct models *models, size_t from)
{
    for (; from < models->count; from++) {
        const struct wf_model *model = models->list[from];
        for (size_t i = 0; i < model->count; i++) {
            const struct wf_model *inside = model_of(&model->members[i]);
            int rc = inside != NULL ? add(models, inside) : 0;
            if (rc < 0) return rc;
        }
    }
    return 0;
}

int models_reach(struct models *models, const struct wf_model *model)
{
    size_t from = models->count;
    int rc = add(models, model);
    return rc < 0 ? rc : follow(models, from);
}

int models_reach_member(struct models *models, const struct wf_member *member)
{
    const struct wf_model *model = model_of(member);
    return model != NULL ? models_reach(models, model) : 0;
}

void models_finish(struct models *models)
{
    if (models->list != NULL) wf_memory_free((void *)models->list);
    *models = (struct models){.list = NULL};
}
