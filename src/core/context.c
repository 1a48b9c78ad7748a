/*
 * Task-locals: a chain of immutable bindings, on the stacks of those who bound them. A scope's children cannot outlive
 * its opener's bindings, so they share the chain; only a task that inherits from elsewhere gets a counted copy.
 */
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

void wf_bind_(struct wf_binding *binding)
{
    struct wf_task *task = LOOP_HERE()->running;
    binding->context_.outer = task->context;
    task->context = &binding->context_;
}

void wf_unbind_(struct wf_binding *binding)
{
    LOOP_HERE()->running->context = binding->context_.outer;
}

const struct wf_context *context_here(void)
{
    const struct job *job = job_running();
    if (job != NULL) return job->context;
    return current_loop != NULL && current_loop->running != NULL ? current_loop->running->context : NULL;
}

void *wf_local_get(const struct wf_local *key)
{
    for (const struct wf_context *context = context_here(); context != NULL; context = context->outer)
        if (context->key == key) return context->value;
    return NULL;
}

static struct wf_context *copy_binding(const struct wf_context *context)
{
    struct wf_context *copy = memory_alloc(sizeof *copy);
    if (copy == NULL) return NULL;
    void *value = context->value;
    if (value != NULL && context->key->retain != NULL) {
        value = context->key->retain(value);
        if (value == NULL) {
            memory_free(copy);
            return NULL;
        }
    }
    *copy = (struct wf_context){.key = context->key, .value = value, .references = 1};
    return copy;
}

const struct wf_context *context_capture(const struct wf_context *context, bool *failed)
{
    const struct wf_context *first = NULL, **end = &first;
    for (; context != NULL; context = context->outer) {
        if (context->references > 0) {
            ((struct wf_context *)(uintptr_t)context)->references++;
            *end = context;
            return first;
        }
        struct wf_context *copy = copy_binding(context);
        if (copy == NULL) {
            context_release(first);
            *failed = true;
            return NULL;
        }
        *end = copy;
        end = &copy->outer;
    }
    return first;
}

const struct wf_context *context_copy(const struct wf_context *context, bool *failed)
{
    const struct wf_context *first = NULL, **end = &first;
    for (; context != NULL; context = context->outer) {
        struct wf_context *copy = copy_binding(context);
        if (copy == NULL) {
            context_release(first);
            *failed = true;
            return NULL;
        }
        *end = copy;
        end = &copy->outer;
    }
    return first;
}

void context_release(const struct wf_context *context)
{
    while (context != NULL) {
        struct wf_context *owned = (struct wf_context *)(uintptr_t)context;
        if (--owned->references > 0) return;
        context = owned->outer;
        if (owned->key->release != NULL && owned->value != NULL) owned->key->release(owned->value);
        memory_free(owned);
    }
}
