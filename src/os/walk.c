/*
 * Walking a directory tree. Each directory is read as a whole (names, types, sizes, sorted), so a walk holds one list
 * for each level.
 */
#include <weft/file.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"
#include "os/listing.h"

struct item {
    char *name;
    struct stat status;
};

/* One directory, read. */
struct level {
    struct level *outer;
    struct wf_arena arena;
    struct item *items;
    size_t count, next;
    size_t path_size; /* of the directory's own path in walk->path */
};

struct wf_walk {
    struct level *level; /* the innermost; NULL at the end */
    struct wf_walk_entry entry;
    struct level *below; /* that directory */
    char *path;
    size_t path_room;
};

/* ---- One directory ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct item *)a)->name, ((const struct item *)b)->name);
}

static int add_item(struct level *level, const struct listed *listed, size_t *room)
{
    struct item item = {.name = wf_arena_strdup(&level->arena, listed->name), .status = listed->status};
    if (item.name == NULL) return -ENOMEM;
    if (level->count == *room) {
        *room = *room == 0 ? 32 : *room * 2;
        struct item *larger = memory_resize(level->items, *room * sizeof *larger);
        if (larger == NULL) return -ENOMEM;
        level->items = larger;
    }
    level->items[level->count++] = item;
    return 0;
}

static int read_directory(const char *path, struct level *level)
{
    struct listing *listing;
    const struct listed *listed;
    size_t room = 0;
    int rc = listing_open(path, LIST_STATUS, &listing);
    if (rc < 0) return rc;
    while ((rc = listing_next(listing, &listed)) > 0) {
        rc = add_item(level, listed, &room);
        if (rc < 0) break;
    }
    listing_close(listing);
    if (rc == 0 && level->count > 0) qsort(level->items, level->count, sizeof *level->items, by_name);
    return rc;
}

static void level_free(struct level *level)
{
    if (level == NULL) return;
    memory_free(level->items);
    wf_arena_finish(&level->arena);
    memory_free(level);
}

static int level_read(const char *path, struct level **out)
{
    struct level *level = memory_zero(sizeof *level);
    if (level == NULL) return -ENOMEM;
    level->path_size = strlen(path);
    int rc = read_directory(path, level);
    if (rc < 0) level_free(level);
    else *out = level;
    return rc;
}

static int append_name(struct wf_walk *walk, size_t path_size, const char *name)
{
    bool slash = path_size > 0 && walk->path[path_size - 1] != '/';
    size_t needed = path_size + slash + strlen(name) + 1;
    if (needed > walk->path_room) {
        char *larger = memory_resize(walk->path, needed * 2);
        if (larger == NULL) return -ENOMEM;
        walk->path = larger;
        walk->path_room = needed * 2;
    }
    snprintf(walk->path + path_size, walk->path_room - path_size, "%s%s", slash ? "/" : "", name);
    return 0;
}

int wf_walk_open(const char *root, struct wf_walk **out)
{
    (void)LOOP_HERE();
    if (root == NULL || root[0] == '\0') return -EINVAL;
    struct wf_walk *walk = memory_zero(sizeof *walk);
    if (walk == NULL) return -ENOMEM;
    int rc = append_name(walk, 0, root);
    if (rc == 0) rc = level_read(root, &walk->level);
    if (rc < 0) {
        wf_walk_close(walk);
        return rc == -ECANCELED ? rc : wf_fail(rc, "%s: %s", root, wf_strerror(rc));
    }
    walk->entry.depth = -1;
    *out = walk;
    return 0;
}

static void go_on(struct wf_walk *walk)
{
    if (walk->below != NULL) {
        walk->below->outer = walk->level;
        walk->level = walk->below;
        walk->below = NULL;
    }
    while (walk->level != NULL && walk->level->next == walk->level->count) {
        struct level *ended = walk->level;
        walk->level = ended->outer;
        level_free(ended);
    }
}

static int depth_of(const struct wf_walk *walk)
{
    int depth = 0;
    for (const struct level *level = walk->level->outer; level != NULL; level = level->outer) depth++;
    return depth;
}

int wf_walk_next(struct wf_walk *walk, const struct wf_walk_entry **entry)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    for (;;) {
        go_on(walk);
        struct level *level = walk->level;
        if (level == NULL) return (int)wait_skipped(0);
        const struct item *item = &level->items[level->next];
        rc = append_name(walk, level->path_size, item->name);
        if (rc < 0) return rc;
        int error = 0;
        if (S_ISDIR(item->status.st_mode)) {
            error = level_read(walk->path, &walk->below);
            if (error == -ECANCELED || error == -ENOMEM || error == -EAGAIN) return error;
        }
        level->next++;
        if (error == -ENOENT) continue; /* it vanished */
        walk->entry = (struct wf_walk_entry){
            .path = walk->path,
            .name = item->name,
            .depth = depth_of(walk),
            .error = error,
            .status = item->status,
        };
        *entry = &walk->entry;
        return (int)wait_skipped(1);
    }
}

void wf_walk_skip(struct wf_walk *walk)
{
    level_free(walk->below);
    walk->below = NULL;
}

void wf_walk_close(struct wf_walk *walk)
{
    if (walk == NULL) return;
    level_free(walk->below);
    while (walk->level != NULL) {
        struct level *level = walk->level;
        walk->level = level->outer;
        level_free(level);
    }
    memory_free(walk->path);
    memory_free(walk);
}
