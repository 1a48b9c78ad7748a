/*
 * Descriptors of the simulated world, and the ends that they stand for. Several may stand for one end: duplicates, and
 * those that are under way to another task. The end is closed with the last of them.
 *
 *     opened --closed--> free                              severed: its process has ended, every operation on it says
 *        +-----its process ends--> severed --closed--> free         -EBADF, and its number is not given to anybody yet
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/stream.h>

#include "base/memory.h"
#include "base/report.h"
#include "driver/sim_process.h"
#include "driver/sim_queue.h"
#include "driver/system.h"

_Thread_local size_t sim_left_open;

/* ---- Ends ---- */

/* Is there room in the table for one more, beside those that are promised? */
static bool has_room(struct sim *sim)
{
    if (sim->fds_used + sim->fds_promised < sim->fds_room) return true;
    size_t room = sim->fds_room == 0 ? 64 : sim->fds_room * 2;
    struct sim_fd **larger = memory_resize(sim->fds, room * sizeof(struct sim_fd *));
    if (larger == NULL) return false;
    memset(larger + sim->fds_room, 0, (room - sim->fds_room) * sizeof(struct sim_fd *));
    sim->fds = larger;
    sim->fds_room = room;
    return true;
}

/* With all that its first descriptor needs, so that an accept cannot fail for want of memory. */
static struct sim_end *allocate_end(struct sim *sim)
{
    struct sim_end *end = has_room(sim) ? memory_zero(sizeof *end) : NULL;
    if (end == NULL) return NULL;
    end->first_fd = memory_zero(sizeof *end->first_fd);
    if (end->first_fd == NULL) {
        memory_free(end);
        return NULL;
    }
    sim->fds_promised++;
    return end;
}

struct sim_end *sim_end_new(struct sim *sim, struct wf_sim_host *host, enum end_kind kind)
{
    struct sim_end *end = allocate_end(sim);
    if (end == NULL) return NULL;
    end->kind = kind;
    end->host = host;
    end->earlier = sim->last_end;
    if (sim->last_end != NULL) sim->last_end->later = end;
    else sim->ends = end;
    sim->last_end = end;
    return end;
}

static void unlink_end(struct sim *sim, struct sim_end *end)
{
    if (end->later != NULL) end->later->earlier = end->earlier;
    else sim->last_end = end->earlier;
    if (end->earlier != NULL) end->earlier->later = end->later;
    else sim->ends = end->later;
}

void sim_end_close(struct sim *sim, struct sim_end *end)
{
    unlink_end(sim, end);
    if (end->kind == END_FILE) sim_file_close(sim, end);
    else if (end->kind == END_WATCHER) sim_watch_close(end);
    else if (end->kind == END_PROCESS) sim_process_leave(end);
    else sim_net_close(sim, end);
    if (end->box != NULL) sim_message_close(sim, end);
    if (end->family == AF_UNIX) sim_unix_leave(sim, end);
    if (end->first_fd != NULL) sim->fds_promised--;
    memory_free(end->first_fd);
    memory_free(end);
}

void sim_end_drop(struct sim *sim, struct sim_end *end)
{
    if (--end->references == 0) sim_end_close(sim, end);
}

/* ---- Descriptors ---- */

static struct sim_fd *descriptor(const struct sim *sim, int number)
{
    size_t index = (size_t)number - SIM_FD_FIRST;
    return number >= SIM_FD_FIRST && index < sim->fds_room ? sim->fds[index] : NULL;
}

struct sim_end *sim_end_of(struct sim *sim, int number)
{
    const struct sim_fd *fd = descriptor(sim, number);
    return fd != NULL ? fd->end : NULL;
}

static struct sim_fd *allocate_descriptor(struct sim *sim, struct sim_end *end)
{
    struct sim_fd *fd = end->first_fd;
    if (fd == NULL) return has_room(sim) ? memory_zero(sizeof *fd) : NULL;
    end->first_fd = NULL;
    sim->fds_promised--;
    return fd;
}

/* Gives it the lowest number that is free. */
static struct sim_fd *new_descriptor(struct sim *sim, struct sim_end *end)
{
    size_t index = 0;
    struct sim_fd *fd = allocate_descriptor(sim, end);
    if (fd == NULL) return NULL;
    while (sim->fds[index] != NULL) index++;
    fd->number = SIM_FD_FIRST + (int)index;
    sim->fds[index] = fd;
    sim->fds_used++;
    return fd;
}

static int open_for(struct sim *sim, struct sim_end *end, struct wf_sim_host *host, const struct wf_task *opener)
{
    uint32_t most = sim->faults.descriptors_max;
    if (most > 0 && host->descriptors >= most) return -EMFILE;
    struct sim_fd *fd = new_descriptor(sim, end);
    if (fd == NULL) return -ENOMEM;
    snprintf(fd->born_in, sizeof fd->born_in, "%s", opener != NULL ? opener->name : "the loop itself");
    fd->born_at = opener != NULL ? opener->place : "?";
    fd->owner = sim_process_of(opener);
    fd->host = host;
    fd->end = end;
    fd->next = end->fds;
    end->fds = fd;
    end->references++;
    host->descriptors++;
    return fd->number;
}

int sim_end_open(struct sim *sim, struct sim_end *end, const struct wf_task *opener)
{
    int rc = open_for(sim, end, end->host, opener);
    if (rc < 0 && end->references == 0) sim_end_close(sim, end);
    return rc;
}

/* It stands for nothing any more. */
static void sever(struct sim *sim, struct sim_fd *fd)
{
    struct sim_end *end = fd->end;
    struct sim_fd **link = &end->fds;
    while (*link != fd) link = &(*link)->next;
    *link = fd->next;
    fd->end = NULL;
    fd->host->descriptors--;
    sim_end_drop(sim, end);
}

void sim_fd_close(struct sim *sim, int number)
{
    struct sim_fd *fd = descriptor(sim, number);
    if (fd == NULL) return;
    sim->fds[number - SIM_FD_FIRST] = NULL;
    sim->fds_used--;
    if (fd->end != NULL) sever(sim, fd);
    memory_free(fd);
}

void sim_fds_sever(struct sim *sim, const struct sim_process *owner)
{
    for (size_t i = 0; i < sim->fds_room; i++) {
        struct sim_fd *fd = sim->fds[i];
        if (fd == NULL || fd->owner != owner || fd->end == NULL) continue;
        sim_stir(sim, fd->end); /* who waits there finds that it is gone */
        sever(sim, fd);
    }
}

void sim_fd_give(struct sim *sim, int number, const struct sim_process *owner)
{
    struct sim_fd *fd = descriptor(sim, number);
    if (fd != NULL) fd->owner = owner;
}

void sim_fds_finish(struct sim *sim)
{
    for (size_t i = 0; i < sim->fds_room; i++) {
        const struct sim_fd *fd = sim->fds[i];
        if (fd == NULL) continue;
        if (fd->end != NULL) {
            wf_report("left open in the simulated world: descriptor %d, opened by task '%s' (spawned at %s)",
                      fd->number, fd->born_in, fd->born_at);
            sim_left_open++;
        }
        sim_fd_close(sim, fd->number);
    }
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later) end->references++;
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later) sim_rights_forget(end);
    while (sim->ends != NULL) sim_end_close(sim, sim->ends); /* under way by themselves: nobody could close them */
    memory_free(sim->fds);
}

/* ---- Calls ---- */

void sim_attach(struct loop *loop, struct desc *desc)
{
    struct sim_fd *fd = descriptor(sim_of(loop), desc->fd);
    if (fd != NULL) fd->desc = desc;
}

void sim_close_fd(struct loop *loop, int number)
{
    if (number >= SIM_FD_FIRST) sim_fd_close(sim_of(loop), number);
    else close(number);
}

/* The standard streams of a program are where its streams are. */
static int standard_of(const struct loop *loop, int number)
{
    const struct sim_process *process = sim_process_of(loop->running);
    if (process == NULL || number < 0 || number > STDERR_FILENO) return number;
    struct wf_stream *const streams[] = {process->seen.input, process->seen.output, process->seen.error};
    return streams[number] != NULL ? wf_stream_fd(streams[number]) : -1;
}

int sim_duplicate(struct loop *loop, int number)
{
    struct sim *sim = sim_of(loop);
    int of = standard_of(loop, number);
    struct sim_end *end = sim_end_of(sim, of);
    return end != NULL ? open_for(sim, end, sim_host_of(sim, loop->running), loop->running)
                       : system_duplicate(loop, of);
}

int sim_describe(struct loop *loop, int number, struct described *described)
{
    static const mode_t types[] = {
        [END_SOCKET] = S_IFSOCK, [END_LISTENER] = S_IFSOCK, [END_MESSAGES] = S_IFSOCK, [END_PIPE] = S_IFIFO,
        [END_FILE] = S_IFREG,    [END_WATCHER] = S_IFREG,   [END_PROCESS] = S_IFREG,
    };
    const struct sim_end *end = sim_end_of(sim_of(loop), number);
    if (end == NULL) {
        int rc = system_describe(loop, number, described);
        described->elsewhere = true;
        return rc;
    }
    *described = (struct described){.type = types[end->kind], .socket_type = end->type, .non_blocking = true};
    if (end->kind == END_SOCKET) described->socket_type = SOCK_STREAM;
    return 0;
}
