/* What `weft ps` was asked for, and the two ways to print it. */
#ifndef WEFT_TOOLS_PS_H
#define WEFT_TOOLS_PS_H

#include "frames.h"
#include "inspect.h"

struct ps {
    pid_t pid;
    const char *name; /* of the process */
    const struct registry *registry;
    struct snapshot *snapshot;
    struct sockets *sockets;
    struct page_map *pages;
    struct unwinder *unwinder; /* NULL: no stacks are wanted */
    bool flat;
    const char *state; /* only these; NULL: all */
    size_t limit;      /* tasks that are printed at most */
    size_t printed, left_out;
};

/* Is the task one of those that were asked for? */
bool is_wanted(const struct ps *ps, const struct seen_task *task);

void print_text(struct ps *ps, FILE *out);
void print_json(struct ps *ps, FILE *out);

/* A duration for people: "1.5 ms", "2 min 3 s". */
void print_duration(FILE *out, int64_t nanoseconds);

/* The time that deadlines of the loop are compared with. */
int64_t loop_time(const struct snapshot *snapshot, const struct seen_loop *loop);

/* For how long it has been waiting, in whole passes of its loop; 0: it does not. */
int64_t task_waited(const struct snapshot *snapshot, const struct seen_task *task);

/* The reading of its clock's age while the loop works; 0 while it sleeps, or in a simulated world. */
int64_t loop_lag(const struct snapshot *snapshot, const struct seen_loop *loop);

#endif
