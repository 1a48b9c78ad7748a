/* Names: each call is one operation of the driver. */
#include <weft/path.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"
#include "os/listing.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif

enum { REMOVED_AT_ONCE = 256, TARGET_MAX = 2048 };

/* ---- Two paths ---- */

static int run_two(enum path_verb verb, const char *path, const char *other, mode_t mode)
{
    (void)LOOP_HERE();
    if (path == NULL || other == NULL) return -EINVAL;
    struct op op = {.kind = OP_PATH, .flags = verb, .path = path, .other = other, .mode = mode};
    int rc = (int)op_run(&op);
    if (rc < 0 && rc != -ECANCELED) wf_fail(rc, "%s -> %s: %s", path, other, wf_strerror(rc));
    return rc;
}

int wf_rename(const char *from, const char *to)
{
    return run_two(PATH_RENAME, from, to, 0);
}

int wf_rename_new(const char *from, const char *to)
{
    return run_two(PATH_RENAME, from, to, RENAME_NOREPLACE);
}

int wf_link(const char *path, const char *other)
{
    return run_two(PATH_LINK, path, other, 0);
}

int wf_symlink(const char *target, const char *path)
{
    return run_two(PATH_SYMLINK, target, path, 0);
}

/* ---- One path ---- */

static int run_one(struct op op)
{
    (void)LOOP_HERE();
    if (op.path == NULL) return -EINVAL;
    op.kind = OP_PATH;
    int rc = (int)op_run(&op);
    return rc < 0 ? path_failed(rc, op.path) : rc;
}

int wf_readlink(const char *path, struct wf_arena *arena, char **target)
{
    char text[TARGET_MAX];
    if (target == NULL) return -EINVAL;
    int rc = run_one((struct op){.flags = PATH_READLINK, .path = path, .buffer = text, .size = sizeof text});
    if (rc < 0) return rc;
    if ((size_t)rc == sizeof text) return path_failed(-ENAMETOOLONG, path);
    char *copy = wf_arena_strndup(arena, text, (size_t)rc);
    if (copy == NULL) return -ENOMEM;
    *target = copy;
    return 0;
}

int wf_unlink(const char *path)
{
    return run_one((struct op){.flags = PATH_UNLINK, .path = path});
}

int wf_mkdir(const char *path, mode_t mode)
{
    return run_one((struct op){.flags = PATH_MKDIR, .path = path, .mode = mode});
}

int wf_rmdir(const char *path)
{
    return run_one((struct op){.flags = PATH_RMDIR, .path = path});
}

int wf_chmod(const char *path, mode_t mode)
{
    return run_one((struct op){.flags = PATH_CHMOD, .path = path, .mode = mode});
}

int wf_set_times(const char *path, struct timespec read_at, struct timespec written_at)
{
    struct timespec times[2] = {read_at, written_at};
    return run_one((struct op){.flags = PATH_TIMES, .path = path, .buffer = times});
}

/* ---- Several directories ---- */

static int make_one(const char *path, mode_t mode)
{
    struct op op = {.kind = OP_PATH, .flags = PATH_MKDIR, .path = path, .mode = mode};
    return (int)op_run(&op);
}

/* `path` is cut at each slash in turn. */
static int make_parents(char *path, mode_t mode)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int rc = make_one(path, mode);
        if (rc < 0 && rc != -EEXIST) return path_failed(rc, path);
        *slash = '/';
    }
    return 0;
}

static int is_directory(const char *path)
{
    struct statx found;
    struct op op = {.kind = OP_STAT, .path = path, .buffer = &found};
    int rc = (int)op_run(&op);
    if (rc < 0) return rc;
    return S_ISDIR(found.stx_mode) ? 0 : -EEXIST;
}

int wf_mkdir_all(const char *path, mode_t mode)
{
    (void)LOOP_HERE();
    if (path == NULL || path[0] == '\0') return -EINVAL;
    int rc = make_one(path, mode);
    if (rc == -ENOENT) {
        size_t size = strlen(path) + 1;
        char *copy = memory_alloc(size);
        if (copy == NULL) return -ENOMEM;
        memcpy(copy, path, size);
        rc = make_parents(copy, mode);
        memory_free(copy);
        if (rc < 0) return rc;
        rc = make_one(path, mode);
    }
    if (rc == -EEXIST) rc = is_directory(path);
    return rc < 0 ? path_failed(rc, path) : 0;
}

/* ---- A tree ---- */

static bool may_be_removed(const char *path)
{
    size_t size = strlen(path);
    while (size > 0 && path[size - 1] == '/') size--;
    size_t name = size;
    while (name > 0 && path[name - 1] != '/') name--;
    bool dots = path[name] == '.' && (size - name == 1 || (size - name == 2 && path[name + 1] == '.'));
    return size > name && !dots;
}

int wf_remove_tree(const char *path)
{
    (void)LOOP_HERE();
    if (path == NULL) return -EINVAL;
    if (!may_be_removed(path)) return wf_fail(-EINVAL, "\"%s\" is not a name that can be removed", path);
    int rc, rounds = 0;
    do {
        struct op op = {.kind = OP_PATH, .flags = PATH_REMOVE_SOME, .path = path, .size = REMOVED_AT_ONCE};
        rc = (int)op_run(&op);
    } while (rc == 1 && ++rounds > 0);
    if (rc == -ENOENT && rounds > 0) rc = 0;
    return rc < 0 ? path_failed(rc, path) : 0;
}
