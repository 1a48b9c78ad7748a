/* The one hook that the library prints through. */
#include "base/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_MAX = 16384 };

static void to_standard_error(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "weft: %s\n", text);
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
