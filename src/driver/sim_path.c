/* What is done to names of the simulated disk, and listing them. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "driver/sim_tree.h"
#include "driver/system.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

/* ---- New names ---- */

/* The place of a name that is not there yet. */
static int new_place(struct sim *sim, struct wf_sim_host *host, const char *path, struct sim_place *place)
{
    int rc = sim_resolve(sim, host, path, false, place);
    return rc == 0 && place->file != NULL ? -EEXIST : rc;
}

static int make(struct sim *sim, struct wf_sim_host *host, const char *path, mode_t mode, const char *target)
{
    struct sim_place place;
    int rc = new_place(sim, host, path, &place);
    if (rc < 0) return rc;
    struct sim_file *file = sim_file_new(sim, mode);
    if (file == NULL) return -ENOMEM;
    sim_file_use(host, file);
    if (target != NULL) file->target = memory_copy_text(target);
    rc = target != NULL && file->target == NULL ? -ENOMEM : 0;
    if (rc == 0) rc = sim_rename(sim, host, file, &place, file, NULL, NULL);
    sim_file_drop(host, file);
    if (rc == 0) sim_tell(sim, place.dir, place.name, IN_CREATE | (S_ISDIR(mode) ? IN_ISDIR : 0), 0);
    return rc;
}

static int make_link(struct sim *sim, struct wf_sim_host *host, const struct op *op)
{
    struct sim_place from, to;
    int rc = sim_resolve(sim, host, op->path, false, &from);
    if (rc < 0) return rc;
    if (from.file == NULL) return -ENOENT;
    if (S_ISDIR(from.file->mode)) return -EPERM;
    rc = sim_file_load(host, from.file);
    if (rc == 0) rc = new_place(sim, host, op->other, &to);
    if (rc == 0) rc = sim_rename(sim, host, NULL, &to, from.file, NULL, NULL);
    if (rc == 0) sim_tell(sim, to.dir, to.name, IN_CREATE, 0);
    return rc;
}

/* ---- Other names ---- */

static bool is_inside(const struct sim_file *dir, const struct sim_file *file)
{
    while (dir != NULL && dir != file) dir = dir->parent;
    return dir != NULL;
}

static int may_replace(struct sim *sim, const struct op *op, const struct sim_file *from, struct sim_file *to)
{
    if (to == NULL) return 0;
    if (op->mode & RENAME_NOREPLACE) return -EEXIST;
    if (!S_ISDIR(to->mode)) return S_ISDIR(from->mode) ? -ENOTDIR : 0;
    if (!S_ISDIR(from->mode)) return -EISDIR;
    return sim_is_empty(sim, to) ? 0 : -ENOTEMPTY;
}

static void tell_rename(struct sim *sim, const struct sim_place *from, const struct sim_place *to)
{
    unsigned cookie = (unsigned)(sim_random(sim) >> 33) + 1;
    unsigned directory = S_ISDIR(from->file->mode) ? IN_ISDIR : 0;
    sim_tell(sim, from->dir, from->name, IN_MOVED_FROM | directory, cookie);
    sim_tell(sim, to->dir, to->name, IN_MOVED_TO | directory, cookie);
    sim_tell(sim, from->file, NULL, IN_MOVE_SELF, 0);
    if (to->file != NULL) sim_tell(sim, to->file, NULL, IN_DELETE_SELF, 0);
}

static int move(struct sim *sim, struct wf_sim_host *host, const struct op *op)
{
    struct sim_place from, to;
    int rc = sim_resolve(sim, host, op->path, false, &from);
    if (rc == 0 && from.file == NULL) rc = -ENOENT;
    if (rc == 0) rc = sim_resolve(sim, host, op->other, false, &to);
    if (rc != 0) return rc;
    if (from.file == host->root || to.file == host->root) return -EBUSY;
    if (from.file == to.file) return op->mode & RENAME_NOREPLACE ? -EEXIST : 0;
    if (S_ISDIR(from.file->mode) && is_inside(to.dir, from.file)) return -EINVAL;
    rc = may_replace(sim, op, from.file, to.file);
    if (rc == 0) rc = sim_file_load(host, from.file);
    if (rc < 0) return rc;
    if (to.file != NULL) sim_file_use(host, to.file);
    rc = sim_rename(sim, host, NULL, &from, NULL, &to, from.file);
    if (rc == 0) tell_rename(sim, &from, &to);
    if (to.file != NULL) sim_file_drop(host, to.file);
    return rc;
}

/* ---- No name any more ---- */

/* `directory`: 0 removes anything else, 1 an empty directory, 2 whatever is there, with all that is in it. */
static int remove_name(struct sim *sim, struct wf_sim_host *host, const char *path, int directory)
{
    struct sim_place place;
    int rc = sim_resolve(sim, host, path, false, &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    struct sim_file *file = place.file;
    bool is_directory = S_ISDIR(file->mode);
    if (file == host->root) return -EBUSY;
    if (is_directory && directory == 0) return -EISDIR;
    if (!is_directory && directory == 1) return -ENOTDIR;
    if (is_directory && directory == 1 && !sim_is_empty(sim, file)) return -ENOTEMPTY;
    if (is_directory && directory == 2 && !sim_may(sim, file, S_IRWXU) && !sim_is_empty(sim, file)) return -EACCES;
    sim_file_use(host, file);
    rc = sim_rename(sim, host, NULL, &place, NULL, NULL, NULL);
    if (rc == 0) {
        sim_tell(sim, place.dir, place.name, IN_DELETE | (is_directory ? IN_ISDIR : 0), 0);
        sim_tell(sim, file, NULL, IN_DELETE_SELF, 0);
    }
    sim_file_drop(host, file);
    return rc;
}

/* ---- What is not in the name ---- */

static int64_t read_link(struct sim *sim, struct wf_sim_host *host, const struct op *op)
{
    struct sim_place place;
    int rc = sim_resolve(sim, host, op->path, false, &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    if (place.file->target == NULL) return -EINVAL;
    size_t size = strlen(place.file->target);
    if (size > op->size) size = op->size;
    memcpy(op->buffer, place.file->target, size);
    return (int64_t)size;
}

/* `op->buffer` for times, else the mode. */
static int set_status(struct sim *sim, struct wf_sim_host *host, const struct op *op)
{
    struct sim_place place;
    int rc = sim_resolve(sim, host, op->path, true, &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    struct sim_file *file = place.file;
    rc = sim_file_load(host, file);
    if (rc < 0) return rc;
    file->touched = true;
    const struct timespec *times = op->buffer;
    if (op->flags == PATH_CHMOD) file->mode = (file->mode & S_IFMT) | (op->mode & 07777);
    else file->written_at = (int64_t)times[1].tv_sec * 1000000000 + times[1].tv_nsec;
    sim_tell_of(sim, file, IN_ATTRIB);
    return 0;
}

int64_t sim_path(struct sim *sim, const struct op *op)
{
    struct wf_sim_host *host = sim_host_of(sim, op->wait.task);
    switch ((enum path_verb)op->flags) {
    case PATH_RENAME:
        return move(sim, host, op);
    case PATH_LINK:
        return make_link(sim, host, op);
    case PATH_SYMLINK:
        return make(sim, host, op->other, S_IFLNK | 0777, op->path);
    case PATH_READLINK:
        return read_link(sim, host, op);
    case PATH_UNLINK:
        return remove_name(sim, host, op->path, 0);
    case PATH_RMDIR:
        return remove_name(sim, host, op->path, 1);
    case PATH_REMOVE_SOME:
        return remove_name(sim, host, op->path, 2);
    case PATH_MKDIR:
        return make(sim, host, op->path, S_IFDIR | (op->mode & 07777), NULL);
    case PATH_CHMOD:
    case PATH_TIMES:
        return set_status(sim, host, op);
    case PATH_WATCH:
        return sim_watch(sim, op);
    case PATH_VERBS:
        break;
    }
    return -EINVAL;
}

/* ---- Listing ---- */

static bool put_name(struct sim *sim, struct sim_file *dir, const char *name, const struct op *op, size_t *used)
{
    struct sim_file *file;
    char own[SIM_NAME_MAX + 1];
    snprintf(own, sizeof own, "%s", name);
    if (sim_look_up(sim, dir, own, &file) < 0) return true; /* it vanished */
    struct listed *listed = system_put_listed(op, *used, name);
    if (listed == NULL) return false;
    listed->type = (uint8_t)IFTODT(file->mode);
    if (op->flags & LIST_STATUS) sim_file_status(file, &listed->status);
    *used += listed->size;
    return true;
}

int64_t sim_list(struct sim *sim, struct sim_end *end, struct op *op)
{
    if (!S_ISDIR(end->file->mode)) return -ENOTDIR;
    if (end->names == NULL) end->names = sim_names(sim, end->file);
    if (end->names == NULL) return -ENOMEM;
    size_t used = 0;
    const char *name = end->names + end->position;
    while (*name != '\0' && put_name(sim, end->file, name, op, &used)) name += strlen(name) + 1;
    end->position = name - end->names;
    if (*name == '\0') op->flags |= LIST_ENDED;
    return (int64_t)used;
}
