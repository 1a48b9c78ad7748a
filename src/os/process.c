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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/scope.h>
#include <weft/sim.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "core/loop.h"
#include "os/spawn.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

#define GRACE_DEFAULT_NS WF_SECONDS(5)

/* ---- What the child reads and writes ---- */

struct ends {
    int child[3]; /* to be given to it */
    int ours[3];  /* of pipes; -1: none */
    bool made[3]; /* `child` is to be closed here */
};

static void close_ends(struct ends *ends, bool ours)
{
    for (int i = 0; i < 3; i++) {
        if (ends->made[i]) close(ends->child[i]);
        if (ours && ends->ours[i] >= 0) close(ends->ours[i]);
    }
}

static int make_pipe(struct ends *ends, int i)
{
    int both[2];
    if (pipe2(both, O_CLOEXEC) < 0) return -errno;
    ends->child[i] = both[i == 0 ? 0 : 1];
    ends->ours[i] = both[i == 0 ? 1 : 0];
    ends->made[i] = true;
    return fcntl(ends->ours[i], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
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
static int wrap_ends(struct wf_process *process, struct ends *ends)
{
    struct wf_stream **streams[3] = {&process->input, &process->output, &process->error};
    int rc = 0;
    for (int i = 0; i < 3; i++) {
        if (ends->ours[i] < 0) continue;
        if (rc == 0) rc = wf_stream_wrap(ends->ours[i], streams[i]);
        if (rc == 0) ends->ours[i] = -1;
    }
    for (int i = 0; i < 3; i++)
        if (ends->ours[i] >= 0) close(ends->ours[i]);
    return rc;
}

/* ---- Starting ---- */

static int check(const struct wf_process_options *options)
{
    if (options->size != sizeof *options) return wf_fail(-EINVAL, "compiled against another version of weft");
    if (options->argv_ == NULL || options->argv_[0] == NULL || options->argv_[0][0] == '\0') return -EINVAL;
    if (wf_simulated()) return wf_fail(-ENOSYS, "%s: a simulated world has no other programs", options->argv_[0]);
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
    struct ends ends;
    const char *program = options->argv_[0], *what = "";
    int rc = make_ends(&ends, options);
    if (rc < 0) return wf_fail(rc, "%s: its descriptors: %s", program, wf_strerror(rc));
    struct spawn spawn = {.options = options, .fds = {ends.child[0], ends.child[1], ends.child[2]}};
    rc = wrap_ends(process, &ends); /* before it runs: afterwards nothing can fail */
    if (rc == 0) rc = spawn_program(&spawn, &process->pid, &process->fd_, &what);
    close_ends(&ends, false);
    if (rc == 0) return 0;
    close_streams(process);
    process->pid = 0;
    return wf_fail(rc, "%s: %s%s%s", program, what, what[0] != '\0' ? ": " : "", wf_strerror(rc));
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

static void note_end(struct wf_process *process, const siginfo_t *info, const struct rusage *usage)
{
    bool exited = info->si_code == CLD_EXITED;
    process->status.code = exited ? info->si_status : -1;
    process->status.signal = exited ? 0 : info->si_status;
    process->status.usage = *usage;
    process->ended = true;
}

/* Gives false while it still runs. */
static bool reap(struct wf_process *process)
{
    siginfo_t info = {.si_pid = 0};
    struct rusage usage = {.ru_maxrss = 0};
    if (process->ended) return true;
    long rc;
    do rc = syscall(SYS_waitid, P_PIDFD, process->fd_, &info, WEXITED | WNOHANG, &usage);
    while (rc < 0 && errno == EINTR);
    if (rc == 0 && info.si_pid == 0) return false;
    if (rc < 0) info = (siginfo_t){.si_code = CLD_EXITED, .si_status = -1}; /* somebody else reaped it */
    note_end(process, &info, &usage);
    return true;
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
    (void)LOOP_HERE();
    if (number < 0 || number > SIGRTMAX) return -EINVAL;
    if (process->pid == 0 || process->ended) return -ESRCH;
    if (process->group_) return kill(-process->pid, number) < 0 ? -errno : 0; /* not reaped: the number is still its */
    if (syscall(SYS_pidfd_send_signal, process->fd_, number, NULL, 0) == 0) return 0;
    if (errno != ENOSYS) return -errno;
    return kill(process->pid, number) < 0 ? -errno : 0; /* under valgrind, and in some sandboxes */
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

int wf_process_end(struct wf_process *process, int rc)
{
    if (process == NULL) return rc;
    close_streams(process);
    if (process->pid == 0) return rc;
    wf_process_stop(process);
    close(process->fd_);
    process->pid = 0;
    return rc;
}

void wf_process_leave_(struct wf_process *process)
{
    if (process->pid != 0) wf_process_end(process, 0);
}
