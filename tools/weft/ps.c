/* weft ps: the tasks of a running process, at one moment. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "ps.h"

static const char usage[] =
    "usage: weft ps [OPTIONS] PID|NAME\n"
    "\n"
    "Prints what every task of a running process does. The process is only read: it is not stopped.\n"
    "\n"
    "  --stacks      with the stack of each kind of task\n"
    "  --flat        a line for each task, in the order of spawning; else alike ones are folded, in a tree\n"
    "  --state S     only tasks in this state (running, runnable, waiting, \"not started\", moving), or that wait for "
    "S\n"
    "  --limit N     at most N lines of tasks (1000; 0: all)\n"
    "  --json        as JSON, one object; docs/inspecting.md describes it\n"
    "\n"
    "Exit status: 0, 1 when the process cannot be looked into, 2 for a wrong command line.\n";

struct wishes {
    const char *process, *state;
    size_t limit;
    bool stacks, flat, json;
};

/* The value of an option that has one, as `--name VALUE` or `--name=VALUE`; NULL: it is another option. */
static const char *option_value(char ***argument, const char *name)
{
    size_t size = strlen(name);
    if (strncmp(**argument, name, size) != 0) return NULL;
    if ((**argument)[size] == '=') return **argument + size + 1;
    if ((**argument)[size] != '\0') return NULL;
    if ((*argument)[1] == NULL) return "";
    return *++*argument;
}

static bool parse_count(const char *text, size_t *count)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) return false;
    *count = value == 0 ? SIZE_MAX : (size_t)value;
    return true;
}

/* False: the command line makes no sense, which was said. */
static bool parse(char **argument, struct wishes *wishes)
{
    for (; *argument != NULL; argument++) {
        const char *value;
        if (strcmp(*argument, "--json") == 0) wishes->json = true;
        else if (strcmp(*argument, "--stacks") == 0) wishes->stacks = true;
        else if (strcmp(*argument, "--flat") == 0) wishes->flat = true;
        else if ((value = option_value(&argument, "--state")) != NULL) wishes->state = value;
        else if ((value = option_value(&argument, "--limit")) != NULL) {
            if (parse_count(value, &wishes->limit)) continue;
            complain("--limit takes a number, not '%s'", value);
            return false;
        } else if (**argument == '-' || wishes->process != NULL) {
            complain("ps does not know '%s'; see weft ps --help", *argument);
            return false;
        } else {
            wishes->process = *argument;
        }
    }
    if (wishes->process == NULL) complain("ps needs a process: its number, or its name");
    return wishes->process != NULL;
}

static void show(struct ps *ps, const struct wishes *wishes)
{
    make_tree(ps->snapshot, !wishes->flat && !wishes->json && wishes->state == NULL);
    if (wishes->json) print_json(ps, stdout);
    else print_text(ps, stdout);
}

/* One registry after the other: a process may have the library twice, linked in and shared. */
static int look(pid_t pid, const struct wishes *wishes)
{
    struct memory memory;
    struct registry registry = {.address = 0};
    struct sockets sockets = {.loaded = false};
    static struct page_map pages;
    const char *why;
    memory_of_process(&memory, pid);
    page_map_open(&pages, pid);
    int rc = find_registry(&memory, &registry, &why);
    for (int found = 0; rc == 0 || found == 0; found++, rc = find_registry(&memory, &registry, &why)) {
        struct snapshot snapshot = {.damaged = NULL};
        if (rc == 0) rc = take_snapshot(&memory, &registry, &snapshot, &why);
        if (rc < 0) fail("process %d: %s", (int)pid, why);
        struct ps ps = {.pid = pid,
                        .name = process_name(pid),
                        .registry = &registry,
                        .snapshot = &snapshot,
                        .sockets = &sockets,
                        .pages = &pages,
                        .flat = wishes->flat,
                        .state = wishes->state,
                        .limit = wishes->limit};
        if (wishes->stacks) ps.unwinder = unwinder_open(&memory, &registry);
        for (size_t i = 0; wishes->stacks && i < snapshot.task_count; i++)
            snapshot.tasks[i].stack_kind = stack_kind(&memory, &registry, &snapshot.tasks[i]);
        show(&ps, wishes);
        unwinder_close(ps.unwinder);
        free_snapshot(&snapshot);
    }
    sockets_clear(&sockets);
    return 0;
}

int ps_command(int argc, char **argv)
{
    (void)argc;
    struct wishes wishes = {.limit = 1000};
    for (char **argument = argv + 1; *argument != NULL; argument++) {
        if (strcmp(*argument, "--help") != 0 && strcmp(*argument, "-h") != 0) continue;
        return fputs(usage, stdout) >= 0 && fflush(stdout) == 0 ? 0 : STATUS_FAILED;
    }
    if (!parse(argv + 1, &wishes)) return STATUS_USAGE;
    int status = look(find_process(wishes.process), &wishes);
    if (fflush(stdout) == 0) return status;
    complain("cannot print: %s", strerror(errno));
    return STATUS_FAILED;
}
