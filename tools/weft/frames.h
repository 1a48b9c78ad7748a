/* Backtraces of parked tasks in another process. */
#ifndef WEFT_TOOLS_FRAMES_H
#define WEFT_TOOLS_FRAMES_H

#include "inspect.h"

struct frame {
    uint64_t pc;
    const char *module; /* the file's name, and where in it; NULL: in none */
    uint64_t offset;
    const char *function; /* NULL: not known */
    const char *file;     /* with `line`; NULL: not known */
    int line;
};

enum { FRAMES_MAX = 64 };

struct unwinder;

/* Texts are kept until it is closed. NULL: none can be had. */
struct unwinder *unwinder_open(struct memory *memory, const struct registry *registry);
void unwinder_close(struct unwinder *unwinder);

/* The frames of a task that does not run, innermost first; how many. The switch's own are left out. */
size_t unwind(struct unwinder *unwinder, const struct seen_task *task, struct frame *frames, size_t room);

/* ---- frames_walk.c: by frame pointers, which every way of unwinding begins with ---- */

enum { REGISTERS_MAX = 16 };

/* What a parked task left: program counter, stack pointer, frame pointer, and the others by name. */
struct parked {
    uint64_t pc, sp, fp;
    uint64_t others[SAVED_MAX]; /* in the registry's order */
};
bool read_parked(struct memory *memory, const struct registry *registry, const struct seen_task *task,
                 struct parked *parked);

/* Program counters by the chain of frame pointers, within the task's stack. */
size_t walk_frames(struct memory *memory, const struct seen_task *task, const struct parked *parked, uint64_t *pcs,
                   size_t room);

/* A number that tells stacks apart, as far as frame pointers go; 0: it has none that can be walked. */
uint64_t stack_kind(struct memory *memory, const struct registry *registry, const struct seen_task *task);

#endif
