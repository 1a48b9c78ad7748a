/* Descriptors that go along with messages in the simulated world: real ones as duplicates, others as their ends. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "driver/sim_message.h"
#include "driver/sim_queue.h"

/* ---- Dropping ---- */

static void drop(struct sim *sim, const struct sim_right *right)
{
    if (right->end != NULL) sim_end_drop(sim, right->end);
    else close(right->fd);
}

void sim_rights_drop(struct sim *sim, struct sim_rights *rights)
{
    if (rights == NULL) return;
    for (int i = 0; i < rights->count; i++) drop(sim, &rights->all[i]);
    memory_free(rights);
}

void sim_rights_forget(struct sim_end *end)
{
    struct sim *sim = sim_of(current_loop);
    struct sim_queue *queue = end->in;
    while (queue != NULL && queue->rights != NULL) {
        struct sim_rights *rights = queue->rights;
        queue->rights = rights->next;
        sim_rights_drop(sim, rights);
    }
    for (struct sim_message *message = end->box != NULL ? end->box->first : NULL; message != NULL;
         message = message->next) {
        sim_rights_drop(sim, message->rights);
        message->rights = NULL;
    }
}

/* ---- Taking ---- */

static int take(struct sim *sim, int fd, struct sim_right *right)
{
    right->end = sim_end_of(sim, fd);
    if (right->end != NULL) right->end->references++;
    else right->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return right->end == NULL && right->fd < 0 ? -errno : 0;
}

int sim_rights_take(struct sim *sim, const struct msghdr *header, struct sim_rights **out)
{
    *out = NULL;
    const struct cmsghdr *part = header->msg_controllen > 0 ? CMSG_FIRSTHDR(header) : NULL;
    if (part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return 0;
    int count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int)), rc = 0;
    struct sim_rights *rights = memory_zero(sizeof *rights + (size_t)count * sizeof(struct sim_right));
    if (rights == NULL) return -ENOMEM;
    for (; rights->count < count && rc == 0; rights->count += rc == 0) {
        int fd;
        memcpy(&fd, CMSG_DATA(part) + (size_t)rights->count * sizeof fd, sizeof fd);
        rc = take(sim, fd, &rights->all[rights->count]);
    }
    if (rc == 0) *out = rights;
    else sim_rights_drop(sim, rights);
    return rc;
}

/* ---- Giving ---- */

/* A descriptor of the task that receives, or a code. */
static int give(struct sim *sim, struct sim_right *right)
{
    if (right->end == NULL) return right->fd;
    int fd = sim_end_open(sim, right->end, sim->acting);
    sim_end_drop(sim, right->end);
    return fd;
}

/* As the system does: as many as there is room for and as can be had, and the others are closed. */
void sim_rights_give(struct sim *sim, struct sim_rights *rights, struct msghdr *header)
{
    size_t room = header->msg_controllen;
    int most = room >= CMSG_LEN(sizeof(int)) ? (int)((room - CMSG_LEN(0)) / sizeof(int)) : 0;
    header->msg_controllen = 0;
    if (rights == NULL || rights->count == 0) return sim_rights_drop(sim, rights);
    struct cmsghdr *part = header->msg_control;
    int given = 0;
    bool more = true;
    for (int i = 0; i < rights->count; i++) {
        more = more && i < most;
        int fd = more ? give(sim, &rights->all[i]) : -EMFILE;
        if (fd >= 0) memcpy(CMSG_DATA(part) + (size_t)given++ * sizeof fd, &fd, sizeof fd);
        else if (!more) drop(sim, &rights->all[i]);
        more = more && fd >= 0;
    }
    if (given < rights->count) header->msg_flags |= MSG_CTRUNC;
    memory_free(rights);
    if (given == 0) return;
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)given);
    header->msg_controllen = part->cmsg_len;
}
