/* What a program left open is told at the end of its loop, with where it was opened. */
#include <string.h>

#include "../apart.h"

static char said[16384];

static int count_parts(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

static __attribute__((noinline)) int open_a_pipe(int closed)
{
    struct wf_stream *reader, *writer;
    int rc = wf_pipe(&reader, &writer);
    if (rc < 0) return rc;
    if (closed > 0) wf_stream_close(reader);
    if (closed > 1) wf_stream_close(writer);
    return 0;
}

static int forget_some(void *unused)
{
    struct wf_event event = WF_EVENT;
    struct wf_waker *waker;
    (void)unused;
    int rc = open_a_pipe(2);
    for (int i = 0; rc == 0 && i < 3; i++) rc = open_a_pipe(1);
    return rc == 0 ? wf_waker_create(&event, &waker) : rc;
}

static void leave_open(void)
{
    wf_run(forget_some, NULL);
}

WF_TEST(what_is_left_open_is_told_once_for_each_place_that_it_was_opened_at, .plain = true)
{
    WF_EXPECT_INT(run_apart(leave_open, STDERR_FILENO, said, sizeof said), 0);
    WF_EXPECT_PART(said, "3 descriptors (the last: ");
    WF_EXPECT_PART(said, "a waker was not closed before the loop ended");
    WF_EXPECT_INT(count_parts(said, "Opened at:\n"), 2);
    WF_EXPECT(count_parts(said, "observe_births_test+0x") >= 4);
}

static int close_all(void *unused)
{
    (void)unused;
    return open_a_pipe(2);
}

static void close_what_was_opened(void)
{
    wf_run(close_all, NULL);
}

WF_TEST(what_was_closed_is_not, .plain = true)
{
    WF_EXPECT_INT(run_apart(close_what_was_opened, STDERR_FILENO, said, sizeof said), 0);
    WF_EXPECT_TEXT(said, "");
}

WF_TEST_MAIN
