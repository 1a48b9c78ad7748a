/*
 * weft top: the tasks of a running process, again and again.
 *
 *     sampler   every few ms: which task runs on each loop, how old its clock is       (top_sample.c)
 *     view      every second: all tasks, by a snapshot, with what the samples say      (top_view.c)
 *     screen    what of it is shown, by keys; or a page after the other                (top_screen.c, top_keys.c)
 */
#ifndef WEFT_TOOLS_TOP_H
#define WEFT_TOOLS_TOP_H

#include "frames.h"
#include "ps.h"

/* ---- top_sample.c ---- */

/* What is remembered of a task from one view to the next. */
struct memory_of_task {
    uint32_t resumes;
    int64_t changed_at; /* when it was first seen to have been resumed so often */
    uint64_t hits;      /* samples of this view that found it running */
    int64_t longest;    /* that it was seen to run in one go, ever */
    bool alive;         /* in the latest view */
};

struct sampled_loop {
    uint64_t address;
    bool simulated;
    uint64_t samples, busy; /* of this view */
    int64_t lag;            /* the oldest that its clock was found, of this view */
    int64_t longest;        /* run in one go, of this view */
    uint64_t running;       /* the task's record, in the sample before; 0: none */
    uint64_t id;
    uint32_t resumes;
    int64_t since; /* when that run was first seen */
};

struct sampler {
    struct memory *memory;
    const struct registry *registry;
    struct sampled_loop *loops;
    size_t loop_count;
    struct table tasks; /* of struct memory_of_task, by loop and number */
    struct store *store;
};

uint64_t task_key(uint32_t loop, uint64_t id);
struct memory_of_task *remember_task(struct sampler *sampler, uint64_t key);
void take_sample(struct sampler *sampler, int64_t now);
int64_t time_now(void);

/* ---- top_view.c ---- */

struct row {
    const struct seen_task *task;
    double run;      /* share of the samples that found it running, 0 to 1 */
    double turns;    /* resumes a second */
    int64_t longest; /* run in one go, as seen */
    int64_t still;   /* it has waited so long; of others: not resumed, as seen from here */
};

struct loop_row {
    const struct seen_loop *loop;
    double cpu;                   /* of its thread, 0 to 1; below 0: not known */
    double in_tasks;              /* share of the samples that found a task running */
    double passes, spawns, turns; /* a second */
    int64_t lag, longest;
};

struct count {
    const char *what;
    size_t tasks;
};

struct metric_row {
    struct seen_metric seen;
    double rate; /* of what only grows, a second */
};

struct view {
    struct snapshot snapshot;
    struct row *rows;
    size_t row_count;
    struct loop_row *loops;
    struct count *waits; /* what is waited for, most first */
    size_t wait_count;
    struct metric_row *metrics;
    size_t metric_count;
    double seconds; /* that it covers */
    uint64_t samples;
};

enum sort { SORT_RUN, SORT_TURNS, SORT_WAIT, SORT_NAME, SORT_LONGEST };

struct top {
    pid_t pid;
    const char *name;
    struct memory memory;
    struct registry registry;
    struct sampler sampler;
    struct table metrics_before; /* values, each plus one, by series */
    struct store stores[2];      /* of what is remembered: the one in use, and the next */
    struct unwinder *unwinder;   /* while stacks are shown */
    struct view view;
    int64_t viewed_at; /* when the tasks of the view were read, and when that was done: a million take a while */
    int64_t looked_at;
    uint64_t *cpu_before, *passes_before, *spawned_before; /* by loop */
    enum sort sort;
    char filter[64];
    int64_t delay, interval;
    const char *why; /* it came to an end */
};

int top_begin(struct top *top, const char **why);
/* A new view; below 0: the process cannot be read any more. */
int top_look(struct top *top, const char **why);
void sort_rows(struct top *top);
bool row_is_wanted(const struct top *top, const struct row *row);
void top_end(struct top *top);

/* Files may be mapped and unmapped: what is known of them is kept only while stacks are shown. */
void top_forget_stacks(struct top *top);

/* ---- top_screen.c ---- */

struct screen {
    size_t lines, columns;
    size_t selected, first; /* of the rows that are wanted */
    bool detail;            /* the stack of the selected task */
    bool metrics;           /* in place of the tasks */
    uint64_t detail_key;
    bool typing; /* a filter */
};

/* The whole of it, as a page of so many lines; with sequences of a terminal, or plain. */
void draw(struct top *top, struct screen *screen, FILE *out, bool plain);
void print_view_json(const struct top *top, FILE *out, size_t limit);

/* ---- top_keys.c ---- */

/* Shows it on the terminal until `q`, or until the process is gone. The exit status. */
int run_screen(struct top *top);

#endif
