/*
 * Files and directories without blocking the loop.
 *
 *     struct wf_file *file;
 *     int rc = wf_file_open("notes.txt", O_RDONLY, 0, &file);
 *     if (rc < 0) return rc;
 *     ssize_t got = wf_file_read_at(file, buffer, sizeof buffer, 0);
 *     wf_file_close(file);
 *
 * Names, directories and links are in weft/path.h, temporary files and atomic replacing in weft/temporary.h, watching
 * in weft/watch.h. Errors carry the path: wf_failure() after a failed call reads "notes.txt: No such file or
 * directory". Disk operations cannot be cut short by every kernel: a cancelled call may go on to its own end, and its
 * result counts.
 * Threads: the loop that opened the file.
 */
#ifndef WEFT_FILE_H
#define WEFT_FILE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;
struct wf_file;
struct wf_stream;

/*
 * open(2); O_CLOEXEC is added. With O_DIRECT buffers, sizes and offsets must be multiples of 512 bytes, or of more
 * where the disk's blocks are larger: -EINVAL says so. Suspends: yes. On cancel: nothing is open. Owns: wf_file_close.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_file_open(const char *path, int flags, mode_t mode, struct wf_file **file);

/* Closes at once; NULL is ignored. Calls that other tasks have pending on it end with -EBADF. Suspends: never. */
WF_API void wf_file_close(struct wf_file *file);

/*
 * At an offset, any number at a time. Return the count; read gives 0 at the end of the file; both may be short.
 * Suspends: yes. On cancel: nothing was read or written. Errors: -ECANCELED, -EBADF, -ESPIPE for what has no offsets,
 * the system's.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_file_read_at(struct wf_file *file, void *buffer, size_t size, int64_t offset);
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_file_write_at(struct wf_file *file, const void *bytes, size_t size,
                                                       int64_t offset);

/*
 * The same at the file's own position, which moves by the count; one task at a time.
 * Suspends: yes. On cancel: nothing was read or written, the position is where it was. Errors: also -EBUSY.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_file_read(struct wf_file *file, void *buffer, size_t size);
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_file_write(struct wf_file *file, const void *bytes, size_t size);

/*
 * Sends the bytes from an offset on to a stream, at most `size_max` (UINT64_MAX: to the end of the file); the file's
 * own position stays. `*done` (may be NULL) is how many have gone, also on failure. Returns 0, also where the file is
 * shorter. To sockets and pipes the kernel moves the bytes, elsewhere a buffer does.
 * Suspends: yes. On cancel: `*done` bytes went out; where more had been taken from the file, the stream is broken for
 * writing: later writes give -EPIPE. Errors: -ECANCELED, -EBADF, -EBUSY, -EINVAL for a negative offset, -ENOMEM,
 * -ESPIPE for what has no offsets; the file's, the stream's.
 */
WF_API WF_SUSPENDS int wf_file_send(struct wf_file *file, int64_t offset, uint64_t size_max, struct wf_stream *stream,
                                    uint64_t *done);

/*
 * All of it: `*done` (may be NULL) is how many bytes were moved, also on failure. Return 0; WF_EEND where the file
 * ends before. The forms with an offset leave the position alone.
 * Suspends: yes. On cancel: `*done` bytes were moved. Errors: as above; -EIO when a disk takes nothing and says
 * nothing.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_file_read_full_at(struct wf_file *file, void *buffer, size_t size, int64_t offset,
                                                       size_t *done);
WF_API WF_SUSPENDS int wf_file_write_all_at(struct wf_file *file, const void *bytes, size_t size, int64_t offset,
                                            size_t *done);
WF_API WF_SUSPENDS int wf_file_write_all(struct wf_file *file, const void *bytes, size_t size, size_t *done);

/*
 * Flushes to the disk: fsync(2), and fdatasync(2), which leaves out times. A directory that was opened is flushed too:
 * its names. Suspends: yes. On cancel: it may have been done or not.
 */
WF_API WF_SUSPENDS int wf_file_sync(struct wf_file *file);
WF_API WF_SUSPENDS int wf_file_sync_data(struct wf_file *file);

/*
 * Cuts the file to that size, or fills it up with zeros; and takes room on the disk for a part of it, which becomes as
 * large as that. Suspends: yes. On cancel: it may have been done or not.
 * Errors: -EINVAL for a negative number; -ENOSPC, -EFBIG, -EOPNOTSUPP, the system's.
 */
WF_API WF_SUSPENDS int wf_file_truncate(struct wf_file *file, int64_t size);
WF_API WF_SUSPENDS int wf_file_allocate(struct wf_file *file, int64_t offset, int64_t size);

/* fstat(2): of what is open, whatever its name is by now. Suspends: never. */
WF_API int wf_file_status(struct wf_file *file, struct stat *status);

/* ---- Locks: advisory, of the whole file, the opening's own (F_OFD_SETLK in fcntl(2)) ---- */

enum wf_file_lock {
    WF_LOCK_SHARED,    /* with other shared ones; the file must be open for reading */
    WF_LOCK_EXCLUSIVE, /* alone; the file must be open for writing */
};

/*
 * Waits until it has the lock, against other processes and against other openings in this one; to have one already
 * changes its kind. The system has no way to be told of a lock that can be given up, so it looks again and again,
 * after 1 ms at first and every 50 ms later: who asked first need not be the first.
 * Suspends: until locked. On cancel: not locked. Errors: -EBADF also when the file is not open for that.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_file_lock(struct wf_file *file, enum wf_file_lock kind);

/* -EAGAIN when somebody else has it. Suspends: never. */
WF_API WF_CHECKED int wf_file_try_lock(struct wf_file *file, enum wf_file_lock kind);

/* Gives it back; closing the file does so too. Suspends: never. */
WF_API int wf_file_unlock(struct wf_file *file);

/* stat(2) and lstat(2) of a path. Suspends: yes. On cancel: `*status` is untouched. */
WF_API WF_SUSPENDS int wf_stat(const char *path, struct stat *status);
WF_API WF_SUSPENDS int wf_lstat(const char *path, struct stat *status);

/*
 * A whole file into the arena, a zero byte after it; at most `size_max` bytes (-EFBIG past that).
 * Suspends: yes. On cancel: nothing is open. Errors: the system's, -ENOMEM.
 */
WF_API WF_SUSPENDS int wf_file_load(const char *path, size_t size_max, struct wf_arena *arena, char **bytes,
                                    size_t *size);

/* ---- Directories ---- */

struct wf_walk;

struct wf_walk_entry {
    const char *path;   /* from the root as it was given; valid until the next call */
    const char *name;   /* last component of it */
    int depth;          /* 0 for the root's own entries */
    int error;          /* not 0: this directory could not be read, and why */
    struct stat status; /* of the entry itself (lstat) */
};

/*
 * Walks a tree: each directory's entries sorted by name, a directory before what is in it. Symbolic links are not
 * followed. A file that vanishes meanwhile is left out; a directory that cannot be read is given with its `error`.
 * Suspends: yes. On cancel: nothing is open. Owns: wf_walk_close. Errors: the root's own; -ENOMEM.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_walk_open(const char *root, struct wf_walk **walk);

/* The next entry: 1, or 0 at the end. Suspends: at each new directory. On cancel: no entry is lost. */
WF_API WF_SUSPENDS WF_CHECKED int wf_walk_next(struct wf_walk *walk, const struct wf_walk_entry **entry);

/* Leaves out what is in the directory that was given last. Suspends: never. */
WF_API void wf_walk_skip(struct wf_walk *walk);

/* Ends a walk anywhere; NULL is ignored. Suspends: never. */
WF_API void wf_walk_close(struct wf_walk *walk);

#ifdef __cplusplus
}
#endif
#endif
