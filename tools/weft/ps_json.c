/* The tasks as JSON: one object, whose shape docs/inspecting.md describes. */
#include <inttypes.h>
#include <string.h>

#include "ps.h"

enum { SCHEMA = 1 };

/* ---- Words of JSON ---- */

/* Texts are escaped already, but for quotes; a backslash is one that stands before two digits. */
static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') fputc('\\', out);
        if (*c < ' ' || *c >= 0x7f) fprintf(out, "\\u%04x", *c);
        else fputc(*c, out);
    }
    fputc('"', out);
}

/* A member; NULL leaves it out. */
static void put_member(FILE *out, const char *name, const char *text)
{
    if (text == NULL) return;
    fprintf(out, ", \"%s\": ", name);
    put_text(out, text);
}

static void put_number(FILE *out, const char *name, int64_t number)
{
    fprintf(out, ", \"%s\": %" PRId64, name, number);
}

static void put_flag(FILE *out, const char *name, bool flag)
{
    if (flag) fprintf(out, ", \"%s\": true", name);
}

/* ---- Parts ---- */

static void put_loop(const struct ps *ps, FILE *out, size_t index)
{
    const struct seen_loop *loop = &ps->snapshot->loops[index];
    fprintf(out, "    {\"index\": %zu", index);
    put_number(out, "thread", loop->thread);
    put_member(out, "driver", loop->driver);
    put_member(out, "state", loop->running != 0 ? "running" : loop->sleeping ? "sleeping" : "between");
    put_number(out, "tasks", (int64_t)loop->tasks);
    put_number(out, "runnable", (int64_t)loop->runnable);
    put_number(out, "operations", (int64_t)loop->ops);
    put_number(out, "timers", (int64_t)loop->timers);
    put_number(out, "jobs", (int64_t)loop->jobs);
    put_number(out, "spawned", (int64_t)loop->spawned);
    put_number(out, "passes", (int64_t)loop->passes);
    put_number(out, "now_ns", loop->now);
    put_number(out, "lag_ns", loop_lag(ps->snapshot, loop));
    fputs("}", out);
}

static void put_reason(FILE *out, const struct seen_reason *reason)
{
    if (reason == NULL) return;
    fputs(", \"cancelled\": {\"why\": ", out);
    put_text(out, reason->text);
    put_member(out, "place", reason->place);
    put_member(out, "by", reason->task);
    fputs("}", out);
}

static void put_scope(const struct ps *ps, FILE *out, const struct seen_scope *scope, const struct seen_task *owner)
{
    fputs("{\"place\": ", out);
    put_text(out, scope->place);
    if (scope->name[0] != '\0') put_member(out, "name", scope->name);
    put_number(out, "children", scope->alive);
    put_number(out, "daemons", scope->daemons);
    if (scope->limit > 0) put_number(out, "limit", scope->limit);
    if (scope->deadline != INT64_MAX)
        put_number(out, "deadline_in_ns",
                   time_between(loop_time(ps->snapshot, &ps->snapshot->loops[owner->loop]), scope->deadline));
    put_reason(out, scope->reason);
    fputs("}", out);
}

/* The scopes that it opened, the innermost first. */
static void put_scopes(const struct ps *ps, FILE *out, const struct seen_task *task)
{
    int count = 0;
    const struct seen_scope *scope = task->inner;
    for (; scope != NULL && scope->whole && count < 1000; count++) {
        fputs(count == 0 ? ", \"scopes\": [" : ", ", out);
        put_scope(ps, out, scope, task);
        scope = table_find(&ps->snapshot->scopes, scope->outer);
    }
    if (count > 0) fputs("]", out);
}

static void put_descriptor(struct ps *ps, FILE *out, const struct seen_task *task)
{
    put_member(out, "path", task->path);
    if (task->fd < 0) return;
    put_number(out, "fd", task->fd);
    if (ps->snapshot->loops[task->loop].simulated) return;
    struct socket_ends ends = socket_ends(ps->sockets, ps->pid, task->fd);
    put_member(out, "kind", ends.kind);
    put_member(out, "local", ends.local);
    put_member(out, "peer", ends.peer);
}

static void put_frames(struct ps *ps, FILE *out, const struct seen_task *task)
{
    struct frame frames[FRAMES_MAX];
    size_t count = ps->unwinder != NULL ? unwind(ps->unwinder, task, frames, FRAMES_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s{\"pc\": \"0x%" PRIx64 "\"", i == 0 ? ", \"frames\": [" : ", ", frames[i].pc);
        put_member(out, "module", frames[i].module);
        if (frames[i].module != NULL) put_number(out, "offset", (int64_t)frames[i].offset);
        put_member(out, "function", frames[i].function);
        put_member(out, "file", frames[i].file);
        if (frames[i].file != NULL) put_number(out, "line", frames[i].line);
        fputs("}", out);
    }
    if (count > 0) fputs("]", out);
}

static void put_task(struct ps *ps, FILE *out, const struct seen_task *task)
{
    const struct seen_loop *loop = &ps->snapshot->loops[task->loop];
    fprintf(out, "    {\"id\": %" PRIu64 ", \"loop\": %u", task->id, task->loop);
    put_member(out, "name", task->name);
    put_member(out, "spawned_at", task->place);
    if (task->parent != NULL) put_number(out, "parent", (int64_t)task->parent->id);
    if (task->parent != NULL) put_member(out, "scope", task->home->place);
    put_member(out, "state", state_names[task->state]);
    put_member(out, "waits_for", task->waits);
    if (task->waits != NULL && strcmp(task->waits, "sleep") == 0 && task->until != INT64_MAX)
        put_number(out, "ends_in_ns", time_between(loop_time(ps->snapshot, loop), task->until));
    if (task->state == SEEN_WAITING) put_number(out, "waits_ns", task_waited(ps->snapshot, task));
    put_descriptor(ps, out, task);
    put_number(out, "resumes", task->resumes);
    put_flag(out, "daemon", (task->flags & ps->registry->at[AT_TASK_DAEMON].offset) != 0);
    if (task->stack_size > 0) {
        put_number(out, "stack_size", task->stack_size);
        put_number(out, "stack_used", (int64_t)stack_used(ps->pages, task->stack_low, task->stack_size));
    }
    put_reason(out, task->cancelled);
    put_scopes(ps, out, task);
    put_frames(ps, out, task);
    fputs("}", out);
}

static void put_tasks(struct ps *ps, FILE *out)
{
    const char *between = "\n";
    for (size_t i = 0; i < ps->snapshot->task_count; i++) {
        if (!is_wanted(ps, &ps->snapshot->tasks[i])) continue;
        if (ps->printed == ps->limit) {
            ps->left_out++;
            continue;
        }
        ps->printed++;
        fputs(between, out);
        put_task(ps, out, &ps->snapshot->tasks[i]);
        between = ",\n";
    }
}

void print_json(struct ps *ps, FILE *out)
{
    fprintf(out, "{\"weft\": \"ps\", \"schema\": %d", SCHEMA);
    put_number(out, "pid", ps->pid);
    put_member(out, "process", ps->name);
    put_member(out, "library", ps->registry->library);
    put_number(out, "taken_at_ns", ps->snapshot->taken_at);
    fputs(",\n  \"loops\": [", out);
    for (size_t i = 0; i < ps->snapshot->loop_count; i++) {
        fputs(i == 0 ? "\n" : ",\n", out);
        put_loop(ps, out, i);
    }
    fputs("],\n  \"tasks\": [", out);
    put_tasks(ps, out);
    fputs("]", out);
    put_number(out, "left_out", (int64_t)ps->left_out);
    put_number(out, "moving", (int64_t)ps->snapshot->moving);
    put_member(out, "damaged", ps->snapshot->damaged);
    fputs("}\n", out);
}
