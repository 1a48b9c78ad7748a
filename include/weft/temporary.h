/*
 * Files that are there for a while, and files that change in one step.
 *
 *     int rc = wf_file_replace("settings.json", text, strlen(text), 0644);   // the old contents or the new
 *
 *     struct wf_replacement replacement;
 *     int rc = wf_replace_begin("report.csv", 0644, &replacement);
 *     if (rc < 0) return rc;
 *     rc = write_rows(replacement.file);
 *     if (rc == 0) rc = wf_replace_commit(&replacement);
 *     return wf_replace_abort(&replacement, rc);       // does nothing after a commit
 *
 *     WF_TEMPORARY_DIRECTORY(work);
 *     if (work.error < 0) return work.error;
 *     ... work.path ...                             // gone, with all that is in it, at the end of the block
 *
 * A crash of the machine leaves the old contents or the new: the new ones are synced before they get the name, and the
 * directory after. A crash of the program may leave the file aside, ".NAME.XXXXXXXX" in the same directory.
 * Errors carry the path. Threads: the loop that began it.
 */
#ifndef WEFT_TEMPORARY_H
#define WEFT_TEMPORARY_H

#include <sys/stat.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_file;

/* ---- In one step ---- */

/*
 * The file has these contents from now on, made if it was not there; `mode` as in open(2). A symbolic link of that
 * name is replaced itself.
 * Suspends: yes. On cancel: the old contents are there. Errors: the system's; after -EIO from the directory's sync the
 * new contents are there, but a crash of the machine may bring the old ones back.
 */
WF_API WF_SUSPENDS int wf_file_replace(const char *path, const void *bytes, size_t size, mode_t mode);

/* The same in steps; what is begun must be aborted, unless it was committed. */
struct wf_replacement {
    struct wf_file *file; /* write the new contents here */
    char *path_, *aside_;
    void *reserved_[2];
};

/* Suspends: yes. On cancel: nothing was made. Owns: wf_replace_abort. */
WF_API WF_SUSPENDS WF_CHECKED int wf_replace_begin(const char *path, mode_t mode, struct wf_replacement *replacement);

/* The file has what was written, and the replacement is over. Suspends: yes. On cancel: the old contents are there, and
 * it is still to be aborted, as after any error. Errors: as wf_file_replace. */
WF_API WF_SUSPENDS int wf_replace_commit(struct wf_replacement *replacement);

/*
 * The old contents stay; after a commit it does nothing. Returns `rc`, for a return in one line.
 * Suspends: while the new file is removed. On cancel: it goes on. WF_UNCANCELLABLE, bounded by 10 seconds.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_replace_abort(struct wf_replacement *replacement, int rc);

/* ---- For a while ---- */

/*
 * A file without a name, for reading and writing, gone when it is closed. `directory` says on which disk; NULL: TMPDIR
 * of the environment, or /tmp.
 * Suspends: yes. On cancel: nothing is open. Owns: wf_file_close.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_temporary_file(const char *directory, struct wf_file **file);

enum { WF_TEMPORARY_PATH_MAX = 256 };

struct wf_temporary {
    char path[WF_TEMPORARY_PATH_MAX]; /* of the directory; "" when there is none */
    int error;                        /* of WF_TEMPORARY_DIRECTORY: why there is none */
    int reserved_[3];
};

/* A directory of one's own, with mode 0700; `parent` as above.
 * Suspends: yes. On cancel: none was made. Owns: wf_temporary_remove. Errors: also -ENAMETOOLONG. */
WF_API WF_SUSPENDS WF_CHECKED int wf_temporary_directory(const char *parent, struct wf_temporary *temporary);

/*
 * Removes it with all that is in it; what was never made is ignored.
 * Suspends: yes. On cancel: it goes on. WF_UNCANCELLABLE, bounded by 10 seconds. Errors: as wf_remove_tree.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_temporary_remove(struct wf_temporary *temporary);

/*
 * WF_TEMPORARY_DIRECTORY(name) declares a temporary directory that goes with the block; look at `name.error` first.
 * Suspends: yes, and again on leaving the block, which reports what cannot be removed. On cancel: none was made;
 * leaving the block goes on. Errors: in `.error`, as wf_temporary_directory.
 */
#define WF_TEMPORARY_DIRECTORY(name)                                                                                   \
    struct wf_temporary name __attribute__((cleanup(wf_temporary_leave_), unused)) = {.path = ""};                     \
    name.error = wf_temporary_directory(NULL, &name)

WF_API WF_SUSPENDS WF_UNCANCELLABLE void wf_temporary_leave_(struct wf_temporary *temporary);

#ifdef __cplusplus
}
#endif
#endif
