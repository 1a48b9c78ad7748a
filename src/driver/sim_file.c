/*
 * Files of the simulated world: in memory, one disk a host.
 *
 *     write --> bytes, and a piece in the journal --sync--> durable bytes, the journal is empty
 *     crash --> bytes = durable bytes + of each piece in the journal all, nothing, or the first sectors
 *
 * The real file system is the layer below: a regular file that is opened for the first time brings its contents along,
 * and is never written. Directories and devices are the real ones.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "driver/sim.h"
#include "driver/system.h"

enum { SECTOR = 512, IMPORT_MAX = 64 << 20 };

struct bytes {
    char *data;
    size_t size, room;
};

struct piece {
    struct piece *next;
    int64_t offset;
    size_t size;
    char data[];
};

struct sim_file {
    struct sim_file *next;
    struct bytes now, durable;
    struct piece *journal, **last_piece;
    bool is_durable; /* its name survives a crash */
    unsigned references;
    bool unlinked; /* a crash took it away while it was open */
    mode_t mode;
    ino_t inode;
    int64_t written_at;
    char path[];
};

/* ---- Bytes ---- */

static int set_size(struct bytes *bytes, size_t size)
{
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

static int put(struct bytes *bytes, int64_t offset, const char *data, size_t size)
{
    size_t end = (size_t)offset + size;
    int rc = end > bytes->size ? set_size(bytes, end) : 0;
    if (rc == 0 && size > 0) memcpy(bytes->data + offset, data, size);
    return rc;
}

static int copy(struct bytes *to, const struct bytes *from)
{
    int rc = set_size(to, from->size);
    if (rc == 0 && from->size > 0) memcpy(to->data, from->data, from->size);
    return rc;
}

/* ---- Files ---- */

static void forget_journal(struct sim_file *file)
{
    while (file->journal != NULL) {
        struct piece *piece = file->journal;
        file->journal = piece->next;
        memory_free(piece);
    }
    file->last_piece = &file->journal;
}

static void file_free(struct sim_file *file)
{
    forget_journal(file);
    memory_free(file->now.data);
    memory_free(file->durable.data);
    memory_free(file);
}

static struct sim_file *file_new(struct sim *sim, struct wf_sim_host *host, const char *path, mode_t mode)
{
    size_t size = strlen(path) + 1;
    struct sim_file *file = memory_zero(sizeof *file + size);
    if (file == NULL) return NULL;
    memcpy(file->path, path, size);
    file->last_piece = &file->journal;
    file->mode = S_IFREG | (mode & 07777);
    file->inode = (ino_t)(sim_random(sim) >> 32);
    file->written_at = sim->now;
    file->next = host->files;
    host->files = file;
    return file;
}

static void unlink_file(struct wf_sim_host *host, struct sim_file *file)
{
    struct sim_file **link = &host->files;
    while (*link != file) link = &(*link)->next;
    *link = file->next;
    file->unlinked = true;
    host->disk_size -= file->now.size;
    if (file->references == 0) file_free(file);
}

static struct sim_file *find(const struct wf_sim_host *host, const char *path)
{
    struct sim_file *file = host->files;
    while (file != NULL && strcmp(file->path, path) != 0) file = file->next;
    return file;
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

/* A regular file becomes one of memory, in *file; anything else is opened itself, and its descriptor returned. */
static int open_below(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_file **file)
{
    struct stat status;
    if (stat(op->path, &status) < 0) return -errno;
    if (!S_ISREG(status.st_mode)) return (int)system_blocking_call(op);
    int fd = open(op->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    *file = file_new(sim, host, op->path, status.st_mode);
    int rc = *file == NULL ? -ENOMEM : import(*file, fd);
    close(fd);
    if (*file == NULL) return rc;
    host->disk_size += (*file)->now.size;
    (*file)->is_durable = true;
    if (rc < 0) unlink_file(host, *file);
    return rc;
}

static int create(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_file **file)
{
    char parent[1024] = ".";
    const char *slash = strrchr(op->path, '/');
    if (slash != NULL) {
        if ((size_t)(slash - op->path) >= sizeof parent) return -ENAMETOOLONG;
        memcpy(parent, op->path, (size_t)(slash - op->path));
        parent[slash - op->path] = '\0';
    }
    struct stat status;
    if (stat(parent[0] != '\0' ? parent : "/", &status) < 0) return -errno;
    if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
    *file = file_new(sim, host, op->path, op->mode);
    return *file != NULL ? 0 : -ENOMEM;
}

/* ---- Opening and closing ---- */

static int find_or_make(struct sim *sim, struct wf_sim_host *host, const struct op *op, struct sim_file **file)
{
    int flags = (int)op->flags;
    *file = find(host, op->path);
    int fd = *file == NULL ? open_below(sim, host, op, file) : 0;
    if (fd == -ENOENT && (flags & O_CREAT)) return create(sim, host, op, file);
    if (fd < 0 || *file == NULL) return fd;
    if ((flags & O_CREAT) && (flags & O_EXCL)) return -EEXIST;
    return flags & O_DIRECTORY ? -ENOTDIR : 0;
}

int64_t sim_file_open(struct sim *sim, const struct op *op)
{
    struct wf_sim_host *host = sim_host_of(sim, op->wait.task);
    struct sim_file *file;
    int rc = find_or_make(sim, host, op, &file);
    if (rc < 0 || file == NULL) return rc;
    struct sim_end *end = sim_end_new(sim, host, END_FILE);
    if (end == NULL) return -ENOMEM;
    end->file = file;
    end->flags = (int)op->flags;
    file->references++;
    rc = sim_end_open(sim, end, op->wait.task);
    if (rc < 0 || !(op->flags & O_TRUNC)) return rc;
    host->disk_size -= file->now.size;
    file->now.size = file->durable.size = 0;
    forget_journal(file);
    return rc;
}

void sim_file_close(struct sim_end *end)
{
    struct sim_file *file = end->file;
    if (--file->references == 0 && file->unlinked) file_free(file);
}

/* ---- Reading, writing, syncing ---- */

static int64_t read_file(struct sim *sim, struct sim_end *end, const struct op *op)
{
    const struct bytes *bytes = &end->file->now;
    int64_t at = op->offset >= 0 ? op->offset : end->position;
    if ((end->flags & O_ACCMODE) == O_WRONLY) return -EBADF;
    if ((size_t)at >= bytes->size) return 0;
    size_t left = bytes->size - (size_t)at;
    size_t size = sim_part(sim, op->size < left ? op->size : left, sim->faults.partial);
    memcpy(op->buffer, bytes->data + at, size);
    if (op->offset < 0) end->position += (int64_t)size;
    return (int64_t)size;
}

static int note_piece(struct sim_file *file, int64_t offset, const char *data, size_t size)
{
    struct piece *piece = memory_alloc(sizeof *piece + size);
    if (piece == NULL) return -ENOMEM;
    *piece = (struct piece){.offset = offset, .size = size};
    memcpy(piece->data, data, size);
    *file->last_piece = piece;
    file->last_piece = &piece->next;
    return 0;
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
    int rc = note_piece(file, at, op->buffer, size);
    if (rc == 0) rc = put(&file->now, at, op->buffer, size);
    if (rc < 0) return rc;
    end->host->disk_size += file->now.size - before;
    file->written_at = sim->now;
    if (op->offset < 0) end->position = at + (int64_t)size;
    return (int64_t)size;
}

static int64_t sync_file(struct sim_file *file)
{
    for (const struct piece *piece = file->journal; piece != NULL; piece = piece->next) {
        int rc = put(&file->durable, piece->offset, piece->data, piece->size);
        if (rc < 0) return rc;
    }
    forget_journal(file);
    file->is_durable = true;
    return 0;
}

int64_t sim_file_try(struct sim *sim, struct sim_end *end, const struct op *op)
{
    if (op->kind == OP_READ) return read_file(sim, end, op);
    if (op->kind == OP_WRITE) return write_file(sim, end, op);
    return op->kind == OP_SYNC ? sync_file(end->file) : -EINVAL;
}

/* ---- Asking ---- */

int64_t sim_file_stat_path(struct sim *sim, const struct op *op)
{
    const struct sim_file *file = find(sim_host_of(sim, op->wait.task), op->path);
    if (file == NULL) return system_blocking_call(op);
    struct statx *status = op->buffer;
    *status = (struct statx){
        .stx_mode = (uint16_t)file->mode,
        .stx_nlink = 1,
        .stx_ino = file->inode,
        .stx_size = file->now.size,
        .stx_blksize = 4096,
        .stx_blocks = (file->now.size + SECTOR - 1) / SECTOR,
    };
    status->stx_mtime.tv_sec = status->stx_ctime.tv_sec = file->written_at / 1000000000;
    status->stx_mtime.tv_nsec = status->stx_ctime.tv_nsec = (uint32_t)(file->written_at % 1000000000);
    return 0;
}

int sim_file_stat(struct loop *loop, int fd, struct stat *status)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return fstat(fd, status) < 0 ? -errno : 0;
    *status = (struct stat){.st_mode = end->kind == END_FILE ? end->file->mode : S_IFSOCK};
    if (end->kind == END_FILE) status->st_size = (off_t)end->file->now.size;
    return 0;
}

/* ---- Crash ---- */

/* What reached the disk of a piece: all of it, nothing, or its first sectors. */
static size_t survives(struct sim *sim, const struct piece *piece)
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

static bool crash_file(struct sim *sim, struct sim_file *file)
{
    if (!file->is_durable && sim_random(sim) % 2 == 0) return false;
    for (const struct piece *piece = file->journal; piece != NULL; piece = piece->next) {
        size_t size = survives(sim, piece);
        if (put(&file->durable, piece->offset, piece->data, size) < 0) return false;
    }
    forget_journal(file);
    file->is_durable = true;
    return copy(&file->now, &file->durable) == 0;
}

void sim_files_crash(struct sim *sim, struct wf_sim_host *host)
{
    for (struct sim_file *file = host->files, *next; file != NULL; file = next) {
        next = file->next;
        host->disk_size -= file->now.size;
        bool left = crash_file(sim, file);
        host->disk_size += file->now.size;
        if (!left) unlink_file(host, file);
    }
}

void sim_files_finish(struct wf_sim_host *host)
{
    while (host->files != NULL) {
        struct sim_file *file = host->files;
        host->files = file->next;
        file_free(file);
    }
}
