/*
 * What the runner says, as text, as TAP, as JUnit XML.
 *
 * Each process keeps a log of what was said, and each result where in it. A run in one process says it at once too. TAP
 * has no room for more than one line of a name, and a # in it would be a directive.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "testing/runner.h"

enum { PROCESSES_MAX = 64 };

static int logs[PROCESSES_MAX + 1]; /* by process; 0 is the one that was started */
static unsigned this_process;
static int64_t begun_at;

bool output_open(size_t count)
{
    for (unsigned i = 0; i <= running.options.parallel && i <= PROCESSES_MAX; i++) {
        logs[i] = memfd_create("what tests say", MFD_CLOEXEC);
        if (logs[i] < 0 || fcntl(logs[i], F_SETFL, O_APPEND) < 0) return false;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (running.options.format == OUTPUT_TAP) printf("TAP version 14\n1..%zu\n", count);
    return true;
}

/* Real time, also in a simulated world. */
static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return WF_SECONDS(now.tv_sec) + now.tv_nsec;
}

void output_redirect(unsigned process)
{
    this_process = process;
    dup2(logs[process], STDOUT_FILENO);
    dup2(logs[process], STDERR_FILENO);
}

static void print(const char *format, ...) WF_PRINTF_(1, 2);

static void print(const char *format, ...)
{
    va_list arguments;
    fflush(stdout);
    va_start(arguments, format);
    vdprintf(logs[this_process], format, arguments);
    va_end(arguments);
    if (this_process > 0) return;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
}

/* ---- While a test runs ---- */

static void say_arguments(const char *format, va_list arguments) WF_PRINTF_(1, 0);

static void say_arguments(const char *format, va_list arguments)
{
    char *text;
    if (vasprintf(&text, format, arguments) < 0) return;
    for (char *line = text, *rest; line != NULL; line = rest) {
        rest = strchr(line, '\n');
        if (rest != NULL) *rest++ = '\0';
        if (rest != NULL && *rest == '\0') rest = NULL;
        print("%s%s\n", running.options.format == OUTPUT_TAP ? "# " : "    ", line);
    }
    free(text);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_arguments(format, arguments);
    va_end(arguments);
}

void say_failure(const char *format, ...)
{
    running.failed = true;
    if (running.item != NULL) running.item->result->failure_said = true;
    va_list arguments;
    va_start(arguments, format);
    say_arguments(format, arguments);
    va_end(arguments);
}

static const char *coloured(const char *colour, const char *text)
{
    static char buffer[64];
    if (!running.options.colour) return text;
    snprintf(buffer, sizeof buffer, "\033[%sm%s\033[0m", colour, text);
    return buffer;
}

static off_t log_position(void)
{
    fflush(stdout);
    return lseek(logs[this_process], 0, SEEK_END);
}

void output_begin(const struct item *item)
{
    char name[NAME_MAX_SIZE];
    item_name(item, name, sizeof name);
    item->result->process = this_process;
    item->result->said_from = log_position();
    if (running.options.verbose && running.options.format == OUTPUT_TEXT) print("%s\n", name);
    item->result->status = STATUS_BEGUN;
    begun_at = clock_now();
}

/* The name, in TAP with what would mean something there escaped. */
static void shown_name(const struct item *item, char *shown, size_t size)
{
    char name[NAME_MAX_SIZE];
    item_name(item, name, sizeof name);
    bool tap = running.options.format == OUTPUT_TAP;
    size_t used = 0;
    for (const char *at = name; *at != '\0' && used + 2 < size; at++) {
        if (tap && (*at == '#' || *at == '\\')) shown[used++] = '\\';
        shown[used++] = *at;
    }
    shown[used] = '\0';
}

static void say_result(const struct item *item)
{
    char name[2 * NAME_MAX_SIZE];
    const struct result *result = item->result;
    bool failed = result->status == STATUS_FAILED, skipped = result->status == STATUS_SKIPPED;
    shown_name(item, name, sizeof name);
    if (running.options.format == OUTPUT_TAP) {
        print("%s %zu - %s%s\n", failed ? "not ok" : "ok", item->number, name,
              skipped ? " # SKIP needs the real kernel" : "");
    } else if (failed) {
        print("%s %s (%s)\n", coloured("1;31", "FAILED"), name, item->test->place);
    } else if (running.options.verbose) {
        print("    %.3f s%s\n", (double)result->duration_ns / 1e9, skipped ? ", skipped" : "");
    }
}

void output_end(const struct item *item, bool skipped)
{
    struct result *result = item->result;
    result->duration_ns = clock_now() - begun_at;
    result->status = skipped ? STATUS_SKIPPED : running.failed ? STATUS_FAILED : STATUS_PASSED;
    say_result(item);
    result->said_to = log_position();
    running.item = NULL;
}

void output_lost(const struct item *item, const char *why)
{
    struct result *result = item->result;
    if (result->status == STATUS_NOT_RUN) result->said_from = lseek(logs[result->process], 0, SEEK_END);
    result->status = STATUS_FAILED;
    char name[2 * NAME_MAX_SIZE];
    shown_name(item, name, sizeof name);
    int log = logs[result->process];
    if (running.options.format == OUTPUT_TAP) dprintf(log, "# %s\nnot ok %zu - %s\n", why, item->number, name);
    else dprintf(log, "%s %s (%s): %s\n", coloured("1;31", "FAILED"), name, item->test->place, why);
    result->said_to = lseek(log, 0, SEEK_END);
}

/* The process that the others were started from says what became of theirs; a lone one says it itself. */
void output_crash(const char *text, const char *why)
{
    const char *mark = running.options.format == OUTPUT_TAP ? "# " : "    ";
    for (size_t size; *text != '\0'; text += size + (text[size] == '\n')) {
        size = strcspn(text, "\n");
        dprintf(STDOUT_FILENO, "%s%.*s\n", mark, (int)size, text);
    }
    dprintf(STDOUT_FILENO, "%sagain: %s\n", mark, replay_command());
    if (this_process > 0) return;
    char name[2 * NAME_MAX_SIZE];
    shown_name(running.item, name, sizeof name);
    if (running.options.format == OUTPUT_TEXT)
        dprintf(STDOUT_FILENO, "%s %s (%s): %s\n", coloured("1;31", "FAILED"), name, running.item->test->place, why);
    else dprintf(STDOUT_FILENO, "not ok %zu - %s\nBail out! %s\n", running.item->number, name, why);
}

/* ---- Afterwards ---- */

char *output_of(const struct item *item)
{
    const struct result *result = item->result;
    off_t size = result->said_to > result->said_from ? result->said_to - result->said_from : 0;
    char *text = malloc((size_t)size + 1);
    if (text == NULL) return NULL;
    ssize_t got = pread(logs[result->process], text, (size_t)size, result->said_from);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

/* How many bytes the character has that begins there; 0: it is not well-formed UTF-8, or nothing that XML may hold. */
static size_t character_size(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (*text < 0x80) return *text >= ' ' || *text == '\n' || *text == '\t';
    size_t size = *text >= 0xf0 ? 4 : *text >= 0xe0 ? 3 : 2;
    uint32_t character = *text & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80) return 0;
        character = character << 6 | (text[i] & 0x3f);
    }
    bool allowed = character < 0xd800 || (character > 0xdfff && character < 0xfffe) || character > 0xffff;
    return *text >= 0xc0 && character >= least[size] && character <= 0x10ffff && allowed ? size : 0;
}

static void write_escaped(FILE *file, const char *text)
{
    while (*text != '\0') {
        size_t size = character_size((const unsigned char *)text);
        if (size == 0) fprintf(file, "\\x%02x", (unsigned char)*text);
        else if (*text == '<') fputs("&lt;", file);
        else if (*text == '>') fputs("&gt;", file);
        else if (*text == '&') fputs("&amp;", file);
        else if (*text == '"') fputs("&quot;", file);
        else fwrite(text, size, 1, file);
        text += size > 0 ? size : 1;
    }
}

static void write_case(FILE *file, const struct item *item)
{
    char name[NAME_MAX_SIZE];
    item_name(item, name, sizeof name);
    fputs("  <testcase classname=\"", file);
    write_escaped(file, running.program);
    fputs("\" name=\"", file);
    write_escaped(file, name);
    fprintf(file, "\" time=\"%.6f\">", (double)item->result->duration_ns / 1e9);
    char *said = output_of(item);
    if (item->result->status == STATUS_SKIPPED) {
        fputs("<skipped/>", file);
    } else if (item->result->status != STATUS_PASSED) {
        fputs("<failure message=\"", file);
        write_escaped(file, item->test->place);
        fputs("\">", file);
        write_escaped(file, said != NULL ? said : "");
        fputs("</failure>", file);
    }
    free(said);
    fputs("</testcase>\n", file);
}

static bool write_junit(const struct item *items, size_t count, const unsigned *of_status, int64_t total_ns)
{
    FILE *file = fopen(running.options.junit, "w");
    if (file == NULL) return false;
    fprintf(file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    write_escaped(file, running.program);
    fprintf(file, "\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\" time=\"%.6f\">\n", count, of_status[STATUS_FAILED],
            of_status[STATUS_SKIPPED], (double)total_ns / 1e9);
    for (size_t i = 0; i < count; i++) write_case(file, &items[i]);
    fputs("</testsuite>\n", file);
    return fclose(file) == 0;
}

static void write_totals(const unsigned *of_status, uint64_t injected_runs)
{
    unsigned failures = of_status[STATUS_FAILED];
    const char *mark = running.options.format == OUTPUT_TAP ? "# " : "";
    if (injected_runs > 0) printf("%s%llu injected runs\n", mark, (unsigned long long)injected_runs);
    if (running.options.colour) fputs(failures > 0 ? "\033[1;31m" : "\033[1;32m", stdout);
    printf("%s%u passed, %u failed", mark, of_status[STATUS_PASSED], failures);
    if (of_status[STATUS_SKIPPED] > 0) printf(", %u skipped", of_status[STATUS_SKIPPED]);
    puts(running.options.colour ? "\033[0m" : "");
}

int output_summary(const struct item *items, size_t count, uint64_t injected_runs)
{
    unsigned of_status[STATUS_SKIPPED + 1] = {0};
    int64_t total_ns = 0;
    for (size_t i = 0; i < count; i++) {
        of_status[items[i].result->status]++;
        total_ns += items[i].result->duration_ns;
    }
    bool written = running.options.junit == NULL || write_junit(items, count, of_status, total_ns);
    if (!written) fprintf(stderr, "%s: cannot write %s\n", running.program, running.options.junit);
    write_totals(of_status, injected_runs);
    bool good = of_status[STATUS_FAILED] + of_status[STATUS_NOT_RUN] == 0 && count > 0;
    return good && written ? 0 : 1;
}
