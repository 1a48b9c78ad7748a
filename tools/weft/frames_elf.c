/*
 * Backtraces without a library for debug information: frame pointers, and names of functions from the tables of symbols
 * in the files that the process has mapped.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "frames.h"

struct symbol {
    uint64_t address, size; /* as the file has it */
    const char *name;
};

/* A file that is mapped: where, and what it says of its functions. */
struct module {
    struct module *next;
    uint64_t low, high, file_offset; /* of one of its mappings */
    const char *path;
    bool loaded;
    const char *bytes; /* the file; NULL: cannot be read */
    size_t size;
    struct symbol *symbols;
    size_t count;
};

struct unwinder {
    struct memory *memory;
    const struct registry *registry;
    struct module *modules;
};

/* ---- Modules ---- */

static void add_module(struct unwinder *unwinder, char *line)
{
    char *end;
    uint64_t low = strtoull(line, &end, 16), high = strtoull(end + 1, &end, 16);
    if (strncmp(end, " r-x", 4) != 0 || strchr(end, '/') == NULL) return;
    uint64_t file_offset = strtoull(end + 6, NULL, 16);
    struct module *module = take_memory(sizeof *module);
    *module = (struct module){.low = low, .high = high, .file_offset = file_offset, .next = unwinder->modules};
    module->path = strchr(end, '/');
    unwinder->modules = module;
}

struct unwinder *unwinder_open(struct memory *memory, const struct registry *registry)
{
    struct unwinder *unwinder = take_memory(sizeof *unwinder);
    *unwinder = (struct unwinder){.memory = memory, .registry = registry};
    size_t size;
    char *maps = load_file(format_text("/proc/%d/maps", (int)memory->pid), &size);
    for (char *line = maps; line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        add_module(unwinder, line);
        line = next;
    }
    return unwinder;
}

void unwinder_close(struct unwinder *unwinder)
{
    if (unwinder == NULL) return;
    for (struct module *module = unwinder->modules; module != NULL; module = module->next) {
        if (module->bytes != NULL) munmap((void *)(uintptr_t)module->bytes, module->size);
        free(module->symbols);
    }
}

/* ---- Symbols ---- */

/* `count` items of `size` bytes lie in the file there. */
static const void *part(const struct module *module, uint64_t offset, uint64_t size, uint64_t count)
{
    uint64_t all;
    if (__builtin_mul_overflow(size, count, &all)) return NULL;
    return offset <= module->size && all <= module->size - offset ? module->bytes + offset : NULL;
}

static int by_address(const void *one, const void *other)
{
    const struct symbol *a = one, *b = other;
    return a->address < b->address ? -1 : a->address > b->address;
}

static void take_symbols(struct module *module, const Elf64_Shdr *table, const Elf64_Shdr *strings)
{
    size_t count = table->sh_size / sizeof(Elf64_Sym);
    const Elf64_Sym *from = part(module, table->sh_offset, sizeof *from, count);
    const char *names = part(module, strings->sh_offset, 1, strings->sh_size);
    struct symbol *symbols = realloc(module->symbols, (module->count + count + 1) * sizeof *symbols);
    if (symbols == NULL) return;
    module->symbols = symbols;
    for (size_t i = 0; from != NULL && names != NULL && i < count; i++) {
        bool function = ELF64_ST_TYPE(from[i].st_info) == STT_FUNC && from[i].st_shndx != SHN_UNDEF;
        if (!function || from[i].st_name >= strings->sh_size) continue;
        const char *name = names + from[i].st_name;
        if (memchr(name, '\0', strings->sh_size - from[i].st_name) == NULL) continue;
        symbols[module->count++] = (struct symbol){from[i].st_value, from[i].st_size, name};
    }
}

static void read_symbols(struct module *module)
{
    const Elf64_Ehdr *head = part(module, 0, sizeof *head, 1);
    if (head == NULL || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64) return;
    const Elf64_Shdr *sections = part(module, head->e_shoff, sizeof *sections, head->e_shnum);
    for (size_t i = 0; sections != NULL && i < head->e_shnum; i++) {
        bool table = sections[i].sh_type == SHT_SYMTAB || sections[i].sh_type == SHT_DYNSYM;
        if (table && sections[i].sh_link < head->e_shnum)
            take_symbols(module, &sections[i], &sections[sections[i].sh_link]);
    }
    if (module->count > 0) qsort(module->symbols, module->count, sizeof *module->symbols, by_address);
}

/* The file as the process sees it, which may be another one under that name. */
static void load(struct module *module, pid_t pid)
{
    struct stat status;
    module->loaded = true;
    int fd = open(format_text("/proc/%d/root%s", (int)pid, module->path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return;
    module->size = (size_t)status.st_size;
    void *bytes = mmap(NULL, module->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) return;
    module->bytes = bytes;
    read_symbols(module);
}

/* The address as the file counts: that of the segment which the offset in the file belongs to. */
static uint64_t address_in_file(const struct module *module, uint64_t offset)
{
    const Elf64_Ehdr *head = part(module, 0, sizeof *head, 1);
    const Elf64_Phdr *segments = head != NULL ? part(module, head->e_phoff, sizeof *segments, head->e_phnum) : NULL;
    for (size_t i = 0; segments != NULL && i < head->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD || offset < segment->p_offset) continue;
        if (offset - segment->p_offset < segment->p_filesz) return segment->p_vaddr + offset - segment->p_offset;
    }
    return offset;
}

static const char *function_at(const struct module *module, uint64_t address)
{
    size_t low = 0, high = module->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (module->symbols[middle].address <= address) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return NULL;
    const struct symbol *symbol = &module->symbols[low - 1];
    return symbol->size == 0 || address < symbol->address + symbol->size ? symbol->name : NULL;
}

/* ---- Frames ---- */

static void describe(struct unwinder *unwinder, uint64_t pc, struct frame *frame)
{
    *frame = (struct frame){.pc = pc};
    for (struct module *module = unwinder->modules; module != NULL; module = module->next) {
        if (pc < module->low || pc >= module->high) continue;
        if (!module->loaded) load(module, unwinder->memory->pid);
        frame->module = base_name(module->path);
        frame->offset = address_in_file(module, pc - module->low + module->file_offset);
        frame->function = module->bytes != NULL ? function_at(module, frame->offset - 1) : NULL;
        return;
    }
}

/* Two that take turns pass the thread on by a tail call: the caller's address lies above, in no chain of frames. */
static size_t add_passed(struct unwinder *unwinder, const struct parked *parked, struct frame *frames)
{
    uint64_t caller;
    bool passed = frames[0].function != NULL && strcmp(frames[0].function, "fiber_passed") == 0;
    if (!passed || !read_memory(unwinder->memory, parked->sp + 8, &caller, sizeof caller)) return 1;
    describe(unwinder, caller, &frames[1]);
    return 2;
}

size_t unwind(struct unwinder *unwinder, const struct seen_task *task, struct frame *frames, size_t room)
{
    uint64_t pcs[FRAMES_MAX];
    struct parked parked;
    if (room < 2 || !read_parked(unwinder->memory, unwinder->registry, task, &parked)) return 0;
    size_t walked = walk_frames(unwinder->memory, task, &parked, pcs, room < FRAMES_MAX ? room : FRAMES_MAX);
    describe(unwinder, pcs[0], &frames[0]);
    size_t count = add_passed(unwinder, &parked, frames);
    for (size_t i = 1; i < walked && count < room; i++) describe(unwinder, pcs[i], &frames[count++]);
    return count;
}
