/* Finding the registry in a process: by its magic, in the writable private mappings of files, where data lies. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "inspect.h"

enum {
    VERSION_KNOWN = 1,
    SCANNED_MAX = 64 << 20, /* bytes of one mapping; data is never that large, a database may be */
    WINDOW = 1 << 20,
    ALIGNMENT = 64,
    ENTRIES_MAX = 4096,
    NAME_SIZE = 32,
    LOOPS_MAX = 65536,
};

static const char magic[16] = "weft\x07registry\n\x1a";

/* The members that stay where they are in every version of the registry. */
struct head {
    char magic[16];
    uint64_t self;
    uint32_t version;
    uint32_t layout_offset, layout_count, layout_entry_size;
    uint32_t loops_offset, loops_max;
    char library[16];
};

struct layout_entry {
    char name[NAME_SIZE];
    uint32_t offset, size;
};

/* ---- The table of what is where ---- */

#define WANTED_AS_TEXT(name, text) [AT_##name] = text,
static const char *const wanted_names[WANTED] = {WANTED_STRUCTS(WANTED_AS_TEXT) WANTED_FIELDS(WANTED_AS_TEXT)
                                                     WANTED_NUMBERS(WANTED_AS_TEXT)};

enum { STRUCT_SIZE_MAX = RECORD_MAX, FIELD_OFFSET_MAX = 1 << 24 };

static bool is_sane(enum wanted wanted, const struct layout_entry *entry)
{
    if (wanted >= AT_CHUNK_TASKS) return true;
    if (entry->offset > FIELD_OFFSET_MAX || entry->size == 0) return false;
    return entry->size <= (wanted < AT_LOOP_RUNNING ? (uint32_t)STRUCT_SIZE_MAX : (uint32_t)FIELD_OFFSET_MAX);
}

static void add_saved(struct registry *registry, const struct layout_entry *entry)
{
    const char *name = entry->name + strlen("saved.");
    if (registry->saved_count == SAVED_MAX || strlen(name) >= sizeof registry->saved->name) return;
    if (entry->offset > STRUCT_SIZE_MAX) return;
    strcpy(registry->saved[registry->saved_count].name, name);
    registry->saved[registry->saved_count++].offset = entry->offset;
}

static void take_entry(struct registry *registry, bool *known, struct layout_entry *entry)
{
    entry->name[NAME_SIZE - 1] = '\0';
    if (strncmp(entry->name, "saved.", 6) == 0) add_saved(registry, entry);
    if (strcmp(entry->name, "saved") == 0 && entry->size <= STRUCT_SIZE_MAX) registry->saved_size = entry->size;
    for (size_t i = 0; i < WANTED; i++) {
        if (strcmp(wanted_names[i], entry->name) != 0 || !is_sane((enum wanted)i, entry)) continue;
        registry->at[i].offset = entry->offset;
        registry->at[i].size = entry->size;
        known[i] = true;
    }
}

/* Members that are read as part of a record must lie in it. */
static bool fits(const struct registry *registry, enum wanted record, enum wanted first, enum wanted last)
{
    for (enum wanted field = first; field <= last; field++)
        if (registry->at[field].offset + registry->at[field].size > registry->at[record].size) return false;
    return true;
}

/* The same for the members of a node, which is part of another record. */
static bool node_fits(const struct registry *registry, enum wanted record, enum wanted node)
{
    for (enum wanted field = AT_NODE_PARENT; field <= AT_NODE_FLAGS; field++) {
        uint32_t end = registry->at[node].offset + registry->at[field].offset + registry->at[field].size;
        if (end > registry->at[record].size) return false;
    }
    return true;
}

static bool chunk_fits(const struct registry *registry)
{
    uint32_t tasks = registry->at[AT_CHUNK_TASKS].offset, first = registry->at[AT_CHUNK_RECORDS].offset;
    if (tasks == 0 || tasks > 4096) return false;
    uint32_t size = first + tasks * registry->at[AT_TASK].size;
    return registry->at[AT_CHUNK_OLDER].offset + registry->at[AT_CHUNK_OLDER].size <= size;
}

static const char *check_layout(const struct registry *registry, const bool *known)
{
    for (size_t i = 0; i < WANTED; i++)
        if (!known[i])
            return format_text("its library (weft %s) does not say where %s is; this command is of weft " WEFT_VERSION,
                               registry->library, wanted_names[i]);
    bool fit =
        fits(registry, AT_TASK, AT_TASK_SP, AT_TASK_SLEEP) && fits(registry, AT_SCOPE, AT_SCOPE_NODE, AT_SCOPE_STATE) &&
        fits(registry, AT_REASON, AT_REASON_TEXT, AT_REASON_TASK) &&
        fits(registry, AT_WAIT, AT_WAIT_TASK, AT_WAIT_CLASS) && fits(registry, AT_OP, AT_OP_DESC, AT_OP_PATH) &&
        fits(registry, AT_METRIC, AT_METRIC_KIND, AT_METRIC_BUCKETS) &&
        fits(registry, AT_SERIES, AT_SERIES_CELL, AT_SERIES_VALUES) && registry->at[AT_METRIC_LABELS].size == 32 &&
        node_fits(registry, AT_TASK, AT_TASK_NODE) && node_fits(registry, AT_SCOPE, AT_SCOPE_NODE) &&
        chunk_fits(registry) && registry->at[AT_WAIT].size <= registry->at[AT_TASK].size;
    return fit ? NULL : "its registry is damaged: the table makes no sense";
}

static int read_layout(struct memory *memory, const struct head *head, struct registry *registry, const char **why)
{
    static const char damaged[] = "its registry is damaged";
    *why = damaged;
    if (head->layout_count > ENTRIES_MAX || head->layout_entry_size != sizeof(struct layout_entry)) return -EBADMSG;
    if (head->loops_max > LOOPS_MAX || head->layout_offset > FIELD_OFFSET_MAX || head->loops_offset > FIELD_OFFSET_MAX)
        return -EBADMSG;
    struct layout_entry *entries = calloc(head->layout_count + 1, sizeof *entries);
    bool known[WANTED] = {false};
    bool whole = entries != NULL && read_memory(memory, registry->address + head->layout_offset, entries,
                                                head->layout_count * sizeof *entries);
    for (size_t i = 0; whole && i < head->layout_count; i++) take_entry(registry, known, &entries[i]);
    free(entries);
    if (!whole) return -EBADMSG;
    registry->loops = registry->address + head->loops_offset;
    registry->loops_max = head->loops_max;
    *why = check_layout(registry, known);
    return *why == NULL ? 0 : -EBADMSG;
}

uint64_t member(const struct registry *registry, const void *record, enum wanted field)
{
    const char *from = (const char *)record + registry->at[field].offset;
    uint64_t value = 0;
    size_t size = registry->at[field].size;
    memcpy(&value, from, size < sizeof value ? size : sizeof value);
    return value;
}

/* ---- Finding it ---- */

/* Looks through a mapping; gives the address, or 0. */
static uint64_t scan(struct memory *memory, uint64_t low, uint64_t high, uint64_t from)
{
    static char window[WINDOW];
    for (uint64_t at = low; at < high && at - low < SCANNED_MAX; at += WINDOW) {
        size_t size = high - at < WINDOW ? (size_t)(high - at) : WINDOW;
        if (!read_memory(memory, at, window, size)) continue;
        for (size_t i = 0; i + sizeof(struct head) <= size; i += ALIGNMENT) {
            const struct head *head = (const struct head *)(window + i);
            bool found = memcmp(head->magic, magic, sizeof magic) == 0 && head->self == at + i;
            if (found && head->self > from) return head->self;
        }
    }
    return 0;
}

/* "low-high rw-p offset device inode path": data of a file that is mapped. */
static bool is_data(char *line, uint64_t *low, uint64_t *high)
{
    char *end;
    *low = strtoull(line, &end, 16);
    if (*end != '-') return false;
    *high = strtoull(end + 1, &end, 16);
    return strncmp(end, " rw-p", 5) == 0 && strchr(end, '/') != NULL;
}

static uint64_t scan_process(struct memory *memory, uint64_t from)
{
    size_t size;
    char *maps = load_file(format_text("/proc/%d/maps", (int)memory->pid), &size);
    uint64_t found = 0;
    for (char *line = maps; found == 0 && line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        if (next != NULL) *next++ = '\0';
        uint64_t low, high;
        if (is_data(line, &low, &high) && high > from) found = scan(memory, low, high, from);
        line = next;
    }
    return found;
}

static const char refused[] = "not permitted: it takes the same user, or CAP_SYS_PTRACE, and a process that can be "
                              "dumped; and kernel.yama.ptrace_scope 0, where there is Yama";

int read_registry(struct memory *memory, struct registry *registry, const char **why)
{
    struct head head;
    *why = "its registry cannot be read";
    if (!read_memory(memory, registry->address, &head, sizeof head)) return -EBADMSG;
    memcpy(registry->library, head.library, sizeof registry->library);
    registry->library[sizeof registry->library - 1] = '\0';
    for (char *c = registry->library; *c != '\0'; c++)
        if (*c < ' ' || *c > '~') *c = '?';
    if (head.version != VERSION_KNOWN) {
        *why = format_text("its registry has version %u (weft %s); this command, of weft " WEFT_VERSION ", knows %d",
                           head.version, registry->library, VERSION_KNOWN);
        return -EPROTO;
    }
    return read_layout(memory, &head, registry, why);
}

int find_registry(struct memory *memory, struct registry *registry, const char **why)
{
    uint64_t from = registry->address;
    *registry = (struct registry){.address = scan_process(memory, from)};
    if (registry->address != 0) return read_registry(memory, registry, why);
    char byte;
    errno = 0;
    if (memory->failed == 0 && access(format_text("/proc/%d", (int)memory->pid), F_OK) != 0) memory->failed = ESRCH;
    if (memory->failed == 0) read_memory(memory, 4096, &byte, 1); /* nothing is there, but may we look? */
    *why = memory->failed == EPERM ? refused : "it does not run weft, or none that can be looked into";
    if (memory->failed == ESRCH) *why = "there is no such process";
    if (memory->failed == 0) return -ENOENT;
    return -memory->failed;
}
