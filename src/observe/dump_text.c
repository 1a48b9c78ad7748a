/* A dump as text: an entry a task, two columns further in for each level. */
#include <inttypes.h>

#include "observe/dump.h"
#include "observe/place.h"

const char *duration_text(int64_t duration_ns, char *text, size_t size)
{
    double amount = (double)duration_ns;
    if (duration_ns >= 1000000000 || duration_ns <= -1000000000) snprintf(text, size, "%.1f s", amount / 1e9);
    else if (duration_ns >= 1000000 || duration_ns <= -1000000) snprintf(text, size, "%.0f ms", amount / 1e6);
    else snprintf(text, size, "%.0f us", amount / 1e3);
    return text;
}

static void begin(struct dump *dump)
{
    const struct loop *loop = dump->loop;
    fprintf(dump->file, "tasks of the loop (%s): %" PRIu64 " alive, %" PRIu32 " runnable, %" PRIu64 " operations",
            loop->driver->name, loop->alive, loop_runnable(loop), loop->pending_ops);
}

static void write_name(FILE *file, const struct dump_task *task)
{
    if (task->count == 1) fprintf(file, "%s #%" PRIu64, task->task->name, task->task->id);
    else
        fprintf(file, "%s x %" PRIu64 ", #%" PRIu64 " ... #%" PRIu64, task->task->name, task->count, task->task->id,
                task->last_id);
}

static void write_state(FILE *file, const struct dump_task *task)
{
    char text[32];
    const struct wf_wait *wait = task->task->wait;
    if (wait == NULL) {
        fprintf(file, "  %s", task->state);
        return;
    }
    fprintf(file, "  waits: %s", wait->class->name);
    if (task->detail.text[0] != '\0') fprintf(file, " (%s)", task->detail.text);
    if (task->waited > 0) fprintf(file, ", for %s", duration_text(task->waited, text, sizeof text));
}

static void write_frames(FILE *file, const struct dump_task *task, int depth)
{
    for (size_t i = 0; i < task->frame_count; i++) {
        struct place place;
        place_of(task->frames[i], &place);
        fprintf(file, "\n%*s", depth * 2 + 6, "");
        place_write(file, &place);
    }
}

static void write_task(struct dump *dump, const struct dump_task *task, int depth)
{
    FILE *file = dump->file;
    fprintf(file, "\n%*s", depth * 2 + 2, "");
    write_name(file, task);
    write_state(file, task);
    fprintf(file, "  (spawned at %s)", task->task->place);
    if (task->task->stack != NULL)
        fprintf(file, "  %zu KiB of stack, %" PRIu32 " turn%s", task->stack_used / 1024, task->task->resumes,
                task->task->resumes == 1 ? "" : "s");
    if (task->reason != NULL) fprintf(file, "  cancelled: %s (%s)", task->reason->text, task->reason->place);
    write_frames(file, task, depth);
}

/* Only what is worth a line: a scope with nothing of its own is seen by the tasks in it. */
static void write_scope(struct dump *dump, const struct wf_scope *scope, int depth)
{
    char text[32];
    bool timed = scope->timer_.deadline != WF_FOREVER;
    bool cancelled = scope->node_.flags & NODE_REQUESTED;
    if (depth == 0 || (scope->name_ == NULL && scope->limit_ == 0 && !timed && !cancelled)) return;
    FILE *file = dump->file;
    fprintf(file, "\n%*sscope %s%s%sat %s: %" PRIu32 " children", depth * 2, "", scope->name_ != NULL ? "'" : "",
            scope->name_ != NULL ? scope->name_ : "", scope->name_ != NULL ? "' " : "", scope->place_,
            scope->alive_ + scope->daemons_);
    if (scope->limit_ > 0) fprintf(file, ", limit %" PRIu32, scope->limit_);
    if (timed) fprintf(file, ", %s left", duration_text(scope->timer_.deadline - dump->now, text, sizeof text));
    if (cancelled) fprintf(file, ", cancelled: %s (%s)", scope->reason_.text, scope->reason_.place);
}

static void nothing(struct dump *dump)
{
    (void)dump;
}

static void write_sent(struct dump *dump, uint32_t index)
{
    fprintf(dump->file, "\n  on loop %" PRIu32 ", for others:", index);
}

static void end(struct dump *dump)
{
    if (dump->hidden > 0) fprintf(dump->file, "\n  ... and %" PRIu64 " more", dump->hidden);
}

const struct dump_writer dump_text = {
    .begin = begin,
    .task = write_task,
    .scope = write_scope,
    .scope_end = nothing,
    .task_end = nothing,
    .end = end,
    .sent = write_sent,
    .sent_end = nothing,
};
