/* Expectations: each failure is printed with its place and both values, and marks the running test as failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/scope.h>
#include <weft/task.h>

#include "testing/runner.h"

size_t wf_test_row(void)
{
    return running.item->row;
}

bool wf_test_failed(void)
{
    return running.failed;
}

/* In a sweep, expectations end with the injection: what comes after it is not what the test is about. */
static void fail(const char *place, const char *format, ...) WF_PRINTF_(2, 3);

static void fail(const char *place, const char *format, ...)
{
    if (running.plan.kind != NULL && wf_test_injected()) return;
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    say_failure("%s: %s", place, size >= 0 ? text : format);
    if (size >= 0) free(text);
}

bool wf_test_expect_(bool held, const char *text, const char *place)
{
    if (!held) fail(place, "expected: %s", text);
    return held;
}

bool wf_test_expect_int_(int64_t actual, int64_t expected, const char *text, const char *place)
{
    if (actual != expected) fail(place, "%s is %" PRId64 ", expected %" PRId64, text, actual, expected);
    return actual == expected;
}

static const char *code_text(int64_t code)
{
    return code >= 0 ? "success" : wf_strerror((int)code);
}

bool wf_test_expect_code_(int64_t actual, int64_t expected, const char *text, const char *place)
{
    if (actual != expected)
        fail(place, "%s gave %" PRId64 " (%s), expected %" PRId64 " (%s)", text, actual, code_text(actual), expected,
             code_text(expected));
    return actual == expected;
}

bool wf_test_expect_text_(const char *actual, const char *expected, const char *text, const char *place)
{
    bool held = actual != NULL && strcmp(actual, expected) == 0;
    if (!held) fail(place, "%s is \"%s\", expected \"%s\"", text, actual != NULL ? actual : "(null)", expected);
    return held;
}

bool wf_test_expect_part_(const char *text, const char *part, const char *expression, const char *place)
{
    bool held = text != NULL && strstr(text, part) != NULL;
    if (!held) fail(place, "%s does not contain \"%s\": \"%s\"", expression, part, text != NULL ? text : "(null)");
    return held;
}

bool wf_test_expect_failure_(int64_t actual, int64_t expected, const char *part, const char *text, const char *place)
{
    const char *said = wf_in_task() ? wf_failure() : NULL;
    if (said == NULL) said = "";
    bool held = actual == expected && strstr(said, part) != NULL;
    if (!held)
        fail(place, "%s gave %" PRId64 " (%s), \"%s\"; expected %" PRId64 " (%s), \"...%s...\"", text, actual,
             code_text(actual), said, expected, code_text(expected), part);
    return held;
}

bool wf_test_expect_error_(const struct wf_scope *scope, int code, const char *part, const char *place)
{
    char list[2048] = "";
    size_t used = 0;
    wf_each_error(scope, error) {
        if (error->code == code && (strstr(error->path, part) != NULL || strstr(error->message, part) != NULL))
            return true;
        int size = snprintf(list + used, sizeof list - used, "\n  %s: %s (%s)", error->path, error->message,
                            wf_strerror(error->code));
        if (size > 0) used += (size_t)size < sizeof list - used ? (size_t)size : sizeof list - used - 1;
    }
    fail(place, "no error %d (%s) with \"%s\" in the scope's list%s", code, code_text(code), part,
         used > 0 ? list : ", which is empty");
    return false;
}

bool wf_test_invariant_(bool held, const char *text, const char *place)
{
    if (!held) say_failure("%s: broken: %s", place, text);
    return held;
}

uint32_t wf_test_turns_(void)
{
    return LOOP_HERE()->running->resumes;
}

void wf_test_expect_turns_(bool more, uint32_t before, const char *text, const char *place)
{
    bool suspended = wf_test_turns_() != before;
    if (suspended != more) fail(place, "%s %s", text, suspended ? "was suspended" : "was not suspended");
}
