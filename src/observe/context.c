/*
 * Fields and requests as task-locals. A list of fields lies where it was bound, on a stack; a task that captures it
 * gets a copy. A request is a binding too, with a list of values that only grows: a job on a thread may read it while
 * tasks put more in front.
 */
#include "observe/context.h"

#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"

struct wf_request_value_ {
    struct wf_request_value_ *next;
    struct wf_field field;
};

/* The active requests of this thread's loop, in the order they began. */
static _Thread_local struct wf_request_context *first_request, *last_request;

/* ---- Fields ---- */

static size_t count_fields(const struct wf_field *fields)
{
    size_t count = 0;
    while (fields[count].kind != WF_FIELD_NONE) count++;
    return count;
}

static bool has_text(const struct wf_field *field)
{
    bool textual = field->kind == WF_FIELD_TEXT || field->kind == WF_FIELD_BYTES || field->kind == WF_FIELD_SECRET;
    return textual && field->text != NULL;
}

static size_t size_of_copy(const struct wf_field *field)
{
    return strlen(field->key) + 1 + (has_text(field) ? field->size + 1 : 0);
}

/* Key and text, in memory of size_of_copy bytes. Gives what follows them. */
static char *copy_field(struct wf_field *copy, const struct wf_field *field, char *memory)
{
    *copy = *field;
    size_t size = strlen(field->key) + 1;
    copy->key = memcpy(memory, field->key, size);
    memory += size;
    if (!has_text(field)) return memory;
    copy->text = memcpy(memory, field->text, field->size);
    memory[field->size] = '\0';
    return memory + field->size + 1;
}

/* What a pointer points to may be gone when a captured context is read. */
static bool is_captured(const struct wf_field *field)
{
    return field->kind != WF_FIELD_POINTER && field->key != NULL;
}

static void *retain_fields(void *value)
{
    const struct wf_field *fields = value;
    size_t count = count_fields(fields), kept = 0, size = 0;
    for (size_t i = 0; i < count; i++)
        if (is_captured(&fields[i])) size += size_of_copy(&fields[i]);
    struct wf_field *copies = memory_zero((count + 1) * sizeof *copies + size);
    if (copies == NULL) return NULL;
    char *memory = (char *)(copies + count + 1);
    for (size_t i = 0; i < count; i++)
        if (is_captured(&fields[i])) memory = copy_field(&copies[kept++], &fields[i], memory);
    return copies;
}

const struct wf_local wf_context_fields_ = {.name = "fields", .retain = retain_fields, .release = memory_free};

/* ---- Requests ---- */

const struct wf_request_value_ *request_value_next(const struct wf_request_context *request,
                                                   const struct wf_request_value_ *value)
{
    return value != NULL ? value->next : __atomic_load_n(&request->values_, __ATOMIC_ACQUIRE);
}

const struct wf_field *request_value_field(const struct wf_request_value_ *value)
{
    return &value->field;
}

static int add_value(struct wf_request_context *request, const struct wf_field *field)
{
    struct wf_request_value_ *value = wf_arena_alloc(&request->arena_, sizeof *value + size_of_copy(field));
    if (value == NULL) return -ENOMEM;
    copy_field(&value->field, field, (char *)(value + 1));
    value->next = request->values_;
    __atomic_store_n(&request->values_, value, __ATOMIC_RELEASE);
    return 0;
}

static void release_request(void *value)
{
    struct wf_request_context *copy = value;
    wf_arena_finish(&copy->arena_);
    memory_free(copy);
}

static int copy_values(struct wf_request_context *copy, const struct wf_request_value_ *value)
{
    int rc = 0;
    for (; value != NULL && rc == 0; value = value->next)
        if (is_captured(&value->field)) rc = add_value(copy, &value->field);
    return rc;
}

static void *retain_request(void *value)
{
    const struct wf_request_context *request = value;
    struct wf_request_context *copy = memory_zero(sizeof *copy);
    if (copy == NULL) return NULL;
    wf_arena_init(&copy->arena_);
    copy->trace = request->trace;
    memcpy(copy->parent_id, request->parent_id, sizeof copy->parent_id);
    copy->started = request->started;
    if (request->name != NULL) copy->name = wf_arena_strdup(&copy->arena_, request->name);
    if (request->tracestate != NULL) copy->tracestate = wf_arena_strdup(&copy->arena_, request->tracestate);
    bool whole = !copy->name == !request->name && !copy->tracestate == !request->tracestate;
    if (whole && copy_values(copy, request_value_next(request, NULL)) == 0) return copy;
    release_request(copy);
    return NULL;
}

const struct wf_local request_local = {.name = "request", .retain = retain_request, .release = release_request};

const struct wf_request_context *wf_request_current(void)
{
    return wf_local_get(&request_local);
}

const struct wf_request_context *wf_request_first_(void)
{
    return first_request;
}

static void register_request(struct wf_request_context *request)
{
    request->prev_ = last_request;
    if (last_request != NULL) last_request->next_ = request;
    else first_request = request;
    last_request = request;
}

static void unregister_request(struct wf_request_context *request)
{
    if (request->next_ != NULL) request->next_->prev_ = request->prev_;
    else last_request = request->prev_;
    if (request->prev_ != NULL) request->prev_->next_ = request->next_;
    else first_request = request->next_;
}

/* Random and not all zero. */
static void make_identity(struct loop *loop, uint8_t *bytes, size_t size)
{
    loop->driver->random(loop, bytes, size);
    bytes[size - 1] |= 1;
}

static void identify(struct wf_request_context *request, const struct wf_request_options *options)
{
    struct loop *loop = LOOP_HERE();
    const struct wf_request_context *outer = wf_request_current();
    struct wf_trace *trace = &request->trace;
    if (wf_trace_parse(options->traceparent, trace) == 0) {
        memcpy(request->parent_id, trace->span_id, sizeof request->parent_id);
        request->tracestate = options->tracestate;
    } else if (outer != NULL) {
        *trace = outer->trace;
        memcpy(request->parent_id, outer->trace.span_id, sizeof request->parent_id);
        request->tracestate = outer->tracestate;
    } else {
        make_identity(loop, trace->trace_id, sizeof trace->trace_id);
        trace->flags = options->sampled ? WF_TRACE_SAMPLED : 0;
    }
    make_identity(loop, trace->span_id, sizeof trace->span_id);
}

void wf_request_open_(const struct wf_request_options *options)
{
    struct wf_request_context *request = options->request_;
    wf_arena_init(&request->arena_);
    request->name = options->name;
    request->started = wf_now();
    identify(request, options);
    request->binding_.context_.key = &request_local;
    request->binding_.context_.value = request;
    wf_bind_(&request->binding_);
    register_request(request);
}

void wf_request_leave_(struct wf_request_context *request)
{
    unregister_request(request);
    wf_unbind_(&request->binding_);
    wf_arena_finish(&request->arena_);
}

/* ---- Looking up ---- */

static const struct wf_field *find_field(const struct wf_field *fields, const char *key)
{
    for (; fields->kind != WF_FIELD_NONE; fields++)
        if (fields->key != NULL && strcmp(fields->key, key) == 0) return fields;
    return NULL;
}

static const struct wf_field *find_value(const struct wf_request_context *request, const char *key)
{
    const struct wf_request_value_ *value = NULL;
    while ((value = request_value_next(request, value)) != NULL)
        if (strcmp(value->field.key, key) == 0) return &value->field;
    return NULL;
}

const struct wf_field *wf_context_get(const char *key)
{
    for (const struct wf_context *context = context_here(); context != NULL; context = context->outer) {
        const struct wf_field *found = NULL;
        if (context->key == &wf_context_fields_) found = find_field(context->value, key);
        else if (context->key == &request_local) found = find_value(context->value, key);
        if (found != NULL) return found;
    }
    return NULL;
}

const char *wf_context_text(const char *key)
{
    const struct wf_field *field = wf_context_get(key);
    return field != NULL && (field->kind == WF_FIELD_TEXT || field->kind == WF_FIELD_SECRET) ? field->text : NULL;
}

void *wf_context_pointer(const char *key)
{
    const struct wf_field *field = wf_context_get(key);
    return field != NULL && field->kind == WF_FIELD_POINTER ? field->pointer : NULL;
}

int wf_context_put(struct wf_field field)
{
    (void)LOOP_HERE();
    struct wf_request_context *request = wf_local_get(&request_local);
    if (request == NULL) return -ENOENT;
    if (field.key == NULL || field.key[0] == '\0' || field.kind == WF_FIELD_NONE) return -EINVAL;
    if (find_value(request, field.key) != NULL) return -EALREADY;
    return add_value(request, &field);
}
