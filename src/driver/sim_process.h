/* Programs of the simulated world, and the processes that run them. */
#ifndef WEFT_DRIVER_SIM_PROCESS_H
#define WEFT_DRIVER_SIM_PROCESS_H

#include <weft/process.h>

#include "driver/sim.h"

/*
 *     started --its task's first turn--> runs --main returns, a signal, wf_sim_exit--> over
 *
 * Once it is over its descriptors are severed and its task is cancelled; what that still does is nobody's any more. The
 * record goes with the task and the descriptor of whoever waits for it, the later of the two.
 */
struct sim_process {
    struct wf_sim_process seen; /* what its program sees */
    struct sim_process *next;
    struct wf_sim_host *host;
    const struct sim_program *program;
    const struct sim_process *parent; /* NULL: the world, or gone */
    pid_t group;                      /* 0: the world's */
    int death_signal;
    struct wf_scope *scope;          /* around the program, while that runs */
    struct sim_end *end;             /* of the descriptor of who waits for it; NULL: nobody any more */
    struct wf_process_status status; /* valid when it is over */
    bool over, has_task;
    char *texts; /* of arguments and environment */
};

/* The process that a task belongs to; NULL: the world itself. */
struct sim_process *sim_process_of(const struct wf_task *task);

int sim_let_wait(struct loop *loop, int fd);
int sim_process_start(struct loop *loop, struct program *program);
bool sim_process_ended(struct loop *loop, int fd, struct wf_process_status *status);
int sim_process_signal(struct loop *loop, int fd, pid_t pid, bool group, int number);

/* Its descriptor was closed. */
void sim_process_leave(struct sim_end *end);
/* Forgets the programs. */
void sim_processes_finish(struct sim *sim);

#endif
