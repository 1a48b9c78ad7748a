/* Dumps: what they say of a task, what they fold, and that they stay small. tests/observe/forms.py reads the JSON. */
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* private: where a sanitizer watches, calls are walked by frame pointers only */
#include "fiber/fiber.h"   /* private: some switches leave nothing to begin a walk with */

/* The text of a dump; freed by the caller. */
#define DUMP(text, ...)                                                                                                \
    char *text __attribute__((cleanup(free_text))) = NULL;                                                             \
    size_t text##_size = 0;                                                                                            \
    FILE *text##_file = open_memstream(&text, &text##_size);                                                           \
    WF_EXPECT_CODE(wf_dump_to(text##_file, __VA_ARGS__), 0);                                                           \
    fclose(text##_file)

static void free_text(char **text)
{
    free(*text);
}

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

static int take_item(struct wf_event *event)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    return rc == 0 ? wf_event_wait(event) : rc;
}

static size_t lines_of(const char *text)
{
    size_t count = 1;
    for (; *text != '\0'; text++) count += *text == '\n';
    return count;
}

WF_TEST(tasks_that_are_alike_are_one_entry_of_a_dump, .rule = "8.1")
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    for (int i = 0; i < 1000; i++) wf_spawn(&scope, wait_for_event, &event);
    wf_spawn(&scope, wait_for_event, &event, .name = "other");
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(5)), 0);
    DUMP(text, .no_stacks = true);
    if (!wf_test_failed()) {
        WF_EXPECT_PART(text, "wait_for_event x 1000, #2 ... #1001  waits: an event");
        WF_EXPECT_PART(text, "other #1002  waits: an event");
        WF_EXPECT(lines_of(text) < 10);
    }
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int wait_with_children(struct wf_event *event)
{
    WF_SCOPE(scope, .name = "pair");
    wf_spawn(&scope, wait_for_event, event);
    wf_spawn(&scope, take_item, event);
    return wf_scope_join(&scope);
}

WF_TEST(what_is_below_them_must_be_alike_too, .rule = "8.1")
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) {
        if (i == 2) WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(20)), 0);
        wf_spawn(&scope, wait_with_children, &event);
    }
    WF_EXPECT_CODE(wf_yield(), 0);
    WF_EXPECT_CODE(wf_yield(), 0);
    DUMP(different); /* a child of the third sleeps */
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(20)), 0);
    DUMP(alike);
    if (!wf_test_failed()) {
        WF_EXPECT_PART(different, "wait_with_children x 2");
        WF_EXPECT_PART(alike, "wait_with_children x 3");
    }
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(unfolded_each_task_has_its_own_entry_up_to_so_many)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, wait_for_event, &event);
    WF_EXPECT_CODE(wf_yield(), 0);
    DUMP(all, .unfolded = true, .no_stacks = true);
    DUMP(some, .unfolded = true, .no_stacks = true, .tasks_max = 11);
    if (!wf_test_failed()) {
        WF_EXPECT_PART(all, "wait_for_event #101");
        WF_EXPECT_PART(some, "... and 90 more");
    }
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int hold(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    if (rc < 0) return rc;
    rc = wf_sleep(WF_SECONDS(5));
    wf_ignore(wf_mutex_unlock(mutex));
    return rc;
}

static int read_one(struct wf_stream *stream)
{
    char byte;
    return wf_stream_read_full(stream, &byte, 1, NULL);
}

WF_TEST(a_dump_says_on_what_since_when_and_until_when, .rule = "8.1")
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_handle handle = {0};
    struct wf_stream *reader = NULL, *writer = NULL;
    WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0);
    WF_SCOPE(scope, .name = "all", .limit = 7, .timeout = WF_SECONDS(9));
    wf_spawn(&scope, hold, &mutex, .handle = &handle);
    wf_spawn(&scope, hold, &mutex, .name = "second");
    if (reader != NULL) wf_spawn(&scope, read_one, reader);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(30)), 0);
    DUMP(text);
    if (!wf_test_failed()) {
        WF_EXPECT_PART(text, "scope 'all' at ");
        WF_EXPECT_PART(text, "children, limit 7, ");
        WF_EXPECT_PART(text, "waits: sleep (4.9");
        WF_EXPECT_PART(text, "waits: a mutex (held by 'hold' #2), for ");
        WF_EXPECT_PART(text, "waits: read (descriptor ");
    }
    wf_scope_cancel(&scope, "seen");
    DUMP(cancelled);
    if (!wf_test_failed()) WF_EXPECT_PART(cancelled, "cancelled: seen (");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(reader);
    wf_stream_close(writer);
}

static __attribute__((noinline)) int innermost(struct wf_event *event)
{
    int rc = wf_event_wait(event);
    return rc < 0 ? rc : 1; /* not a tail call: it has a frame */
}

static __attribute__((noinline)) int middle(struct wf_event *event)
{
    int rc = innermost(event);
    return rc < 0 ? rc : 2;
}

static int outermost(struct wf_event *event)
{
    int rc = middle(event);
    return rc < 0 ? rc : 3;
}

static size_t frames_below(const char *text, const char *task)
{
    const char *line = strstr(text, task);
    size_t count = 0;
    while (line != NULL && (line = strchr(line, '\n')) != NULL && strstr(line, "+0x") != NULL) {
        line++;
        count += line[strspn(line, " ")] != '\0' && strchr(line, '+') < line + strcspn(line, "\n");
    }
    return count;
}

WF_TEST(a_parked_task_shows_its_calls_and_is_not_disturbed, .rule = "8.1")
{
    struct wf_event event = WF_EVENT;
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, outermost, &event, .handle = &handle);
    WF_EXPECT_CODE(wf_yield(), 0);
    for (int i = 0; i < 3; i++) {
        DUMP(text);
        bool walks = weft_fiber_record_at >= 0;
        if (walks && !wf_test_failed()) WF_EXPECT(frames_below(text, "outermost #2") >= 4);
    }
    wf_event_set(&event);
    int rc = wf_scope_join(&scope);
    WF_EXPECT_CODE(rc, 0);
    if (rc == 0) WF_EXPECT_INT(wf_handle_result(&handle), 3);
}

static int count_up(struct wf_generator *out, int *closed)
{
    int rc = 0;
    for (uint64_t i = 0; rc == 0; i++) rc = wf_emit(out, &i);
    ++*closed;
    return rc;
}

/* It was left by the switch of those that take turns, which has a frame of its own. */
WF_TEST(a_parked_generator_shows_its_calls_too)
{
    int closed = 0;
    WF_GENERATOR(numbers, count_up, &closed, uint64_t);
    uint64_t number = 0;
    for (int i = 0; i < 5; i++) WF_EXPECT_INT(wf_next(&numbers, &number), 1);
    DUMP(text);
    if (!wf_test_failed()) {
        WF_EXPECT_PART(text, "waits: to be asked for an item");
        WF_EXPECT(WEFT_ASAN || WEFT_TSAN || weft_fiber_record_at < 0 || frames_below(text, "count_up #2") >= 2);
    }
    WF_EXPECT_INT(wf_next(&numbers, &number), 1);
    WF_EXPECT_INT((int64_t)number, 5);
}

static int dump_here(int *rc)
{
    FILE *file = fopen("/dev/null", "w");
    *rc = file != NULL ? wf_dump_to(file) : -ENOMEM;
    if (file != NULL) fclose(file);
    return 0;
}

/* Names of functions take more stack than a task has: they are looked up elsewhere. */
WF_TEST(a_task_with_a_small_stack_can_dump, .unswept = "it asks for memory of the C library's only")
{
    int rc = -1;
    WF_SCOPE(scope);
    wf_spawn(&scope, dump_here, &rc, .stack_size = 40 * 1024);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(rc, 0);
}

WF_TEST(names_of_tasks_are_escaped_in_json)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event, .name = "a \"quoted\\\n\x01 \xff name");
    WF_EXPECT_CODE(wf_yield(), 0);
    DUMP(text, .form = WF_DUMP_JSON);
    if (!wf_test_failed()) WF_EXPECT_PART(text, "\"name\":\"a \\\"quoted\\\\\\u000a\\u0001 \xef\xbf\xbd name\"");
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static ssize_t refuse_write(void *cookie, const char *bytes, size_t size)
{
    (void)cookie, (void)bytes, (void)size;
    errno = ENOSPC;
    return 0;
}

WF_TEST(bad_options_and_a_file_that_takes_nothing_are_refused)
{
    FILE *full = fopencookie(NULL, "w", (cookie_io_functions_t){.write = refuse_write});
    WF_EXPECT_CODE(wf_dump_to(NULL), -EINVAL);
    WF_EXPECT_CODE(wf_dump_to(full, .form = (enum wf_dump_form)7), -EINVAL);
    WF_EXPECT_CODE(wf_dump_to(full), -EIO);
    if (full != NULL) fclose(full);
}

WF_TEST_MAIN
