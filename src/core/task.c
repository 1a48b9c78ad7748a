/* The life of a task: made, spawned into a scope, ended. */
#include "core/task.h"

#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"
#include "core/probe.h"
#include "core/scope.h"

/* ---- Records ---- */

static void link_chunk(struct loop *loop, struct task_chunk *chunk)
{
    chunk->prev = NULL;
    chunk->next = loop->free_chunks;
    if (chunk->next != NULL) chunk->next->prev = chunk;
    loop->free_chunks = chunk;
}

static bool add_chunk(struct loop *loop)
{
    struct task_chunk *chunk = memory_alloc(sizeof *chunk);
    if (chunk == NULL) return false;
    for (size_t i = 0; i < CHUNK_TASKS; i++) {
        chunk->tasks[i].id = 0;
        chunk->tasks[i].chunk_index = (uint8_t)i;
        chunk->tasks[i].sleep_timer.slot = 0;
    }
    chunk->free = UINT64_MAX;
    chunk->older = loop->chunks;
    loop->chunks = chunk;
    link_chunk(loop, chunk);
    return true;
}

struct wf_task *task_new(struct loop *loop)
{
    if (loop->free_chunks == NULL && !add_chunk(loop)) return NULL;
    struct task_chunk *chunk = loop->free_chunks;
    unsigned index = (unsigned)__builtin_ctzll(chunk->free);
    chunk->free &= chunk->free - 1;
    if (chunk->free == 0) {
        loop->free_chunks = chunk->next;
        if (chunk->next != NULL) chunk->next->prev = NULL;
    }
    return &chunk->tasks[index];
}

void task_free(struct loop *loop, struct wf_task *task)
{
    struct wf_task *first = task - task->chunk_index;
    struct task_chunk *chunk = (struct task_chunk *)((char *)first - offsetof(struct task_chunk, tasks));
    task->id = 0; /* marks the record as free for whoever walks the chunks */
    if (chunk->free == 0) link_chunk(loop, chunk);
    chunk->free |= UINT64_C(1) << task->chunk_index;
}

void tasks_free_all(struct loop *loop)
{
    while (loop->chunks != NULL) {
        struct task_chunk *chunk = loop->chunks;
        loop->chunks = chunk->older;
        memory_free(chunk);
    }
    loop->free_chunks = NULL;
}

struct task_extra *task_extra(struct wf_task *task)
{
    if (task->extra == NULL) task->extra = memory_zero(sizeof *task->extra);
    return task->extra;
}

static void extra_free(struct task_extra *extra)
{
    wf_arena_finish(&extra->scratch); /* what that calls may fail, and say why */
    errors_free(extra->failure);
    memory_free(extra);
}

/* ---- Spawning ---- */

static int copy_inputs(struct wf_task *task, const struct wf_spawn_options *options)
{
    if (options->name != NULL) {
        size_t size = strlen(options->name) + 1;
        char *name = memory_alloc(size);
        if (name == NULL) return -ENOMEM;
        task->name = memcpy(name, options->name, size);
        task->flags |= TASK_OWNS_NAME;
    }
    if (options->copy_size_ > 0) {
        void *copy = memory_alloc(options->copy_size_);
        if (copy == NULL) return -ENOMEM;
        task->arg = memcpy(copy, options->arg_, options->copy_size_);
        task->flags |= TASK_OWNS_ARG;
    }
    if (options->context == WF_CONTEXT_CURRENT) {
        bool failed = false;
        task->context = context_capture(current_loop->running->context, &failed);
        if (failed) return -ENOMEM;
        task->flags |= TASK_OWNS_CONTEXT;
    }
    return 0;
}

/* Who looks on from outside must not take the name for one that is still there. */
static void free_name(struct wf_task *task)
{
    void *name = (void *)(uintptr_t)task->name;
    task->name = "ended";
    task->flags &= (uint8_t)~TASK_OWNS_NAME;
    memory_free(name);
}

static void free_inputs(struct wf_task *task)
{
    if (task->flags & TASK_OWNS_NAME) free_name(task);
    if (task->flags & TASK_OWNS_ARG) memory_free(task->arg);
    if (task->flags & TASK_OWNS_CONTEXT) context_release(task->context);
}

/* Field by field: this is the hot path, and clearing the record as a whole takes as long as all the rest of a spawn. */
static inline void task_init(struct wf_task *task, struct wf_scope *scope, int (*fn)(void *),
                             const struct wf_spawn_options *options)
{
    task->stack = NULL;
    task->wait = NULL;
    task->node.parent = &scope->node_;
    task->node.inner = NULL;
    task->node.reason = NULL;
    task->node.flags = NODE_TASK | (scope->node_.flags & (NODE_DRAINING | NODE_WATCHED));
    task->next = NULL;
    task->extra = NULL;
    task->held = NULL;
    task->resumes = task->spins = 0;
    task->stray_error = 0;
    task->current = &task->node;
    task->fn = fn;
    task->arg = (void *)(uintptr_t)options->arg_;
    task->handle = options->handle;
    task->name = options->function_ != NULL ? options->function_ : "task";
    task->place = options->place_ != NULL ? options->place_ : "?";
    task->context = scope->context_;
    task->flags = options->daemon ? TASK_DAEMON : 0;
}

static inline __attribute__((always_inline)) int spawn(struct loop *loop, struct wf_scope *scope, int (*fn)(void *),
                                                       const struct wf_spawn_options *options, struct wf_task **out)
{
    uint32_t stack_class = loop->default_class;
    if (options->stack_size > 0) {
        int found = stack_class_for(options->stack_size);
        if (found < 0) return -EINVAL;
        stack_class = (uint32_t)found;
    }
    if (!stack_reserve(&loop->stacks, stack_class)) return -ENOMEM;
    struct wf_task *task = task_new(loop);
    if (task == NULL) {
        stack_unreserve(&loop->stacks, stack_class);
        return -ENOMEM;
    }
    task_init(task, scope, fn, options);
    task->id = ++loop->next_id;
    task->stack_class = (uint8_t)stack_class;
    bool has_inputs = options->name != NULL || options->copy_size_ > 0 || options->context == WF_CONTEXT_CURRENT;
    if (__builtin_expect(has_inputs, 0)) {
        int rc = copy_inputs(task, options);
        if (rc < 0) {
            free_inputs(task);
            task_free(loop, task);
            stack_unreserve(&loop->stacks, stack_class);
            return rc;
        }
    }
    if (task->handle != NULL) *task->handle = (struct wf_handle){.task_ = task, .state_ = HANDLE_ALIVE};
    trail_note(&loop->trail, TRAIL_SPAWN, task, task->id);
    scope_add_child(scope, task);
    loop->alive++;
    loop->spawned++;
    PROBE3(spawn, task->id, task->name, task->place);
    run_push(loop, task);
    *out = task;
    return 0;
}

/* Many are alive, or each is logged. */
static __attribute__((noinline, cold)) int spawn_watched(struct loop *loop, struct wf_scope *scope, int (*fn)(void *),
                                                         const struct wf_spawn_options *options, struct wf_task **out)
{
    if (loop->tasks_max > 0 && loop->alive >= loop->tasks_max) return -EAGAIN;
    int rc = spawn(loop, scope, fn, options, out);
    if (rc < 0 || !tasks_are_logged()) return rc;
    (*out)->flags |= TASK_LOGGED;
    task_log_start(*out);
    return 0;
}

int task_spawn(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options, struct wf_task **out)
{
    struct loop *loop = current_loop;
    if (options->size != sizeof *options || fn == NULL) return -EINVAL;
    if (options->handle != NULL && options->handle->task_ != NULL) return -EINVAL;
    if (__builtin_expect(loop->alive >= loop->spawn_freely, 0)) return spawn_watched(loop, scope, fn, options, out);
    return spawn(loop, scope, fn, options, out);
}

void loop_watch_tasks(struct loop *loop)
{
    loop->spawn_freely = loop->tasks_max > 0 ? loop->tasks_max : UINT64_MAX;
    if (tasks_are_logged()) loop->spawn_freely = 0;
}

/* ---- The end ---- */

static void tell_handle(struct wf_handle *handle, int rc)
{
    handle->task_ = NULL;
    handle->result_ = rc;
    handle->state_ = HANDLE_ENDED;
    while (queue_grant(&handle->waiters_, rc)) {}
}

/* Gives false when somebody waited for the child to be ready: then its outcome was theirs. */
static bool tell_ready(struct wf_task *task, int rc)
{
    if (task->extra == NULL || task->extra->ready == NULL) return true;
    return ready_ended(task, rc);
}

/* Its name goes with it. */
static void record_name(struct loop *loop, const struct wf_task *task)
{
    for (size_t i = 0, size = strlen(task->name); i < size && i < TRAIL_NAME_MAX; i += TRAIL_NAME_PART)
        trail_note_name(&loop->trail, task->name + i);
}

static __attribute__((noinline, cold)) void end_watched(struct wf_task *task, int rc)
{
    if (task->flags & TASK_OWNS_NAME) {
        record_name(current_loop, task);
        trail_note(&current_loop->trail, TRAIL_END, task, 0);
    }
    if (task->flags & TASK_LOGGED) task_log_end(task, rc);
    free_inputs(task);
}

enum { TASK_LEAVES_SOMETHING = TASK_OWNS_NAME | TASK_OWNS_ARG | TASK_OWNS_CONTEXT | TASK_LOGGED };

/* A hook in the task's own frames is gone with them, and whatever it would give back cannot be found any more. */
static void check_held(const struct wf_task *task)
{
    const char *hook = (const char *)task->held, *low = task->stack->low;
    if (hook < low || hook >= low + task->stack->size) return;
    misuse("task '%s' (spawned at %s) ended while it held a mutex or a permit that was a variable of its own. The "
           "variable is gone with its frame: unlock or release it on every way out, or declare the permit by "
           "WF_PERMIT.",
           task->name, task->place);
}

void task_end(struct wf_task *task, int rc)
{
    struct loop *loop = current_loop;
    struct wf_scope *scope = task_home(task);
    if (task->current != &task->node)
        misuse("task '%s' (spawned at %s) ended inside a scope that it had opened. The frame of that scope was left by "
               "longjmp or the like, and its children may still use it.",
               task->name, task->place); /* not where it was opened: the scope is dead memory by now */
    if (rc >= 0 && task->stray_error < 0) rc = task->stray_error;
    while (__builtin_expect(task->held != NULL, 0)) {
        check_held(task);
        struct wf_end_hook_ *hook = task->held;
        task->held = hook->next;
        hook->run(hook);
    }
    PROBE2_CODE(end, task->id, task->name, rc);
    bool cancelled = rc == -ECANCELED && (task->node.flags & NODE_CANCELLED);
    bool counts = tell_ready(task, rc);
    scope_child_ended(scope, task, rc, cancelled, counts);
    if (task->handle != NULL) tell_handle(task->handle, rc);
    if (task->extra != NULL) {
        extra_free(task->extra);
        task->extra = NULL;
    }
    if (__builtin_expect((task->flags & TASK_LEAVES_SOMETHING) != 0, 0)) end_watched(task, rc);
    else trail_note(&loop->trail, TRAIL_END, task, (uintptr_t)task->name);
    loop->alive--;
    if (!scope_keeps(scope, task, rc)) task_free(loop, task);
}

/* ---- Asking about oneself ---- */

bool wf_in_task(void)
{
    return current_loop != NULL && current_loop->running != NULL;
}

const char *wf_task_name(void)
{
    return LOOP_HERE()->running->name;
}

uint64_t wf_task_id(void)
{
    return LOOP_HERE()->running->id;
}

struct wf_arena *wf_task_arena(void)
{
    struct task_extra *extra = task_extra(LOOP_HERE()->running);
    return extra != NULL ? &extra->scratch : NULL;
}
