/*
 * The simulated driver: one world in memory, with a virtual clock and one seed.
 *
 * Time does not pass; it jumps to the next thing that is due when every task is suspended. Pipes and TCP connections
 * are queues of bytes (sim_net.c); jobs run on the loop's thread, some time later; files are the real ones, reached
 * some time later. Each operation takes a random latency, moves a random part of what it could, and when it is
 * cancelled it may have completed all the same: what is free in reality is drawn from the seed, and nothing else is.
 *
 *     submit: due after a latency --> tried: done, or parked at its object --> tried again when that has changed
 *     cancel: due after a latency --> tried once more, or -ECANCELED
 *
 * The world is closed: when nothing is due, nothing will ever happen, and poll says so.
 */
#include "driver/sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/time.h>

#include "base/memory.h"
#include "driver/system.h"

enum { LATENCY_MAX_NS = 20000 };

/* ---- Chance ---- */

uint64_t sim_random(struct sim *sim)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random;
}

size_t sim_part(struct sim *sim, size_t most)
{
    if (most <= 1 || sim_random(sim) % 4 != 0) return most;
    return 1 + sim_random(sim) % most;
}

static void sim_random_bytes(struct loop *loop, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) ((unsigned char *)bytes)[i] = (unsigned char)(sim_random(sim_of(loop)) >> 32);
}

/* ---- Time ---- */

static int64_t sim_now(struct loop *loop)
{
    return sim_of(loop)->now;
}

static void due_soon(struct sim *sim, struct wf_timer_ *event, void (*fire)(struct wf_timer_ *event))
{
    event->deadline = sim->now + 1 + (int64_t)(sim_random(sim) % LATENCY_MAX_NS);
    event->fire = fire;
    timer_arm(&sim->events, event);
}

static void to_time(struct sim *sim, int64_t now)
{
    if (now > sim->now) sim->now = now;
    timers_fire(&sim->events, sim->now);
}

static bool sim_poll(struct loop *loop, int64_t deadline)
{
    struct sim *sim = sim_of(loop);
    to_time(sim, sim->now);
    if (deadline == 0 || loop->runnable > 0) return true;
    while (loop->runnable == 0) {
        int64_t next = sim->events.next < deadline ? sim->events.next : deadline;
        if (next == WF_FOREVER) return false;
        to_time(sim, next);
        if (next == deadline) return true;
    }
    return true;
}

/* ---- Operations ---- */

static struct op *op_of_event(struct wf_timer_ *event)
{
    return (struct op *)((char *)event - offsetof(struct op, job.timer));
}

/* Gives false when it would wait. */
static bool try_op(struct sim *sim, struct op *op, int64_t *result)
{
    if (op->desc == NULL || op->desc->fd < SIM_FD_FIRST) {
        *result = system_blocking_call(op);
        return true;
    }
    return sim_net_try(sim, op, result);
}

static void attempt(struct wf_timer_ *event)
{
    struct sim *sim = sim_of(current_loop);
    struct op *op = op_of_event(event);
    int64_t result = -ECANCELED;
    bool give_up = op->cancel_code != 0 && sim_random(sim) % 2 == 0;
    if (!give_up && !try_op(sim, op, &result)) {
        if (op->cancel_code == 0) { /* parked: sim_stir tries again; nobody stirs for a full backlog */
            if (op->kind == OP_CONNECT) due_soon(sim, &op->job.timer, attempt);
            return;
        }
        result = -ECANCELED;
    }
    timer_disarm(&sim->events, &op->job.timer); /* the attempt itself may have stirred it */
    op_complete(op, result);
}

static bool sim_submit(struct loop *loop, struct op *op)
{
    op->job.timer.slot = 0;
    op->driver_data = 0;
    if (op->kind == OP_POLL) {
        op->wait.result = -EOPNOTSUPP; /* a foreign descriptor is of another world */
        return true;
    }
    due_soon(sim_of(loop), &op->job.timer, attempt);
    return false;
}

static void sim_cancel(struct loop *loop, struct op *op)
{
    struct sim *sim = sim_of(loop);
    timer_disarm(&sim->events, &op->job.timer);
    due_soon(sim, &op->job.timer, attempt);
}

void sim_stir(struct sim *sim, struct desc *desc)
{
    if (desc == NULL) return;
    for (struct op *op = desc->ops.first; op != NULL; op = op->next)
        if (!timer_armed(&op->job.timer)) due_soon(sim, &op->job.timer, attempt);
}

/* ---- Jobs ---- */

static void run_job(struct wf_timer_ *event)
{
    struct job *job = (struct job *)((char *)event - offsetof(struct job, timer));
    job->result = job->fn(job->arg);
    job->message.deliver(current_loop, &job->message);
}

static int sim_job_start(struct loop *loop, struct job *job)
{
    job->timer.slot = 0;
    due_soon(sim_of(loop), &job->timer, run_job);
    return 0;
}

static bool sim_job_cancel(struct loop *loop, struct job *job)
{
    timer_disarm(&sim_of(loop)->events, &job->timer);
    return true;
}

/* ---- The world ---- */

static int sim_init(struct loop *loop)
{
    struct sim *sim = memory_zero(sizeof *sim);
    if (sim == NULL) return -ENOMEM;
    const char *seed = getenv("WEFT_SEED");
    sim->random = (seed != NULL ? strtoull(seed, NULL, 0) : 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    sim->now = WF_SECONDS(1000);
    sim->next_port = 40000;
    timers_init(&sim->events, sim->now);
    loop->driver_state = sim;
    return 0;
}

static void sim_finish(struct loop *loop)
{
    struct sim *sim = sim_of(loop);
    sim_net_finish(sim);
    memory_free(sim);
}

static void sim_wake(struct loop *loop)
{
    (void)loop; /* nobody sleeps here */
}

static void sim_attach(struct loop *loop, struct desc *desc)
{
    sim_net_attach(sim_of(loop), desc);
}

static void sim_close_fd(struct loop *loop, int fd)
{
    if (fd < SIM_FD_FIRST) close(fd);
    else sim_net_close(sim_of(loop), fd);
}

static void sim_close(struct loop *loop, struct desc *desc)
{
    sim_close_fd(loop, desc->fd);
}

const struct driver sim_driver = {
    .name = "sim",
    .on_request = true,
    .exact_timers = true,
    .init = sim_init,
    .finish = sim_finish,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .poll = sim_poll,
    .wake = sim_wake,
    .now = sim_now,
    .random = sim_random_bytes,
    .job_start = sim_job_start,
    .job_cancel = sim_job_cancel,
    .socket = sim_net_socket,
    .pipe = sim_net_pipe,
    .bind = sim_net_bind,
    .listen = sim_net_listen,
    .set_option = sim_net_set_option,
    .local_name = sim_net_local_name,
    .shutdown = sim_net_shutdown,
    .attach = sim_attach,
    .close = sim_close,
    .close_fd = sim_close_fd,
};
