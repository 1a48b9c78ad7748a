/* Descriptors that go along with messages in the simulated world: real ones only, as duplicates. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "driver/sim.h"

void sim_rights_drop(struct sim_rights *rights)
{
    if (rights == NULL) return;
    for (int i = 0; i < rights->count; i++) close(rights->fds[i]);
    memory_free(rights);
}

static int duplicate(int fd)
{
    if (fd >= SIM_FD_FIRST) return -EOPNOTSUPP;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? -errno : copy;
}

int sim_rights_take(const struct msghdr *header, struct sim_rights **out)
{
    *out = NULL;
    const struct cmsghdr *part = header->msg_controllen > 0 ? CMSG_FIRSTHDR(header) : NULL;
    if (part == NULL || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) return 0;
    size_t size = part->cmsg_len - CMSG_LEN(0);
    struct sim_rights *rights = memory_alloc(sizeof *rights + size);
    if (rights == NULL) return -ENOMEM;
    rights->next = NULL;
    memcpy(rights->fds, CMSG_DATA(part), size);
    int count = (int)(size / sizeof(int)), rc = 0;
    for (rights->count = 0; rights->count < count && rc >= 0; rights->count += rc >= 0)
        rc = rights->fds[rights->count] = duplicate(rights->fds[rights->count]);
    if (rc >= 0) *out = rights;
    else sim_rights_drop(rights);
    return rc < 0 ? rc : 0;
}

/* As the system does: as many as there is room for, and the others are closed. */
void sim_rights_give(struct sim_rights *rights, struct msghdr *header)
{
    size_t room = header->msg_controllen;
    int count = rights != NULL ? rights->count : 0;
    int most = room >= CMSG_LEN(sizeof(int)) ? (int)((room - CMSG_LEN(0)) / sizeof(int)) : 0;
    header->msg_controllen = 0;
    if (count == 0) return;
    if (count > most) header->msg_flags |= MSG_CTRUNC;
    for (int i = most; i < count; i++) close(rights->fds[i]);
    if (count > most) count = most;
    if (count > 0) {
        struct cmsghdr *part = header->msg_control;
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
        memcpy(CMSG_DATA(part), rights->fds, sizeof(int) * (size_t)count);
        header->msg_controllen = part->cmsg_len;
    }
    memory_free(rights);
}
