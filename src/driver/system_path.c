/* Names on the real disk: the calls that are made on a thread, and listing directories. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "driver/system.h"

enum { DEPTH_MAX = 128 };

/* ---- Removing a tree: each name by its directory's descriptor, so that no link swapped in leads elsewhere ---- */

static int remove_name(int parent, const char *name, size_t *left, int depth);

static int remove_names(DIR *directory, size_t *left, int depth)
{
    const struct dirent *found;
    int rc = 0;
    while (rc == 0 && (found = readdir(directory)) != NULL)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            rc = remove_name(dirfd(directory), found->d_name, left, depth);
    return rc;
}

static int remove_inside(int parent, const char *name, size_t *left, int depth)
{
    if (depth == DEPTH_MAX) return -ELOOP;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return -errno;
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return -ENOMEM;
    }
    int rc = remove_names(directory, left, depth + 1);
    closedir(directory);
    return rc;
}

/* Gives 1 when the count was used up before all was gone. */
static int remove_name(int parent, const char *name, size_t *left, int depth)
{
    if (*left == 0) return 1;
    --*left;
    if (unlinkat(parent, name, 0) == 0) return 0;
    if (errno == ENOENT && depth > 0) return 0;
    if (errno != EISDIR && errno != EPERM) return -errno;
    int refused = -errno;
    int rc = remove_inside(parent, name, left, depth);
    if (rc == -ENOTDIR) return refused;
    if (rc != 0) return rc;
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
    return errno == ENOTEMPTY ? 1 : -errno; /* somebody put a new name there meanwhile */
}

static int remove_some(const struct op *op)
{
    size_t left = op->size;
    int rc = remove_name(AT_FDCWD, op->path, &left, 0);
    if (rc >= 0) return rc;
    errno = -rc;
    return -1;
}

/* ---- The others ---- */

int64_t system_path_call(const struct op *op)
{
    switch ((enum path_verb)op->flags) {
    case PATH_RENAME:
        return renameat2(AT_FDCWD, op->path, AT_FDCWD, op->other, op->mode);
    case PATH_LINK:
        return link(op->path, op->other);
    case PATH_SYMLINK:
        return symlink(op->path, op->other);
    case PATH_READLINK:
        return readlink(op->path, op->buffer, op->size);
    case PATH_UNLINK:
        return unlink(op->path);
    case PATH_RMDIR:
        return rmdir(op->path);
    case PATH_REMOVE_SOME:
        return remove_some(op);
    case PATH_MKDIR:
        return mkdir(op->path, op->mode);
    case PATH_CHMOD:
        return chmod(op->path, op->mode);
    case PATH_TIMES:
        return utimensat(AT_FDCWD, op->path, op->buffer, 0);
    case PATH_WATCH:
        return inotify_add_watch(op->fd, op->path, op->mode);
    case PATH_VERBS:
        break;
    }
    errno = EINVAL;
    return -1;
}

/* ---- Listing ---- */

struct listed *system_put_listed(const struct op *op, size_t used, const char *name)
{
    size_t name_size = strlen(name) + 1, size = (sizeof(struct listed) + name_size + 7) & ~(size_t)7;
    if (op->size - used < size) return NULL;
    struct listed *listed = (struct listed *)(void *)((char *)op->buffer + used);
    memset(listed, 0, size);
    listed->size = (uint16_t)size;
    memcpy(listed->name, name, name_size);
    return listed;
}

struct kernel_entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* Gives false when there is no room for it any more. */
static bool put_entry(const struct op *op, size_t *used, const struct kernel_entry *entry)
{
    if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) return true;
    struct listed *listed = system_put_listed(op, *used, entry->name);
    if (listed == NULL) return false;
    listed->type = entry->type;
    if ((op->flags & LIST_STATUS) || entry->type == DT_UNKNOWN) {
        if (fstatat(op->desc->fd, entry->name, &listed->status, AT_SYMLINK_NOFOLLOW) < 0) return true; /* it vanished */
        listed->type = (uint8_t)IFTODT(listed->status.st_mode);
    }
    *used += listed->size;
    return true;
}

/* What does not fit is read again the next time: the directory's position is set back to it. */
int64_t system_list(struct op *op)
{
    _Alignas(struct kernel_entry) char buffer[3072];
    size_t used = 0;
    long got;
    int64_t position = lseek(op->desc->fd, 0, SEEK_CUR);
    while ((got = syscall(SYS_getdents64, op->desc->fd, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < got;) {
            const struct kernel_entry *entry = (const struct kernel_entry *)(const void *)(buffer + at);
            if (!put_entry(op, &used, entry)) {
                lseek(op->desc->fd, position, SEEK_SET);
                return (int64_t)used;
            }
            position = entry->next;
            at += entry->size;
        }
    }
    if (got < 0 && errno != ENOENT) return -1; /* the directory itself was removed: that is an end */
    op->flags |= LIST_ENDED;
    return (int64_t)used;
}
