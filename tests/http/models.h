/* What the tests of models share: a parse of a text, and what came of it as text. */
#ifndef TESTS_HTTP_MODELS_H
#define TESTS_HTTP_MODELS_H

#include <string.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* "" where there is no memory. */
static inline const char *ended(struct wf_json_writer *writer)
{
    const char *text;
    return wf_json_write_end(writer, &text, NULL) == 0 ? text : "";
}

/* "body.items.0.name missing; ...", all of them. */
static inline const char *problems_text(const struct wf_problems *problems)
{
    const char *text = "";
    for (const struct wf_problem *each = problems->first; each != NULL && text != NULL; each = each->next) {
        text = wf_arena_printf(wf_task_arena(), "%s%s", text, each == problems->first ? "" : "; ");
        for (size_t i = 0; i < each->depth && text != NULL; i++) {
            const struct wf_step *step = &each->path[i];
            const char *dot = i == 0 ? "" : ".";
            text = step->name != NULL ? wf_arena_printf(wf_task_arena(), "%s%s%s", text, dot, step->name)
                                      : wf_arena_printf(wf_task_arena(), "%s%s%zu", text, dot, step->index);
        }
        if (text != NULL) text = wf_arena_printf(wf_task_arena(), "%s %s", text, each->type);
    }
    return text != NULL ? text : "";
}

/* The text as a model, written again; or its problems. */
static inline const char *there_and_back(const struct wf_model *model, const char *text)
{
    struct wf_problems problems;
    struct wf_json_writer writer;
    void *value = wf_arena_zero(wf_task_arena(), model->size);
    if (value == NULL) return "";
    wf_problems_init(&problems, wf_task_arena());
    int rc = wf_model_parse(model, wf_task_arena(), text, strlen(text), value, &problems);
    if (rc < 0) return rc == -ENOMEM ? "" : problems_text(&problems);
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    wf_model_write(model, value, &writer);
    return ended(&writer);
}

#endif
