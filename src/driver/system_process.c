/*
 * Processes: starting a program, signals, how it ended. The child shares our memory until it executes (CLONE_VM and
 * CLONE_VFORK: no page table is copied, and this thread waits), on a stack of its own; so it only makes system calls,
 * and writes nothing but that stack and what went wrong, which is here when it has begun.
 *
 * Emulators (qemu, valgrind) make a plain fork of it, whose memory is a copy and for which nobody waits. So the first
 * child of a process says it through a pipe as well, which the exec closes; whether it wrote here too tells if the next
 * ones need that.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/process.h>

#include "base/memory.h"
#include "base/sanitize.h"
#include "driver/system.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum { STACK = 32 * 1024, PROGRAM_MAX = 1024, SIGNALS = 64 };

enum step { STEP_PROGRAM, STEP_DIRECTORY, STEP_USER, STEP_LIMIT, STEP_DESCRIPTORS, STEP_GROUP };

static const char *const step_names[] = {"", "its directory", "its user", "its limits", "its descriptors", "its group"};

struct failure {
    int code;
    enum step step;
};

struct child {
    const struct program *program;
    char *const *environment;
    const char *search; /* PATH */
    pid_t parent;
    int report_fd;    /* -1: memory is shared, as is known */
    char *listen_pid; /* where the child writes its number; NULL: nowhere */
    bool shared;      /* written by the child */
    struct failure failure;
};

/* What a child writes is seen here. */
static atomic_bool memory_is_shared;

/* ---- In the child ---- */

static int reset_signals(void)
{
    static const unsigned long by_default[4]; /* the kernel's struct sigaction: libc's call leaves out two of its own */
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number <= SIGNALS; number++)
        if (number != SIGKILL && number != SIGSTOP)
            syscall(SYS_rt_sigaction, number, by_default, NULL, sizeof(uint64_t));
    return sigprocmask(SIG_SETMASK, &none, NULL);
}

enum { PLACES_MAX = 3 + WF_PROCESS_DESCRIPTORS_MAX };

/* First out of the way, so that none overwrites another. */
static int move_away(int fd, int places)
{
    return fd >= 0 && fd < places ? fcntl(fd, F_DUPFD_CLOEXEC, places) : fd;
}

static int place_descriptors(struct child *child)
{
    const struct wf_process_options *options = child->program->options;
    int from[PLACES_MAX], places = 3 + (int)options->descriptors_count;
    for (int i = 0; i < places; i++) {
        int fd = i < 3 ? child->program->fds[i] : options->descriptors[i - 3];
        from[i] = move_away(fd, places);
        if (from[i] < 0 && (fd >= 0 || i >= 3)) return -1;
    }
    child->report_fd = move_away(child->report_fd, places);
    syscall(SYS_close_range, 3U, ~0U, 1U << 2); /* CLOSE_RANGE_CLOEXEC: also what is not ours */
    for (int i = 0; i < places; i++)
        if (from[i] >= 0 && dup2(from[i], i) < 0) return -1;
    return 0;
}

static void write_number(char *to, unsigned number)
{
    char digits[12];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    memcpy(to, digits + at, sizeof digits - at);
}

static int limit(const struct wf_process_options *options)
{
    for (int i = 0; i < WF_PROCESS_LIMITS_MAX; i++) {
        const struct wf_process_limit *chosen = &options->limits[i];
        struct rlimit both = {.rlim_cur = chosen->most, .rlim_max = chosen->most};
        if ((chosen->set || chosen->most > 0) && setrlimit((__rlimit_resource_t)chosen->resource, &both) < 0) return -1;
    }
    return 0;
}

/* By the system calls: the library's would tell all threads, which are ours. */
static int become_user(const struct wf_process_options *options)
{
    if (!options->set_user) return 0;
    if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setgid, options->gid) < 0) return -1;
    return (int)syscall(SYS_setuid, options->uid);
}

static int die_with_parent(const struct child *child, int number)
{
    if (number == 0) return 0;
    if (prctl(PR_SET_PDEATHSIG, number) < 0) return -1;
    if (getppid() != child->parent) raise(number); /* too late: it is gone already */
    return 0;
}

/* As execvpe: -EACCES of one place is remembered while the others are tried. */
static void execute(const struct child *child)
{
    char *const *argv = (char *const *)(uintptr_t)child->program->options->argv_;
    char path[PROGRAM_MAX];
    int code = ENOENT;
    size_t name_size = strlen(argv[0]) + 1;
    if (strchr(argv[0], '/') != NULL) {
        execve(argv[0], argv, child->environment);
        return;
    }
    for (const char *next = child->search; next != NULL;) {
        size_t size = strcspn(next, ":");
        const char *rest = next[size] == ':' ? next + size + 1 : NULL;
        if (size + 1 + name_size <= sizeof path) {
            memcpy(path, next, size);
            path[size] = '/';
            memcpy(path + size + (size > 0), argv[0], name_size);
            execve(path, argv, child->environment);
            if (errno == EACCES) code = EACCES;
            else if (errno != ENOENT && errno != ENOTDIR) return;
        }
        next = rest;
    }
    errno = code;
}

static enum step prepare_and_execute(struct child *child)
{
    const struct wf_process_options *options = child->program->options;
    if (options->new_session ? setsid() < 0 : options->new_group && setpgid(0, 0) < 0) return STEP_GROUP;
    if (place_descriptors(child) < 0) return STEP_DESCRIPTORS;
    if (child->listen_pid != NULL) write_number(child->listen_pid, (unsigned)syscall(SYS_getpid));
    if (options->directory != NULL && chdir(options->directory) < 0) return STEP_DIRECTORY;
    if (limit(options) < 0) return STEP_LIMIT;
    if (become_user(options) < 0) return STEP_USER;
    if (die_with_parent(child, options->death_signal) < 0) return STEP_GROUP;
    if (reset_signals() < 0) return STEP_GROUP;
    execute(child);
    return STEP_PROGRAM;
}

static int run_child(void *argument)
{
    struct child *child = argument;
    child->shared = true;
    struct failure failure = {.step = prepare_and_execute(child)};
    failure.code = errno;
    child->failure = failure;
    ssize_t ignored = child->report_fd < 0 ? 0 : write(child->report_fd, &failure, sizeof failure);
    (void)ignored;
    return (int)syscall(SYS_exit_group,
                        127); /* not _exit: sanitizers would look for this stack among those they know */
}

/* ---- Here ---- */

bool system_passes_on(const char *variable)
{
    static const char *const own[] = {"LISTEN_PID=",    "LISTEN_FDS=",   "LISTEN_FDNAMES=",
                                      "NOTIFY_SOCKET=", "WATCHDOG_PID=", "WATCHDOG_USEC="};
    for (size_t i = 0; i < WF_COUNT(own); i++)
        if (strncmp(variable, own[i], strlen(own[i])) == 0) return false;
    return true;
}

/* That of this process; a copy, to be freed, where something in it is not passed on. NULL: out of memory. */
static char **own_environment(char ***copy)
{
    static char *nothing[] = {NULL};
    size_t count = 0, kept = 0;
    bool all = true;
    *copy = NULL;
    for (; environ != NULL && environ[count] != NULL; count++) all &= system_passes_on(environ[count]);
    if (count == 0) return nothing;
    if (all) return environ;
    char **environment = *copy = memory_alloc((count + 1) * sizeof *environment);
    if (environment == NULL) return NULL;
    for (size_t i = 0; i < count; i++)
        if (system_passes_on(environ[i])) environment[kept++] = environ[i];
    environment[kept] = NULL;
    return environment;
}

struct announcement {
    char fds[32], pid[32]; /* "LISTEN_FDS=1" */
    char *environment[];
};

/* An environment with what the child is told about the sockets that it inherits. NULL: out of memory. */
static struct announcement *announce(char *const *environment, unsigned sockets)
{
    size_t count = 0;
    while (environment[count] != NULL) count++;
    struct announcement *made = memory_alloc(sizeof *made + (count + 3) * sizeof made->environment[0]);
    if (made == NULL) return NULL;
    memcpy(made->environment, environment, count * sizeof environment[0]);
    strcpy(made->fds, "LISTEN_FDS=");
    write_number(made->fds + strlen(made->fds), sockets);
    strcpy(made->pid, "LISTEN_PID=");
    made->environment[count] = made->fds;
    made->environment[count + 1] = made->pid;
    made->environment[count + 2] = NULL;
    return made;
}

/* No handler of ours may run in the child, which would run it in our memory. */
static int clone_child(struct child *child, void *stack_top, int *fd)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    int pid = clone_unwatched(run_child, stack_top, flags, child, fd);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid < 0 ? -code : pid;
}

static int clone_on_own_stack(struct child *child, int *fd)
{
    struct stack_pool *stacks = &current_loop->stacks;
    int class = stack_class_for(STACK);
    if (!stack_reserve(stacks, (unsigned)class)) return -ENOMEM;
    struct stack *stack = stack_take(stacks, (unsigned)class);
    int pid = clone_child(child, stack_top(stack), fd);
    stack_give(stacks, stack);
    return pid;
}

/* The same with a pipe, at whose end the child has begun or ended. */
static int clone_and_listen(struct child *child, int *fd)
{
    int report[2];
    struct failure failure;
    ssize_t got;
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    child->report_fd = report[1];
    int pid = clone_on_own_stack(child, fd);
    close(report[1]);
    do got = read(report[0], &failure, sizeof failure);
    while (got < 0 && errno == EINTR);
    close(report[0]);
    if (got == (ssize_t)sizeof failure) child->failure = failure;
    if (child->shared) atomic_store(&memory_is_shared, true);
    return pid;
}

static int start_in(struct program *program, char *const *environment, char *listen_pid)
{
    const struct wf_process_options *options = program->options;
    const char *search = getenv("PATH");
    struct child child = {
        .program = program,
        .environment = environment,
        .search = search != NULL ? search : "/usr/bin:/bin",
        .parent = options->death_signal != 0 ? getpid() : 0,
        .report_fd = -1,
        .listen_pid = listen_pid,
    };
    int *fd = &program->fd;
    int rc = atomic_load(&memory_is_shared) ? clone_on_own_stack(&child, fd) : clone_and_listen(&child, fd);
    program->what = step_names[child.failure.step];
    if (rc < 0) return rc;
    program->pid = rc;
    if (child.failure.code == 0) return 0;
    siginfo_t ended;
    close(program->fd);
    waitid(P_PID, (id_t)program->pid, &ended, WEXITED);
    return -child.failure.code;
}

int system_process_start(struct loop *loop, struct program *program)
{
    (void)loop;
    const struct wf_process_options *options = program->options;
    char **copy = NULL, *const *environment = (char *const *)(uintptr_t)options->environment;
    if (environment == NULL) environment = own_environment(&copy);
    struct announcement *told = NULL;
    if (environment != NULL && options->listening > 0) told = announce(environment, options->listening);
    int rc = -ENOMEM;
    if (told != NULL) rc = start_in(program, told->environment, told->pid + strlen(told->pid));
    else if (environment != NULL && options->listening == 0) rc = start_in(program, environment, NULL);
    memory_free(told);
    memory_free(copy);
    return rc;
}

/* ---- Afterwards ---- */

bool system_process_ended(struct loop *loop, int fd, struct wf_process_status *status)
{
    (void)loop;
    siginfo_t info = {.si_pid = 0};
    struct rusage usage = {.ru_maxrss = 0};
    long rc;
    do rc = syscall(SYS_waitid, P_PIDFD, fd, &info, WEXITED | WNOHANG, &usage);
    while (rc < 0 && errno == EINTR);
    if (rc == 0 && info.si_pid == 0) return false;
    if (rc < 0) info = (siginfo_t){.si_code = CLD_EXITED, .si_status = -1}; /* somebody else reaped it */
    bool exited = info.si_code == CLD_EXITED;
    status->code = exited ? info.si_status : -1;
    status->signal = exited ? 0 : info.si_status;
    status->usage = usage;
    return true;
}

int system_process_signal(struct loop *loop, int fd, pid_t pid, bool group, int number)
{
    (void)loop;
    if (group) return kill(-pid, number) < 0 ? -errno : 0; /* not reaped: the number is still its */
    if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0) return 0;
    if (errno != ENOSYS) return -errno;
    return kill(pid, number) < 0 ? -errno : 0; /* under valgrind, and in some sandboxes */
}
