/* Temporary files and directories, and replacing a file in one step. */
#include <weft/temporary.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/file.h>
#include <weft/path.h>
#include <weft/scope.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"
#include "os/listing.h"

enum { SUFFIX = 8, TRIES = 16 };

#define CLEANUP_NS WF_SECONDS(10)

static void random_suffix(char suffix[SUFFIX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    unsigned char bytes[SUFFIX];
    current_loop->driver->random(current_loop, bytes, sizeof bytes);
    for (int i = 0; i < SUFFIX; i++) suffix[i] = letters[bytes[i] % 32];
    suffix[SUFFIX] = '\0';
}

static const char *or_default(const char *directory)
{
    const char *chosen = directory != NULL ? directory : getenv("TMPDIR");
    return chosen != NULL && chosen[0] != '\0' ? chosen : "/tmp";
}

/* ---- Replacing ---- */

/* Of a path: everything up to its last slash, which is 0 bytes where there is none. */
static int directory_size(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (int)(slash - path) + 1 : 0;
}

static char *name_aside(const char *path)
{
    char suffix[SUFFIX + 1];
    random_suffix(suffix);
    int before = directory_size(path);
    size_t size = strlen(path) + SUFFIX + 3;
    char *aside = memory_alloc(size);
    if (aside != NULL) snprintf(aside, size, "%.*s.%s.%s", before, path, path + before, suffix);
    return aside;
}

static int open_aside(struct wf_replacement *replacement, mode_t mode)
{
    int rc = -EEXIST;
    for (int i = 0; i < TRIES && rc == -EEXIST; i++) {
        memory_free(replacement->aside_);
        replacement->aside_ = name_aside(replacement->path_);
        if (replacement->aside_ == NULL) return -ENOMEM;
        rc = wf_file_open(replacement->aside_, O_WRONLY | O_CREAT | O_EXCL, mode, &replacement->file);
    }
    return rc;
}

static void finish(struct wf_replacement *replacement)
{
    wf_file_close(replacement->file);
    memory_free(replacement->path_);
    memory_free(replacement->aside_);
    *replacement = (struct wf_replacement){.file = NULL};
}

int wf_replace_begin(const char *path, mode_t mode, struct wf_replacement *replacement)
{
    (void)LOOP_HERE();
    if (path == NULL || replacement == NULL || path[directory_size(path)] == '\0') return -EINVAL;
    *replacement = (struct wf_replacement){.file = NULL};
    replacement->path_ = memory_copy_text(path);
    if (replacement->path_ == NULL) return -ENOMEM;
    int rc = open_aside(replacement, mode);
    if (rc < 0) finish(replacement);
    return rc;
}

int wf_replace_abort(struct wf_replacement *replacement, int rc)
{
    (void)LOOP_HERE();
    if (replacement->file == NULL) return rc;
    wf_shielded(CLEANUP_NS, wf_unlink(replacement->aside_));
    finish(replacement);
    return rc;
}

/* The new name is only there for good when its directory says so. */
static int sync_directory(char *path)
{
    int size = directory_size(path);
    if (size == 0) path[0] = '.';
    path[size > 1 ? size - 1 : 1] = '\0';
    struct wf_file *directory;
    int rc = wf_file_open(path, O_RDONLY | O_DIRECTORY, 0, &directory);
    if (rc < 0) return rc;
    rc = wf_file_sync(directory);
    wf_file_close(directory);
    return rc < 0 ? path_failed(rc, path) : 0;
}

int wf_replace_commit(struct wf_replacement *replacement)
{
    (void)LOOP_HERE();
    if (replacement->file == NULL) return -EINVAL;
    int rc = wf_file_sync(replacement->file);
    if (rc < 0) path_failed(rc, replacement->aside_);
    if (rc == 0) rc = wf_rename(replacement->aside_, replacement->path_);
    if (rc < 0) return rc;
    rc = wf_shielded(CLEANUP_NS, sync_directory(replacement->path_)); /* it has happened: a cancel comes too late */
    finish(replacement);
    return rc == -ETIME ? -EIO : rc;
}

int wf_file_replace(const char *path, const void *bytes, size_t size, mode_t mode)
{
    struct wf_replacement replacement;
    int rc = wf_replace_begin(path, mode, &replacement);
    if (rc < 0) return rc;
    if (size > 0) rc = wf_file_write_all(replacement.file, bytes, size, NULL);
    if (rc < 0) path_failed(rc, path);
    else rc = wf_replace_commit(&replacement);
    return wf_replace_abort(&replacement, rc);
}

/* ---- Temporary files ---- */

/* For disks that cannot make a file without a name. */
static int open_and_unlink(const char *directory, struct wf_file **out)
{
    char path[WF_TEMPORARY_PATH_MAX], suffix[SUFFIX + 1];
    struct wf_file *file;
    int rc = -EEXIST;
    for (int i = 0; i < TRIES && rc == -EEXIST; i++) {
        random_suffix(suffix);
        int size = snprintf(path, sizeof path, "%s/weft-%s", directory, suffix);
        if (size >= (int)sizeof path) return path_failed(-ENAMETOOLONG, directory);
        rc = wf_file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &file);
    }
    if (rc < 0) return rc;
    rc = wf_shielded(CLEANUP_NS, wf_unlink(path));
    if (rc < 0) wf_file_close(file);
    else *out = file;
    return rc;
}

int wf_temporary_file(const char *directory, struct wf_file **file)
{
    (void)LOOP_HERE();
    if (file == NULL) return -EINVAL;
    directory = or_default(directory);
    int rc = wf_file_open(directory, O_TMPFILE | O_RDWR, 0600, file);
    return rc == -EOPNOTSUPP || rc == -EISDIR ? open_and_unlink(directory, file) : rc;
}

/* ---- Temporary directories ---- */

int wf_temporary_directory(const char *parent, struct wf_temporary *temporary)
{
    (void)LOOP_HERE();
    if (temporary == NULL) return -EINVAL;
    parent = or_default(parent);
    *temporary = (struct wf_temporary){.path = ""};
    char path[WF_TEMPORARY_PATH_MAX], suffix[SUFFIX + 1];
    int rc = -EEXIST;
    for (int i = 0; i < TRIES && rc == -EEXIST; i++) {
        random_suffix(suffix);
        int size = snprintf(path, sizeof path, "%s/weft-%s", parent, suffix);
        if (size >= (int)sizeof path) return path_failed(-ENAMETOOLONG, parent);
        rc = wf_mkdir(path, 0700);
    }
    if (rc == 0) memcpy(temporary->path, path, strlen(path) + 1);
    return rc;
}

int wf_temporary_remove(struct wf_temporary *temporary)
{
    (void)LOOP_HERE();
    if (temporary->path[0] == '\0') return 0;
    int rc = wf_shielded(CLEANUP_NS, wf_remove_tree(temporary->path));
    if (rc == 0 || rc == -ENOENT) temporary->path[0] = '\0';
    return rc;
}

void wf_temporary_leave_(struct wf_temporary *temporary)
{
    int rc = wf_temporary_remove(temporary);
    if (rc < 0 && rc != -ENOENT)
        wf_report("the temporary directory %s could not be removed: %s", temporary->path, wf_strerror(rc));
}
