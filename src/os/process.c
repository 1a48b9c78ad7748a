/*
 * Processes: starting, waiting by a descriptor, ending.
 *
 *     not started --wf_process_start()--> runs --reap()--> ended
 *
 * The descriptor (pidfd) is readable when it has ended, names no other process ever, and is closed by wf_process_end.
 */
#include <weft/process.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <weft/scope.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/descriptor.h"

#define GRACE_DEFAULT_NS WF_SECONDS(5)

/* ---- What the child reads and writes ---- */

struct ends {
    int child[3]; /* to be given to it */
    int ours[3];  /* of pipes; -1: none */
    bool made[3]; /* `child` is to be closed here */
};

static void close_ends(const struct ends *ends, bool ours)
{
    struct loop *loop = current_loop;
    for (int i = 0; i < 3; i++) {
        if (ends->made[i]) loop->driver->close_fd(loop, ends->child[i]);
        if (ours && ends->ours[i] >= 0) loop->driver->close_fd(loop, ends->ours[i]);
    }
}

static int make_pipe(struct ends *ends, int i)
{
    struct loop *loop = current_loop;
    int both[2];
    int rc = loop->driver->pipe(loop, both);
    if (rc < 0) return rc;
    ends->child[i] = both[i == 0 ? 0 : 1];
    ends->ours[i] = both[i == 0 ? 1 : 0];
    ends->made[i] = true;
    return loop->driver->let_wait(loop, ends->child[i]);
}

static int make_end(struct ends *ends, int i, const struct wf_process_io *io)
{
    switch (io->kind) {
    case WF_IO_INHERIT:
        return 0;
    case WF_IO_NULL:
        ends->child[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
        ends->made[i] = ends->child[i] >= 0;
        return ends->made[i] ? 0 : -errno;
    case WF_IO_PIPE:
        return make_pipe(ends, i);
    case WF_IO_FD:
        ends->child[i] = io->fd;
        return io->fd >= 0 ? 0 : -EBADF;
    case WF_IO_OUTPUT:
        ends->child[i] = ends->child[1] >= 0 ? ends->child[1] : STDOUT_FILENO;
        return i == 2 ? 0 : -EINVAL;
    }
    return -EINVAL;
}

static int make_ends(struct ends *ends, const struct wf_process_options *options)
{
    const struct wf_process_io *ios[3] = {&options->input, &options->output, &options->error};
    *ends = (struct ends){.child = {-1, -1, -1}, .ours = {-1, -1, -1}};
    for (int i = 0; i < 3; i++) {
        int rc = make_end(ends, i, ios[i]);
        if (rc == 0) continue;
        close_ends(ends, true);
        return rc;
    }
    return 0;
}

/* The pipes become streams; on failure what is left is closed here, and what was made by wf_process_end. */
static int wrap_ends(struct wf_process *process, const struct ends *ends)
{
    struct wf_stream **streams[3] = {&process->input, &process->output, &process->error};
    int rc = 0;
    for (int i = 0; i < 3; i++) {
        struct fd_stream *made;
        if (ends->ours[i] < 0) continue;
        if (rc < 0) {
            current_loop->driver->close_fd(current_loop, ends->ours[i]);
            continue;
        }
        rc = fd_stream_new(ends->ours[i], false, false, &made);
        if (rc < 0) continue;
        made->desc.non_blocking = true;
        *streams[i] = &made->stream;
    }
    return rc;
}

/* ---- Starting ---- */

static int check(const struct wf_process_options *options)
{
    if (options->size != sizeof *options) return wf_fail(-EINVAL, "compiled against another version of weft");
    if (options->descriptors_count > WF_PROCESS_DESCRIPTORS_MAX || options->listening > options->descriptors_count)
        return wf_fail(-E2BIG, "%u descriptors, %u of them listening", options->descriptors_count, options->listening);
    if (options->descriptors_count > 0 && current_loop->driver->simulated) return -EOPNOTSUPP;
    if (options->argv_ == NULL || options->argv_[0] == NULL || options->argv_[0][0] == '\0') return -EINVAL;
    return 0;
}

static void close_streams(struct wf_process *process)
{
    wf_stream_close(process->input);
    wf_stream_close(process->output);
    wf_stream_close(process->error);
    process->input = process->output = process->error = NULL;
}

static int start(struct wf_process *process, const struct wf_process_options *options)
{
    struct loop *loop = current_loop;
    struct ends ends;
    const char *name = options->argv_[0];
    int rc = make_ends(&ends, options);
    if (rc < 0) return wf_fail(rc, "%s: its descriptors: %s", name, wf_strerror(rc));
    struct program program = {.options = options, .fds = {ends.child[0], ends.child[1], ends.child[2]}, .what = ""};
    rc = wrap_ends(process, &ends); /* before it runs: afterwards nothing can fail */
    if (rc == 0) rc = loop->driver->process_start(loop, &program);
    close_ends(&ends, false);
    if (rc < 0) {
        close_streams(process);
        return wf_fail(rc, "%s: %s%s%s", name, program.what, program.what[0] != '\0' ? ": " : "", wf_strerror(rc));
    }
    process->pid = program.pid;
    process->fd_ = program.fd;
    return 0;
}

int wf_process_start_(struct wf_process *process, const struct wf_process_options *options)
{
    (void)LOOP_HERE();
    if (process == NULL) return -EINVAL;
    *process = (struct wf_process){.pid = 0};
    int rc = check(options);
    if (rc < 0) return rc;
    process->group_ = options->new_group || options->new_session;
    process->grace_ = options->grace == 0 ? GRACE_DEFAULT_NS : options->grace;
    return start(process, options);
}

/* ---- Waiting ---- */

/* Gives false while it still runs. */
static bool reap(struct wf_process *process)
{
    struct loop *loop = current_loop;
    if (!process->ended) process->ended = loop->driver->process_ended(loop, process->fd_, &process->status);
    return process->ended;
}

/* Of one that was not to be reaped a moment ago. */
static int wait_for_end(struct wf_process *process)
{
    int rc;
    do rc = wf_wait_fd(process->fd_, WF_READABLE);
    while (rc >= 0 && !reap(process));
    return rc < 0 ? rc : 0;
}

int wf_process_wait(struct wf_process *process, struct wf_process_status *status)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (process->pid == 0) return (int)wait_skipped(-ESRCH);
    bool ended = reap(process);
    rc = ended ? (int)wait_skipped(0) : wait_for_end(process);
    if (rc == 0 && status != NULL) *status = process->status;
    return rc;
}

int wf_process_signal(struct wf_process *process, int number)
{
    struct loop *loop = LOOP_HERE();
    if (number < 0 || number > SIGRTMAX) return -EINVAL;
    if (process->pid == 0 || process->ended) return -ESRCH;
    return loop->driver->process_signal(loop, process->fd_, process->pid, process->group_, number);
}

/* ---- Ending ---- */

/* Killed: what comes now is bounded by the kernel, whatever else fails. */
static int wait_for_kill(struct wf_process *process)
{
    int rc = wf_shielded(WF_FOREVER, wait_for_end(process));
    while (rc < 0 && !reap(process)) wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    return 0;
}

int wf_process_stop(struct wf_process *process)
{
    (void)LOOP_HERE();
    if (process->pid == 0 || reap(process)) return 0;
    if (process->grace_ > 0) {
        wf_process_signal(process, SIGTERM);
        wf_process_signal(process, SIGCONT); /* a stopped one would not hear it */
        if (wf_shielded(process->grace_, wait_for_end(process)) == 0) return 0;
    }
    wf_process_signal(process, SIGKILL);
    return wait_for_kill(process);
}

void wf_process_release(struct wf_process *process)
{
    if (process == NULL) return;
    close_streams(process);
    if (process->pid != 0) current_loop->driver->close_fd(current_loop, process->fd_);
    process->pid = 0;
}

int wf_process_end(struct wf_process *process, int rc)
{
    if (process == NULL) return rc;
    close_streams(process);
    if (process->pid == 0) return rc;
    wf_process_stop(process);
    current_loop->driver->close_fd(current_loop, process->fd_);
    process->pid = 0;
    return rc;
}

void wf_process_leave_(struct wf_process *process)
{
    if (process->pid != 0) wf_process_end(process, 0);
}
