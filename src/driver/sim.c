/*
 * The simulated driver: one world in memory, with a virtual clock and one seed.
 *
 * Time does not pass; it jumps to the next thing that is due when every task is suspended.
 *
 *     submit: due after a latency --> tried: done, or parked at its object --> tried again when that has changed
 *     cancel: due after a latency --> tried once more, or -ECANCELED
 *
 * The world is closed: when nothing is due, nothing will ever happen, and poll says so.
 */
#include "driver/sim_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "base/memory.h"
#include "base/report.h"
#include "driver/system.h"

enum { LATENCY_DEFAULT_NS = 20000, PASSES_DEFAULT = 1000000, PASSES_FREE = 1000, PASS_NS = 1000 };
#define SIM_START WF_SECONDS(1000)

static _Thread_local uint64_t chosen_seed, last_trace;

struct sim *sim_required(const char *function)
{
    if (current_loop != NULL && wf_simulated()) return sim_of(current_loop);
    misuse("%s was called outside a simulated world. Run the loop with .driver = \"sim\", or the program with "
           "WEFT_DRIVER=sim; wf_simulated() tells.",
           function);
}

bool wf_simulated(void)
{
    return current_loop != NULL && current_loop->driver->simulated;
}

/* ---- Chance ---- */

void wf_sim_seed(uint64_t seed)
{
    chosen_seed = seed;
}

static uint64_t seed_of_world(void)
{
    const char *text = getenv("WEFT_SEED");
    if (chosen_seed != 0) return chosen_seed;
    return text != NULL ? strtoull(text, NULL, 0) : 1;
}

uint64_t sim_random(struct sim *sim)
{
    sim->random ^= sim->random << 13;
    sim->random ^= sim->random >> 7;
    sim->random ^= sim->random << 17;
    return sim->random;
}

bool sim_chance(struct sim *sim, double probability)
{
    if (probability <= 0) return false;
    return (double)(sim_random(sim) >> 11) * 0x1p-53 < probability;
}

int64_t sim_between(struct sim *sim, int64_t least, int64_t most)
{
    if (most <= least) return least;
    return least + (int64_t)(sim_random(sim) % (uint64_t)(most - least));
}

size_t sim_part(struct sim *sim, size_t most, double partial)
{
    if (most <= 1 || !sim_chance(sim, partial)) return most;
    return 1 + sim_random(sim) % most;
}

static void sim_random_bytes(struct loop *loop, void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) ((unsigned char *)bytes)[i] = (unsigned char)(sim_random(sim_of(loop)) >> 32);
}

/* ---- The fingerprint ---- */

static void note(struct sim *sim, uint64_t value)
{
    sim->trace = (sim->trace ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    sim->trace ^= sim->trace >> 29;
}

uint64_t wf_sim_trace(void)
{
    return current_loop != NULL ? sim_required(__func__)->trace : last_trace;
}

/* ---- Time ---- */

static int64_t sim_now(struct loop *loop)
{
    return sim_of(loop)->now;
}

/* The world begins with the year 2000. */
static int64_t sim_wall(struct loop *loop)
{
    return sim_of(loop)->now - SIM_START + WF_SECONDS(946684800);
}

void sim_later(struct sim *sim, struct wf_timer_ *event, int64_t delay, void (*fire)(struct wf_timer_ *event))
{
    event->deadline = sim->now + 1 + delay;
    event->fire = fire;
    timer_arm(&sim->events, event);
}

static void to_time(struct sim *sim, int64_t now)
{
    if (now > sim->now) sim->now = now;
    timers_fire(&sim->events, sim->now);
}

static void set_bound(struct sim *sim, int64_t duration_ns)
{
    sim->duration_max = duration_ns;
    if (duration_ns <= 0 || __builtin_add_overflow(sim->now, duration_ns, &sim->end_of_time))
        sim->end_of_time = WF_FOREVER;
}

/* Tasks that go on and on without waiting take time after all, so that others meet their deadlines. */
static void pass_time(struct loop *loop, struct sim *sim)
{
    if (++sim->passes > PASSES_FREE) sim->now += PASS_NS;
    if (sim->passes > sim->passes_max) {
        sim->passes = 0;
        loop_give_up(loop, "the clock cannot jump: tasks run and run without ever waiting for time to pass");
    }
    if (sim->now > sim->end_of_time) {
        set_bound(sim, sim->duration_max); /* for what a cancel does not reach */
        loop_give_up(loop, "the bound on virtual time has passed, and tasks still wait for later times");
    }
}

static bool sim_poll(struct loop *loop, int64_t deadline)
{
    struct sim *sim = sim_of(loop);
    note(sim, (uint64_t)sim->now ^ (uint64_t)loop_runnable(loop) << 48 ^ loop->spawned << 20);
    pass_time(loop, sim);
    to_time(sim, sim->now);
    if (deadline == 0 || loop->run_first != NULL) return true;
    while (loop->run_first == NULL) {
        if (loop->idlers.first != NULL && sim->events.armed == 0) return true;
        int64_t next = sim->events.next < deadline ? sim->events.next : deadline;
        if (next == WF_FOREVER) return false;
        if (next > sim->now) sim->passes = 0;
        to_time(sim, next);
        if (next == deadline) return true;
    }
    return true;
}

static bool sim_busy(struct loop *loop)
{
    return sim_of(loop)->events.armed > 0;
}

/* ---- Operations ---- */

static struct op *op_of_event(struct wf_timer_ *event)
{
    return (struct op *)((char *)event - offsetof(struct op, job.timer));
}

static bool is_of_file(struct sim *sim, const struct op *op)
{
    if (op->desc == NULL) return op->kind != OP_POLL;
    const struct sim_end *end = sim_end_of(sim, op->desc->fd);
    return op->desc->fd < SIM_FD_FIRST || (end != NULL && end->kind == END_FILE);
}

static int64_t latency_of(struct sim *sim, const struct op *op)
{
    const struct wf_sim_faults *faults = &sim->faults;
    if (!is_of_file(sim, op) || faults->disk_max <= 0) return sim_between(sim, 0, LATENCY_DEFAULT_NS);
    return sim_between(sim, faults->disk_min, faults->disk_max);
}

static int64_t try_file(struct sim *sim, struct op *op)
{
    if (op->kind == OP_OPEN) return sim_file_open(sim, op);
    if (op->kind == OP_STAT) return sim_file_stat_path(sim, op);
    if (op->kind == OP_PATH) return sim_path(sim, op);
    if (op->desc->fd < SIM_FD_FIRST) return system_blocking_call(op);
    return sim_file_try(sim, sim_end_of(sim, op->desc->fd), op);
}

static unsigned readiness(const struct sim_end *end)
{
    if (end->kind == END_WATCHER) return sim_watch_ready(end) ? WF_READABLE : 0;
    if (end->kind == END_PROCESS) return end->process->over ? WF_READABLE : 0;
    return sim_net_readiness(end);
}

static bool try_poll(struct sim *sim, const struct op *op, int64_t *result)
{
    const struct sim_end *end = sim_end_of(sim, op->fd);
    unsigned found = end == NULL || end->kind == END_FILE ? op->flags : readiness(end);
    *result = end == NULL ? -EBADF : (int64_t)(found & op->flags);
    return *result != 0;
}

static int sim_ready(struct loop *loop, int fd, unsigned flags)
{
    int64_t result;
    struct op op = {.kind = OP_POLL, .fd = fd, .flags = flags};
    (void)try_poll(loop->driver_state, &op, &result);
    return (int)result;
}

/* Gives false when it would wait. */
static bool try_end(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    *result = -EBADF;
    if (end == NULL) return true;
    return end->kind == END_WATCHER ? sim_watch_try(sim, end, op, result) : sim_net_try(sim, end, op, result);
}

static bool try_op(struct sim *sim, struct op *op, int64_t *result)
{
    if (op->kind == OP_POLL) return try_poll(sim, op, result);
    *result = -ENOMEM;
    if (sim_chance(sim, sim->faults.no_memory)) return true;
    bool is_file = is_of_file(sim, op);
    *result = -EIO;
    if (is_file && sim_chance(sim, sim->faults.disk_error)) return true;
    if (op->kind == OP_SPLICE_IN || op->kind == OP_SPLICE_OUT) return sim_splice_try(sim, op, result);
    if (!is_file) return try_end(sim, sim_end_of(sim, op->desc->fd), op, result);
    *result = try_file(sim, op);
    return true;
}

/* A cancelled operation may have completed all the same: even chances, where a test does not want to know for sure. */
static bool cancel_wins(struct sim *sim)
{
    bool even = sim_random(sim) % 2 == 0;
    switch (current_loop->injection.kind) {
    case INJECT_CANCEL_IN_FLIGHT:
        return true;
    case INJECT_CANCEL_COMPLETED:
        return false;
    default:
        return even;
    }
}

static void attempt(struct wf_timer_ *event)
{
    struct sim *sim = sim_of(current_loop);
    struct op *op = op_of_event(event);
    int64_t result = -ECANCELED;
    bool give_up = op->cancel_code != 0 && cancel_wins(sim);
    sim->acting = op->wait.task;
    if (!give_up && !try_op(sim, op, &result)) {
        if (op->cancel_code == 0) { /* parked: sim_stir tries again; an unanswered connect tries by itself */
            if (op->driver_data > 0) sim_later(sim, &op->job.timer, (int64_t)op->driver_data, attempt);
            return;
        }
        result = -ECANCELED;
    }
    timer_disarm(&sim->events, &op->job.timer); /* the attempt itself may have stirred it */
    note(sim, op->wait.task->id ^ (uint64_t)op->kind << 32 ^ (uint64_t)result << 40);
    op_complete(op, result);
}

static bool sim_submit(struct loop *loop, struct op *op)
{
    struct sim *sim = sim_of(loop);
    op->job.timer.slot = 0;
    op->driver_data = 0;
    if (op->kind == OP_POLL && op->fd < SIM_FD_FIRST) {
        op->wait.result = -EOPNOTSUPP; /* a foreign descriptor is of another world */
        return true;
    }
    sim_later(sim, &op->job.timer, latency_of(sim, op), attempt);
    return false;
}

static void sim_cancel(struct loop *loop, struct op *op)
{
    struct sim *sim = sim_of(loop);
    timer_disarm(&sim->events, &op->job.timer);
    sim_later(sim, &op->job.timer, sim_between(sim, 0, LATENCY_DEFAULT_NS), attempt);
}

static void stir_op(struct sim *sim, struct op *op)
{
    if (timer_armed(&op->job.timer)) return;
    sim_later(sim, &op->job.timer, sim_between(sim, 0, LATENCY_DEFAULT_NS), attempt);
}

void sim_stir(struct sim *sim, struct sim_end *end)
{
    if (end == NULL) return;
    for (const struct sim_fd *fd = end->fds; fd != NULL; fd = fd->next)
        for (struct op *op = fd->desc != NULL ? fd->desc->ops.first : NULL; op != NULL; op = op->next) stir_op(sim, op);
    for (struct op *op = current_loop->path_ops.first; op != NULL; op = op->next)
        if (op->kind == OP_POLL && sim_end_of(sim, op->fd) == end) stir_op(sim, op);
}

/* ---- Jobs ---- */

static void run_job(struct wf_timer_ *event)
{
    struct job *job = (struct job *)((char *)event - offsetof(struct job, timer));
    job_run(job);
    note(sim_of(current_loop), (uint64_t)job->result);
    job->message.deliver(current_loop, &job->message);
}

static int sim_job_start(struct loop *loop, struct job *job)
{
    struct sim *sim = sim_of(loop);
    job->timer.slot = 0;
    sim_later(sim, &job->timer, sim_between(sim, 0, LATENCY_DEFAULT_NS), run_job);
    return 0;
}

static bool sim_job_cancel(struct loop *loop, struct job *job)
{
    timer_disarm(&sim_of(loop)->events, &job->timer);
    return true;
}

/* ---- Mail ---- */

static void hand_out(struct wf_timer_ *timer);

static void take_away(struct sim *sim, struct mailbox *box)
{
    sim_later(sim, &box->timer, sim_between(sim, 0, LATENCY_DEFAULT_NS), hand_out);
}

static void hand_out(struct wf_timer_ *timer)
{
    struct mailbox *box = (struct mailbox *)((char *)timer - offsetof(struct mailbox, timer));
    struct message *message = box->first;
    box->first = message->next;
    if (box->first != NULL) take_away(sim_of(current_loop), box);
    message->deliver(current_loop, message);
}

static void sim_mail(struct loop *loop, struct mailbox *box, struct message *message)
{
    message->next = NULL;
    if (box->first != NULL) box->last->next = message;
    else box->first = message;
    box->last = message;
    if (box->first == message) take_away(sim_of(loop), box);
}

/* ---- Settings ---- */

void wf_sim_set_faults_(const struct wf_sim_faults *faults)
{
    struct sim *sim = sim_required("wf_sim_set_faults");
    if (faults->size != sizeof *faults) misuse("wf_sim_set_faults was compiled against another version of weft.");
    sim->faults = *faults;
}

void wf_sim_set_bounds(int64_t duration_ns, uint64_t passes)
{
    struct sim *sim = sim_required(__func__);
    set_bound(sim, duration_ns);
    sim->passes_max = passes > 0 ? passes : PASSES_DEFAULT;
}

/* ---- The world ---- */

static int sim_init(struct loop *loop)
{
    struct sim *sim = memory_zero(sizeof *sim);
    if (sim == NULL) return -ENOMEM;
    sim->random = seed_of_world() * UINT64_C(0x9e3779b97f4a7c15) | 1;
    sim->now = SIM_START;
    sim->end_of_time = WF_FOREVER;
    sim->passes_max = PASSES_DEFAULT;
    sim->next_port = 40000;
    sim->next_pid = 1000;
    timers_init(&sim->events, sim->now);
    int rc = sim_hosts_init(sim);
    if (rc < 0) memory_free(sim);
    else loop->driver_state = sim;
    return rc;
}

static void sim_finish(struct loop *loop)
{
    struct sim *sim = sim_of(loop);
    sim_fds_finish(sim);
    sim_processes_finish(sim);
    sim_udp_finish(sim);
    sim_unix_finish(sim);
    sim_hosts_finish(sim);
    sim_answers_finish(sim);
    last_trace = sim->trace;
    memory_free(sim);
}

static void sim_wake(struct loop *loop)
{
    (void)loop; /* nobody sleeps here */
}

static void sim_close(struct loop *loop, struct desc *desc)
{
    sim_close_fd(loop, desc->fd);
}

const struct driver sim_driver = {
    .name = "sim",
    .simulated = true,
    .init = sim_init,
    .finish = sim_finish,
    .submit = sim_submit,
    .cancel = sim_cancel,
    .poll = sim_poll,
    .busy = sim_busy,
    .wake = sim_wake,
    .now = sim_now,
    .wall = sim_wall,
    .random = sim_random_bytes,
    .job_start = sim_job_start,
    .job_cancel = sim_job_cancel,
    .mail = sim_mail,
    .look_up = sim_answer,
    .own_address = sim_own_address,
    .socket = sim_net_socket,
    .pipe = sim_net_pipe,
    .socket_pair = sim_unix_pair,
    .bind = sim_net_bind,
    .listen = sim_net_listen,
    .set_option = sim_net_set_option,
    .set_option_bytes = sim_udp_set_option_bytes,
    .connect_now = sim_unix_connect_now,
    .send_now = sim_message_send_now,
    .set_mode = sim_unix_set_mode,
    .lock_names = sim_unix_lock_names,
    .remove_name = sim_unix_remove_name,
    .peer_owner = sim_unix_peer_owner,
    .local_name = sim_net_local_name,
    .peer_name = sim_net_peer_name,
    .shutdown = sim_net_shutdown,
    .ready = sim_ready,
    .duplicate = sim_duplicate,
    .describe = sim_describe,
    .let_wait = sim_let_wait,
    .process_start = sim_process_start,
    .process_ended = sim_process_ended,
    .process_signal = sim_process_signal,
    .status = sim_file_stat,
    .lock = sim_file_lock,
    .watcher = sim_watcher,
    .unwatch = sim_unwatch,
    .attach = sim_attach,
    .close = sim_close,
    .close_fd = sim_close_fd,
};
