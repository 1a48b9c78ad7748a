/*
 * Names: making, changing, removing and listing them, without blocking the loop.
 *
 *     int rc = wf_mkdir_all("var/spool/new", 0755);
 *     if (rc == 0) rc = wf_rename("var/spool/new/7", "var/spool/7");
 *
 *     struct wf_directory *directory;
 *     const struct wf_directory_entry *entry;
 *     rc = wf_directory_open("var/spool", WF_DIRECTORY_BY_NAME, &directory);
 *     if (rc < 0) return rc;
 *     while ((rc = wf_directory_next(directory, &entry)) > 0) puts(entry->name);
 *     wf_directory_close(directory);
 *
 * Errors are the system's and carry the path, or both: "a -> b: File exists". A path that is NULL is -EINVAL.
 * A name survives a crash of the machine when its directory was synced afterwards: open it and call wf_file_sync, or
 * use wf_file_replace (weft/temporary.h).
 * On cancel a call was done or not done, as its result says: -ECANCELED means not done.
 * Threads: any task's loop.
 */
#ifndef WEFT_PATH_H
#define WEFT_PATH_H

#include <sys/stat.h>
#include <time.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;

/* rename(2): what `to` was is replaced in one step; and only where there is no `to`, else -EEXIST.
 * Suspends: yes. On cancel: nothing was renamed. */
WF_API WF_SUSPENDS int wf_rename(const char *from, const char *to);
WF_API WF_SUSPENDS int wf_rename_new(const char *from, const char *to);

/* A second name for a file; and a name that stands for the text `target`. Suspends: yes. On cancel: there is none. */
WF_API WF_SUSPENDS int wf_link(const char *path, const char *other);
WF_API WF_SUSPENDS int wf_symlink(const char *target, const char *path);

/* The text of a symbolic link, into the arena. Suspends: yes. On cancel: nothing was read. Errors: -EINVAL: no link. */
WF_API WF_SUSPENDS WF_CHECKED int wf_readlink(const char *path, struct wf_arena *arena, char **target);

/* Removes a name that is no directory. Suspends: yes. On cancel: it is still there. */
WF_API WF_SUSPENDS int wf_unlink(const char *path);

/* One directory; its parents too, and then one that is there already is fine. Suspends: yes. On cancel: none was made;
 * of several, some may have been. */
WF_API WF_SUSPENDS int wf_mkdir(const char *path, mode_t mode);
WF_API WF_SUSPENDS int wf_mkdir_all(const char *path, mode_t mode);

/* Removes an empty directory. Suspends: yes. On cancel: it is still there. */
WF_API WF_SUSPENDS int wf_rmdir(const char *path);

/*
 * Removes a file, or a directory with all that is in it. Symbolic links are removed, never followed, also where
 * somebody puts one in meanwhile. Stops at the first name that cannot be removed.
 * Suspends: yes. On cancel: some of it may be gone. Errors: -ENOENT when there is nothing; -EINVAL for "/", "." and
 * the like; -ELOOP when directories lie 128 deep.
 */
WF_API WF_SUSPENDS int wf_remove_tree(const char *path);

/* Permission bits; and times of reading and writing as clock_gettime(2) gives them. Links are followed.
 * Suspends: yes. On cancel: nothing was changed. */
WF_API WF_SUSPENDS int wf_chmod(const char *path, mode_t mode);
WF_API WF_SUSPENDS int wf_set_times(const char *path, struct timespec read_at, struct timespec written_at);

/* ---- Listing one directory; wf_walk_open in weft/file.h walks a tree ---- */

struct wf_directory;

struct wf_directory_entry {
    const char *name; /* valid until the next call */
    mode_t type;      /* S_IFREG, S_IFDIR, S_IFLNK ...: of the name itself */
};

enum wf_directory_order {
    WF_DIRECTORY_UNSORTED, /* as the system gives them, a few at a time: any number */
    WF_DIRECTORY_BY_NAME,  /* all are read before the first is given: at most 1,000,000, -EOVERFLOW past that */
};

/* Suspends: yes. On cancel: nothing is open. Owns: wf_directory_close. Errors: the system's; -ENOMEM. */
WF_API WF_SUSPENDS WF_CHECKED int wf_directory_open(const char *path, enum wf_directory_order order,
                                                    struct wf_directory **directory);

/* The next name, without "." and "..": 1, or 0 at the end. Suspends: now and then. On cancel: no entry is lost. */
WF_API WF_SUSPENDS WF_CHECKED int wf_directory_next(struct wf_directory *directory,
                                                    const struct wf_directory_entry **entry);

/* NULL is ignored. Suspends: never. */
WF_API void wf_directory_close(struct wf_directory *directory);

#ifdef __cplusplus
}
#endif
#endif
