#include "driver/sim_process.h"
#include "driver/sim_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { LINKS_MAX = 40, PATH_ROOM = 1024 };

/* ---- Files ---- */

struct sim_file *sim_file_new(struct sim *sim, mode_t mode)
{
    struct sim_file *file = memory_zero(sizeof *file);
    if (file == NULL) return NULL;
    file->last_piece = &file->journal;
    file->mode = mode;
    file->inode = (ino_t)(sim_random(sim) >> 32);
    file->written_at = sim->now;
    file->touched = true;
    return file;
}

static void drop_entry(struct wf_sim_host *host, struct sim_entry *entry);

static void free_file(struct wf_sim_host *host, struct sim_file *file)
{
    while (file->entries != NULL) {
        struct sim_entry *entry = file->entries;
        file->entries = entry->next;
        if (entry->file != NULL && entry->file->parent == file) entry->file->parent = NULL;
        drop_entry(host, entry);
    }
    while (file->journal != NULL) {
        struct sim_piece *piece = file->journal;
        file->journal = piece->next;
        memory_free(piece);
    }
    memory_free(file->now.data);
    memory_free(file->durable.data);
    memory_free(file->below);
    memory_free(file->target);
    memory_free(file);
}

static void hold(struct sim_file *file)
{
    if (file != NULL) file->references++;
}

static void let_go(struct wf_sim_host *host, struct sim_file *file)
{
    if (file != NULL && --file->references == 0) free_file(host, file);
}

void sim_file_use(struct wf_sim_host *host, struct sim_file *file)
{
    hold(file);
    if (file->uses++ == 0) host->disk_size += file->now.size;
}

void sim_file_drop(struct wf_sim_host *host, struct sim_file *file)
{
    if (--file->uses == 0) host->disk_size -= file->now.size;
    let_go(host, file);
}

/* ---- Entries ---- */

static void drop_entry(struct wf_sim_host *host, struct sim_entry *entry)
{
    if (entry->file != NULL) {
        entry->file->names--;
        sim_file_drop(host, entry->file);
    }
    memory_free(entry);
}

static struct sim_entry *find_entry(const struct sim_file *dir, const char *name)
{
    struct sim_entry *entry = dir->entries;
    while (entry != NULL && strcmp(entry->name, name) != 0) entry = entry->next;
    return entry;
}

/* The entry of a name, made if need be, which is the only thing that can fail. */
static struct sim_entry *entry_for(struct sim_file *dir, const char *name)
{
    struct sim_entry *entry = find_entry(dir, name);
    if (entry != NULL) return entry;
    size_t size = strlen(name) + 1;
    entry = memory_zero(sizeof *entry + size);
    if (entry == NULL) return NULL;
    memcpy(entry->name, name, size);
    entry->next = dir->entries;
    dir->entries = entry;
    return entry;
}

static void set_entry(struct wf_sim_host *host, struct sim_file *dir, struct sim_entry *entry, struct sim_file *file)
{
    struct sim_file *before = entry->file;
    if (file != NULL) {
        sim_file_use(host, file);
        file->names++;
        file->parent = dir;
    }
    entry->file = file;
    if (before == NULL) return;
    before->names--;
    sim_file_drop(host, before);
}

static void forget_entry(struct wf_sim_host *host, struct sim_file *dir, struct sim_entry *entry)
{
    struct sim_entry **link = &dir->entries;
    while (*link != entry) link = &(*link)->next;
    *link = entry->next;
    drop_entry(host, entry);
}

/* ---- What is below ---- */

static int name_below(const struct sim_file *dir, const char *name, char path[PATH_ROOM])
{
    bool slash = dir->below[0] != '\0' && dir->below[strlen(dir->below) - 1] != '/';
    int size = snprintf(path, PATH_ROOM, "%s%s%s", dir->below, slash ? "/" : "", name);
    return size < PATH_ROOM ? 0 : -ENAMETOOLONG;
}

static int read_target(struct sim_file *file)
{
    char target[PATH_ROOM];
    ssize_t size = readlink(file->below, target, sizeof target - 1);
    if (size < 0) return -errno;
    target[size] = '\0';
    file->target = memory_copy_text(target);
    return file->target != NULL ? 0 : -ENOMEM;
}

static int find_below(struct sim *sim, struct sim_file *dir, const char *name, struct sim_file **out)
{
    char path[PATH_ROOM];
    struct stat status;
    int rc = name_below(dir, name, path);
    if (rc < 0) return rc;
    if (lstat(path, &status) < 0) return -errno;
    struct sim_file *file = sim_file_new(sim, status.st_mode);
    if (file == NULL) return -ENOMEM;
    file->touched = false;
    file->inode = status.st_ino;
    file->below = memory_copy_text(path);
    rc = file->below == NULL ? -ENOMEM : S_ISLNK(status.st_mode) ? read_target(file) : 0;
    struct sim_entry *entry = rc == 0 ? entry_for(dir, name) : NULL;
    if (entry == NULL) {
        free_file(NULL, file);
        return rc < 0 ? rc : -ENOMEM;
    }
    set_entry(sim->hosts, dir, entry, file);
    *out = file;
    return 0;
}

/* What was only looked at is what is below, whatever has become of that. */
static bool has_changed_below(const struct sim_file *file)
{
    struct stat status;
    if (file->below == NULL || file->touched) return false;
    return lstat(file->below, &status) < 0 || status.st_ino != file->inode;
}

int sim_look_up(struct sim *sim, struct sim_file *dir, const char *name, struct sim_file **file)
{
    struct sim_entry *entry = find_entry(dir, name);
    if (entry != NULL && entry->file != NULL && entry->file->uses == 1 && has_changed_below(entry->file)) {
        forget_entry(sim->hosts, dir, entry);
        entry = NULL;
    }
    if (entry == NULL) return dir->below != NULL ? find_below(sim, dir, name, file) : -ENOENT;
    *file = entry->file;
    return entry->file != NULL ? 0 : -ENOENT;
}

/* ---- Paths ---- */

bool sim_may(const struct sim *sim, const struct sim_file *file, mode_t wanted)
{
    return !sim->faults.unprivileged || (file->mode & wanted) == wanted;
}

struct walking {
    struct sim *sim;
    struct wf_sim_host *host;
    int links;
};

static int follow_path(struct walking *walking, struct sim_file *from, const char *path, bool follow,
                       struct sim_place *place);

/* One name further. */
static int step(struct walking *walking, struct sim_place *place, const char *name, size_t size, bool last)
{
    struct sim_file *here = place->file;
    if (here == NULL) return -ENOENT;
    if (!S_ISDIR(here->mode)) return -ENOTDIR;
    if (!sim_may(walking->sim, here, S_IXUSR)) return -EACCES;
    if (size > SIM_NAME_MAX) return -ENAMETOOLONG;
    memcpy(place->name, name, size);
    place->name[size] = '\0';
    if (strcmp(place->name, ".") == 0) return 0;
    if (strcmp(place->name, "..") == 0) {
        if (here->parent != NULL) place->file = here->parent;
        return 0;
    }
    place->dir = here;
    place->file = NULL;
    int rc = sim_look_up(walking->sim, here, place->name, &place->file);
    return rc == -ENOENT && last ? 0 : rc;
}

static int follow_link(struct walking *walking, struct sim_place *place)
{
    if (++walking->links > LINKS_MAX) return -ELOOP;
    struct sim_file *link = place->file, *dir = place->dir;
    return follow_path(walking, dir, link->target, true, place);
}

static int follow_path(struct walking *walking, struct sim_file *from, const char *path, bool follow,
                       struct sim_place *place)
{
    if (path[0] == '\0') return -ENOENT;
    place->dir = place->file = path[0] == '/' ? walking->host->root : from;
    strcpy(place->name, ".");
    while (*path != '\0') {
        path += strspn(path, "/");
        size_t size = strcspn(path, "/");
        if (size == 0) break;
        const char *rest = path + size + strspn(path + size, "/");
        int rc = step(walking, place, path, size, *rest == '\0');
        if (rc == 0 && place->file != NULL && S_ISLNK(place->file->mode) && (*rest != '\0' || follow))
            rc = follow_link(walking, place);
        if (rc < 0) return rc;
        path += size;
    }
    return 0;
}

int sim_resolve(struct sim *sim, struct wf_sim_host *host, const char *path, bool follow, struct sim_place *place)
{
    struct walking walking = {.sim = sim, .host = host};
    char here[PATH_ROOM];
    if (strlen(path) >= PATH_ROOM) return -ENAMETOOLONG;
    if (path[0] == '/' || path[0] == '\0') return follow_path(&walking, host->root, path, follow, place);
    const struct sim_process *process = sim_process_of(sim->acting);
    const char *from = process != NULL && process->seen.directory != NULL ? process->seen.directory : here;
    if (from == here && getcwd(here, sizeof here) == NULL) return -errno;
    int rc = from[0] == '/' ? follow_path(&walking, host->root, from, true, place) : -ENOENT;
    if (rc == 0 && place->file == NULL) rc = -ENOENT;
    return rc < 0 ? rc : follow_path(&walking, place->file, path, follow, place);
}

/* ---- Names of a directory ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
    char **all;
    size_t count, room, bytes;
};

static bool add_name(struct names *names, const char *name)
{
    if (names->count == names->room) {
        size_t room = names->room == 0 ? 32 : names->room * 2;
        char **larger = memory_resize(names->all, room * sizeof(char *));
        if (larger == NULL) return false;
        names->all = larger;
        names->room = room;
    }
    names->all[names->count] = memory_copy_text(name);
    if (names->all[names->count] == NULL) return false;
    names->bytes += strlen(name) + 1;
    names->count++;
    return true;
}

static bool add_names_below(const struct sim_file *dir, struct names *names)
{
    DIR *directory = dir->below != NULL ? opendir(dir->below) : NULL;
    if (directory == NULL) return true;
    const struct dirent *found;
    bool fits = true;
    while (fits && (found = readdir(directory)) != NULL) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0) continue;
        if (find_entry(dir, found->d_name) == NULL) fits = add_name(names, found->d_name);
    }
    closedir(directory);
    return fits;
}

static char *join(struct names *names)
{
    char *text = memory_alloc(names->bytes + 1), *next = text;
    if (text == NULL) return NULL;
    if (names->count > 0) qsort(names->all, names->count, sizeof(char *), by_text);
    for (size_t i = 0; i < names->count; i++) next = stpcpy(next, names->all[i]) + 1;
    *next = '\0';
    return text;
}

char *sim_names(struct sim *sim, struct sim_file *dir)
{
    struct names names = {.count = 0};
    bool fits = add_names_below(dir, &names);
    for (struct sim_entry *entry = dir->entries, *next; fits && entry != NULL; entry = next) {
        struct sim_file *file;
        next = entry->next;
        char name[SIM_NAME_MAX + 1];
        snprintf(name, sizeof name, "%s", entry->name);
        if (sim_look_up(sim, dir, name, &file) == 0) fits = add_name(&names, name);
    }
    char *text = fits ? join(&names) : NULL;
    for (size_t i = 0; i < names.count; i++) memory_free(names.all[i]);
    memory_free(names.all);
    return text;
}

bool sim_is_empty(struct sim *sim, struct sim_file *dir)
{
    char *names = sim_names(sim, dir);
    bool empty = names == NULL || names[0] == '\0';
    memory_free(names);
    return empty;
}

/* ---- Changes ---- */

/* A name that stands for nothing is needed as long as it hides one below, or a crash may bring it back. */
static void forget_nothing(struct wf_sim_host *host, struct sim_file *dir, const char *name)
{
    char path[PATH_ROOM];
    struct stat status;
    struct sim_entry *entry = find_entry(dir, name);
    if (entry == NULL || entry->file != NULL) return;
    if (dir->below != NULL && (name_below(dir, name, path) < 0 || lstat(path, &status) == 0)) return;
    forget_entry(host, dir, entry);
}

static void free_change(struct wf_sim_host *host, struct sim_change *change)
{
    let_go(host, change->made);
    for (int i = 0; i < 2; i++) {
        if (change->was[i].dir == NULL) continue;
        if (change->was[i].name != NULL) forget_nothing(host, change->was[i].dir, change->was[i].name);
        let_go(host, change->was[i].dir);
        let_go(host, change->was[i].file);
        memory_free(change->was[i].name);
    }
    memory_free(change);
}

static void forget_changes(struct wf_sim_host *host)
{
    while (host->changes != NULL) {
        struct sim_change *change = host->changes;
        host->changes = change->older;
        free_change(host, change);
    }
    host->change_count = 0;
}

void sim_changes_keep(struct wf_sim_host *host, struct sim_file *file)
{
    for (struct sim_change **link = &host->changes; *link != NULL;) {
        struct sim_change *change = *link;
        if (change->was[0].dir != file && change->was[1].dir != file && change->made != file) {
            link = &change->older;
            continue;
        }
        *link = change->older;
        host->change_count--;
        free_change(host, change);
    }
}

static void touch(struct sim_file *dir, int64_t now)
{
    dir->written_at = now;
    for (; dir != NULL && !dir->touched; dir = dir->parent) dir->touched = true;
}

static bool remember(struct sim_change *change, int i, struct sim_file *dir, const struct sim_entry *entry)
{
    change->was[i].name = memory_copy_text(entry->name);
    if (change->was[i].name == NULL) return false;
    change->was[i].dir = dir;
    change->was[i].file = entry->file;
    hold(dir);
    hold(entry->file);
    return true;
}

int sim_rename(struct sim *sim, struct wf_sim_host *host, struct sim_file *made, const struct sim_place *one,
               struct sim_file *becomes, const struct sim_place *other, struct sim_file *other_becomes)
{
    if (!sim_may(sim, one->dir, S_IWUSR) || (other != NULL && !sim_may(sim, other->dir, S_IWUSR))) return -EACCES;
    if (host->change_count >= SIM_CHANGES_MAX) forget_changes(host); /* by now they are on the disk */
    struct sim_entry *entry = entry_for(one->dir, one->name);
    struct sim_entry *other_entry = other != NULL ? entry_for(other->dir, other->name) : NULL;
    struct sim_change *change = memory_zero(sizeof *change);
    if (entry == NULL || change == NULL || (other != NULL && other_entry == NULL)) {
        memory_free(change);
        return -ENOMEM;
    }
    hold(made);
    change->made = made;
    if (!remember(change, 0, one->dir, entry) || (other != NULL && !remember(change, 1, other->dir, other_entry))) {
        free_change(host, change);
        return -ENOMEM;
    }
    host->change_count++;
    change->older = host->changes;
    host->changes = change;
    hold(becomes);
    set_entry(host, one->dir, entry, becomes);
    touch(one->dir, sim->now);
    if (other != NULL) {
        set_entry(host, other->dir, other_entry, other_becomes);
        touch(other->dir, sim->now);
    }
    let_go(host, becomes);
    return 0;
}

static void take_back(struct wf_sim_host *host, const struct sim_change *change)
{
    for (int i = 0; i < 2; i++) {
        struct sim_file *dir = change->was[i].dir;
        struct sim_entry *entry = dir != NULL ? entry_for(dir, change->was[i].name) : NULL;
        if (entry != NULL) set_entry(host, dir, entry, change->was[i].file);
    }
}

void sim_tree_crash(struct sim *sim, struct wf_sim_host *host)
{
    size_t lost = sim_random(sim) % (host->change_count + 1);
    for (const struct sim_change *change = host->changes; lost > 0 && change != NULL; change = change->older, lost--)
        take_back(host, change);
    forget_changes(host);
}

void sim_tell_of(struct sim *sim, struct sim_file *file, unsigned mask)
{
    sim_tell(sim, file, NULL, mask, 0);
    const struct sim_entry *entry = file->parent != NULL ? file->parent->entries : NULL;
    while (entry != NULL && entry->file != file) entry = entry->next;
    if (entry != NULL) sim_tell(sim, file->parent, entry->name, mask, 0);
}

/* ---- A host's tree ---- */

int sim_tree_init(struct sim *sim, struct wf_sim_host *host)
{
    host->root = sim_file_new(sim, S_IFDIR | 0755);
    if (host->root == NULL) return -ENOMEM;
    host->root->below = memory_copy_text("/");
    if (host->root->below == NULL) {
        free_file(host, host->root);
        host->root = NULL;
        return -ENOMEM;
    }
    host->root->touched = false;
    sim_file_use(host, host->root);
    return 0;
}

void sim_tree_finish(struct wf_sim_host *host)
{
    forget_changes(host);
    if (host->root != NULL) sim_file_drop(host, host->root);
}
