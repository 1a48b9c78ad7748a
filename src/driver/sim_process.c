#include "driver/sim_process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/stream.h>

#include "base/memory.h"
#include "base/report.h"
#include "driver/sim_tree.h"
#include "driver/system.h"

enum { PATH_ROOM = 1024 };

struct sim_program {
    struct sim_program *next;
    struct wf_sim_program told;
    char name[];
};

static const struct wf_local process_here = {.name = "simulated process"};

/* ---- Programs ---- */

static struct sim_program *find_program(const struct sim *sim, const char *name)
{
    struct sim_program *program = sim->programs;
    while (program != NULL && strcmp(program->name, name) != 0) program = program->next;
    return program;
}

int wf_sim_set_program_(const struct wf_sim_program *told)
{
    struct sim *sim = sim_required("wf_sim_set_program");
    if (told->size != sizeof *told || told->name_ == NULL || told->name_[0] == '\0') return -EINVAL;
    if (told->code > 0 || (told->code == 0) != (told->main != NULL)) return -EINVAL;
    struct sim_program *program = find_program(sim, told->name_);
    if (program == NULL) {
        if (sim->program_count == SIM_PROGRAMS_MAX) return -ENOSPC;
        size_t size = strlen(told->name_) + 1;
        program = memory_alloc(sizeof *program + size);
        if (program == NULL) return -ENOMEM;
        memcpy(program->name, told->name_, size);
        program->next = sim->programs;
        sim->programs = program;
        sim->program_count++;
    }
    program->told = *told;
    return 0;
}

void sim_processes_finish(struct sim *sim)
{
    while (sim->programs != NULL) {
        struct sim_program *program = sim->programs;
        sim->programs = program->next;
        memory_free(program);
    }
}

/* ---- Processes ---- */

struct sim_process *sim_process_of(const struct wf_task *task)
{
    const struct wf_context *context = task != NULL ? task->context : NULL;
    while (context != NULL && context->key != &process_here) context = context->outer;
    return context != NULL ? context->value : NULL;
}

static void free_unneeded(struct sim *sim, struct sim_process *process)
{
    if (process->has_task || process->end != NULL) return;
    struct sim_process **link = &sim->processes;
    while (*link != process) link = &(*link)->next;
    *link = process->next;
    memory_free(process->texts);
    memory_free(process);
}

void sim_process_leave(struct sim_end *end)
{
    struct sim_process *process = end->process;
    if (process == NULL) return;
    process->end = NULL;
    free_unneeded(sim_of(current_loop), process);
}

static void send_signal(struct sim *sim, struct sim_process *process, int number);

/* The children go on, unless they asked not to. */
static void leave_children(struct sim *sim, const struct sim_process *parent)
{
    for (struct sim_process *process = sim->processes; process != NULL; process = process->next) {
        if (process->parent != parent) continue;
        process->parent = NULL;
        if (process->death_signal > 0) send_signal(sim, process, process->death_signal);
    }
}

static void end(struct sim *sim, struct sim_process *process, int code, int number)
{
    if (process->over) return;
    process->over = true;
    process->status.code = number > 0 ? -1 : code & 0xff;
    process->status.signal = number;
    process->host->processes--;
    sim_fds_sever(sim, process);
    if (process->scope != NULL) wf_scope_cancel(process->scope, "its process has ended");
    sim_stir(sim, process->end);
    leave_children(sim, process);
}

/* ---- Its life ---- */

static void close_streams(struct sim_process *process)
{
    wf_stream_close(process->seen.input);
    wf_stream_close(process->seen.output);
    wf_stream_close(process->seen.error);
}

static int run_program(struct sim_process *process)
{
    WF_BIND(bound, &process_here, process);
    WF_SCOPE(scope, .name = "process");
    process->scope = &scope;
    int rc = wf_scope_end(&scope, process->program->told.main(&process->seen));
    process->scope = NULL;
    return rc;
}

static int live(struct sim_process *process)
{
    struct sim *sim = sim_of(current_loop);
    int rc = 1;
    if (!process->over && !process->host->crashed) rc = wf_sim_on(process->host, run_program(process));
    end(sim, process, rc < 0 ? 1 : rc, rc == -EHOSTDOWN ? SIGKILL : 0);
    close_streams(process);
    process->has_task = false;
    free_unneeded(sim, process);
    return 0;
}

/* ---- Starting ---- */

static const char *directory_of(const struct sim_process *process)
{
    return process != NULL ? process->seen.directory : NULL;
}

static size_t size_of_list(const char *const *list, size_t *bytes)
{
    size_t count = 0;
    for (; list[count] != NULL; count++) *bytes += strlen(list[count]) + 1;
    return count + 1;
}

static const char **copy_list(const char *const *list, bool filtered, const char **pointers, char **bytes)
{
    for (; *list != NULL; list++) {
        if (filtered && !system_passes_on(*list)) continue;
        *pointers++ = *bytes;
        *bytes = stpcpy(*bytes, *list) + 1;
    }
    *pointers++ = NULL;
    return pointers;
}

/* What it is told lives in one block: the pointers, then the texts. */
static int copy_texts(struct sim_process *process, const struct sim_process *parent,
                      const struct wf_process_options *options)
{
    static const char *const nothing[] = {NULL};
    const char *const *ours = environ != NULL ? (const char *const *)(void *)environ : nothing;
    const char *const *inherited = parent != NULL ? parent->seen.environment : ours;
    const char *const *environment = options->environment != NULL ? options->environment : inherited;
    const char *above = directory_of(parent), *directory = options->directory != NULL ? options->directory : above;
    bool joined = options->directory != NULL && directory[0] != '/' && above != NULL;
    size_t bytes = directory != NULL ? strlen(directory) + (joined ? strlen(above) + 1 : 0) + 1 : 0;
    size_t argument_count = size_of_list(options->argv_, &bytes);
    size_t count = argument_count + size_of_list(environment, &bytes);
    const char **pointers = memory_alloc(count * sizeof *pointers + bytes);
    if (pointers == NULL) return -ENOMEM;
    char *text = (char *)(pointers + count);
    process->texts = (char *)pointers;
    process->seen.argv = pointers;
    process->seen.environment = copy_list(options->argv_, false, pointers, &text);
    copy_list(environment, environment == ours, pointers + argument_count, &text);
    if (directory == NULL) return 0;
    process->seen.directory = text;
    if (joined) text = stpcpy(stpcpy(text, above), "/");
    stpcpy(text, directory);
    return 0;
}

static int check_directory(struct sim *sim, struct wf_sim_host *host, const char *directory)
{
    struct sim_place place;
    if (directory == NULL) return 0;
    int rc = sim_resolve(sim, host, directory, true, &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    if (!S_ISDIR(place.file->mode)) return -ENOTDIR;
    return sim_may(sim, place.file, S_IXUSR) ? 0 : -EACCES;
}

/* Its own descriptor, for that of the caller; one of its standard streams for those of the caller's. */
static int open_stream(struct loop *loop, int number, int fd, struct wf_stream **stream)
{
    static int (*const standard[])(struct wf_stream * *stream) = {wf_stdin, wf_stdout, wf_stderr};
    if (fd < 0) return standard[number](stream);
    if (fd <= STDERR_FILENO) return standard[fd](stream);
    int copy = sim_duplicate(loop, fd);
    if (copy < 0) return copy;
    int rc = wf_stream_wrap(copy, stream);
    if (rc < 0) sim_close_fd(loop, copy);
    return rc;
}

static int open_streams(struct loop *loop, struct sim_process *process, const int fds[3])
{
    struct wf_stream **streams[] = {&process->seen.input, &process->seen.output, &process->seen.error};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = open_stream(loop, i, fds[i], streams[i]);
        if (rc == 0) sim_fd_give(sim_of(loop), wf_stream_fd(*streams[i]), process);
    }
    if (rc < 0) close_streams(process);
    return rc;
}

static int open_waiting(struct loop *loop, struct sim_process *process)
{
    struct sim *sim = sim_of(loop);
    process->end = sim_end_new(sim, sim_host_of(sim, loop->running), END_PROCESS);
    if (process->end == NULL) return -ENOMEM;
    int fd = sim_end_open(sim, process->end, loop->running);
    if (fd < 0) process->end = NULL;
    else process->end->process = process;
    return fd;
}

static int spawn(struct loop *loop, struct sim_process *process)
{
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = process,
        .daemon = true,
        .stack_size = process->program->told.stack_size,
        .function_ = process->program->name,
        .place_ = loop->running->place,
    };
    struct wf_task *task;
    int rc = task_spawn(&loop->root, WF_TASK_FN_(live, process), &options, &task);
    if (rc == 0) process->has_task = true;
    return rc;
}

/* From the record on the world's list to the task; what was made on the way is undone by closing the descriptor. */
static int begin(struct loop *loop, struct sim_process *process, struct program *program)
{
    program->what = "its descriptors";
    program->fd = open_waiting(loop, process);
    int rc = program->fd < 0 ? program->fd : open_streams(loop, process, program->fds);
    if (rc < 0) return rc;
    program->what = "";
    rc = spawn(loop, process);
    if (rc < 0) close_streams(process);
    return rc;
}

static int find(struct sim *sim, struct wf_sim_host *host, struct program *program, const struct sim_program **found)
{
    const struct sim_process *caller = sim_process_of(current_loop->running);
    if (host->crashed || (caller != NULL && caller->over)) return -ESRCH; /* nobody is left to start it */
    sim->acting = current_loop->running;
    program->what = "its directory";
    int rc = check_directory(sim, host, program->options->directory);
    if (rc < 0) return rc;
    program->what = "";
    *found = find_program(sim, program->options->argv_[0]);
    if (*found == NULL) return -ENOENT;
    if ((*found)->told.code < 0) return (*found)->told.code;
    uint32_t most = sim->faults.processes_max;
    if (most > 0 && host->processes >= most) return -EAGAIN;
    return sim_chance(sim, sim->faults.no_memory) ? -ENOMEM : 0;
}

int sim_process_start(struct loop *loop, struct program *program)
{
    struct sim *sim = sim_of(loop);
    struct wf_sim_host *host = sim_host_of(sim, loop->running);
    const struct wf_process_options *options = program->options;
    const struct sim_program *found;
    int rc = find(sim, host, program, &found);
    struct sim_process *process = rc == 0 ? memory_zero(sizeof *process) : NULL;
    if (process == NULL) return rc < 0 ? rc : -ENOMEM;
    const struct sim_process *parent = sim_process_of(loop->running);
    process->host = host;
    process->program = found;
    process->parent = parent;
    process->death_signal = options->death_signal;
    process->seen.pid = program->pid = sim->next_pid++;
    process->seen.arg = found->told.arg;
    process->group = options->new_group || options->new_session ? process->seen.pid
                     : parent != NULL                           ? parent->group
                                                                : 0;
    process->next = sim->processes;
    sim->processes = process;
    host->processes++;
    rc = copy_texts(process, parent, options);
    if (rc == 0) rc = begin(loop, process, program);
    if (rc == 0) return 0;
    process->over = true;
    host->processes--;
    if (process->end != NULL) sim_fd_close(sim, program->fd);
    else free_unneeded(sim, process);
    return rc;
}

/* ---- Waiting and signals ---- */

int sim_let_wait(struct loop *loop, int fd)
{
    (void)loop, (void)fd;
    return 0; /* who reads there is a task as well */
}

/* To whoever has ended himself, everything has. */
bool sim_process_ended(struct loop *loop, int fd, struct wf_process_status *status)
{
    const struct sim_process *caller = sim_process_of(loop->running);
    const struct sim_end *found = sim_end_of(sim_of(loop), fd);
    const struct sim_process *process = found != NULL ? found->process : NULL;
    *status = (struct wf_process_status){.code = -1};
    if (process == NULL || (caller != NULL && caller->over)) return true;
    if (process->over) *status = process->status;
    return process->over;
}

static bool is_harmless(int number)
{
    switch (number) {
    case 0:
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
    case SIGSTOP: /* tasks cannot be made to stand still */
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return true;
    default:
        return false;
    }
}

static void send_signal(struct sim *sim, struct sim_process *process, int number)
{
    bool received = number != SIGKILL && number > 0 && sim->receive != NULL && !process->over &&
                    sim->receive(current_loop, process->host, process, number) > 0;
    if (!received && !is_harmless(number)) end(sim, process, 0, number);
}

int sim_process_signal(struct loop *loop, int fd, pid_t pid, bool group, int number)
{
    struct sim *sim = sim_of(loop);
    const struct sim_process *caller = sim_process_of(loop->running);
    const struct sim_end *found = sim_end_of(sim, fd);
    if (found == NULL || found->process == NULL) return -ESRCH;
    if (caller != NULL && caller->over) return 0;
    if (!group) send_signal(sim, found->process, number);
    for (struct sim_process *process = sim->processes; process != NULL && group; process = process->next)
        if (process->group == pid && process->host == found->process->host) send_signal(sim, process, number);
    return 0;
}

/* ---- For the program itself ---- */

struct wf_sim_process *wf_sim_self(void)
{
    (void)sim_required(__func__);
    struct sim_process *process = sim_process_of(current_loop->running);
    return process != NULL ? &process->seen : NULL;
}

static struct sim_process *self_required(const char *function)
{
    (void)sim_required(function);
    struct sim_process *process = sim_process_of(current_loop->running);
    if (process == NULL)
        misuse("%s was called outside a program of the simulated world (wf_sim_set_program).", function);
    return process;
}

int wf_sim_exit(int status)
{
    end(sim_of(current_loop), self_required(__func__), status, 0);
    return -ECANCELED;
}

int wf_sim_raise(int number)
{
    struct sim_process *process = self_required(__func__);
    if (number < 0 || number > SIGRTMAX) return -EINVAL;
    send_signal(sim_of(current_loop), process, number);
    return process->over ? -ECANCELED : 0;
}
