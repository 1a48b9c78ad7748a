/* What the system knows of a process: which one is meant, its name, which pages of its stacks are in memory. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "inspect.h"

enum { PAGE = 4096, PIDS_SHOWN = 8 };

/* ---- Which process ---- */

const char *process_name(pid_t pid)
{
    size_t size;
    char *name = load_file(format_text("/proc/%d/comm", (int)pid), &size);
    if (name == NULL) return "?";
    name[strcspn(name, "\n")] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~') *c = '?';
    return name;
}

static const char *program_of(pid_t pid)
{
    char *path = take_memory(PATH_MAX + 1);
    ssize_t size = readlink(format_text("/proc/%d/exe", (int)pid), path, PATH_MAX);
    path[size > 0 ? size : 0] = '\0';
    return base_name(path);
}

static bool is_number(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    return digits > 0 && digits < 10 && word[digits] == '\0';
}

static bool runs_weft(pid_t pid)
{
    struct memory memory;
    struct registry registry = {.address = 0};
    const char *why;
    memory_of_process(&memory, pid);
    return find_registry(&memory, &registry, &why) != -ENOENT;
}

/* Those of that name, and of these, where there are several, those that run weft. */
static size_t find_named(const char *name, pid_t *found, size_t room)
{
    DIR *processes = opendir("/proc");
    size_t count = 0;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        if (!is_number(entry->d_name) || count == room) continue;
        pid_t pid = (pid_t)atoi(entry->d_name);
        if (pid == getpid()) continue;
        if (strcmp(program_of(pid), name) == 0 || strcmp(process_name(pid), name) == 0) found[count++] = pid;
    }
    if (processes != NULL) closedir(processes);
    if (count < 2) return count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (runs_weft(found[i])) found[kept++] = found[i];
    return kept;
}

pid_t find_process(const char *word)
{
    if (is_number(word)) return (pid_t)atoi(word);
    enum { ROOM = 1024 };
    pid_t *found = take_memory(ROOM * sizeof *found);
    size_t count = find_named(word, found, ROOM);
    if (count == 1) return found[0];
    if (count == 0) fail("there is no process called '%s'", word);
    char *list = format_text("%d", (int)found[0]);
    for (size_t i = 1; i < count && i < PIDS_SHOWN; i++) list = format_text("%s, %d", list, (int)found[i]);
    fail("%zu processes are called '%s': %s%s; say which", count, word, list, count > PIDS_SHOWN ? ", ..." : "");
}

/* ---- Pages ---- */

bool page_map_open(struct page_map *map, pid_t pid)
{
    map->count = 0;
    map->fd = open(format_text("/proc/%d/pagemap", (int)pid), O_RDONLY | O_CLOEXEC);
    return map->fd >= 0;
}

static bool is_in_memory(struct page_map *map, uint64_t page)
{
    const uint64_t present = UINT64_C(3) << 62; /* in memory, or swapped out */
    if (page < map->first || page >= map->first + map->count) {
        ssize_t got = pread(map->fd, map->window, sizeof map->window, (off_t)(page * sizeof *map->window));
        map->first = page;
        map->count = got > 0 ? (size_t)got / sizeof *map->window : 0;
        if (map->count == 0) return false;
    }
    return (map->window[page - map->first] & present) != 0;
}

uint64_t stack_used(struct page_map *map, uint64_t low, uint64_t size)
{
    if (map->fd < 0 || size > (UINT64_C(1) << 31)) return 0;
    for (uint64_t offset = 0; offset < size; offset += PAGE)
        if (is_in_memory(map, (low + offset) / PAGE)) return size - offset;
    return 0;
}
