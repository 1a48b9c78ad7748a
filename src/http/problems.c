/* What is wrong with an input: a list of problems, each with the path to its value. */
#include <stdio.h>
#include <string.h>

#include "http/model.h"

enum { MESSAGE_MAX = 400 };

void wf_problems_init(struct wf_problems *problems, struct wf_arena *arena)
{
    *problems = (struct wf_problems){.where = "body", .arena_ = arena};
}

/* `steps` of `path`, and `where` before them. */
static struct wf_problem *add(struct wf_problems *problems, const struct path *path, size_t steps, const char *type,
                              const char *message)
{
    struct wf_problem *added = wf_arena_new(problems->arena_, struct wf_problem);
    struct wf_step *all = wf_arena_array(problems->arena_, steps + 1, sizeof *all);
    if (added == NULL || all == NULL) return NULL;
    all[0].name = problems->where;
    for (size_t i = steps; i > 0; i--, path = path->before)
        all[i] = (struct wf_step){.name = path->name, .index = path->index};
    *added = (struct wf_problem){.path = all, .depth = steps + 1, .type = type};
    added->message = wf_arena_strdup(problems->arena_, message);
    if (added->message == NULL) return NULL;
    if (problems->last_ != NULL) problems->last_->next = added;
    else problems->first = added;
    return problems->last_ = added;
}

/* Formatted, and cut between characters where it is too long. */
static WF_PRINTF_(2, 0) void say(char message[MESSAGE_MAX], const char *format, va_list arguments)
{
    int size = vsnprintf(message, MESSAGE_MAX, format, arguments);
    if (size < MESSAGE_MAX) return;
    size_t end = MESSAGE_MAX - 1;
    while (end > 0 && (message[end] & 0xc0) == 0x80) end--;
    message[end] = '\0';
}

static size_t path_length(const struct path *path)
{
    size_t length = 0;
    for (; path != NULL; path = path->before) length++;
    return length;
}

int problem(struct parse *parse, const struct path *path, const char *type, const char *format, ...)
{
    struct wf_problems *problems = parse->problems;
    parse->found++;
    if (problems == NULL || problems->count++ >= WF_PROBLEMS_MAX) return 0;
    char message[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    say(message, format, arguments);
    va_end(arguments);
    const struct wf_problem *added = add(problems, path, path_length(path), type, message);
    if (added == NULL) return -ENOMEM;
    if (parse->first_message == NULL) parse->first_message = added->message;
    return 0;
}

int parse_result(const struct parse *parse)
{
    if (parse->found == 0) return 0;
    const char *first = parse->first_message != NULL ? parse->first_message : "not listed";
    return FAIL(-EINVAL, "%zu problem%s, the first: %s", parse->found, parse->found == 1 ? "" : "s", first);
}

int wf_problems_add(struct wf_problems *problems, const char *name, const char *type, const char *format, ...)
{
    if (problems->count++ >= WF_PROBLEMS_MAX) return -EINVAL;
    va_list arguments;
    va_start(arguments, format);
    char message[MESSAGE_MAX];
    say(message, format, arguments);
    va_end(arguments);
    struct path path = {.name = name};
    return add(problems, &path, name != NULL, type, message) != NULL ? -EINVAL : -ENOMEM;
}

/* ---- As JSON ---- */

static void write_path(const struct wf_problem *written, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "loc");
    wf_json_open_array(writer);
    for (size_t i = 0; i < written->depth; i++) {
        const struct wf_step *step = &written->path[i];
        if (step->name != NULL) wf_json_write_string(writer, step->name);
        else wf_json_write_uint(writer, step->index);
    }
    wf_json_close_array(writer);
}

void problems_write_list(const struct wf_problems *problems, struct wf_json_writer *writer)
{
    wf_json_open_array(writer);
    for (const struct wf_problem *each = problems->first; each != NULL; each = each->next) {
        wf_json_open_object(writer);
        write_path(each, writer);
        wf_json_write_key(writer, "msg");
        wf_json_write_string(writer, each->message);
        wf_json_write_key(writer, "type");
        wf_json_write_string(writer, each->type);
        wf_json_close_object(writer);
    }
    wf_json_close_array(writer);
}

int wf_problems_write(const struct wf_problems *problems, struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    wf_json_write_key(writer, "detail");
    problems_write_list(problems, writer);
    return wf_json_close_object(writer);
}
