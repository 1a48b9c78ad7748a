/* A dump: one walk over the tree of a loop, and a writer for each form. */
#ifndef WEFT_OBSERVE_DUMP_H
#define WEFT_OBSERVE_DUMP_H

#include <weft/dump.h>

#include "core/loop.h"

enum { DUMP_FRAMES = 24 };

/* What is written of a task, or of many that are alike: then the figures are those of the first. */
struct dump_task {
    const struct wf_task *task;
    uint64_t count, last_id;
    const char *state; /* "running", "runnable", "not started", "waits" */
    struct wait_detail detail;
    int64_t waited;                 /* since the pass in which it began; valid where it waits */
    int64_t deadline;               /* the effective one; WF_FOREVER: none */
    const struct wf_reason *reason; /* NULL: not cancelled */
    size_t stack_used;
    void *frames[DUMP_FRAMES];
    size_t frame_count;
};

struct dump_kind {
    uint64_t hash;
    const struct wf_task *first;
    uint64_t count, last_id;
};

struct dump {
    const struct wf_dump_options *options;
    const struct dump_writer *writer;
    struct loop *loop;
    FILE *file;
    int64_t now;
    void *here[DUMP_FRAMES]; /* the calls of the task that asked for the dump */
    size_t here_count;
    struct dump_kind *kinds; /* of the lists that are being written, the innermost last */
    size_t kind_count;
    uint64_t shown, hidden;
    bool comma; /* a member of the list was written */
    int rc;
};

/* `depth` is that of nesting. A task is followed by its scopes, a scope by its tasks. */
struct dump_writer {
    void (*begin)(struct dump *dump);
    void (*task)(struct dump *dump, const struct dump_task *task, int depth);
    void (*scope)(struct dump *dump, const struct wf_scope *scope, int depth);
    void (*scope_end)(struct dump *dump);
    void (*task_end)(struct dump *dump);
    void (*end)(struct dump *dump);
    /* What follows runs here for other loops; then it ends. */
    void (*sent)(struct dump *dump, uint32_t index);
    void (*sent_end)(struct dump *dump);
};

extern const struct dump_writer dump_text, dump_json;

/* "1.2 s", "350 ms", "12 us". */
const char *duration_text(int64_t duration_ns, char *text, size_t size);

/* Has the caller, on the loop's thread, stack enough for whatever names cost? */
bool has_room_for_names(const struct loop *loop);

/* Reports a text with calls below it, a line for each; `deep`: there is stack enough for whatever names cost. */
void report_frames(const char *text, void *const *frames, size_t count, bool deep);

/* The text with its escapes, in quotes; NULL: null. */
void json_text(FILE *file, const char *text);

#endif
