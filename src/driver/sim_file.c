/*
 * Files of the simulated world: in memory, one disk a host.
 *
 *     write --> bytes, and a piece in the journal --sync--> durable bytes, the journal is empty
 *     crash --> bytes = durable bytes + of each piece in the journal all, nothing, or the first sectors
 *
 * The real file system is the layer below: a regular file that is opened for the first time brings its contents along,
 * and is never written. Devices are the real ones. What names do is in sim_tree.h.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/memory.h"
#include "driver/sim_tree.h"
#include "driver/system.h"

enum { SECTOR = 512, IMPORT_MAX = 64 << 20, FILE_MAX = 1 << 30 };

/* ---- Bytes ---- */

static int set_size(struct sim_bytes *bytes, size_t size)
{
    if (size > FILE_MAX) return -EFBIG;
    if (size > bytes->room) {
        size_t room = size < 4096 ? 4096 : size + size / 2;
        char *larger = memory_resize(bytes->data, room);
        if (larger == NULL) return -ENOMEM;
        bytes->data = larger;
        bytes->room = room;
    }
    if (size > bytes->size) memset(bytes->data + bytes->size, 0, size - bytes->size);
    bytes->size = size;
    return 0;
}

static int put(struct sim_bytes *bytes, int64_t offset, const char *data, size_t size)
{
    size_t end = (size_t)offset + size;
    int rc = end > bytes->size ? set_size(bytes, end) : 0;
    if (rc == 0 && size > 0) memcpy(bytes->data + offset, data, size);
    return rc;
}

static int copy(struct sim_bytes *to, const struct sim_bytes *from)
{
    int rc = set_size(to, from->size);
    if (rc == 0 && from->size > 0) memcpy(to->data, from->data, from->size);
    return rc;
}

/* ---- The journal ---- */

static void forget_journal(struct sim_file *file)
{
    while (file->journal != NULL) {
        struct sim_piece *piece = file->journal;
        file->journal = piece->next;
        memory_free(piece);
    }
    file->last_piece = &file->journal;
}

static struct sim_piece *note_piece(struct sim_file *file, int64_t offset, const char *data, size_t size)
{
    struct sim_piece *piece = memory_alloc(sizeof *piece + size);
    if (piece == NULL) return NULL;
    *piece = (struct sim_piece){.offset = offset, .size = size, .cut = data == NULL};
    if (data != NULL) memcpy(piece->data, data, size);
    *file->last_piece = piece;
    file->last_piece = &piece->next;
    return piece;
}

static int make_durable(struct sim_file *file, const struct sim_piece *piece, size_t size)
{
    return piece->cut ? set_size(&file->durable, (size_t)piece->offset)
                      : put(&file->durable, piece->offset, piece->data, size);
}

/* The size as it will be; what is more of it takes room on the disk. */
static int resize(struct sim *sim, struct wf_sim_host *host, struct sim_file *file, size_t size)
{
    uint64_t most = sim->faults.disk_size_max;
    size_t before = file->now.size;
    if (most != 0 && size > before && host->disk_size + (size - before) > most) return -ENOSPC;
    if (note_piece(file, (int64_t)size, NULL, 0) == NULL) return -ENOMEM;
    int rc = set_size(&file->now, size);
    if (rc < 0) return rc;
    host->disk_size += size;
    host->disk_size -= before;
    file->written_at = sim->now;
    sim_tell_of(sim, file, IN_MODIFY);
    return 0;
}

/* ---- The layer below ---- */

static int import(struct sim_file *file, int fd)
{
    char buffer[1024];
    ssize_t got;
    while ((got = read(fd, buffer, sizeof buffer)) > 0) {
        if (file->now.size + (size_t)got > IMPORT_MAX) return -EFBIG;
        int rc = put(&file->now, (int64_t)file->now.size, buffer, (size_t)got);
        if (rc < 0) return rc;
    }
    return got < 0 ? -errno : copy(&file->durable, &file->now);
}

int sim_file_load(struct wf_sim_host *host, struct sim_file *file)
{
    if (file->touched) return 0;
    if (!S_ISREG(file->mode)) return 0;
    int fd = open(file->below, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int rc = import(file, fd);
    close(fd);
    if (rc < 0) {
        file->now.size = file->durable.size = 0;
        return rc;
    }
    if (file->uses > 0) host->disk_size += file->now.size;
    file->touched = true;
    return 0;
}

/* ---- Opening and closing ---- */

static int create(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_place *place)
{
    struct sim_file *file = sim_file_new(sim, S_IFREG | (op->mode & 07777));
    if (file == NULL) return -ENOMEM;
    sim_file_use(host, file);
    int rc = sim_rename(sim, host, file, place, file, NULL, NULL);
    sim_file_drop(host, file);
    if (rc < 0) return rc;
    place->file = file;
    sim_tell(sim, place->dir, place->name, IN_CREATE, 0);
    return 0;
}

/* What the flags of open(2) ask for. */
static bool may_open(const struct sim *sim, const struct sim_file *file, int flags)
{
    int way = flags & O_ACCMODE;
    bool reads = way == O_RDONLY || way == O_RDWR, writes = way != O_RDONLY || (flags & O_TRUNC);
    return sim_may(sim, file, (reads ? S_IRUSR : 0) | (writes ? S_IWUSR : 0));
}

/* The file that is to be opened; a new one without a name has a use already. */
static int find_or_make(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_place *place)
{
    int flags = (int)op->flags;
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    int rc = sim_resolve(sim, host, op->path, !(flags & O_NOFOLLOW) && !exclusive, place);
    if (rc < 0) return rc;
    if (place->file == NULL) return flags & O_CREAT ? create(sim, host, op, place) : -ENOENT;
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        if (!S_ISDIR(place->file->mode)) return -ENOTDIR;
        if (!sim_may(sim, place->file, S_IWUSR)) return -EACCES;
        place->file = sim_file_new(sim, S_IFREG | (op->mode & 07777));
        return place->file != NULL ? 0 : -ENOMEM;
    }
    if (exclusive) return -EEXIST;
    if (S_ISLNK(place->file->mode)) return -ELOOP;
    if (S_ISDIR(place->file->mode)) {
        if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT)) return -EISDIR;
        if (!may_open(sim, place->file, flags)) return -EACCES;
        return place->file->touched || access(place->file->below, R_OK) == 0 ? 0 : -errno;
    }
    if (flags & O_DIRECTORY) return -ENOTDIR;
    return may_open(sim, place->file, flags) ? sim_file_load(host, place->file) : -EACCES;
}

static int open_end(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_file *file)
{
    struct sim_end *end = sim_end_new(sim, host, END_FILE);
    if (end == NULL) return -ENOMEM;
    end->file = file;
    end->flags = (int)op->flags;
    sim_file_use(host, file);
    return sim_end_open(sim, end, op->wait.task);
}

int64_t sim_file_open(struct sim *sim, const struct op *op)
{
    struct wf_sim_host *host = sim_host_of(sim, op->wait.task);
    struct sim_place place;
    int rc = find_or_make(sim, host, op, &place);
    if (rc < 0) return rc;
    struct sim_file *file = place.file;
    if (!S_ISREG(file->mode) && !S_ISDIR(file->mode)) {
        struct op below = *op;
        below.path = file->below;
        return system_blocking_call(&below);
    }
    sim_file_use(host, file); /* one that has no name would be gone */
    if ((op->flags & O_TRUNC) && file->now.size > 0) rc = resize(sim, host, file, 0);
    if (rc == 0) rc = open_end(sim, host, op, file);
    sim_file_drop(host, file);
    return rc;
}

void sim_file_close(struct sim *sim, struct sim_end *end)
{
    memory_free(end->names);
    if ((end->flags & O_ACCMODE) != O_RDONLY) sim_tell_of(sim, end->file, IN_CLOSE_WRITE);
    sim_file_drop(end->host, end->file);
}

/* ---- Reading, writing, syncing ---- */

static int64_t read_file(struct sim *sim, struct sim_end *end, const struct op *op)
{
    const struct sim_bytes *bytes = &end->file->now;
    if (S_ISDIR(end->file->mode)) return -EISDIR;
    int64_t at = op->offset >= 0 ? op->offset : end->position;
    if ((end->flags & O_ACCMODE) == O_WRONLY) return -EBADF;
    if ((size_t)at >= bytes->size) return 0;
    size_t left = bytes->size - (size_t)at;
    size_t size = sim_part(sim, op->size < left ? op->size : left, sim->faults.partial);
    memcpy(op->buffer, bytes->data + at, size);
    if (op->offset < 0) end->position += (int64_t)size;
    return (int64_t)size;
}

/* As much as the disk has room for; nothing of it is -ENOSPC. */
static size_t room_for(const struct sim *sim, const struct sim_end *end, int64_t at, size_t size)
{
    uint64_t most = sim->faults.disk_size_max;
    if (most == 0 || (size_t)at + size <= end->file->now.size) return size;
    uint64_t room = most > end->host->disk_size ? most - end->host->disk_size : 0;
    uint64_t fits = end->file->now.size + room;
    return fits <= (uint64_t)at ? 0 : fits - (uint64_t)at < size ? (size_t)(fits - (uint64_t)at) : size;
}

static int64_t write_file(struct sim *sim, struct sim_end *end, const struct op *op)
{
    struct sim_file *file = end->file;
    if ((end->flags & O_ACCMODE) == O_RDONLY) return -EBADF;
    bool appends = end->flags & O_APPEND;
    int64_t at = appends ? (int64_t)file->now.size : op->offset >= 0 ? op->offset : end->position;
    size_t size = room_for(sim, end, at, sim_part(sim, op->size, sim->faults.partial));
    if (size == 0 && op->size > 0) return -ENOSPC;
    size_t before = file->now.size;
    int rc = note_piece(file, at, op->buffer, size) != NULL ? 0 : -ENOMEM;
    if (rc == 0) rc = put(&file->now, at, op->buffer, size);
    if (rc < 0) return rc;
    end->host->disk_size += file->now.size - before;
    file->written_at = sim->now;
    if (op->offset < 0) end->position = at + (int64_t)size;
    sim_tell_of(sim, file, IN_MODIFY);
    return (int64_t)size;
}

static int64_t sync_file(struct sim_end *end)
{
    struct sim_file *file = end->file;
    for (const struct sim_piece *piece = file->journal; piece != NULL; piece = piece->next) {
        int rc = make_durable(file, piece, piece->size);
        if (rc < 0) return rc;
    }
    forget_journal(file);
    sim_changes_keep(end->host, file);
    return 0;
}

static int64_t set_length(struct sim *sim, struct sim_end *end, size_t size)
{
    if ((end->flags & O_ACCMODE) == O_RDONLY || S_ISDIR(end->file->mode)) return -EINVAL;
    return resize(sim, end->host, end->file, size);
}

static int64_t allocate(struct sim *sim, struct sim_end *end, const struct op *op)
{
    if ((end->flags & O_ACCMODE) == O_RDONLY) return -EBADF;
    size_t size = (size_t)op->offset + op->size;
    return op->mode != 0 ? -EOPNOTSUPP : size > end->file->now.size ? set_length(sim, end, size) : 0;
}

int64_t sim_file_try(struct sim *sim, struct sim_end *end, struct op *op)
{
    switch (op->kind) {
    case OP_READ:
        return read_file(sim, end, op);
    case OP_WRITE:
        return write_file(sim, end, op);
    case OP_SYNC:
        return sync_file(end);
    case OP_TRUNCATE:
        return set_length(sim, end, (size_t)op->offset);
    case OP_ALLOCATE:
        return allocate(sim, end, op);
    case OP_LIST:
        return sim_list(sim, end, op);
    default:
        return -EINVAL;
    }
}

/* Held by an opening, like those of F_OFD_SETLK: closing it lets go. */
int sim_file_lock(struct loop *loop, int fd, int type)
{
    struct sim *sim = sim_of(loop);
    struct sim_end *mine = sim_end_of(sim, fd);
    if (mine == NULL || mine->kind != END_FILE) return system_lock(loop, fd, type);
    int way = mine->flags & O_ACCMODE;
    if ((type == F_WRLCK && way == O_RDONLY) || (type == F_RDLCK && way == O_WRONLY)) return -EBADF;
    for (const struct sim_end *end = sim->ends; end != NULL && type != F_UNLCK; end = end->later) {
        if (end == mine || end->kind != END_FILE || end->file != mine->file || !end->locked) continue;
        if (type == F_WRLCK || end->lock == F_WRLCK) return -EAGAIN;
    }
    mine->locked = type != F_UNLCK;
    mine->lock = type;
    return 0;
}

/* ---- Asking ---- */

void sim_file_status(const struct sim_file *file, struct stat *status)
{
    if (file->below != NULL && !file->touched && lstat(file->below, status) == 0) return;
    *status = (struct stat){
        .st_mode = file->mode,
        .st_nlink = S_ISDIR(file->mode) ? 2 : file->names,
        .st_ino = file->inode,
        .st_uid = geteuid(),
        .st_gid = getegid(),
        .st_size = (off_t)(file->target != NULL ? strlen(file->target) : file->now.size),
        .st_blksize = 4096,
        .st_blocks = (blkcnt_t)((file->now.size + SECTOR - 1) / SECTOR),
        .st_mtim = {.tv_sec = file->written_at / 1000000000, .tv_nsec = file->written_at % 1000000000},
    };
    status->st_ctim = status->st_atim = status->st_mtim;
}

static struct statx_timestamp time_of(struct timespec time)
{
    return (struct statx_timestamp){.tv_sec = time.tv_sec, .tv_nsec = (uint32_t)time.tv_nsec};
}

int64_t sim_file_stat_path(struct sim *sim, const struct op *op)
{
    struct wf_sim_host *host = sim_host_of(sim, op->wait.task);
    struct sim_place place;
    int rc = sim_resolve(sim, host, op->path, !(op->flags & AT_SYMLINK_NOFOLLOW), &place);
    if (rc < 0 || place.file == NULL) return rc < 0 ? rc : -ENOENT;
    struct stat status;
    sim_file_status(place.file, &status);
    *(struct statx *)op->buffer = (struct statx){
        .stx_mode = (uint16_t)status.st_mode,
        .stx_nlink = (uint32_t)status.st_nlink,
        .stx_uid = status.st_uid,
        .stx_gid = status.st_gid,
        .stx_ino = status.st_ino,
        .stx_size = (uint64_t)status.st_size,
        .stx_blksize = (uint32_t)status.st_blksize,
        .stx_blocks = (uint64_t)status.st_blocks,
        .stx_dev_major = major(status.st_dev),
        .stx_dev_minor = minor(status.st_dev),
        .stx_rdev_major = major(status.st_rdev),
        .stx_rdev_minor = minor(status.st_rdev),
        .stx_atime = time_of(status.st_atim),
        .stx_mtime = time_of(status.st_mtim),
        .stx_ctime = time_of(status.st_ctim),
    };
    return 0;
}

int sim_file_stat(struct loop *loop, int fd, struct stat *status)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return fstat(fd, status) < 0 ? -errno : 0;
    if (end->kind == END_FILE) sim_file_status(end->file, status);
    else *status = (struct stat){.st_mode = S_IFSOCK};
    return 0;
}

/* ---- Crash ---- */

/* What reached the disk of a piece: all of it, nothing, or its first sectors. */
static size_t survives(struct sim *sim, const struct sim_piece *piece)
{
    switch (sim_random(sim) % 3) {
    case 0:
        return piece->size;
    case 1:
        return 0;
    default:
        return sim_random(sim) % (piece->size / SECTOR + 1) * SECTOR;
    }
}

static void crash_file(struct sim *sim, struct wf_sim_host *host, struct sim_file *file)
{
    for (const struct sim_piece *piece = file->journal; piece != NULL; piece = piece->next) {
        bool lost = piece->cut && sim_random(sim) % 2 == 0;
        if (!lost && make_durable(file, piece, survives(sim, piece)) < 0) break;
    }
    forget_journal(file);
    host->disk_size -= file->now.size;
    copy(&file->now, &file->durable);
    host->disk_size += file->now.size;
}

static void crash_below(struct sim *sim, struct wf_sim_host *host, struct sim_file *dir)
{
    for (struct sim_entry *entry = dir->entries; entry != NULL; entry = entry->next) {
        if (entry->file == NULL) continue;
        if (S_ISDIR(entry->file->mode)) crash_below(sim, host, entry->file);
        else if (entry->file->journal != NULL) crash_file(sim, host, entry->file);
    }
}

void sim_files_crash(struct sim *sim, struct wf_sim_host *host)
{
    sim_tree_crash(sim, host);
    crash_below(sim, host, host->root);
}
