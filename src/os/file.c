/* Files: open, read, write, sync, sizes, locks, stat, load. */
#include "os/file.h"

#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <weft/arena.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"

enum { DIRECT_UNIT = 512 };

struct wf_file {
    struct desc desc;
    int64_t position; /* of wf_file_read and wf_file_write; -1: the system keeps it (O_APPEND, or no regular file) */
    bool seekable, direct;
    uint32_t references; /* the descriptor's, and one for a call that moves the position: a close may come meanwhile */
    bool moving;
    char path[];
};

static int failed(int rc, const char *path)
{
    if (rc != -ECANCELED && rc != -EBADF) wf_fail(rc, "%s: %s", path, wf_strerror(rc));
    return rc;
}

/* ---- Opening and closing ---- */

void file_drop(struct wf_file *file)
{
    if (--file->references == 0) memory_free(file);
}

static void file_release(struct desc *desc)
{
    file_drop((struct wf_file *)((char *)desc - offsetof(struct wf_file, desc)));
}

int wf_file_open(const char *path, int flags, mode_t mode, struct wf_file **out)
{
    struct loop *loop = LOOP_HERE();
    if (path == NULL) return -EINVAL;
    size_t size = strlen(path) + 1;
    struct wf_file *file = memory_zero(sizeof *file + size);
    if (file == NULL) return -ENOMEM;
    memcpy(file->path, path, size);
    file->references = 1;
    struct op op = {.kind = OP_OPEN, .path = path, .flags = (unsigned)flags | O_CLOEXEC, .mode = mode};
    int fd = (int)op_run(&op);
    if (fd < 0) {
        memory_free(file);
        return failed(fd, path);
    }
    struct stat status = {.st_mode = 0};
    bool regular = loop->driver->status(loop, fd, &status) == 0 && S_ISREG(status.st_mode);
    file->direct = flags & O_DIRECT;
    file->seekable = regular || (status.st_mode & S_IFMT) == S_IFBLK;
    file->position = regular && !(flags & O_APPEND) ? 0 : -1;
    desc_init(&file->desc, fd, file_release);
    *out = file;
    return 0;
}

struct desc *file_hold(struct wf_file *file)
{
    file->references++;
    return file->seekable ? &file->desc : NULL;
}

void wf_file_close(struct wf_file *file)
{
    if (file == NULL) return;
    (void)LOOP_ALIVE();
    desc_close(&file->desc);
}

/* ---- Reading and writing ---- */

/* The system would only say -EINVAL. */
static bool is_aligned(const struct wf_file *file, const void *buffer, size_t size, int64_t offset)
{
    uint64_t all = (uint64_t)(uintptr_t)buffer | size | (uint64_t)(offset > 0 ? offset : 0);
    if (!file->direct || all % DIRECT_UNIT == 0) return true;
    wf_fail(-EINVAL, "%s: direct I/O wants buffers, sizes and offsets in multiples of %d bytes", file->path,
            DIRECT_UNIT);
    return false;
}

/* It may be closed meanwhile. */
static int64_t run(struct wf_file *file, struct op *op)
{
    (void)LOOP_HERE();
    op->desc = &file->desc;
    file->references++;
    int64_t rc = op_run(op);
    if (rc < 0) failed((int)rc, file->path);
    file_drop(file);
    return rc;
}

static ssize_t transfer(struct wf_file *file, enum op_kind kind, void *buffer, size_t size, int64_t offset)
{
    (void)LOOP_HERE();
    if (!is_aligned(file, buffer, size, offset)) return wait_refused(-EINVAL);
    struct op op;
    op.kind = kind;
    op.buffer = buffer;
    op.size = size;
    op.offset = offset;
    op.flags = 0;
    return run(file, &op);
}

static ssize_t transfer_at(struct wf_file *file, enum op_kind kind, void *buffer, size_t size, int64_t offset)
{
    if (offset < 0) return -EINVAL;
    return file->seekable ? transfer(file, kind, buffer, size, offset) : -ESPIPE;
}

ssize_t wf_file_read_at(struct wf_file *file, void *buffer, size_t size, int64_t offset)
{
    return transfer_at(file, OP_READ, buffer, size, offset);
}

ssize_t wf_file_write_at(struct wf_file *file, const void *bytes, size_t size, int64_t offset)
{
    return transfer_at(file, OP_WRITE, (void *)(uintptr_t)bytes, size, offset);
}

static ssize_t transfer_next(struct wf_file *file, enum op_kind kind, void *buffer, size_t size)
{
    (void)LOOP_HERE();
    if (file->moving) return wait_refused(-EBUSY);
    file->moving = true;
    file->references++;
    ssize_t rc = transfer(file, kind, buffer, size, file->position);
    if (rc > 0 && file->position >= 0) file->position += rc;
    file->moving = false;
    file_drop(file);
    return rc;
}

ssize_t wf_file_read(struct wf_file *file, void *buffer, size_t size)
{
    return transfer_next(file, OP_READ, buffer, size);
}

ssize_t wf_file_write(struct wf_file *file, const void *bytes, size_t size)
{
    return transfer_next(file, OP_WRITE, (void *)(uintptr_t)bytes, size);
}

/* `offset` -1: at the position. */
static int move_all(struct wf_file *file, enum op_kind kind, char *bytes, size_t size, int64_t offset, size_t *done)
{
    size_t ignored;
    if (done == NULL) done = &ignored;
    *done = 0;
    do {
        size_t left = size - *done;
        ssize_t rc = offset < 0 ? transfer_next(file, kind, bytes + *done, left)
                                : transfer_at(file, kind, bytes + *done, left, offset + (int64_t)*done);
        if (rc < 0) return (int)rc;
        if (rc == 0 && left > 0) return kind == OP_READ ? WF_EEND : -EIO;
        *done += (size_t)rc;
    } while (*done < size);
    return 0;
}

int wf_file_read_full_at(struct wf_file *file, void *buffer, size_t size, int64_t offset, size_t *done)
{
    return offset < 0 ? -EINVAL : move_all(file, OP_READ, buffer, size, offset, done);
}

int wf_file_write_all_at(struct wf_file *file, const void *bytes, size_t size, int64_t offset, size_t *done)
{
    return offset < 0 ? -EINVAL : move_all(file, OP_WRITE, (void *)(uintptr_t)bytes, size, offset, done);
}

int wf_file_write_all(struct wf_file *file, const void *bytes, size_t size, size_t *done)
{
    return move_all(file, OP_WRITE, (void *)(uintptr_t)bytes, size, -1, done);
}

int wf_file_sync(struct wf_file *file)
{
    return (int)run(file, &(struct op){.kind = OP_SYNC});
}

int wf_file_sync_data(struct wf_file *file)
{
    return (int)run(file, &(struct op){.kind = OP_SYNC, .flags = SYNC_DATA});
}

int wf_file_truncate(struct wf_file *file, int64_t size)
{
    return size < 0 ? -EINVAL : (int)run(file, &(struct op){.kind = OP_TRUNCATE, .offset = size});
}

int wf_file_allocate(struct wf_file *file, int64_t offset, int64_t size)
{
    if (offset < 0 || size <= 0 || offset > INT64_MAX - size) return -EINVAL;
    return (int)run(file, &(struct op){.kind = OP_ALLOCATE, .offset = offset, .size = (size_t)size});
}

int wf_file_status(struct wf_file *file, struct stat *status)
{
    struct loop *loop = LOOP_HERE();
    return loop->driver->status(loop, file->desc.fd, status);
}

/* ---- Locks ---- */

static int set_lock(struct wf_file *file, int type)
{
    struct loop *loop = LOOP_HERE();
    return file->desc.closed ? -EBADF : loop->driver->lock(loop, file->desc.fd, type);
}

int wf_file_try_lock(struct wf_file *file, enum wf_file_lock kind)
{
    return set_lock(file, kind == WF_LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK);
}

static int wait_for_lock(struct wf_file *file, enum wf_file_lock kind)
{
    int64_t pause = WF_MILLISECONDS(1);
    int rc;
    while ((rc = wf_file_try_lock(file, kind)) == -EAGAIN) {
        rc = wf_sleep(pause);
        if (rc < 0) return rc;
        if (pause < WF_MILLISECONDS(50)) pause = pause * 2 < WF_MILLISECONDS(50) ? pause * 2 : WF_MILLISECONDS(50);
    }
    return (int)wait_skipped(rc);
}

int wf_file_lock(struct wf_file *file, enum wf_file_lock kind)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    file->references++; /* it may be closed meanwhile */
    rc = wait_for_lock(file, kind);
    file_drop(file);
    return rc;
}

int wf_file_unlock(struct wf_file *file)
{
    return set_lock(file, F_UNLCK);
}

/* ---- Asking about paths ---- */

static struct timespec time_of(const struct statx_timestamp *time)
{
    return (struct timespec){.tv_sec = time->tv_sec, .tv_nsec = time->tv_nsec};
}

static int stat_path(const char *path, unsigned flags, struct stat *status)
{
    (void)LOOP_HERE();
    if (path == NULL || status == NULL) return -EINVAL;
    struct statx found;
    struct op op = {.kind = OP_STAT, .path = path, .flags = flags, .buffer = &found};
    int rc = (int)op_run(&op);
    if (rc < 0) return failed(rc, path);
    *status = (struct stat){
        .st_dev = makedev(found.stx_dev_major, found.stx_dev_minor),
        .st_ino = found.stx_ino,
        .st_mode = found.stx_mode,
        .st_nlink = found.stx_nlink,
        .st_uid = found.stx_uid,
        .st_gid = found.stx_gid,
        .st_rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor),
        .st_size = (off_t)found.stx_size,
        .st_blksize = (blksize_t)found.stx_blksize,
        .st_blocks = (blkcnt_t)found.stx_blocks,
        .st_atim = time_of(&found.stx_atime),
        .st_mtim = time_of(&found.stx_mtime),
        .st_ctim = time_of(&found.stx_ctime),
    };
    return 0;
}

int wf_stat(const char *path, struct stat *status)
{
    return stat_path(path, 0, status);
}

int wf_lstat(const char *path, struct stat *status)
{
    return stat_path(path, AT_SYMLINK_NOFOLLOW, status);
}

/* ---- Whole files ---- */

/* Grows by doubling from the size that stat gave, because files in /proc say 0. */
static int load(struct wf_file *file, size_t size_max, struct wf_arena *arena, char **bytes, size_t *size)
{
    struct stat status;
    bool known = current_loop->driver->status(current_loop, file->desc.fd, &status) == 0;
    size_t room = known && status.st_size > 0 ? (size_t)status.st_size + 1 : 4096;
    if (room > size_max) room = size_max + 1;
    char *buffer = wf_arena_alloc(arena, room + 1);
    size_t used = 0;
    while (buffer != NULL) {
        ssize_t got = wf_file_read(file, buffer + used, room - used);
        if (got < 0) return (int)got;
        if (got == 0) {
            buffer[used] = '\0';
            *bytes = buffer;
            *size = used;
            return 0;
        }
        used += (size_t)got;
        if (used > size_max) return -EFBIG;
        if (used < room) continue;
        room = room > size_max / 2 ? size_max + 1 : room * 2;
        char *larger = wf_arena_alloc(arena, room + 1);
        if (larger != NULL) memcpy(larger, buffer, used);
        buffer = larger;
    }
    return -ENOMEM;
}

int wf_file_load(const char *path, size_t size_max, struct wf_arena *arena, char **bytes, size_t *size)
{
    if (bytes == NULL || size == NULL || size_max >= SIZE_MAX / 4) return -EINVAL;
    struct wf_file *file;
    int rc = wf_file_open(path, O_RDONLY, 0, &file);
    if (rc < 0) return rc;
    rc = load(file, size_max, arena, bytes, size);
    wf_file_close(file);
    return rc < 0 ? failed(rc, path) : 0;
}
