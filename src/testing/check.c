/* Expectations: each failure is printed with its place and both values, and marks the running test as failed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "testing/runner.h"

static void fail(const char *place, const char *format, ...) WF_PRINTF_(2, 3);

static void fail(const char *place, const char *format, ...)
{
    runner_mark_failed();
    printf("    %s: ", place);
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
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
