/*
 * The walk over what every task is doing.
 *
 * A dump may be asked for by a task with little stack left, and names of functions cost much of it: so it moves to the
 * thread's own stack, on top of the loop that is suspended there. What is alike is folded by a hash of each task and
 * all below it; the tasks of one list are compared with those kinds of them that there are, of which there may be so
 * many.
 */
#include "observe/dump.h"

#include <stdlib.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loops.h"
#include "fiber/walk.h"
#include "observe/place.h"

enum {
    TASKS_DEFAULT = 1000,
    KINDS_MAX = 4096,
    DEPTH_MAX = 200,  /* of nesting; what lies deeper is counted */
    HASH_FRAMES = 12, /* calls that are compared */
    HASH_NAME = 64,   /* bytes of a name that are */
};

/* ---- What is alike ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t mix_name(uint64_t hash, const char *name)
{
    for (size_t i = 0; i < HASH_NAME && name[i] != '\0'; i++) hash = mix(hash, (unsigned char)name[i]);
    return hash;
}

static uint64_t hash_own(const struct dump *dump, const struct wf_task *task)
{
    uint64_t hash = mix_name(0, task->name);
    hash = mix(hash, (uintptr_t)task->place);
    hash = mix(hash, task->wait != NULL ? (uintptr_t)task->wait->class : 1);
    hash = mix(hash, task->current->flags & (NODE_CANCELLED | NODE_DRAINING));
    if (task == dump->loop->running || task->stack == NULL) return mix(hash, task == dump->loop->running);
    void *frames[HASH_FRAMES];
    size_t count = dump->options->no_stacks ? 0 : walk_parked(task->sp, task->stack, frames, HASH_FRAMES);
    for (size_t i = 0; i < count; i++) hash = mix(hash, (uintptr_t)frames[i]);
    return hash;
}

static uint64_t hash_all(const struct dump *dump, const struct wf_task *task, int depth)
{
    if (dump->options->unfolded) return task->id;
    uint64_t hash = hash_own(dump, task);
    for (const struct wf_node_ *node = task->node.inner; node != NULL && depth < DEPTH_MAX; node = node->inner) {
        const struct wf_scope *scope = (const struct wf_scope *)node;
        hash = mix(hash, (uintptr_t)scope->place_);
        for (const struct wf_task *child = scope->children_; child != NULL; child = child->next)
            hash = mix(hash, hash_all(dump, child, depth + 1));
    }
    return hash;
}

/* From `first` on are those of this list. NULL: there are as many as may be. */
static struct dump_kind *kind_of(struct dump *dump, size_t first, uint64_t hash)
{
    for (size_t i = first; i < dump->kind_count; i++)
        if (dump->kinds[i].hash == hash) return &dump->kinds[i];
    if (dump->kind_count == KINDS_MAX) return NULL;
    struct dump_kind *kind = &dump->kinds[dump->kind_count++];
    *kind = (struct dump_kind){.hash = hash};
    return kind;
}

static void sort_out(struct dump *dump, const struct wf_scope *scope, int depth)
{
    size_t first = dump->kind_count;
    for (const struct wf_task *task = scope->children_; task != NULL; task = task->next) {
        struct dump_kind *kind = kind_of(dump, first, hash_all(dump, task, depth));
        if (kind == NULL) {
            dump->hidden++;
            continue;
        }
        if (kind->count++ == 0) kind->first = task;
        kind->last_id = task->id;
    }
}

/* ---- One task ---- */

static int64_t deadline_of(const struct wf_task *task)
{
    int64_t deadline = WF_FOREVER;
    for (const struct wf_node_ *node = task->current; node != NULL; node = node->parent) {
        if (node->flags & NODE_TASK) continue;
        int64_t own = ((const struct wf_scope *)node)->timer_.deadline;
        if (own < deadline) deadline = own;
        if (node->flags & NODE_SHIELD) break;
    }
    return deadline;
}

static void look_at_stack(const struct dump *dump, struct dump_task *out)
{
    const struct wf_task *task = out->task;
    if (task->stack == NULL) return;
    out->stack_used = stack_high_water(task->stack);
    if (dump->options->no_stacks) return;
    if (task != dump->loop->running) {
        out->frame_count = trace_parked(task->sp, task->stack, out->frames, DUMP_FRAMES);
        return;
    }
    out->frame_count = dump->here_count;
    memcpy(out->frames, dump->here, sizeof out->frames);
}

static void look_at_wait(const struct dump *dump, struct dump_task *out)
{
    const struct wf_wait *wait = out->task->wait;
    out->waited = dump->now - out->task->since;
    out->detail.descriptor = -1;
    if (wait->class->describe != NULL) wait->class->describe(wait, &out->detail);
}

static const char *state_of(const struct loop *loop, const struct wf_task *task)
{
    if (task == loop->running) return "running";
    if (task->wait != NULL) return "waits";
    return task->stack == NULL ? "not started" : "runnable";
}

static void look_at(const struct dump *dump, const struct dump_kind *kind, struct dump_task *out)
{
    const struct wf_task *task = kind->first;
    *out = (struct dump_task){.task = task,
                              .count = kind->count,
                              .last_id = kind->last_id,
                              .state = state_of(dump->loop, task),
                              .deadline = deadline_of(task),
                              .reason = task->current->flags & NODE_CANCELLED ? node_reason(task->current) : NULL};
    if (task->wait != NULL) look_at_wait(dump, out);
    look_at_stack(dump, out);
}

/* ---- The walk ---- */

static void write_scope(struct dump *dump, const struct wf_scope *scope, int depth);

/* Kept out of the recursion for its size. */
static __attribute__((noinline)) void write_task(struct dump *dump, const struct dump_kind *kind, int depth)
{
    struct dump_task task;
    look_at(dump, kind, &task);
    dump->writer->task(dump, &task, depth);
}

static void write_kind(struct dump *dump, const struct dump_kind *kind, int depth)
{
    uint32_t max = dump->options->tasks_max > 0 ? dump->options->tasks_max : TASKS_DEFAULT;
    if (dump->shown >= max || depth >= DEPTH_MAX) {
        dump->hidden += kind->count;
        return;
    }
    dump->shown++;
    write_task(dump, kind, depth);
    for (const struct wf_node_ *node = kind->first->node.inner; node != NULL; node = node->inner)
        write_scope(dump, (const struct wf_scope *)node, depth + 1);
    dump->writer->task_end(dump);
}

static void write_scope(struct dump *dump, const struct wf_scope *scope, int depth)
{
    size_t first = dump->kind_count;
    dump->writer->scope(dump, scope, depth);
    sort_out(dump, scope, depth);
    size_t end = dump->kind_count;
    for (size_t i = first; i < end; i++) {
        struct dump_kind kind = dump->kinds[i];
        write_kind(dump, &kind, depth);
    }
    dump->kind_count = first;
    dump->writer->scope_end(dump);
}

/* Those that other loops sent here. */
static void write_sent(struct dump *dump)
{
    struct loops *loops = dump->loop->station != NULL ? dump->loop->station->loops : NULL;
    for (uint32_t i = 0; loops != NULL && i < loops->count; i++) {
        const struct station *station = &loops->stations[i];
        if (station->loop != dump->loop || station->root.children_ == NULL) continue;
        dump->writer->sent(dump, i);
        write_scope(dump, &station->root, 0);
        dump->writer->sent_end(dump);
    }
}

static void write_all(void *argument, bool deep)
{
    struct dump *dump = argument;
    places_begin(deep);
    dump->writer->begin(dump);
    write_scope(dump, &dump->loop->root, 0);
    write_sent(dump);
    dump->writer->end(dump);
    places_end();
}

/* Names need a few hundred kilobytes in the worst case. */
bool has_room_for_names(const struct loop *loop)
{
    enum { NEEDED = 400 * 1024 };
    const struct stack *stack = loop->running != NULL ? loop->running->stack : &loop->thread_stack;
    const char *here = __builtin_frame_address(0);
    return here > stack->low && here < stack->low + stack->size && here - stack->low > NEEDED;
}

struct call {
    void (*fn)(void *argument, bool deep);
    void *argument;
};

static void make_call(void *argument)
{
    const struct call *call = argument;
    call->fn(call->argument, true);
}

/* On the thread's own stack; a sanitizer would have to be told, and there the task's own must do. */
static void call_with_room(struct loop *loop, void (*fn)(void *argument, bool deep), void *argument)
{
    struct call call = {fn, argument};
    bool moves = loop->running != NULL && !has_room_for_names(loop) && !WEFT_ASAN && !WEFT_TSAN;
    if (!moves || !weft_fiber_peek(loop->sp, make_call, &call)) fn(argument, has_room_for_names(loop));
}

static int write_dump(struct loop *loop, const struct wf_dump_options *options)
{
    struct dump dump = {.options = options,
                        .writer = options->form == WF_DUMP_JSON ? &dump_json : &dump_text,
                        .loop = loop,
                        .file = options->file_,
                        .now = loop_now(loop)};
    dump.kinds =
        malloc(KINDS_MAX * sizeof *dump.kinds); /* not the program's allocator: a dump may tell why that fails */
    if (dump.kinds == NULL) return -ENOMEM;
    if (loop->running != NULL) dump.here_count = trace_here(loop->running->stack, dump.here, DUMP_FRAMES);
    atomic_store(&loop->watch.excused, true);
    call_with_room(loop, write_all, &dump);
    atomic_store(&loop->watch.excused, false);
    free(dump.kinds);
    return fflush(dump.file) == 0 && !ferror(dump.file) ? 0 : -EIO;
}

/* ---- Who asks for one ---- */

int wf_dump_to_(const struct wf_dump_options *options)
{
    struct loop *loop = LOOP_ALIVE();
    bool known = options->form == WF_DUMP_TEXT || options->form == WF_DUMP_JSON;
    if (options->size != sizeof *options || options->file_ == NULL || !known) return -EINVAL;
    return write_dump(loop, options);
}

void loop_dump(struct loop *loop, const char *title)
{
    char *bytes = NULL;
    size_t size = 0;
    struct wf_dump_options options = {.size = sizeof options, .file_ = open_memstream(&bytes, &size)};
    if (options.file_ == NULL) {
        report_whole(title);
        return;
    }
    fprintf(options.file_, "%s%s", title, title[0] != '\0' ? "\n" : "");
    int rc = write_dump(loop, &options);
    fclose(options.file_);
    report_whole(rc == 0 ? bytes : title);
    free(bytes);
}

/* All of them rest, so that their tasks can be looked at from here. */
void loops_dump(struct loops *loops, const char *title)
{
    uint32_t count = loops->threaded ? loops->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s (loop %u of %u)", title, i + 1, count);
        loop_dump(loops->stations[i].loop, count > 1 ? line : title);
    }
}

void wf_dump(void)
{
    loop_dump(LOOP_ALIVE(), "");
}

void report_frames(const char *text, void *const *frames, size_t count, bool deep)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&bytes, &size);
    if (file == NULL) {
        report_whole(text);
        return;
    }
    fputs(text, file);
    places_begin(deep);
    for (size_t i = 0; i < count; i++) {
        struct place place;
        place_of(frames[i], &place);
        fputs("\n  ", file);
        place_write(file, &place);
    }
    places_end();
    fclose(file);
    report_whole(bytes);
    free(bytes);
}

struct stack_report {
    const char *text;
    void *frames[DUMP_FRAMES];
    size_t count;
};

static void report_it(void *argument, bool deep)
{
    const struct stack_report *report = argument;
    report_frames(report->text, report->frames, report->count, deep);
}

void report_with_stack(const char *text)
{
    struct stack_report report = {.text = text};
    report.count = trace_here(current_loop->running->stack, report.frames, DUMP_FRAMES);
    call_with_room(current_loop, report_it, &report);
}
