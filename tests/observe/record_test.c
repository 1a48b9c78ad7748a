/* The flight recorder: what happened stands in it, in its order, and it is always there. forms.py reads the trace. */
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#define RECORD(text)                                                                                                   \
    char *text __attribute__((cleanup(free_text))) = NULL;                                                             \
    size_t text##_size = 0;                                                                                            \
    FILE *text##_file = open_memstream(&text, &text##_size);                                                           \
    WF_EXPECT_CODE(wf_record_dump(text##_file), 0);                                                                    \
    fclose(text##_file)

static void free_text(char **text)
{
    free(*text);
}

static int count_parts(const char *text, const char *part)
{
    int count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text++;
        count++;
    }
    return count;
}

static int wait_for_event(struct wf_event *event)
{
    return wf_event_wait(event);
}

static int sleep_briefly(void *unused)
{
    (void)unused;
    return wf_sleep(WF_MILLISECONDS(2));
}

static int yield_twice(void *unused)
{
    (void)unused;
    int rc = wf_yield();
    return rc == 0 ? wf_yield() : rc;
}

WF_TEST(a_record_tells_who_ran_why_they_stopped_and_who_woke)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event);
    wf_spawn(&scope, sleep_briefly, NULL);
    wf_spawn(&scope, yield_twice, NULL);
    wf_spawn(&scope, wait_for_event, &event, .name = "a name of its own, rather long");
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(10)), 0);
    wf_event_set(&event);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    RECORD(text);
    if (wf_test_failed()) return;
    WF_EXPECT_PART(text, "\"name\":\"spawn wait_for_event\"");
    WF_EXPECT_PART(text, "{\"left\":\"an event\"}");
    WF_EXPECT_PART(text, "{\"left\":\"sleep\"}");
    WF_EXPECT_PART(text, "{\"left\":\"yielded\"}");
    WF_EXPECT_PART(text, "{\"left\":\"ended\"}");
    WF_EXPECT_PART(text, "\"name\":\"timer of sleep_briefly\"");
    WF_EXPECT_PART(text, "\"name\":\"wake wait_for_event\"");
    WF_EXPECT_PART(text, "\"name\":\"a name of its own, rather long\"");
    WF_EXPECT_INT(count_parts(text, "\"ph\":\"B\""), count_parts(text, "\"ph\":\"E\""));
    WF_EXPECT_INT(count_parts(text, "\"ph\":\"b\""), count_parts(text, "\"ph\":\"e\""));
}

WF_TEST(a_cancel_is_recorded)
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_event, &event);
    WF_EXPECT_CODE(wf_yield(), 0);
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    RECORD(text);
    if (!wf_test_failed()) WF_EXPECT_PART(text, "\"name\":\"cancel wait_for_event\"");
}

/* Records of tasks are used again: each time it is somebody else. */
WF_TEST(those_who_had_the_same_record_keep_their_names)
{
    for (int i = 0; i < 20; i++) {
        char name[16];
        snprintf(name, sizeof name, "number-%d", i);
        WF_SCOPE(scope);
        wf_spawn(&scope, yield_twice, NULL, .name = name);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    RECORD(text);
    if (wf_test_failed()) return;
    for (int i = 0; i < 20; i++) {
        char begin[64];
        snprintf(begin, sizeof begin, "\"ph\":\"B\",\"name\":\"number-%d\"", i);
        WF_EXPECT_INT(count_parts(text, begin), 3);
    }
}

WF_TEST(the_record_goes_round_and_keeps_what_came_last, .unswept = "it is long, and always the same")
{
    WF_SCOPE(scope);
    for (int i = 0; i < 1200; i++) wf_spawn(&scope, yield_twice, NULL);
    wf_spawn(&scope, yield_twice, NULL, .name = "the last");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    RECORD(text);
    if (wf_test_failed()) return;
    WF_EXPECT_PART(text, "the last");
    WF_EXPECT(count_parts(text, "\"ph\":\"B\"") > 800);
    WF_EXPECT_INT(count_parts(text, "\"ph\":\"B\""), count_parts(text, "\"ph\":\"E\""));
}

WF_TEST(a_file_that_takes_nothing_is_refused)
{
    FILE *full = fopen("/dev/full", "w");
    WF_EXPECT_CODE(wf_record_dump(NULL), -EINVAL);
    if (full == NULL) return;
    WF_EXPECT_CODE(wf_record_dump(full), -EIO);
    fclose(full);
}

WF_TEST_MAIN
