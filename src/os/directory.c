/* Listing one directory: as it comes, or all of it read and sorted first. */
#include <weft/path.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <weft/arena.h>

#include "base/memory.h"
#include "core/loop.h"
#include "os/listing.h"

enum { SORTED_MAX = 1000000 };

struct wf_directory {
    struct listing *listing; /* NULL once all was read */
    struct wf_directory_entry entry;
    struct wf_arena arena; /* of the names */
    struct wf_directory_entry *entries;
    size_t count, room, next;
};

static int grow(struct wf_directory *directory)
{
    if (directory->count < directory->room) return 0;
    if (directory->count == SORTED_MAX) return -EOVERFLOW;
    size_t room = directory->room == 0 ? 64 : directory->room * 2;
    if (room > SORTED_MAX) room = SORTED_MAX;
    struct wf_directory_entry *larger = memory_resize(directory->entries, room * sizeof *larger);
    if (larger == NULL) return -ENOMEM;
    directory->entries = larger;
    directory->room = room;
    return 0;
}

static int keep(struct wf_directory *directory, const struct listed *listed)
{
    int rc = grow(directory);
    char *name = rc == 0 ? wf_arena_strdup(&directory->arena, listed->name) : NULL;
    if (name == NULL) return rc < 0 ? rc : -ENOMEM;
    directory->entries[directory->count++] = (struct wf_directory_entry){name, (mode_t)DTTOIF(listed->type)};
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct wf_directory_entry *)a)->name, ((const struct wf_directory_entry *)b)->name);
}

static int read_all(struct wf_directory *directory)
{
    const struct listed *listed;
    int rc;
    while ((rc = listing_next(directory->listing, &listed)) > 0) {
        rc = keep(directory, listed);
        if (rc < 0) return rc;
    }
    if (rc < 0) return rc;
    listing_close(directory->listing);
    directory->listing = NULL;
    if (directory->count > 0) qsort(directory->entries, directory->count, sizeof *directory->entries, by_name);
    return 0;
}

int wf_directory_open(const char *path, enum wf_directory_order order, struct wf_directory **out)
{
    (void)LOOP_HERE();
    if (path == NULL) return -EINVAL;
    struct wf_directory *directory = memory_zero(sizeof *directory);
    if (directory == NULL) return -ENOMEM;
    int rc = listing_open(path, 0, &directory->listing);
    if (rc == 0 && order == WF_DIRECTORY_BY_NAME) rc = read_all(directory);
    if (rc < 0) {
        wf_directory_close(directory);
        return path_failed(rc, path);
    }
    *out = directory;
    return 0;
}

int wf_directory_next(struct wf_directory *directory, const struct wf_directory_entry **entry)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (directory->listing == NULL) {
        if (directory->next == directory->count) return (int)wait_skipped(0);
        *entry = &directory->entries[directory->next++];
        return (int)wait_skipped(1);
    }
    const struct listed *listed;
    rc = listing_next(directory->listing, &listed);
    if (rc <= 0) return rc;
    directory->entry = (struct wf_directory_entry){listed->name, (mode_t)DTTOIF(listed->type)};
    *entry = &directory->entry;
    return (int)wait_skipped(1);
}

void wf_directory_close(struct wf_directory *directory)
{
    if (directory == NULL) return;
    listing_close(directory->listing);
    memory_free(directory->entries);
    wf_arena_finish(&directory->arena);
    memory_free(directory);
}
