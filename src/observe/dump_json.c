/* A dump as JSON; docs/debugging.md is its schema. Whoever changes a member changes the document, and the number. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <weft/time.h>

#include "base/utf8.h"
#include "observe/dump.h"
#include "observe/place.h"

enum { SCHEMA = 1 };

static void write_byte(FILE *file, unsigned char byte)
{
    if (byte == '"' || byte == '\\') fprintf(file, "\\%c", byte);
    else if (byte < ' ' || byte == 0x7f) fprintf(file, "\\u%04x", byte);
    else fputc(byte, file);
}

/* Names are what programs make them: bytes that are no text must not make it something else than JSON. */
void json_text(FILE *file, const char *text)
{
    if (text == NULL) {
        fputs("null", file);
        return;
    }
    fputc('"', file);
    while (*text != '\0') {
        size_t size = utf8_character(text, strnlen(text, 4));
        if (size == 0) fputs(UTF8_REPLACEMENT, file);
        else if (size == 1) write_byte(file, (unsigned char)*text);
        else fwrite(text, 1, size, file);
        text += size > 0 ? size : 1;
    }
    fputc('"', file);
}

/* ---- Members ---- */

static void member(struct dump *dump, const char *name)
{
    fprintf(dump->file, "%s\"%s\":", dump->comma ? "," : "", name);
    dump->comma = true;
}

static void text_member(struct dump *dump, const char *name, const char *text)
{
    member(dump, name);
    json_text(dump->file, text);
}

static void number_member(struct dump *dump, const char *name, int64_t number)
{
    member(dump, name);
    fprintf(dump->file, "%" PRId64, number);
}

static void bool_member(struct dump *dump, const char *name, bool value)
{
    member(dump, name);
    fputs(value ? "true" : "false", dump->file);
}

/* An object or a list begins, as an element or a member; then it ends. */
static void open_with(struct dump *dump, char bracket)
{
    fputc(bracket, dump->file);
    dump->comma = false;
}

static void close_with(struct dump *dump, char bracket)
{
    fputc(bracket, dump->file);
    dump->comma = true;
}

static void element(struct dump *dump)
{
    if (dump->comma) fputc(',', dump->file);
    open_with(dump, '{');
}

/* ---- Tasks and scopes ---- */

static const char *const kinds[] = {
    [WF_REASON_NONE] = "none",
    [WF_REASON_EXPLICIT] = "explicit",
    [WF_REASON_DEADLINE] = "deadline",
    [WF_REASON_SIBLING] = "sibling",
    [WF_REASON_PARENT_LEFT] = "parent left",
    [WF_REASON_SHUTDOWN] = "shutdown",
    [WF_REASON_MISUSE] = "misuse",
    [WF_REASON_TOKEN] = "token",
};

static void write_reason(struct dump *dump, const struct wf_reason *reason)
{
    member(dump, "cancelled");
    open_with(dump, '{');
    text_member(dump, "kind", kinds[reason->kind]);
    text_member(dump, "text", reason->text);
    text_member(dump, "place", reason->place);
    text_member(dump, "task", reason->task);
    close_with(dump, '}');
}

static void write_wait(struct dump *dump, const struct dump_task *task)
{
    member(dump, "waits");
    open_with(dump, '{');
    text_member(dump, "for", task->task->wait->class->name);
    number_member(dump, "waited_ns", task->waited > 0 ? task->waited : 0);
    if (task->detail.descriptor >= 0) number_member(dump, "descriptor", task->detail.descriptor);
    if (task->detail.peer[0] != '\0') text_member(dump, "peer", task->detail.peer);
    if (task->detail.text[0] != '\0') text_member(dump, "detail", task->detail.text);
    close_with(dump, '}');
}

static void write_frame(struct dump *dump, const void *address)
{
    struct place place;
    place_of(address, &place);
    element(dump);
    text_member(dump, "module", place.module);
    number_member(dump, "offset", (int64_t)place.offset);
    if (place.function[0] != '\0') text_member(dump, "function", place.function);
    if (place.file[0] != '\0') text_member(dump, "file", place.file);
    if (place.file[0] != '\0') number_member(dump, "line", place.line);
    close_with(dump, '}');
}

static void write_stack(struct dump *dump, const struct dump_task *task)
{
    member(dump, "stack");
    open_with(dump, '{');
    number_member(dump, "size", task->task->stack->size);
    number_member(dump, "used", (int64_t)task->stack_used);
    close_with(dump, '}');
    if (dump->options->no_stacks) return;
    member(dump, "frames");
    open_with(dump, '[');
    for (size_t i = 0; i < task->frame_count; i++) write_frame(dump, task->frames[i]);
    close_with(dump, ']');
}

static void write_task(struct dump *dump, const struct dump_task *task, int depth)
{
    (void)depth;
    const struct wf_task *of = task->task;
    element(dump);
    text_member(dump, "name", of->name);
    number_member(dump, "id", (int64_t)of->id);
    number_member(dump, "count", (int64_t)task->count);
    number_member(dump, "last_id", (int64_t)task->last_id);
    text_member(dump, "place", of->place);
    text_member(dump, "state", task->state);
    number_member(dump, "turns", of->resumes);
    bool_member(dump, "daemon", of->flags & TASK_DAEMON);
    bool_member(dump, "draining", of->current->flags & NODE_DRAINING);
    if (of->wait != NULL) write_wait(dump, task);
    if (task->deadline != WF_FOREVER) number_member(dump, "deadline_left_ns", task->deadline - dump->now);
    if (task->reason != NULL) write_reason(dump, task->reason);
    if (of->stack != NULL) write_stack(dump, task);
    member(dump, "scopes");
    open_with(dump, '[');
}

static void write_task_end(struct dump *dump)
{
    close_with(dump, ']');
    close_with(dump, '}');
}

static void write_scope(struct dump *dump, const struct wf_scope *scope, int depth)
{
    (void)depth;
    element(dump);
    text_member(dump, "name", scope->name_);
    text_member(dump, "place", scope->place_);
    number_member(dump, "children", (int64_t)scope->alive_ + scope->daemons_);
    number_member(dump, "limit", scope->limit_);
    bool timed = scope->timer_.deadline != WF_FOREVER;
    if (timed) number_member(dump, "deadline_left_ns", scope->timer_.deadline - dump->now);
    if (scope->node_.flags & NODE_REQUESTED) write_reason(dump, &scope->reason_);
    member(dump, "tasks");
    open_with(dump, '[');
}

static void write_scope_end(struct dump *dump)
{
    close_with(dump, ']');
    close_with(dump, '}');
}

/* ---- The whole ---- */

static void begin(struct dump *dump)
{
    const struct loop *loop = dump->loop;
    open_with(dump, '{');
    number_member(dump, "weft_dump", SCHEMA);
    text_member(dump, "version", WF_VERSION);
    number_member(dump, "pid", getpid());
    number_member(dump, "wall_ns", wf_wall_now());
    text_member(dump, "driver", loop->driver->name);
    number_member(dump, "alive", (int64_t)loop->alive);
    number_member(dump, "runnable", loop_runnable(loop));
    number_member(dump, "operations", (int64_t)loop->pending_ops);
    number_member(dump, "passes", (int64_t)loop->passes);
    member(dump, "root");
    dump->comma = false;
}

static void write_sent(struct dump *dump, uint32_t index)
{
    char name[32];
    snprintf(name, sizeof name, "sent_to_%" PRIu32, index);
    member(dump, name);
    dump->comma = false;
}

static void write_sent_end(struct dump *dump)
{
    dump->comma = true;
}

static void end(struct dump *dump)
{
    number_member(dump, "hidden", (int64_t)dump->hidden);
    close_with(dump, '}');
    fputc('\n', dump->file);
}

const struct dump_writer dump_json = {
    .begin = begin,
    .task = write_task,
    .scope = write_scope,
    .scope_end = write_scope_end,
    .task_end = write_task_end,
    .end = end,
    .sent = write_sent,
    .sent_end = write_sent_end,
};
