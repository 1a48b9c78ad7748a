/* What every task is doing, as a text tree through wf_report. */
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/task.h>
#include <weft/time.h>

#include "core/loops.h"

enum { TASKS_SHOWN = 200, FRAMES_SHOWN = 24 };

struct text {
    FILE *file;
    const struct loop *loop;
    unsigned shown, hidden;
};

static const char *state_of(const struct loop *loop, const struct wf_task *task)
{
    if (task == loop->running) return "running";
    if (task->wait != NULL) return task->wait->class->name;
    return task->stack == NULL ? "not started" : "runnable";
}

static void write_task(struct text *text, const struct wf_task *task, int depth)
{
    fprintf(text->file, "\n%*s%s #%llu  %s%s  (spawned at %s)", depth * 2 + 2, "", task->name,
            (unsigned long long)task->id, task->wait != NULL ? "waits: " : "", state_of(text->loop, task), task->place);
    if (task->stack != NULL) fprintf(text->file, "  %zu KiB of stack", stack_high_water(task->stack) / 1024);
    const struct wf_reason *reason = task->current->flags & NODE_CANCELLED ? node_reason(task->current) : NULL;
    if (reason != NULL) fprintf(text->file, "  cancelled: %s", reason->text);
}

/* Depth first, without recursion deeper than the tree of scopes is nested; a dump runs on the loop's own stack. */
static void write_children(struct text *text, const struct wf_scope *scope, int depth);

static void write_scopes(struct text *text, const struct wf_node_ *node, int depth)
{
    for (; node != NULL; node = node->inner) {
        const struct wf_scope *scope = (const struct wf_scope *)node;
        if (scope->children_ != NULL) write_children(text, scope, depth);
    }
}

static void write_children(struct text *text, const struct wf_scope *scope, int depth)
{
    for (const struct wf_task *task = scope->children_; task != NULL; task = task->next) {
        if (text->shown++ >= TASKS_SHOWN) {
            text->hidden++;
            continue;
        }
        write_task(text, task, depth);
        write_scopes(text, task->node.inner, depth + 1);
    }
}

/* Those that were spawned here, then those that other loops sent. */
static void write_loop(struct text *text, struct loop *loop)
{
    text->loop = loop;
    write_children(text, &loop->root, 0);
    struct loops *loops = loop->station != NULL ? loop->station->loops : NULL;
    for (uint32_t i = 0; loops != NULL && i < loops->count; i++) {
        const struct station *station = &loops->stations[i];
        if (station->loop != loop || station->root.children_ == NULL) continue;
        fprintf(text->file, "\n  on loop %u, for others:", i);
        write_children(text, &station->root, 1);
    }
}

static void write_loops(struct text *text, struct loops *loops)
{
    uint32_t count = loops->threaded ? loops->count : 1;
    for (uint32_t i = 0; i < count; i++) write_loop(text, loops->stations[i].loop);
}

static void dump(struct loop *loop, struct loops *loops, const char *title)
{
    char *bytes = NULL;
    size_t size = 0;
    struct text text = {.file = open_memstream(&bytes, &size)};
    if (text.file == NULL) {
        wf_report("%s", title);
        return;
    }
    if (loops != NULL) write_loops(&text, loops);
    else write_loop(&text, loop);
    if (text.hidden > 0) fprintf(text.file, "\n  ... and %u more", text.hidden);
    fclose(text.file);
    wf_report("%s%s", title, bytes);
    free(bytes);
}

void loop_dump(struct loop *loop, const char *title)
{
    dump(loop, NULL, title);
}

void loops_dump(struct loops *loops, const char *title)
{
    dump(NULL, loops, title);
}

void report_with_stack(const char *text)
{
    void *frames[FRAMES_SHOWN];
    int count = backtrace(frames, FRAMES_SHOWN);
    char **names = backtrace_symbols(frames, count);
    char *bytes = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&bytes, &size);
    if (names != NULL && file != NULL) {
        fputs(text, file);
        for (int i = 1; i < count; i++) fprintf(file, "\n  %s", names[i]);
        fclose(file);
        wf_report("%s", bytes);
    } else {
        if (file != NULL) fclose(file);
        wf_report("%s", text);
    }
    free(bytes);
    free(names);
}

void wf_dump(void)
{
    loop_dump(LOOP_HERE(), "tasks:");
}
