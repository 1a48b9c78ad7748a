/*
 * Watching names. The system tells of a directory's number and a name in it; the table says which path the number is.
 *
 * A rename is told in two halves, which the system queues one after the other. When the second is not in what was read,
 * it is waited for, for a moment: then there is none, and the name has left.
 */
#include <weft/watch.h>

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <weft/file.h>
#include <weft/scope.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"
#include "os/listing.h"

enum { WATCHED_MAX = 8192, BUFFER = 4096, PATH_ROOM = 2048 };

#define OTHER_HALF_NS WF_MILLISECONDS(10)
#define NAMES_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE)
#define SELF_MASK (IN_DELETE_SELF | IN_MOVE_SELF | IN_DONT_FOLLOW)

struct watched {
    int number;
    bool recursive, added; /* added: by the user, else because of `recursive` */
    char *path;
};

struct wf_watch {
    struct desc desc;
    uint32_t references; /* the descriptor's, and one for a call */
    bool waiting;
    struct watched *all;
    size_t count, room;
    struct wf_walk *walk; /* what lies in a directory that is new */
    bool adding;          /* what it gave last is a directory, and not watched yet */
    size_t used, next;
    _Alignas(struct inotify_event) char buffer[BUFFER];
    char path[PATH_ROOM], from[PATH_ROOM];
    uint32_t cookie; /* of a first half whose path is in `from`; 0: none */
    bool from_directory;
    struct wf_watch_event event;
};

/* ---- The table ---- */

static struct watched *find_number(const struct wf_watch *watch, int number)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->all[i].number == number) return &watch->all[i];
    return NULL;
}

static struct watched *find_path(const struct wf_watch *watch, const char *path)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->all[i].path, path) == 0) return &watch->all[i];
    return NULL;
}

static bool is_below(const char *path, const char *top)
{
    size_t size = strlen(top);
    return strncmp(path, top, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static void forget(struct wf_watch *watch, struct watched *watched)
{
    memory_free(watched->path);
    *watched = watch->all[--watch->count];
}

static int reserve(struct wf_watch *watch)
{
    if (watch->count < watch->room) return 0;
    if (watch->count == WATCHED_MAX) return -ENOSPC;
    size_t room = watch->room == 0 ? 16 : watch->room * 2;
    struct watched *larger = memory_resize(watch->all, room * sizeof *larger);
    if (larger == NULL) return -ENOMEM;
    watch->all = larger;
    watch->room = room;
    return 0;
}

/* Those below a directory that was renamed have other paths now; one whose path finds no memory is forgotten. */
static void rename_below(struct wf_watch *watch, const char *from, const char *to)
{
    for (size_t i = watch->count; i-- > 0;) {
        struct watched *watched = &watch->all[i];
        if (!is_below(watched->path, from)) continue;
        size_t size = strlen(watched->path) - strlen(from) + strlen(to) + 1;
        char *path = memory_alloc(size);
        if (path == NULL) {
            current_loop->driver->unwatch(current_loop, watch->desc.fd, watched->number);
            forget(watch, watched);
            continue;
        }
        snprintf(path, size, "%s%s", to, watched->path + strlen(from));
        memory_free(watched->path);
        watched->path = path;
    }
}

static void forget_below(struct wf_watch *watch, const char *top)
{
    for (size_t i = watch->count; i-- > 0;) {
        struct watched *watched = &watch->all[i];
        if (!is_below(watched->path, top)) continue;
        current_loop->driver->unwatch(current_loop, watch->desc.fd, watched->number);
        forget(watch, watched);
    }
}

/* ---- Opening and closing ---- */

static void drop(struct wf_watch *watch)
{
    if (--watch->references > 0) return;
    wf_walk_close(watch->walk);
    for (size_t i = 0; i < watch->count; i++) memory_free(watch->all[i].path);
    memory_free(watch->all);
    memory_free(watch);
}

static void released(struct desc *desc)
{
    drop((struct wf_watch *)((char *)desc - offsetof(struct wf_watch, desc)));
}

int wf_watch_open(struct wf_watch **out)
{
    struct loop *loop = LOOP_HERE();
    if (out == NULL) return -EINVAL;
    struct wf_watch *watch = memory_zero(sizeof *watch);
    if (watch == NULL) return -ENOMEM;
    int fd = loop->driver->watcher(loop);
    if (fd < 0) {
        memory_free(watch);
        return fd;
    }
    watch->references = 1;
    watch->desc.non_blocking = true;
    desc_init(&watch->desc, fd, released);
    *out = watch;
    return 0;
}

void wf_watch_close(struct wf_watch *watch)
{
    if (watch == NULL) return;
    (void)LOOP_ALIVE();
    desc_close(&watch->desc);
}

/* ---- Adding ---- */

static int add_one(struct wf_watch *watch, const char *path, bool recursive, bool added)
{
    char *copy = memory_copy_text(path);
    int rc = copy == NULL ? -ENOMEM : reserve(watch);
    struct op op = {
        .kind = OP_PATH,
        .flags = PATH_WATCH,
        .path = path,
        .fd = watch->desc.fd,
        .mode = NAMES_MASK | SELF_MASK,
    };
    if (rc == 0) rc = (int)op_run(&op);
    if (rc >= 0 && watch->desc.closed) rc = -EBADF;
    struct watched *known = rc >= 0 ? find_number(watch, rc) : NULL;
    if (known != NULL) { /* again, or by another name */
        known->recursive |= recursive;
        known->added |= added;
    }
    if (rc < 0 || known != NULL || (rc >= 0 && reserve(watch) < 0)) {
        memory_free(copy);
        return rc < 0 ? rc : 0;
    }
    watch->all[watch->count++] = (struct watched){rc, recursive, added, copy};
    return 0;
}

static int add_below(struct wf_watch *watch, const char *path)
{
    struct wf_walk *walk;
    const struct wf_walk_entry *entry;
    int rc = wf_walk_open(path, &walk);
    if (rc < 0) return rc == -ENOTDIR ? 0 : rc;
    while ((rc = wf_walk_next(walk, &entry)) > 0) {
        if (!S_ISDIR(entry->status.st_mode)) continue;
        rc = add_one(watch, entry->path, true, false);
        if (rc < 0 && rc != -ENOENT) break; /* else it vanished */
    }
    wf_walk_close(walk);
    return rc;
}

int wf_watch_add(struct wf_watch *watch, const char *path, bool recursive)
{
    (void)LOOP_HERE();
    if (path == NULL || strlen(path) >= PATH_ROOM - 256) return -EINVAL;
    watch->references++;
    int rc = add_one(watch, path, recursive, true);
    if (rc < 0) path_failed(rc, path);
    else if (recursive) rc = add_below(watch, path);
    drop(watch);
    return rc < 0 ? rc : 0;
}

int wf_watch_remove(struct wf_watch *watch, const char *path)
{
    (void)LOOP_HERE();
    struct watched *found = path != NULL ? find_path(watch, path) : NULL;
    if (found == NULL || !found->added) return -ENOENT;
    char *top = found->path; /* perhaps `path` itself */
    bool recursive = found->recursive;
    current_loop->driver->unwatch(current_loop, watch->desc.fd, found->number);
    *found = watch->all[--watch->count];
    if (recursive) forget_below(watch, top);
    memory_free(top);
    return 0;
}

/* ---- Telling ---- */

static int tell(struct wf_watch *watch, enum wf_watch_kind kind, const char *path, bool directory)
{
    watch->event = (struct wf_watch_event){.kind = kind, .path = path, .directory = directory};
    return 1;
}

static int tell_half(struct wf_watch *watch)
{
    watch->cookie = 0;
    if (watch->from_directory) forget_below(watch, watch->from);
    return tell(watch, WF_WATCH_REMOVED, watch->from, watch->from_directory);
}

static bool make_path(char path[PATH_ROOM], const struct watched *dir, const struct inotify_event *said)
{
    const char *slash = said->len == 0 || dir->path[strlen(dir->path) - 1] == '/' ? "" : "/";
    return snprintf(path, PATH_ROOM, "%s%s%s", dir->path, slash, said->len > 0 ? said->name : "") < PATH_ROOM;
}

/* A new directory below a recursive one: watched, then what is in it already is told. */
static int begin_new_directory(struct wf_watch *watch)
{
    int rc = add_one(watch, watch->path, true, false);
    if (rc == 0) rc = wf_walk_open(watch->path, &watch->walk);
    return rc == -ENOENT ? 0 : rc;
}

static int tell_walked(struct wf_watch *watch)
{
    const struct wf_walk_entry *entry;
    int rc = watch->adding ? 1 : wf_walk_next(watch->walk, &entry);
    if (rc == -ECANCELED || rc == -ENOMEM) return rc;
    if (rc <= 0) {
        wf_walk_close(watch->walk);
        watch->walk = NULL;
        return 0;
    }
    if (!watch->adding) {
        snprintf(watch->path, PATH_ROOM, "%s", entry->path);
        watch->adding = S_ISDIR(entry->status.st_mode);
        tell(watch, WF_WATCH_MADE, watch->path, watch->adding);
    }
    rc = watch->adding ? add_one(watch, watch->path, true, false) : 0;
    if (rc == -ECANCELED) return rc;
    watch->adding = false;
    return rc < 0 && rc != -ENOENT ? rc : 1;
}

static int tell_made(struct wf_watch *watch, const struct watched *dir, bool directory)
{
    int rc = directory && dir->recursive ? begin_new_directory(watch) : 0;
    tell(watch, WF_WATCH_MADE, watch->path, directory);
    return rc < 0 ? rc : 1;
}

static int tell_renamed(struct wf_watch *watch, bool directory)
{
    watch->cookie = 0;
    if (directory) rename_below(watch, watch->from, watch->path);
    tell(watch, WF_WATCH_RENAMED, watch->path, directory);
    watch->event.from = watch->from;
    return 1;
}

static int tell_of_itself(struct wf_watch *watch, struct watched *watched, const struct inotify_event *said)
{
    bool added = watched->added;
    if (!(said->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF))) {
        if (!added) return 0; /* its directory tells */
        return tell(watch, said->mask & IN_CLOSE_WRITE ? WF_WATCH_WRITTEN : WF_WATCH_CHANGED, watch->path,
                    said->mask & IN_ISDIR);
    }
    if ((said->mask & IN_MOVE_SELF) && !added) return 0;
    if (!(said->mask & IN_IGNORED)) current_loop->driver->unwatch(current_loop, watch->desc.fd, said->wd);
    forget(watch, watched);
    return added ? tell(watch, WF_WATCH_ENDED, watch->path, false) : 0;
}

static int tell_of_name(struct wf_watch *watch, const struct watched *dir, const struct inotify_event *said)
{
    bool directory = said->mask & IN_ISDIR;
    if (said->mask & IN_MOVED_FROM) {
        watch->cookie = said->cookie;
        watch->from_directory = directory;
        memcpy(watch->from, watch->path, strlen(watch->path) + 1);
        return 0;
    }
    if (said->mask & IN_MOVED_TO) {
        if (watch->cookie == said->cookie) return tell_renamed(watch, directory);
        return tell_made(watch, dir, directory);
    }
    if (said->mask & IN_CREATE) return tell_made(watch, dir, directory);
    if (said->mask & IN_DELETE) return tell(watch, WF_WATCH_REMOVED, watch->path, directory);
    return tell(watch, said->mask & IN_CLOSE_WRITE ? WF_WATCH_WRITTEN : WF_WATCH_CHANGED, watch->path, directory);
}

/* One event of the system's: 1 told, 0 nothing to tell. */
static int take(struct wf_watch *watch)
{
    const struct inotify_event *said = (const struct inotify_event *)(const void *)(watch->buffer + watch->next);
    if (watch->cookie != 0 && !((said->mask & IN_MOVED_TO) && said->cookie == watch->cookie)) return tell_half(watch);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    size_t before = watch->next;
    watch->next += sizeof *said + said->len;
    if (said->mask & IN_Q_OVERFLOW) return tell(watch, WF_WATCH_OVERFLOW, "", false);
    struct watched *watched = find_number(watch, said->wd);
    if (watched == NULL || !make_path(watch->path, watched, said)) return 0;
    rc = said->len > 0 ? tell_of_name(watch, watched, said) : tell_of_itself(watch, watched, said);
    if (rc == -ECANCELED) watch->next = before;
    return rc;
}

/* ---- Reading ---- */

static int read_some(struct wf_watch *watch)
{
    struct op op = {.kind = OP_READ, .desc = &watch->desc, .buffer = watch->buffer, .size = BUFFER, .offset = -1};
    int64_t got = op_run(&op);
    if (got <= 0) return (int)got;
    watch->used = (size_t)got;
    watch->next = 0;
    return 1;
}

static int refill(struct wf_watch *watch)
{
    if (watch->cookie == 0) return read_some(watch);
    int rc = wf_within(OTHER_HALF_NS, read_some(watch));
    return rc == -ETIME ? tell_half(watch) + 1 : rc;
}

/* Gives 1 with an event, 0 when nothing is watched. */
static int next_event(struct wf_watch *watch)
{
    for (;;) {
        int rc = 0;
        if (watch->walk != NULL) rc = tell_walked(watch);
        else if (watch->next < watch->used) rc = take(watch);
        else if (watch->count == 0 && watch->cookie == 0) return 0;
        else {
            rc = refill(watch);
            if (rc == 1) continue;
            if (rc > 1) return 1; /* the half alone */
        }
        if (rc != 0) return rc;
    }
}

int wf_watch_next(struct wf_watch *watch, const struct wf_watch_event **event)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (watch->waiting) return (int)wait_skipped(-EBUSY);
    watch->waiting = true;
    watch->references++;
    rc = next_event(watch);
    watch->waiting = false;
    if (rc > 0 && watch->desc.closed) rc = -EBADF;
    if (rc > 0) *event = &watch->event;
    drop(watch);
    return (int)wait_skipped(rc);
}
