/*
 * The names of the simulated disk: a tree of directories for each host, over the real one, which is never changed.
 *
 *     looking up a name:   its entry, if there is one  -->  else the real directory below, whose file becomes an entry
 *     changing names:      the entries are set, and what they were is remembered in the host's list of changes
 *     a crash:             the newest changes, as many as chance wills, are taken back; a sync of the directory, or of
 *                          a new file, makes its own last
 */
#ifndef WEFT_DRIVER_SIM_TREE_H
#define WEFT_DRIVER_SIM_TREE_H

#include "driver/sim.h"

enum { SIM_NAME_MAX = 255, SIM_CHANGES_MAX = 1024 };

struct sim_bytes {
    char *data;
    size_t size, room;
};

struct sim_entry {
    struct sim_entry *next;
    struct sim_file *file; /* NULL: removed, and hides what is below */
    char name[];
};

/* Written, not yet synced. */
struct sim_piece {
    struct sim_piece *next;
    int64_t offset;
    size_t size; /* of a cut: 0, and `offset` is the size that the file was given */
    bool cut;
    char data[];
};

/* A file, a directory or a symbolic link. */
struct sim_file {
    unsigned references; /* names, openings and remembered changes */
    unsigned uses;       /* names and openings */
    unsigned names;
    mode_t mode;
    ino_t inode;
    int64_t written_at;
    char *below;  /* the real path that it was found at; NULL: none */
    bool touched; /* it is no longer just what is below */

    struct sim_bytes now, durable;
    struct sim_piece *journal, **last_piece;

    struct sim_entry *entries; /* of a directory */
    struct sim_file *parent;   /* where it got its last name; NULL: gone */

    char *target; /* of a link */
};

struct sim_change {
    struct sim_change *older;
    struct sim_file *made; /* the change is a new name for a new file; NULL: anything else */
    struct {
        struct sim_file *dir, *file; /* what the name stood for; `dir` NULL: no second name */
        char *name;
    } was[2];
};

/* Where a path leads. */
struct sim_place {
    struct sim_file *dir;
    struct sim_file *file; /* NULL: there is none, and one may be made */
    char name[SIM_NAME_MAX + 1];
};

/* May the program do that with it? S_IRUSR ... */
bool sim_may(const struct sim *sim, const struct sim_file *file, mode_t wanted);

/* 0 also where only the last name is missing. `follow`: a link at the end too. */
int sim_resolve(struct sim *sim, struct wf_sim_host *host, const char *path, bool follow, struct sim_place *place);

/* The file of that name in a directory: 0, -ENOENT, or why it cannot be told. */
int sim_look_up(struct sim *sim, struct sim_file *dir, const char *name, struct sim_file **file);

/* A new file without a name; NULL: out of memory. */
struct sim_file *sim_file_new(struct sim *sim, mode_t mode);
void sim_file_use(struct wf_sim_host *host, struct sim_file *file);
void sim_file_drop(struct wf_sim_host *host, struct sim_file *file);

/* Contents of the real file below become its own, when they are not yet. */
int sim_file_load(struct wf_sim_host *host, struct sim_file *file);

/*
 * Remembers what one name, or two, stand for, and lets them stand for other files (NULL: none). All or nothing:
 * -ENOMEM, -EACCES. `made`: as in struct sim_change.
 */
int sim_rename(struct sim *sim, struct wf_sim_host *host, struct sim_file *made, const struct sim_place *one,
               struct sim_file *becomes, const struct sim_place *other, struct sim_file *other_becomes);

/* Is anything in the directory? */
bool sim_is_empty(struct sim *sim, struct sim_file *dir);

/* The names in it, sorted, each ended by a zero, the last one empty; NULL: out of memory. */
char *sim_names(struct sim *sim, struct sim_file *dir);

/* The changes of its names, if it is a directory, and its making, if it is a file, are no longer taken back. */
void sim_changes_keep(struct wf_sim_host *host, struct sim_file *file);

int sim_tree_init(struct sim *sim, struct wf_sim_host *host);
void sim_tree_finish(struct wf_sim_host *host);
void sim_tree_crash(struct sim *sim, struct wf_sim_host *host);

/* What inotify says: of a name in a directory, or (`name` NULL) of the file itself; both, for the name it has. */
void sim_tell(struct sim *sim, struct sim_file *dir, const char *name, unsigned mask, unsigned cookie);
void sim_tell_of(struct sim *sim, struct sim_file *file, unsigned mask);

#endif
