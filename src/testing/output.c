/*
 * What the runner says, as text, as TAP, as JUnit XML.
 *
 * Each process keeps a log of what was said, and each result where in it. A run in one process says it at once too.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <weft/time.h>

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
    begun_at = wf_now();
}

static void say_result(const struct item *item, const char *name)
{
    const struct result *result = item->result;
    bool failed = result->status == STATUS_FAILED, skipped = result->status == STATUS_SKIPPED;
    if (running.options.format == OUTPUT_TAP) {
        print("%s %zu - %s%s\n", failed ? "not ok" : "ok", item->number, name,
              skipped ? " # SKIP needs the real kernel" : "");
    } else if (failed) {
        print("%s %s (%s)\n", coloured("1;31", "FAILED"), name, item->test->place);
    } else if (running.options.verbose && !skipped) {
        print("    %.3f s\n", (double)result->duration_ns / 1e9);
    }
}

void output_end(const struct item *item, bool skipped)
{
    struct result *result = item->result;
    char name[NAME_MAX_SIZE];
    item_name(item, name, sizeof name);
    result->duration_ns = wf_now() - begun_at;
    result->status = skipped ? STATUS_SKIPPED : running.failed ? STATUS_FAILED : STATUS_PASSED;
    say_result(item, name);
    result->said_to = log_position();
}

void output_lost(const struct item *item)
{
    char name[NAME_MAX_SIZE];
    item_name(item, name, sizeof name);
    int log = logs[item->result->process];
    bool tap = running.options.format == OUTPUT_TAP;
    if (tap) dprintf(log, "not ok %zu - %s # it crashed\n", item->number, name);
    else dprintf(log, "%s %s (%s): it crashed\n", coloured("1;31", "FAILED"), name, item->test->place);
    item->result->said_to = lseek(log, 0, SEEK_END);
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

static void write_escaped(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '<') fputs("&lt;", file);
        else if (byte == '>') fputs("&gt;", file);
        else if (byte == '&') fputs("&amp;", file);
        else if (byte == '"') fputs("&quot;", file);
        else if (byte >= ' ' || byte == '\n' || byte == '\t') fputc(byte, file);
        else fprintf(file, "\\x%02x", byte);
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
    fprintf(file, "\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\" time=\"%.6f\">\n", count,
            of_status[STATUS_FAILED] + of_status[STATUS_NOT_RUN], of_status[STATUS_SKIPPED], (double)total_ns / 1e9);
    for (size_t i = 0; i < count; i++) write_case(file, &items[i]);
    fputs("</testsuite>\n", file);
    return fclose(file) == 0;
}

static void write_totals(const unsigned *of_status, uint64_t injected_runs)
{
    unsigned failures = of_status[STATUS_FAILED] + of_status[STATUS_NOT_RUN];
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
