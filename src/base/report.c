/* The one hook that the library prints through. */
#include "base/report.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_MAX = 16384 };

/*
 * Standard error may be a pipe that nobody reads, in either mode: whoever reports must neither wait for ever nor lose
 * what there is room for. In pieces that a pipe takes as a whole once it is ready; after a second without room, the
 * rest is dropped, and so is what comes before there is room again. How much is said then.
 */
enum { PIECE = 4096, HEAD = 1024, PATIENCE_MS = 1000, REFUSALS_MAX = 10 };

static atomic_size_t dropped;

static bool has_room(int patience_ms)
{
    struct pollfd look = {.fd = STDERR_FILENO, .events = POLLOUT};
    return poll(&look, 1, patience_ms) != 0;
}

static size_t write_some(const char *text, size_t size)
{
    size_t written = 0;
    int refusals = 0;
    while (written < size && has_room(atomic_load(&dropped) == 0 ? PATIENCE_MS : 0)) {
        size_t piece = size - written < PIECE ? size - written : PIECE;
        ssize_t got = write(STDERR_FILENO, text + written, piece);
        if (got > 0) written += (size_t)got;
        else if ((errno != EINTR && errno != EAGAIN) || ++refusals == REFUSALS_MAX) break;
    }
    return written;
}

/* The head comes with the beginning of the text, so that short lines of several threads do not mix. */
static __attribute__((noinline)) void write_line(const char *text)
{
    char line[HEAD];
    size_t size = strlen(text), head = (size_t)snprintf(line, sizeof line, "weft: %.*s", HEAD - 8, text) - 6;
    bool whole = head == size;
    if (whole) line[6 + head] = '\n';
    size_t first = 6 + head + (whole ? 1 : 0), lost = first - write_some(line, first);
    if (!whole) lost += size - head - write_some(text + head, size - head);
    if (!whole) lost += 1 - write_some("\n", 1);
    atomic_fetch_add(&dropped, lost);
}

static void to_standard_error(void *context, const char *text)
{
    (void)context;
    char said[80];
    int saved = errno;
    fflush(stderr);
    size_t lost = atomic_load(&dropped);
    if (lost > 0 && has_room(0)) {
        atomic_store(&dropped, 0);
        snprintf(said, sizeof said, "%zu bytes of reports were dropped: standard error was full", lost);
        write_line(said);
    }
    write_line(text);
    errno = saved;
}

static wf_report_hook *report_hook = to_standard_error;
static void *report_context;

void wf_set_report(wf_report_hook *hook, void *context)
{
    report_hook = hook != NULL ? hook : to_standard_error;
    report_context = hook != NULL ? context : NULL;
}

/* Not inlined, and off the caller's frame: the text may be long and a task's stack is short. */
static void report_arguments(const char *format, va_list arguments) WF_PRINTF_(1, 0);

static void report_arguments(const char *format, va_list arguments)
{
    char *text = malloc(REPORT_MAX);
    if (text == NULL) {
        report_hook(report_context, format);
        return;
    }
    vsnprintf(text, REPORT_MAX, format, arguments);
    report_hook(report_context, text);
    free(text);
}

void wf_report(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_arguments(format, arguments);
    va_end(arguments);
}

void report_whole(const char *text)
{
    report_hook(report_context, text);
}

void (*before_death)(void);

void misuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report_arguments(format, arguments);
    va_end(arguments);
    if (before_death != NULL) before_death();
    abort();
}
