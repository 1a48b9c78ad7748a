/* The tree of tasks as text. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ps.h"

enum { SCOPES_MAX = 64 };

/* ---- Times ---- */

void print_duration(FILE *out, int64_t nanoseconds)
{
    double seconds = (double)nanoseconds / 1e9;
    if (nanoseconds < 1000) fprintf(out, "%d ns", (int)nanoseconds);
    else if (nanoseconds < 1000000) fprintf(out, "%.1f us", seconds * 1e6);
    else if (nanoseconds < 1000000000) fprintf(out, "%.1f ms", seconds * 1e3);
    else if (seconds < 60) fprintf(out, "%.1f s", seconds);
    else if (seconds < 3600) fprintf(out, "%d min %d s", (int)seconds / 60, (int)seconds % 60);
    else fprintf(out, "%" PRId64 " h %d min", nanoseconds / 3600000000000, (int)(nanoseconds / 60000000000 % 60));
}

int64_t loop_time(const struct snapshot *snapshot, const struct seen_loop *loop)
{
    return loop->simulated ? loop->now : snapshot->taken_at;
}

int64_t loop_lag(const struct snapshot *snapshot, const struct seen_loop *loop)
{
    bool works = loop->running != 0 || loop->runnable > 0;
    int64_t lag = time_between(loop->now, snapshot->taken_at);
    return !works || loop->simulated || lag < 0 ? 0 : lag;
}

int64_t task_waited(const struct snapshot *snapshot, const struct seen_task *task)
{
    int64_t waited = time_between(task->since, loop_time(snapshot, &snapshot->loops[task->loop]));
    return task->state == SEEN_WAITING && waited > 0 ? waited : 0;
}

/* ", deadline in 3 s" or ", deadline 2 s ago"; nothing for none. */
static void print_until(FILE *out, const char *before, int64_t when, int64_t now)
{
    if (when == INT64_MAX) return;
    int64_t left = time_between(now, when);
    fprintf(out, "%s%s", before, left >= 0 ? "in " : "");
    print_duration(out, left >= 0 ? left : -left);
    if (left < 0) fputs(" ago", out);
}

/* ---- A task ---- */

static void print_descriptor(struct ps *ps, FILE *out, const struct seen_task *task)
{
    if (task->path != NULL) fprintf(out, " %s", task->path);
    if (task->fd < 0) return;
    fprintf(out, " fd %d", task->fd);
    if (ps->snapshot->loops[task->loop].simulated) return;
    struct socket_ends ends = socket_ends(ps->sockets, ps->pid, task->fd);
    if (ends.kind == NULL) return;
    fprintf(out, " (%s%s%s", ends.kind, ends.local != NULL ? " " : "", ends.local != NULL ? ends.local : "");
    fprintf(out, "%s%s)", ends.peer != NULL ? " peer " : "", ends.peer != NULL ? ends.peer : "");
}

static void print_state(struct ps *ps, FILE *out, const struct seen_task *task)
{
    if (task->state != SEEN_WAITING) {
        fprintf(out, "  %s", state_names[task->state]);
        return;
    }
    fprintf(out, "  waits: %s", task->waits);
    if (strcmp(task->waits, "sleep") == 0 && task->same == 0)
        print_until(out, ", ends ", task->until, loop_time(ps->snapshot, &ps->snapshot->loops[task->loop]));
    if (task->same == 0) print_descriptor(ps, out, task);
    if (task->same > 0) return;
    fputs(", for ", out);
    print_duration(out, task_waited(ps->snapshot, task));
}

static void print_name(FILE *out, const struct seen_task *task)
{
    if (!task->names_differ) {
        fputs(task->name, out);
        return;
    }
    for (const char *c = task->name; *c != '\0'; c++) {
        bool digit = *c >= '0' && *c <= '9';
        if (!digit) fputc(*c, out);
        else if (c[1] < '0' || c[1] > '9') fputc('*', out);
    }
}

static void print_stack_use(struct ps *ps, FILE *out, const struct seen_task *task)
{
    if (task->stack_size == 0 || task->same > 0) return;
    uint64_t used = stack_used(ps->pages, task->stack_low, task->stack_size);
    fprintf(out, "  %" PRIu64 "/%u KiB of stack", used / 1024, task->stack_size / 1024);
}

static void print_task(struct ps *ps, FILE *out, const struct seen_task *task, int depth)
{
    fprintf(out, "%*s", depth * 2, "");
    print_name(out, task);
    if (task->same == 0) fprintf(out, " #%" PRIu64, task->id);
    else fprintf(out, " \xc3\x97 %u, #%" PRIu64 " ... #%" PRIu64, task->same + 1, task->id, task->last_same);
    print_state(ps, out, task);
    fprintf(out, "  (spawned at %s)", task->place);
    if (task->same == 0) fprintf(out, "  %u resumes", task->resumes);
    print_stack_use(ps, out, task);
    if (task->cancelled != NULL) {
        fprintf(out, "  cancelled: %s (%s", task->cancelled->text, task->cancelled->place);
        fprintf(out, "%s%s)", task->cancelled->task[0] != '\0' ? ", by " : "", task->cancelled->task);
    }
    fputc('\n', out);
}

/* Names out of files, which may hold anything, even what a terminal obeys. */
static void put_name(FILE *out, const char *name)
{
    for (; *name != '\0'; name++) fputc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name, out);
}

static void print_frame(FILE *out, const struct frame *frame)
{
    put_name(out, frame->function != NULL ? frame->function : "?");
    if (frame->file == NULL && frame->module == NULL) {
        fprintf(out, " 0x%" PRIx64, frame->pc);
        return;
    }
    fputs(frame->file != NULL ? " at " : " in ", out);
    put_name(out, frame->file != NULL ? frame->file : frame->module);
    if (frame->file != NULL) fprintf(out, ":%d", frame->line);
    else fprintf(out, "+0x%" PRIx64, frame->offset);
}

static void print_frames(struct ps *ps, FILE *out, const struct seen_task *task, int depth)
{
    struct frame frames[FRAMES_MAX];
    size_t count = ps->unwinder != NULL ? unwind(ps->unwinder, task, frames, FRAMES_MAX) : 0;
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%*s| ", depth * 2 + 4, "");
        print_frame(out, &frames[i]);
        fputc('\n', out);
    }
}

/* ---- Scopes ---- */

static bool is_worth_a_line(const struct seen_scope *scope)
{
    bool named = scope->name[0] != '\0';
    return named || scope->deadline != INT64_MAX || scope->limit > 0 || scope->reason != NULL;
}

static void print_scope(struct ps *ps, FILE *out, const struct seen_scope *scope, const struct seen_task *owner,
                        int depth)
{
    fprintf(out, "%*s[scope%s%s at %s", depth * 2, "", scope->name[0] != '\0' ? " " : "", scope->name, scope->place);
    if (owner->same == 0)
        print_until(out, ", deadline ", scope->deadline, loop_time(ps->snapshot, &ps->snapshot->loops[owner->loop]));
    else if (scope->deadline != INT64_MAX) fputs(", with a deadline", out);
    if (scope->limit > 0) fprintf(out, ", %u of %u", scope->alive + scope->daemons, scope->limit);
    if (scope->reason != NULL) fprintf(out, ", cancelled: %s", scope->reason->text);
    fputs("]\n", out);
}

/* The scopes of a task from the outermost in. */
static size_t list_scopes(const struct ps *ps, const struct seen_task *task, struct seen_scope **scopes)
{
    size_t count = 0;
    struct seen_scope *scope = task->inner;
    while (scope != NULL && scope->whole && count < SCOPES_MAX) {
        scopes[count++] = scope;
        scope = task_of_node(ps->registry, ps->snapshot, scope->outer) == NULL
                    ? table_find(&ps->snapshot->scopes, scope->outer)
                    : NULL;
    }
    for (size_t i = 0; i < count / 2; i++) {
        struct seen_scope *other = scopes[i];
        scopes[i] = scopes[count - 1 - i];
        scopes[count - 1 - i] = other;
    }
    return count;
}

/* ---- The tree ---- */

bool is_wanted(const struct ps *ps, const struct seen_task *task)
{
    if (ps->state == NULL) return true;
    if (task->state == SEEN_WAITING && strcmp(ps->state, task->waits) == 0) return true;
    return strcmp(ps->state, state_names[task->state]) == 0;
}

static void print_one(struct ps *ps, FILE *out, const struct seen_task *task, int depth)
{
    if (!is_wanted(ps, task)) return;
    if (ps->printed == ps->limit) {
        ps->left_out++;
        return;
    }
    ps->printed++;
    print_task(ps, out, task, depth);
    print_frames(ps, out, task, depth);
}

/* Who is to be printed next: children that hang on the same scope, or a task's scopes. A stack of our own, because the
 * other process says how deep it goes. */
struct place {
    const struct seen_task *task;
    int depth;
};

static void push(struct place **stack, size_t *count, size_t *room, const struct seen_task *task, int depth)
{
    if (*count == *room) {
        *room = *room > 0 ? 2 * *room : 256;
        *stack = realloc(*stack, *room * sizeof **stack);
        if (*stack == NULL) exit(1);
    }
    (*stack)[(*count)++] = (struct place){.task = task, .depth = depth};
}

/* The children in their order, each below the line of its scope; printed by their own turn, so they are put on the
 * stack from the last to the first. */
static void print_below(struct ps *ps, FILE *out, const struct seen_task *task, int depth, struct place **stack,
                        size_t *count, size_t *room)
{
    struct seen_scope *scopes[SCOPES_MAX];
    size_t opened = list_scopes(ps, task, scopes), first = *count;
    for (size_t i = 0; i < opened; i++)
        if (is_worth_a_line(scopes[i]) && !ps->flat && ps->state == NULL) print_scope(ps, out, scopes[i], task, depth);
    for (const struct seen_task *child = task->children; child != NULL; child = child->next)
        push(stack, count, room, child, depth);
    for (size_t low = first, high = *count; low + 1 < high; low++, high--) {
        struct place other = (*stack)[low];
        (*stack)[low] = (*stack)[high - 1];
        (*stack)[high - 1] = other;
    }
}

static void print_tree(struct ps *ps, FILE *out, uint32_t loop)
{
    struct place *stack = NULL;
    size_t count = 0, room = 0;
    for (size_t i = 0; i < ps->snapshot->task_count; i++) {
        const struct seen_task *root = &ps->snapshot->tasks[i];
        if (root->loop != loop || root->parent != NULL) continue;
        push(&stack, &count, &room, root, 1);
        while (count > 0) {
            struct place place = stack[--count];
            print_one(ps, out, place.task, place.depth);
            print_below(ps, out, place.task, place.depth + 1, &stack, &count, &room);
        }
    }
    free(stack);
}

static void print_flat(struct ps *ps, FILE *out, uint32_t loop)
{
    for (size_t i = 0; i < ps->snapshot->task_count; i++)
        if (ps->snapshot->tasks[i].loop == loop) print_one(ps, out, &ps->snapshot->tasks[i], 1);
}

static void print_loop(struct ps *ps, FILE *out, uint32_t index)
{
    const struct seen_loop *loop = &ps->snapshot->loops[index];
    fprintf(out,
            "loop %u, thread %d, %s: %zu tasks, %" PRIu64 " runnable, %" PRIu64 " operations, %" PRIu64
            " timers, %" PRIu64 " jobs; ",
            index, (int)loop->thread, loop->driver, loop->tasks, loop->runnable, loop->ops, loop->timers, loop->jobs);
    int64_t lag = loop_lag(ps->snapshot, loop);
    fputs(loop->running != 0 ? "a task runs" : loop->sleeping ? "sleeps" : "between tasks", out);
    if (lag > 0) {
        fputs(", its clock was read ", out);
        print_duration(out, lag);
        fputs(" ago", out);
    }
    fputc('\n', out);
    if (ps->flat || ps->state != NULL) print_flat(ps, out, index);
    else print_tree(ps, out, index);
}

void print_text(struct ps *ps, FILE *out)
{
    fprintf(out, "%s, process %d, weft %s: %zu tasks\n", ps->name, (int)ps->pid, ps->registry->library,
            ps->snapshot->task_count);
    for (uint32_t i = 0; i < ps->snapshot->loop_count; i++) print_loop(ps, out, i);
    if (ps->left_out > 0) fprintf(out, "... and %zu more; see --limit\n", ps->left_out);
    if (ps->snapshot->moving > 0) fprintf(out, "%zu tasks moved each time that they were read\n", ps->snapshot->moving);
    if (ps->snapshot->damaged != NULL) fprintf(out, "damaged: %s\n", ps->snapshot->damaged);
}
