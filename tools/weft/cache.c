/*
 * Compiled programs, kept in $XDG_CACHE_HOME/weft or ~/.cache/weft, one directory for each:
 *
 *     5f1d0c2ab4e97d63/          hash of the key
 *         hello                  the program; its time of modification is when the compiler was started
 *         hello.inputs           the files that the compiler read, in make's syntax
 *         hello.key              the key in full: source, flags, paths. The hash only finds, this decides
 *
 * A program is fresh while its key is the same and no input has changed since. "Changed" looks at the time of the inode
 * (ctime), which also moves when an older file is put in place of a newer one. Files are written beside their place and
 * renamed, so commands that run at the same time see whole files; the directory's time of modification is its last use.
 */
#include "command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAMS_MAX = 200 };
#define BYTES_MAX (UINT64_C(256) << 20)

/* ---- Where ---- */

static char *cache_path(void)
{
    const char *base = getenv("XDG_CACHE_HOME");
    if (base != NULL && base[0] == '/') return format_text("%s/weft", base); /* a relative one must be ignored */
    const char *home = getenv("HOME");
    if (home == NULL || home[0] != '/') fail("no place for compiled programs: set HOME or XDG_CACHE_HOME");
    return format_text("%s/.cache/weft", home);
}

static void make_directories(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* the last one tells whether all went well */
        *slash = '/';
    }
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        fail("cannot make %s: %s; set XDG_CACHE_HOME to a directory that can be written", path, strerror(errno));
}

/* What is found here is run, so nobody else may be able to put it here. */
static char *cache_directory(void)
{
    char *path = cache_path();
    make_directories(path);
    struct stat status;
    if (stat(path, &status) < 0) fail("cannot look at %s: %s", path, strerror(errno));
    if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))
        fail("%s belongs to, or can be written by, somebody else; set XDG_CACHE_HOME to a directory of your own", path);
    return path;
}

static uint64_t hash_bytes(const char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

struct entry cache_find(const char *key_text, size_t key_size, const char *name)
{
    struct entry entry = {.key_text = key_text, .key_size = key_size};
    entry.directory = format_text("%s/%016" PRIx64, cache_directory(), hash_bytes(key_text, key_size));
    make_directories(entry.directory);
    entry.program = format_text("%s/%s", entry.directory, name);
    entry.inputs = format_text("%s.inputs", entry.program);
    entry.key = format_text("%s.key", entry.program);
    return entry;
}

/* ---- Freshness ---- */

static bool is_before(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static bool unchanged_since(struct timespec made, const char *directory, const char *input)
{
    struct stat status;
    const char *path = input[0] == '/' ? input : format_text("%s/%s", directory, input);
    return stat(path, &status) == 0 && is_before(status.st_ctim, made);
}

/* The prerequisites of a rule "target: a b \⏎ c", where a space in a name has a backslash and a dollar is doubled. */
static struct words inputs_of(const char *rule)
{
    struct words inputs = {0};
    const char *colon = strstr(rule, ": ");
    if (colon == NULL) return inputs;
    char *plain = format_text("%s", colon + 2), *end = plain;
    for (const char *from = plain; *from != '\0'; from++) {
        if (from[0] == '\\' && from[1] == '\n') continue;
        if (from[0] == '$' && from[1] == '$') from++;
        *end++ = *from;
    }
    *end = '\0';
    add_split(&inputs, plain);
    return inputs;
}

static bool inputs_unchanged(const struct entry *entry, struct timespec made, const char *directory)
{
    size_t size;
    const char *rule = load_file(entry->inputs, &size);
    if (rule == NULL) return false;
    struct words inputs = inputs_of(rule);
    for (size_t i = 0; i < inputs.count; i++)
        if (!unchanged_since(made, directory, inputs.list[i])) return false;
    return inputs.count > 0;
}

static bool same_key(const struct entry *entry)
{
    size_t size;
    const char *key = load_file(entry->key, &size);
    return key != NULL && size == entry->key_size && memcmp(key, entry->key_text, size) == 0;
}

static bool libraries_unchanged(const struct words *command, struct timespec made, const char *directory)
{
    for (size_t i = 0; i < command->count; i++) {
        const char *word = command->list[i];
        if (word[0] == '/' && strncmp(base_name(word), "lib", 3) == 0 && !unchanged_since(made, directory, word))
            return false;
    }
    return true;
}

bool cache_is_fresh(const struct entry *entry, const char *directory, const struct words *command)
{
    struct stat program;
    return stat(entry->program, &program) == 0 && same_key(entry) &&
           libraries_unchanged(command, program.st_mtim, directory) &&
           inputs_unchanged(entry, program.st_mtim, directory);
}

void cache_touch(const struct entry *entry)
{
    utimensat(AT_FDCWD, entry->directory, NULL, 0);
}

/* ---- Bounds ---- */

struct kept {
    char *directory;
    struct timespec used;
    uint64_t bytes;
};

static int latest_first(const void *a, const void *b)
{
    struct timespec x = ((const struct kept *)a)->used, y = ((const struct kept *)b)->used;
    return is_before(x, y) ? 1 : is_before(y, x) ? -1 : 0;
}

/* The names in a directory, without those that begin with a dot. */
static struct words names_in(const char *directory)
{
    struct words names = {0};
    DIR *open = opendir(directory);
    if (open == NULL) return names;
    for (const struct dirent *found; (found = readdir(open)) != NULL;)
        if (found->d_name[0] != '.') add_word(&names, found->d_name);
    closedir(open);
    return names;
}

static uint64_t bytes_in(const char *directory)
{
    uint64_t bytes = 0;
    struct words names = names_in(directory);
    struct stat status;
    for (size_t i = 0; i < names.count; i++)
        if (lstat(format_text("%s/%s", directory, names.list[i]), &status) == 0) bytes += (uint64_t)status.st_size;
    return bytes;
}

static void throw_out(const char *directory)
{
    struct words names = names_in(directory);
    for (size_t i = 0; i < names.count; i++) unlink(format_text("%s/%s", directory, names.list[i]));
    rmdir(directory);
}

void cache_prune(void)
{
    const char *cache = cache_directory();
    struct words names = names_in(cache);
    struct kept *kept = take_memory((names.count + 1) * sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < names.count; i++) {
        char *directory = format_text("%s/%s", cache, names.list[i]);
        struct stat status;
        if (strlen(names.list[i]) != 16 || lstat(directory, &status) < 0 || !S_ISDIR(status.st_mode)) continue;
        kept[count++] = (struct kept){.directory = directory, .used = status.st_mtim, .bytes = bytes_in(directory)};
    }
    qsort(kept, count, sizeof *kept, latest_first);
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += kept[i].bytes;
        if (i > 0 && (i >= PROGRAMS_MAX || bytes > BYTES_MAX)) throw_out(kept[i].directory);
    }
}
