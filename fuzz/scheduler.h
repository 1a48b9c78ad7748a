/*
 * The scheduler target: a random program of tasks and scopes in the simulated world, and a model of what it may do.
 *
 *     scheduler.c            the program: whoever runs next takes the next byte, which says what it does
 *     scheduler_scopes.c     scopes, children, handles, cancels, against rules 1 to 3 of docs/semantics.md
 *     scheduler_generators.c generators, against rule 4.6
 *     scheduler_waiting.c    mutex, semaphore, event, jobs, against rules 4 and 6
 *     wire.c                 streams
 *
 * The model follows the tree from below: each task knows the chain of places (scopes, tasks) around it, and asks of
 * each only what the program can see.
 */
#ifndef FUZZ_SCHEDULER_H
#define FUZZ_SCHEDULER_H

#include <weft/weft.h>

#include "wire.h"

enum {
    LIVES_MAX = 60,
    DEPTH_MAX = 6, /* of tasks and scopes in each other */
    LOCKS = 2,
    WIRES = 2,
};

/* A node of the tree of cancellation: a scope, or a task's own. */
struct place {
    struct place *outer;
    struct wf_scope *scope; /* NULL: a task's own */
    bool requested;         /* a task's own: its handle was cancelled */
    bool shield;
    bool opaque; /* the model does not know whether it is cancelled */

    /* Of a scope. */
    enum wf_policy policy;
    uint32_t limit;
    int64_t deadline; /* the last that was set */
    bool keeps_finished;
    bool uncertain;         /* the model does not know its result */
    bool left_open;         /* its block was left without its end */
    bool must_be_cancelled; /* by its policy */
    size_t alive, daemons;  /* children that have started and not ended */
    size_t spawned, ended;
    uint64_t last_taken; /* the end of the child that wf_scope_next gave last */
    int first_error;
    bool decided, cut;
    int outcome;
    void *bound; /* the value of the task-local where it was opened */
};

/* A task. */
struct life {
    struct place own, *here; /* here: the innermost place */
    struct wf_handle handle;
    unsigned depth;
    uint64_t sequence; /* in the order of spawning */
    uint64_t end;      /* in the order of ending; 0: not ended */
    bool has_handle, daemon, limited, waited_for, ready, started, uncertain, woken;
    int result;
    void *bound;
    size_t permits[LOCKS];
};

struct world {
    struct input input;
    bool memory_fails;
    struct life lives[LIVES_MAX];
    size_t count;
    uint64_t turn; /* grows whenever a task does something */
    uint64_t last_started, ends;
    bool dumping, left_open; /* reports that are expected */
};

extern struct world world;

/* ---- scheduler.c ---- */

/* Takes steps from the input, `most` at the most; the code to return with. Suspends. */
int take_steps(struct life *life, unsigned most);
int64_t take_duration(void);

/* Around every call that can be cancelled: what it gives must agree with the model. */
bool before_call(struct life *life);
int after_call(struct life *life, bool was_cancelled, int64_t rc);

/* ---- scheduler_scopes.c ---- */

/* What the task can see of its chain of places agrees with the model. */
void observe(const struct life *life);
bool is_not_cancelled(const struct life *life);

struct life *new_life(struct place *home, unsigned depth);
void life_starts(struct life *life);
void life_ends(struct life *life, int rc);

int use_scope(struct life *life);
int use_child(struct life *life);
int use_handle(struct life *life);
int use_cancel(struct life *life);
int use_finished(struct life *life);
int use_group(struct life *life);
int use_binding(struct life *life);

/* ---- scheduler_generators.c ---- */

int use_generator(struct life *life);

/* ---- scheduler_waiting.c ---- */

void waiting_starts(void);
/* Inside the loop, when all tasks have ended; the jobs outlive it. */
void waiting_ends(void);
void jobs_are_over(void);
/* What the task still holds, at its end. */
void give_back(struct life *life);

int use_semaphore(struct life *life);
int use_mutex(struct life *life);
int use_event(struct life *life);
int use_job(struct life *life);
int use_wire(struct life *life);

#endif
