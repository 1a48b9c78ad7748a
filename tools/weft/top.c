/* weft top: what it is told by the command line, and the pages for who has no terminal. */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static const char usage[] =
    "usage: weft top [OPTIONS] PID|NAME\n"
    "\n"
    "Shows what the tasks of a running process do, again and again. The process is only read: it is not stopped.\n"
    "\n"
    "  --delay S       seconds from one view to the next (1)\n"
    "  --interval MS   milliseconds from one sample of who runs to the next (2)\n"
    "  --sort WORD     run, turns, still, longest or name\n"
    "  --filter TEXT   only tasks whose name, place or state has it\n"
    "  --batch N       print N views as text and end; --once: one\n"
    "  --json          with --batch or --once: a view is a line of JSON\n"
    "  --limit N       in these: at most N tasks (40; 0: all)\n"
    "\n"
    "Keys: j k or arrows move, Enter shows the stack, m metrics, / filters, Esc goes back, q quits;\n"
    "r t w s n sort by run time, turns, how long it has been still, longest slice, name.\n"
    "\n"
    "Exit status: 0, 1 when the process cannot be looked into or ends, 2 for a wrong command line.\n";

struct wishes {
    const char *process;
    size_t batch, limit; /* batch 0: the screen */
    bool json;
};

static bool parse_number(const char *text, double low, double high, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && *value >= low && *value <= high;
}

static bool parse_sort(const char *text, enum sort *sort)
{
    static const char *const names[] = {"run", "turns", "still", "name", "longest"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *sort = (enum sort)i;
        return true;
    }
    return false;
}

/* An option that has a value; false: the value makes no sense. */
static bool take_value(struct top *top, struct wishes *wishes, const char *name, const char *value)
{
    double number = 0;
    bool good = true;
    if (strcmp(name, "--delay") == 0) {
        good = parse_number(value, 0.01, 3600, &number);
        top->delay = (int64_t)(number * 1e9);
    } else if (strcmp(name, "--interval") == 0) {
        good = parse_number(value, 1, 1000, &number);
        top->interval = (int64_t)(number * 1e6);
    } else if (strcmp(name, "--sort") == 0) {
        good = parse_sort(value, &top->sort);
    } else if (strcmp(name, "--filter") == 0) {
        good = strlen(value) < sizeof top->filter;
        if (good) strcpy(top->filter, value);
    } else if (strcmp(name, "--batch") == 0) {
        good = parse_number(value, 1, 1e9, &number);
        wishes->batch = (size_t)number;
    } else {
        good = parse_number(value, 0, 1e9, &number);
        wishes->limit = number > 0 ? (size_t)number : SIZE_MAX;
    }
    if (!good) complain("%s does not take '%s'; see weft top --help", name, value);
    return good;
}

static bool has_value(const char *word)
{
    static const char *const names[] = {"--delay", "--interval", "--sort", "--filter", "--batch", "--limit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(word, names[i]) == 0) return true;
    return false;
}

static bool parse(char **argument, struct top *top, struct wishes *wishes)
{
    for (; *argument != NULL; argument++) {
        char *word = *argument, *equals = word[0] == '-' ? strchr(word, '=') : NULL;
        if (equals != NULL) *equals = '\0';
        if (strcmp(word, "--json") == 0 && equals == NULL) wishes->json = true;
        else if (strcmp(word, "--once") == 0 && equals == NULL) wishes->batch = 1;
        else if (has_value(word)) {
            const char *value = equals != NULL ? equals + 1 : argument[1] != NULL ? *++argument : "";
            if (!take_value(top, wishes, word, value)) return false;
        } else if (word[0] == '-' || wishes->process != NULL) {
            complain("top does not know '%s'; see weft top --help", word);
            return false;
        } else {
            wishes->process = word;
        }
    }
    if (wishes->process == NULL) complain("top needs a process: its number, or its name");
    else if (wishes->json && wishes->batch == 0) complain("--json goes with --batch or --once");
    return wishes->process != NULL && (!wishes->json || wishes->batch > 0);
}

/* ---- Without a terminal ---- */

static void sample_until(struct top *top, int64_t until)
{
    for (int64_t now; (now = time_now()) < until;) {
        poll(NULL, 0, (int)(top->interval / 1000000));
        take_sample(&top->sampler, time_now());
    }
}

static int run_batch(struct top *top, const struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->batch; i++) {
        const char *why;
        sample_until(top, top->looked_at + top->delay);
        if (top_look(top, &why) < 0) fail("process %d: %s", (int)top->pid, why);
        struct screen screen = {.columns = 200};
        screen.lines = wishes->limit < SIZE_MAX / 2 ? wishes->limit + top->view.snapshot.loop_count + 4 : SIZE_MAX / 2;
        if (wishes->json) print_view_json(top, stdout, wishes->limit);
        else draw(top, &screen, stdout, true);
        if (!wishes->json && i + 1 < wishes->batch) fputc('\n', stdout);
        if (fflush(stdout) != 0) fail("cannot print: %s", strerror(errno));
    }
    return 0;
}

int top_command(int argc, char **argv)
{
    static struct top top = {.delay = 1000000000, .interval = 2000000};
    struct wishes wishes = {.limit = 40};
    (void)argc;
    for (char **argument = argv + 1; *argument != NULL; argument++) {
        if (strcmp(*argument, "--help") != 0 && strcmp(*argument, "-h") != 0) continue;
        return fputs(usage, stdout) >= 0 && fflush(stdout) == 0 ? 0 : STATUS_FAILED;
    }
    if (!parse(argv + 1, &top, &wishes)) return STATUS_USAGE;
    if (wishes.batch == 0 && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
        complain("top needs a terminal; see --once and --batch");
        return STATUS_USAGE;
    }
    const char *why;
    top.pid = find_process(wishes.process);
    if (top_begin(&top, &why) < 0) fail("process %d: %s", (int)top.pid, why);
    int status = wishes.batch > 0 ? run_batch(&top, &wishes) : run_screen(&top);
    top_end(&top);
    return status;
}
