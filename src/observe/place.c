/* Names of addresses, by the dynamic linker and, where it is installed, by libdw. */
#include "observe/place.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- libdw, of which this is all that is needed: elfutils/libdwfl.h ---- */

struct dwfl_callbacks {
    int (*find_elf)(void *module, void **user, const char *name, uint64_t base, char **file, void **elf);
    int (*find_debuginfo)(void *module, void **user, const char *name, uint64_t base, const char *file,
                          const char *link, uint32_t crc, char **found);
    int (*section_address)(void *module, void **user, const char *name, uint64_t base, const char *section,
                           uint32_t index, const void *header, uint64_t *address);
    char **debuginfo_path;
};

static struct {
    void *library;
    void *(*begin)(const struct dwfl_callbacks *callbacks);
    int (*report)(void *dwfl, pid_t pid);
    int (*report_end)(void *dwfl, int (*removed)(void *), void *argument);
    void *(*module)(void *dwfl, uint64_t address);
    const char *(*function)(void *module, uint64_t address);
    void *(*line)(void *module, uint64_t address);
    const char *(*line_info)(void *line, uint64_t *address, int *number, int *column, void *, void *);
    void (*end)(void *dwfl);
} dw;

static struct dwfl_callbacks callbacks;
static void *dwfl; /* NULL: not asked, or not there */

/* A search elsewhere might go over the network. */
static int find_nothing(void *module, void **user, const char *name, uint64_t base, const char *file, const char *link,
                        uint32_t crc, char **found)
{
    (void)module, (void)user, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static bool find(void *into, const char *name)
{
    void *symbol = dlsym(dw.library, name);
    memcpy(into, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_all(void)
{
    callbacks.find_debuginfo = find_nothing;
    return find(&callbacks.find_elf, "dwfl_linux_proc_find_elf") && find(&dw.begin, "dwfl_begin") &&
           find(&dw.report, "dwfl_linux_proc_report") && find(&dw.report_end, "dwfl_report_end") &&
           find(&dw.module, "dwfl_addrmodule") && find(&dw.function, "dwfl_module_addrname") &&
           find(&dw.line, "dwfl_module_getsrc") && find(&dw.line_info, "dwfl_lineinfo") && find(&dw.end, "dwfl_end");
}

static bool has_libdw(void)
{
    static bool asked, found;
    if (!asked) {
        asked = true;
        dw.library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
        found = dw.library != NULL && find_all();
    }
    return found;
}

void places_begin(bool deep)
{
    pthread_mutex_lock(&lock);
    if (!deep || !has_libdw()) return;
    dwfl = dw.begin(&callbacks);
    if (dwfl == NULL) return;
    if (dw.report(dwfl, getpid()) == 0 && dw.report_end(dwfl, NULL, NULL) == 0) return;
    dw.end(dwfl);
    dwfl = NULL;
}

void places_end(void)
{
    if (dwfl != NULL) dw.end(dwfl);
    dwfl = NULL;
    pthread_mutex_unlock(&lock);
}

/* ---- One address ---- */

static void copy_name(char *into, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(into, PLACE_TEXT, "%s", slash != NULL ? slash + 1 : path);
}

static void program_name(char *into)
{
    char path[PLACE_TEXT];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    path[size > 0 ? size : 0] = '\0';
    copy_name(into, path);
}

static void ask_linker(uintptr_t address, struct place *place)
{
    Dl_info info;
    struct link_map *map;
    if (dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP) == 0) return;
    place->offset = address - map->l_addr;
    if (map->l_name[0] != '\0') copy_name(place->module, map->l_name);
    else program_name(place->module);
    if (info.dli_sname != NULL) snprintf(place->function, sizeof place->function, "%s", info.dli_sname);
}

static void ask_libdw(uintptr_t address, struct place *place)
{
    void *module = dw.module(dwfl, address);
    if (module == NULL) return;
    const char *function = dw.function(module, address);
    if (function != NULL) snprintf(place->function, sizeof place->function, "%s", function);
    void *line = dw.line(module, address);
    const char *file = line != NULL ? dw.line_info(line, NULL, &place->line, NULL, NULL, NULL) : NULL;
    if (file != NULL && place->line > 0) copy_name(place->file, file);
}

/* One less: the address is that of the next instruction, which may belong to the next line or function. */
void place_of(const void *address, struct place *place)
{
    *place = (struct place){.line = 0};
    uintptr_t call = (uintptr_t)address - 1;
    ask_linker(call, place);
    place->offset++;
    if (dwfl != NULL) ask_libdw(call, place);
}

void place_write(FILE *file, const struct place *place)
{
    if (place->function[0] != '\0') fprintf(file, "%s ", place->function);
    if (place->file[0] != '\0') fprintf(file, "at %s:%d ", place->file, place->line);
    fprintf(file, "(%s+0x%" PRIxPTR ")", place->module[0] != '\0' ? place->module : "?", place->offset);
}
