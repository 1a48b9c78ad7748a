/*
 * Backtraces by libdw: with lines, and through code that keeps no frame pointers. Each task is a thread to libdw; its
 * registers are those that its switch saved, and memory is read as everywhere here. Nothing is attached to.
 */
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "frames.h"

struct unwinder {
    struct memory *memory;
    const struct registry *registry;
    Dwfl *dwfl;
    bool attached;
    /* The task that is being unwound */
    struct parked parked;
    struct frame *frames;
    size_t count, room;
};

/* ---- What libdw asks for ---- */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread)
{
    struct unwinder *unwinder = argument;
    (void)dwfl;
    if (*thread != NULL) return 0;
    *thread = unwinder;
    return unwinder->memory->pid;
}

static bool get_thread(Dwfl *dwfl, pid_t number, void *argument, void **thread)
{
    (void)dwfl;
    (void)number;
    *thread = argument;
    return true;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *argument)
{
    struct unwinder *unwinder = argument;
    (void)dwfl;
    return read_memory(unwinder->memory, address, word, sizeof *word);
}

/* DWARF's number of a register: rbp is 6, x29 is 29. */
static int number_of(const char *name)
{
    static const char *const x86_64[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp"};
    for (int i = 0; i < 8; i++)
        if (strcmp(name, x86_64[i]) == 0) return i;
    if (strcmp(name, "sp") == 0) return 31;
    bool numbered = (name[0] == 'r' || name[0] == 'x') && name[1] >= '0' && name[1] <= '9';
    return numbered ? atoi(name + 1) : -1;
}

static bool set_registers(Dwfl_Thread *thread, void *argument)
{
    struct unwinder *unwinder = argument;
    const struct registry *registry = unwinder->registry;
    bool is_x86 = false;
    for (uint32_t i = 0; i < registry->saved_count; i++) {
        int number = number_of(registry->saved[i].name);
        is_x86 |= strcmp(registry->saved[i].name, "rip") == 0;
        if (number >= 0 && !dwfl_thread_state_registers(thread, number, 1, &unwinder->parked.others[i])) return false;
    }
    dwfl_thread_state_register_pc(thread, unwinder->parked.pc);
    return dwfl_thread_state_registers(thread, is_x86 ? 7 : 31, 1, &unwinder->parked.sp);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .get_thread = get_thread,
    .memory_read = read_word,
    .set_initial_registers = set_registers,
};

static const Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_linux_proc_find_elf,
    .find_debuginfo = dwfl_standard_find_debuginfo,
};

/* ---- Opening ---- */

struct unwinder *unwinder_open(struct memory *memory, const struct registry *registry)
{
    struct unwinder *unwinder = take_memory(sizeof *unwinder);
    *unwinder = (struct unwinder){.memory = memory, .registry = registry, .dwfl = dwfl_begin(&callbacks)};
    if (unwinder->dwfl == NULL) return unwinder;
    unwinder->attached = dwfl_linux_proc_report(unwinder->dwfl, memory->pid) == 0 &&
                         dwfl_report_end(unwinder->dwfl, NULL, NULL) == 0 &&
                         dwfl_attach_state(unwinder->dwfl, NULL, memory->pid, &thread_callbacks, unwinder);
    return unwinder;
}

void unwinder_close(struct unwinder *unwinder)
{
    if (unwinder != NULL && unwinder->dwfl != NULL) dwfl_end(unwinder->dwfl);
}

/* ---- Frames ---- */

static void describe(struct unwinder *unwinder, uint64_t pc, bool called, struct frame *frame)
{
    uint64_t inside = called ? pc - 1 : pc; /* a call may be the last thing in its function */
    *frame = (struct frame){.pc = pc};
    Dwfl_Module *module = dwfl_addrmodule(unwinder->dwfl, inside);
    if (module == NULL) return;
    Dwarf_Addr bias;
    const char *path = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    frame->module = path != NULL ? base_name(path) : "?";
    frame->offset = dwfl_module_getelf(module, &bias) != NULL ? pc - bias : pc;
    frame->function = dwfl_module_addrname(module, inside);
    Dwfl_Line *line = dwfl_module_getsrc(module, inside);
    if (line != NULL) frame->file = dwfl_lineinfo(line, NULL, &frame->line, NULL, NULL, NULL);
}

static int take_frame(Dwfl_Frame *state, void *argument)
{
    struct unwinder *unwinder = argument;
    Dwarf_Addr pc;
    bool exact;
    if (unwinder->count == unwinder->room || !dwfl_frame_pc(state, &pc, &exact) || pc == 0) return DWARF_CB_ABORT;
    describe(unwinder, pc, unwinder->count > 0, &unwinder->frames[unwinder->count]);
    unwinder->count++;
    return DWARF_CB_OK;
}

/* Where libdw gives up at once, for want of unwind tables, frame pointers may lead on. */
static void walk_instead(struct unwinder *unwinder, const struct seen_task *task)
{
    uint64_t pcs[FRAMES_MAX];
    size_t room = unwinder->room < FRAMES_MAX ? unwinder->room : FRAMES_MAX;
    unwinder->count = walk_frames(unwinder->memory, task, &unwinder->parked, pcs, room);
    for (size_t i = 0; i < unwinder->count; i++) describe(unwinder, pcs[i], i > 0, &unwinder->frames[i]);
}

size_t unwind(struct unwinder *unwinder, const struct seen_task *task, struct frame *frames, size_t room)
{
    if (unwinder->dwfl == NULL || !read_parked(unwinder->memory, unwinder->registry, task, &unwinder->parked)) return 0;
    unwinder->frames = frames;
    unwinder->count = 0;
    unwinder->room = room;
    if (unwinder->attached) dwfl_getthread_frames(unwinder->dwfl, unwinder->memory->pid, take_frame, unwinder);
    if (unwinder->count < 2) walk_instead(unwinder, task);
    return unwinder->count;
}
