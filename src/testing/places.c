/* Where in the source an address of the program is. */
#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "testing/runner.h"

/* What was loaded there: its file, and how far from its own addresses it was put. */
struct module {
    char path[512];
    uintptr_t shift;
};

static bool module_of(void *address, struct module *module)
{
    Dl_info info;
    struct link_map *map;
    if (dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0) return false;
    module->shift = map->l_addr;
    if (map->l_name[0] != '\0') snprintf(module->path, sizeof module->path, "%s", map->l_name);
    else snprintf(module->path, sizeof module->path, "/proc/%d/exe", getpid());
    return true;
}

/* By the binutils, where they are and the module has debugging information. */
static FILE *ask(const struct module *module, void *const *addresses, size_t count)
{
    static char command[2048];
    int size = snprintf(command, sizeof command, "addr2line -s -f -p -e '%s'", module->path);
    for (size_t i = 0; i < count; i++) /* one less: these are where the calls return to */
        size += snprintf(command + size, sizeof command - (size_t)size, " 0x%" PRIxPTR,
                         (uintptr_t)addresses[i] - module->shift - 1);
    snprintf(command + size, sizeof command - (size_t)size, " 2>/dev/null");
    return popen(command, "r");
}

static void say_neighbours(const struct module *module, void *const *addresses, size_t count)
{
    char line[512];
    FILE *answers = ask(module, addresses, count);
    for (size_t i = 0; i < count; i++) {
        bool known = answers != NULL && fgets(line, sizeof line, answers) != NULL && strchr(line, '?') == NULL;
        if (known) say("        %.*s", (int)strcspn(line, "\n"), line);
        else say("        %s+0x%" PRIxPTR, module->path, (uintptr_t)addresses[i] - module->shift);
    }
    if (answers != NULL) pclose(answers);
}

void say_places(void *const *addresses, size_t count)
{
    struct module module, other;
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        if (!module_of(addresses[from], &module)) continue;
        while (to < count && module_of(addresses[to], &other) && other.shift == module.shift) to++;
        say_neighbours(&module, &addresses[from], to - from);
    }
}
