/*
 * The errors of a scope. A failure's details are written once, where it happens: wf_fail leaves them with the task, and
 * so does a scope that ends with errors. When the task then ends (or leaves an outer scope) with that same code, the
 * details move up; with another code they are dropped. So a message travels exactly as far as its code does.
 */
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

enum {
    LISTED_MAX = 64,
    MESSAGE_MAX = 512,
    PATH_MAX_SIZE = 256,
    PATH_DEPTH = 16,
};

void errors_free(struct wf_error *errors)
{
    while (errors != NULL) {
        struct wf_error *next = errors->next;
        memory_free(errors);
        errors = next;
    }
}

/* "main > orders > order-17"; deep ones keep their last PATH_DEPTH tasks. */
static void write_path(const struct wf_task *task, char *text, size_t size)
{
    const struct wf_task *chain[PATH_DEPTH];
    size_t depth = 0;
    bool cut = false;
    while (task != NULL) {
        if (depth == PATH_DEPTH) {
            cut = true;
            break;
        }
        chain[depth++] = task;
        task = task_home(task)->owner_;
    }
    size_t used = cut ? (size_t)snprintf(text, size, "... > ") : 0;
    text[used] = '\0';
    while (depth-- > 0 && used < size) {
        int more = snprintf(text + used, size - used, "%s%s", chain[depth]->name, depth > 0 ? " > " : "");
        used += more > 0 ? (size_t)more : 0;
    }
}

/* NULL: out of memory. `below`: the rest of the path. Kept out of line for its buffer. */
static __attribute__((noinline)) struct wf_error *error_below(const struct wf_task *task, const char *below, int code,
                                                              const char *message)
{
    char path[PATH_MAX_SIZE];
    write_path(task, path, sizeof path);
    size_t used = strlen(path);
    snprintf(path + used, sizeof path - used, "%s", below);
    size_t path_size = strlen(path) + 1, message_size = strlen(message) + 1;
    struct wf_error *error = memory_alloc(sizeof *error + path_size + message_size);
    if (error == NULL) return NULL;
    char *text = (char *)(error + 1);
    *error = (struct wf_error){.code = code, .path = text, .message = text + path_size};
    memcpy(text, path, path_size);
    memcpy(text + path_size, message, message_size);
    return error;
}

struct wf_error *failure_take(struct wf_task *task, int code)
{
    if (task->extra == NULL || task->extra->failure == NULL || task->extra->failure->code != code) return NULL;
    struct wf_error *failure = task->extra->failure;
    task->extra->failure = NULL;
    return failure;
}

static struct wf_error *error_new(const struct wf_task *task, int code, const char *message)
{
    return error_below(task, "", code, message);
}

static void list(struct wf_scope *scope, struct wf_error *error)
{
    error->next = NULL;
    error->taken = false;
    if (scope->error_count_ == LISTED_MAX) {
        scope->dropped_++;
        memory_free(error);
        return;
    }
    if (scope->last_error_ != NULL) scope->last_error_->next = error;
    else scope->errors_ = error;
    scope->last_error_ = error;
    scope->error_count_++;
}

void scope_note_error(struct wf_scope *scope, struct wf_task *task, int code)
{
    if (scope->first_error_ == 0) scope->first_error_ = code;
    struct wf_error *errors = failure_take(task, code);
    if (errors == NULL) errors = error_new(task, code, wf_strerror(code));
    if (errors == NULL) scope->dropped_++;
    while (errors != NULL) {
        struct wf_error *next = errors->next;
        list(scope, errors);
        errors = next;
    }
}

static void set_failure(struct wf_task *task, struct wf_error *failure)
{
    struct task_extra *extra = task_extra(task);
    if (extra == NULL) {
        errors_free(failure);
        return;
    }
    errors_free(extra->failure);
    extra->failure = failure;
}

const char *failure_text(const struct wf_task *task, int code)
{
    const struct task_extra *extra = task->extra;
    bool known = extra != NULL && extra->failure != NULL && extra->failure->code == code;
    return known ? extra->failure->message : wf_strerror(code);
}

void failure_move(struct wf_task *from, struct wf_task *to, int code)
{
    struct wf_error *failure = failure_take(from, code);
    if (failure == NULL) failure = error_new(from, code, wf_strerror(code));
    if (failure != NULL) set_failure(to, failure);
}

void failure_adopt(struct wf_task *task, struct wf_error *errors, bool proxy)
{
    struct wf_error *adopted = NULL, **end = &adopted;
    for (const struct wf_error *error = errors; error != NULL; error = error->next) {
        char below[PATH_MAX_SIZE] = "";
        const char *rest = proxy ? strstr(error->path, " > ") : error->path;
        if (rest != NULL) snprintf(below, sizeof below, "%s%s", proxy ? "" : " > ", rest);
        *end = error_below(task, below, error->code, error->message);
        if (*end == NULL) break;
        end = &(*end)->next;
    }
    errors_free(errors);
    if (adopted != NULL) set_failure(task, adopted);
}

void scope_pass_errors(struct wf_scope *scope, struct wf_task *owner)
{
    struct wf_error *kept = NULL, **end = &kept, *error = scope->errors_;
    while (error != NULL) {
        struct wf_error *next = error->next;
        error->next = NULL;
        if (error->taken || scope->result_ >= 0) {
            memory_free(error);
        } else {
            *end = error;
            end = &error->next;
        }
        error = next;
    }
    scope->errors_ = scope->last_error_ = NULL;
    if (kept != NULL) set_failure(owner, kept);
}

int wf_fail(int code, const char *format, ...)
{
    struct loop *loop = LOOP_HERE();
    char *message = memory_alloc(MESSAGE_MAX);
    if (message == NULL) return code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, MESSAGE_MAX, format, arguments);
    va_end(arguments);
    struct wf_error *error = error_new(loop->running, code, message);
    memory_free(message);
    if (error != NULL) set_failure(loop->running, error);
    return code;
}

const char *wf_failure(void)
{
    const struct task_extra *extra = LOOP_HERE()->running->extra;
    return extra != NULL && extra->failure != NULL ? extra->failure->message : NULL;
}

void wf_forget_failure(void)
{
    struct task_extra *extra = LOOP_HERE()->running->extra;
    if (extra == NULL) return;
    errors_free(extra->failure);
    extra->failure = NULL;
}

struct wf_error *wf_scope_errors(const struct wf_scope *scope)
{
    return scope->errors_;
}

int wf_scope_rest(const struct wf_scope *scope)
{
    for (const struct wf_error *error = scope->errors_; error != NULL; error = error->next)
        if (!error->taken) return error->code;
    return scope->errors_ == NULL && scope->result_ < 0 ? scope->result_ : 0;
}

size_t wf_scope_errors_dropped(const struct wf_scope *scope)
{
    return scope->dropped_;
}
