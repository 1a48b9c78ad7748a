/*
 * What the parts of the `weft` command share. The command is a program of its own: it needs nothing but libc, runs for
 * a moment, and so never gives memory back. (`weft get` is another one beside it, which stands on the libraries.)
 */
#ifndef WEFT_TOOLS_COMMAND_H
#define WEFT_TOOLS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STATUS_FAILED = 1, /* what was asked for could not be done */
    STATUS_USAGE = 2,  /* what was asked for makes no sense */
};

/* ---- text.c: memory, text and lists of words; out of memory ends the command ---- */

struct words {
    char **list; /* `count` words and a NULL, or NULL before the first */
    size_t count;
    size_t room;
};

__attribute__((returns_nonnull)) void *take_memory(size_t size);
char *format_text(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void add_word(struct words *words, const char *word);
void add_words(struct words *words, const struct words *more);

/* Adds what the text consists of, parted at white space; a backslash takes the next character as it is. */
void add_split(struct words *words, const char *text);
char *join_words(const struct words *words, char separator);

/* The bytes of a file, a zero after them; NULL with errno when it cannot be read. */
char *load_file(const char *path, size_t *size);
char *load_descriptor(int fd, size_t *size);

/* Writes a file anew. False with errno, and nothing is left, when it cannot. */
bool save_file(const char *path, const char *bytes, size_t size);

/* The last component of a path, and all before it with its slash ("" when there is none). */
const char *base_name(const char *path);
char *directory_part(const char *path);

/* The absolute path without symbolic links; NULL with errno when there is no such file. */
char *real_path(const char *path);

/* Says "weft: …" on standard error. `fail` then ends the command with STATUS_FAILED. */
void complain(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
void fail(const char *format, ...) __attribute__((__format__(__printf__, 1, 2), noreturn));

/* ---- process.c: other programs ---- */

/* The path of a program, looked for in $PATH as the shell does; NULL when there is none. */
char *find_program(const char *name);

struct surroundings {
    const char *directory; /* NULL: this one's */
    int input, output;     /* descriptors; -1: this one's */
};

/* Runs a program to its end. Returns its exit status; when a signal ended it or it could not be started, says so and
 * returns STATUS_FAILED. */
int run_program(const struct words *command, const struct surroundings *around);

/* The same with what it prints in `*output`. */
int capture_program(const struct words *command, char **output);

/* A file without a name that holds these bytes, to be read from its start. */
int memory_file(const char *bytes, size_t size);

/* ---- places.c: where the library is ---- */

struct places {
    const char *include_directory;
    const char *library;             /* the file to link with */
    const char *library_directory;   /* where a program looks for it when it starts; NULL when it is linked in */
    const char *sanitizers;          /* what the library was built with, or "none" */
    bool asan;                       /* this one library has them, and the others that stand on it have not */
    const char *pkgconfig_directory; /* where weft.pc is; several, parted by colons, in a build tree */
};

/* The directory that this command was started from, without a final slash. */
char *own_directory(void);

/* The library next to this very command, in a build tree or an installation; without one the command ends. */
struct places find_places(bool asan);

/* ---- packages.c: what pkg-config knows ---- */

/* Adds the flags of these packages, which `file` needs; without one of them the command ends. True: weft itself is
 * among what was added. */
bool add_packages(struct words *command, const struct words *packages, const struct places *places, const char *file);

/* ---- cache.c: compiled programs ---- */

struct entry {
    char *directory; /* of this one program */
    char *program;
    char *inputs; /* the files it was made from, as the compiler lists them (make's syntax) */
    char *key;    /* everything else that it was made from, in full */
    const char *key_text;
    size_t key_size;
};

/* Where the program of this key belongs; `name` is the program's. */
struct entry cache_find(const char *key_text, size_t key_size, const char *name);

/* Is the program there, and has nothing that it was made from changed: its inputs, which are relative to `directory`,
 * and the libraries that the command names by their paths? */
bool cache_is_fresh(const struct entry *entry, const char *directory, const struct words *command);

/* Counts as a use, for what is thrown out first. */
void cache_touch(const struct entry *entry);

/* Throws out the programs that were not used for longest, down to the cache's bounds. */
void cache_prune(void);

/* ---- The commands ---- */

int run_command(int argc, char **argv);
int new_command(int argc, char **argv);
int ps_command(int argc, char **argv);
int top_command(int argc, char **argv);
int get_command(int argc, char **argv);

#endif
