/*
 * The last words of a process. Nothing here allocates, locks or follows a pointer (careful.h), and each list has an
 * end.
 */
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/registry.h"
#include "fiber/machine.h"
#include "fiber/walk.h"
#include "observe/careful.h"

enum {
    TASKS_TOLD = 50,
    CHUNKS_MAX = 100000,
    FRAMES_TOLD = 32,
    NAME_MAX = 48,
};

/* ---- Tasks ---- */

static const char *name_of_wait(const struct wf_task *task, char text[NAME_MAX])
{
    struct wf_wait wait;
    struct wait_class class;
    if (task->wait == NULL) return task->stack == NULL ? "not started" : "runnable";
    if (!careful_copy(&wait, task->wait, sizeof wait) || !careful_copy(&class, wait.class, sizeof class)) return "?";
    careful_text(text, NAME_MAX, class.name);
    return text;
}

static void tell_task(const struct wf_task *task, const char *state)
{
    char name[NAME_MAX], place[NAME_MAX], wait[NAME_MAX], line[4 * NAME_MAX];
    careful_text(name, NAME_MAX, task->name);
    careful_text(place, NAME_MAX, task->place);
    snprintf(line, sizeof line, "  %s #%llu  %s%s  (spawned at %s)\n", name, (unsigned long long)task->id,
             state == NULL && task->wait != NULL ? "waits: " : "", state != NULL ? state : name_of_wait(task, wait),
             place);
    crash_say(line);
}

/* One at a time: a chunk is too large for the stack of a handler. */
static void tell_chunk(const struct task_chunk *chunk, uint64_t free, const struct loop *loop, unsigned *told)
{
    for (size_t i = 0; i < CHUNK_TASKS && *told < TASKS_TOLD; i++) {
        struct wf_task task;
        const struct wf_task *place = &chunk->tasks[i];
        if (free & UINT64_C(1) << i || place == loop->running || !careful_copy(&task, place, sizeof task) ||
            task.id == 0)
            continue;
        tell_task(&task, NULL);
        ++*told;
    }
}

static void tell_tasks(const struct loop *loop)
{
    struct {
        const struct task_chunk *older;
        uint64_t free;
    } head;
    unsigned told = 0;
    const struct task_chunk *chunk = loop->chunks;
    for (size_t i = 0; i < CHUNKS_MAX && chunk != NULL && told < TASKS_TOLD; i++) {
        if (!careful_copy(&head.older, &chunk->older, sizeof head.older) ||
            !careful_copy(&head.free, &chunk->free, sizeof head.free)) {
            crash_say("  (the list of tasks is damaged)\n");
            return;
        }
        tell_chunk(chunk, head.free, loop, &told);
        chunk = head.older;
    }
    if (told == TASKS_TOLD) crash_say("  ...\n");
}

/* ---- The running task, and the place ---- */

static bool is_on(const struct stack *stack, uintptr_t address)
{
    return address >= (uintptr_t)stack->low && address < (uintptr_t)stack->low + stack->size;
}

/* Of the task that crashed; outside of tasks the thread's own stack is what it can be. */
static void tell_calls(const struct loop *loop, const ucontext_t *context)
{
    void *frames[FRAMES_TOLD];
    struct wf_task task;
    struct stack stack = loop->thread_stack;
    uintptr_t pc, frame;
    machine_registers(context, &pc, &frame);
    if (loop->running != NULL &&
        (!careful_copy(&task, loop->running, sizeof task) || !careful_copy(&stack, task.stack, sizeof stack)))
        return;
    frames[0] = (void *)pc;
    size_t count = 1;
    if (is_on(&stack, frame)) count += walk_records(frame, &stack, frames + 1, FRAMES_TOLD - 1);
    backtrace_symbols_fd(frames, (int)count, STDERR_FILENO);
}

/* Through code without frame pointers, too. Last, because a damaged stack may end it by another crash. */
static void tell_calls_again(const ucontext_t *context)
{
    void *frames[FRAMES_TOLD];
    uintptr_t pc, frame;
    crash_say("weft: the calls again, by the unwinder:\n");
    machine_registers(context, &pc, &frame);
    int count = backtrace(frames, FRAMES_TOLD), first = 0;
    while (first < count && (uintptr_t)frames[first] != pc) first++;
    if (first == count) first = 0;
    backtrace_symbols_fd(frames + first, count - first, STDERR_FILENO);
}

static void tell_running(const struct loop *loop)
{
    struct wf_task task;
    if (loop->running == NULL) crash_say("  (no task runs)\n");
    else if (careful_copy(&task, loop->running, sizeof task)) tell_task(&task, "running");
    else crash_say("  (the running task is damaged)\n");
}

static void tell_loop(const struct loop *loop)
{
    char line[160], driver[NAME_MAX] = "?";
    struct driver known;
    if (careful_copy(&known, loop->driver, sizeof known)) careful_text(driver, NAME_MAX, known.name);
    snprintf(line, sizeof line, "weft: %s loop of thread %d (%s): %llu tasks\n",
             loop == current_loop ? "the" : "another", (int)loop->thread, driver, (unsigned long long)loop->alive);
    crash_say(line);
    tell_running(loop);
    tell_tasks(loop);
}

static void tell_signal(int number, const siginfo_t *info)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGILL, "SIGILL"},
                 {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"}, {SIGQUIT, "SIGQUIT"}};
    char line[96];
    const char *name = "a signal";
    for (size_t i = 0; i < WF_COUNT(names); i++)
        if (names[i].number == number) name = names[i].name;
    bool has_address = info->si_code > 0 && number != SIGABRT && number != SIGQUIT;
    if (has_address) snprintf(line, sizeof line, "weft: %s at %p\n", name, info->si_addr);
    else snprintf(line, sizeof line, "weft: %s\n", name);
    crash_say(line);
}

void crash_dump(int number, const siginfo_t *info, const ucontext_t *context, bool explained)
{
    if (!explained) tell_signal(number, info);
    registry_hold();
    bool has_calls = !explained && current_loop != NULL && number != SIGQUIT;
    if (has_calls) tell_calls(current_loop, context);
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        const struct loop *loop = registry_loop(i);
        if (loop != NULL) tell_loop(loop);
        if (loop != NULL) record_to_folder(loop);
    }
    registry_release();
    if (has_calls) tell_calls_again(context);
}
