/* Rule 8.1 of docs/semantics.md: everything is reachable from one symbol, by a table of what is where. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/weft.h>

#include <weft/testing.h>

#include "core/registry.h" /* private: the symbol itself, which debuggers read */

static size_t listed_loops(void)
{
    size_t count = 0;
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) count += weft_registry.loops[i] != NULL;
    return count;
}

/* One that has no place in any record where the table does not have it. */
static const struct layout_entry *entry(const char *name)
{
    static const struct layout_entry missing = {.size = UINT32_MAX};
    const char *table = (const char *)&weft_registry + weft_registry.layout_offset;
    for (size_t i = 0; i < weft_registry.layout_count; i++) {
        const struct layout_entry *found = (const void *)(table + i * weft_registry.layout_entry_size);
        if (strcmp(found->name, name) == 0) return found;
    }
    return &missing;
}

/* A member of a record, as a word; 0 where there is no record, or the table does not have it. */
static uint64_t word(uint64_t record, const char *name)
{
    const struct layout_entry *member = entry(name);
    uint64_t value = 0;
    if (record == 0 || member->size > sizeof value) return 0;
    memcpy(&value, (const char *)(uintptr_t)record + member->offset, member->size);
    return value;
}

static uint64_t this_loop(void)
{
    for (size_t i = 0; i < REGISTRY_LOOPS; i++) {
        uint64_t loop = (uint64_t)(uintptr_t)weft_registry.loops[i];
        if (loop != 0 && (pid_t)word(loop, "loop.thread") == gettid()) return loop;
    }
    return 0;
}

/* The record of the task of that name, among all of the loop's. */
static uint64_t find_task(uint64_t loop, const char *name)
{
    uint64_t count = entry("CHUNK_TASKS")->offset, size = entry("task")->size;
    for (uint64_t chunk = word(loop, "loop.chunks"); chunk != 0; chunk = word(chunk, "chunk.older")) {
        uint64_t first = chunk + entry("chunk.tasks")->offset;
        for (uint64_t task = first; task < first + count * size; task += size)
            if (word(task, "task.id") != 0 && strcmp((const char *)(uintptr_t)word(task, "task.name"), name) == 0)
                return task;
    }
    return 0;
}

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

WF_TEST(a_debugger_reaches_every_task_from_the_registry, .rule = "8.1")
{
    WF_EXPECT_TEXT(weft_registry.magic, REGISTRY_MAGIC);
    WF_EXPECT(weft_registry.self == &weft_registry);
    WF_EXPECT_TEXT(weft_registry.library, WF_VERSION);
    uint64_t loop = this_loop();
    WF_EXPECT(loop != 0);
    WF_EXPECT(word(word(loop, "loop.running"), "task.id") == wf_task_id());
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope, .timeout = WF_SECONDS(30));
    wf_spawn(&scope, wait_for_event, &event, .name = "found by its name");
    wf_yield();
    uint64_t task = find_task(loop, "found by its name"), wait = word(task, "task.wait");
    if (task != 0) {
        WF_EXPECT(word(wait, "wait.task") == task);
        WF_EXPECT_TEXT((const char *)(uintptr_t)word(word(wait, "wait.class"), "class.name"), "an event");
        WF_EXPECT(word(task, "task.resumes") == 1);
        uint64_t home = word(task + entry("task.node")->offset, "node.parent");
        WF_EXPECT(home == (uint64_t)(uintptr_t)&scope);
        WF_EXPECT(word(word(home, "scope.owner_"), "task.id") == wf_task_id());
    }
    WF_EXPECT(task != 0);
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int count_loops(size_t *count)
{
    *count = listed_loops();
    return 0;
}

WF_TEST(a_loop_is_listed_for_as_long_as_it_lives, .plain = true, .rule = "8.1")
{
    size_t before = listed_loops(), during = 0;
    WF_EXPECT_CODE(wf_run(count_loops, &during, .driver = "sim"), 0);
    WF_EXPECT(during == before + 1 && listed_loops() == before);
}

static int fork_and_count(int *status)
{
    pid_t child = fork();
    if (child == 0) _exit((int)listed_loops());
    return waitpid(child, status, 0) == child ? 0 : -errno;
}

WF_TEST(a_forked_child_has_none_of_its_parents_loops, .plain = true)
{
    int status = -1;
    WF_EXPECT_CODE(wf_run(fork_and_count, &status, .driver = "sim"), 0);
    WF_EXPECT_INT(status, 0);
}

WF_TEST_MAIN
