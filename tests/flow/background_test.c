/* Background tasks: who they outlive, failures, arguments, limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "background.h"

static size_t count_parts(const char *part)
{
    size_t count = 0;
    for (const char *at = wf_test_log(); (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

struct mail {
    int *sent;
    char to[16];
};

static int send_mail(struct mail *mail)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) ++*mail->sent;
    return rc;
}

struct request {
    struct wf_background *background;
    int *sent;
};

static int answer(struct request *request)
{
    struct mail mail = {.sent = request->sent, .to = "ada"};
    return wf_background_start_copy(request->background, send_mail, &mail);
}

/* ---- Who they outlive ---- */

/* S113 */
WF_TEST(a_task_outlives_the_request_that_started_it_and_its_frame, .rule = "3.14", .simulated = true, .sweep = true)
{
    int sent = 0;
    WF_BACKGROUND(background);
    struct request request = {&background, &sent};
    {
        WF_SCOPE(requests);
        wf_spawn(&requests, answer, &request);
        WF_EXPECT_CODE(wf_scope_join(&requests), 0);
    }
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 1);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(sent, 1);
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 0);
    check_numbers(&background);
}

static int start_when_cancelled(struct request *request)
{
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "the client went away");
    int rc = answer(request);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_cancelled_request_may_start_one_and_does_not_cancel_it, .rule = "3.14", .simulated = true, .sweep = true)
{
    int sent = 0;
    WF_BACKGROUND(background);
    struct request request = {&background, &sent};
    WF_EXPECT_CODE(start_when_cancelled(&request), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(sent, 1);
}

WF_TEST(nothing_is_started_once_the_scope_around_was_cancelled, .simulated = true)
{
    int sent = 0;
    WF_SCOPE(scope);
    WF_BACKGROUND(background, .name = "mails");
    struct request request = {&background, &sent};
    WF_EXPECT_CODE(answer(&request), 0);
    wf_scope_cancel(&scope, "the end");
    WF_EXPECT_FAILURE(answer(&request), -ECANCELED, "mails: 'send_mail' was not started: the scope around it was");
    WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0); /* closes what is inside */
    WF_EXPECT_INT(sent, 0);
    WF_EXPECT_INT((int64_t)statistics_of(&background).cancelled, 1);
    WF_EXPECT_CODE(answer(&request), -ESHUTDOWN);
    check_numbers(&background);
}

static int say_hello(void *unused)
{
    (void)unused;
    wf_log(WF_INFO, "hello");
    return 0;
}

static int start_in_context(struct wf_background *background)
{
    WF_REQUEST_CONTEXT(request, .name = "GET /hello");
    WF_CONTEXT(bound, WF_TEXT("customer", "ada"));
    return wf_background_start(background, say_hello, NULL, .name = "Greeter-1");
}

WF_TEST(its_lines_say_which_request_it_was_for, .simulated = true, .sweep = true, .rule = "3.11")
{
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(start_in_context(&background), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_PART(wf_test_log(), "msg=hello customer=ada request=\"GET /hello\" trace_id=");
    WF_EXPECT_PART(wf_test_log(), "task=Greeter-1#");
}

/* A finished one is forgotten: a set lives as long as the program. */
WF_TEST(a_hundred_thousand_tasks_leave_no_memory_behind, .simulated = true, .unswept = "too long")
{
    int runs = 0;
    WF_BACKGROUND(background);
    for (int i = 0; i < 1000; i++) WF_EXPECT_CODE(wf_background_start(&background, count_run, &runs), 0);
    wf_yield();
    size_t blocks = wf_allocated_blocks();
    for (int i = 1000; i < 100 * 1000; i++) {
        const char *name = i % 10 == 0 ? "ten" : NULL;
        if (!WF_EXPECT_CODE(wf_background_start(&background, count_run, &runs, .name = name), 0)) return;
        if (i % 1000 == 999) wf_sleep(1);
    }
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 0);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
    WF_EXPECT_INT(runs, 100 * 1000);
    check_numbers(&background);
}

static int look_at_number(struct wf_background *background)
{
    WF_EXPECT_INT((int64_t)wf_background_active(background), 3);
    return 0;
}

/* S117 */
WF_TEST(the_number_of_those_that_live_is_exact_at_any_time, .simulated = true)
{
    int sent = 0;
    struct mail mail = {.sent = &sent};
    WF_BACKGROUND(background, .name = "mails");
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail, .name = "a"), 0));
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 1);
    WF_EXPECT_CODE(wf_background_start(&background, look_at_number, &background), 0);
    WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail), 0);
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 3);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 2);
    const struct wf_background_task *first = wf_background_tasks(&background);
    if (first == NULL || first->next == NULL) return;
    WF_EXPECT_TEXT(first->name, "a");
    WF_EXPECT_TEXT(first->next->name, "send_mail");
    WF_EXPECT_PART(first->place, "background_test.c:");
    WF_EXPECT(first->next->next == NULL);
    check_numbers(&background);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(statistics_of(&background).active_peak, 3);
    WF_EXPECT(wf_background_tasks(&background) == NULL);
}

WF_TEST(metrics_count_those_that_live_and_how_they_ended, .simulated = true, .unswept = "metrics are the process's")
{
    int sent = 0;
    char *text;
    struct mail mail = {.sent = &sent};
    WF_BACKGROUND(background, .name = "metered");
    WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail), 0);
    WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail, .name = "b"), 0);
    WF_EXPECT_CODE(wf_metrics_text(wf_task_arena(), &text), 0);
    WF_EXPECT_PART(text, "weft_background_tasks{name=\"metered\"} 2\n");
    WF_EXPECT_CODE(wf_background_stop(&background, "b"), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_CODE(wf_metrics_text(wf_task_arena(), &text), 0);
    WF_EXPECT_PART(text, "weft_background_tasks{name=\"metered\"} 0\n");
    WF_EXPECT_PART(text, "weft_background_ended_total{name=\"metered\",outcome=\"finished\"} 1\n");
    WF_EXPECT_PART(text, "weft_background_ended_total{name=\"metered\",outcome=\"cancelled\"} 1\n");
}

/* ---- Failures ---- */

struct told {
    struct wf_background *background;
    int times, code, runs;
    char name[32], message[64];
};

static void hear(void *context, const char *name, int code, const char *message)
{
    struct told *told = context;
    told->times++;
    told->code = code;
    snprintf(told->name, sizeof told->name, "%s", name);
    snprintf(told->message, sizeof told->message, "%s", message);
}

/* S115 */
WF_TEST(a_failure_is_told_and_logged_once_and_the_others_go_on, .rule = "3.14", .simulated = true, .sweep = true)
{
    int sent = 0;
    struct told told = {.times = 0};
    struct mail mail = {.sent = &sent};
    {
        WF_BACKGROUND(background, .name = "mails", .on_error = hear, .context = &told);
        WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail), 0);
        WF_EXPECT_CODE(wf_background_start(&background, fail, NULL, .name = "Printer"), 0);
        wf_yield();
        WF_EXPECT_INT(told.times, 1);
        WF_EXPECT_CODE(told.code, -EIO);
        WF_EXPECT_TEXT(told.name, "Printer");
        WF_EXPECT_TEXT(told.message, "the printer is on fire");
        WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
        WF_EXPECT_INT(sent, 1);
        WF_EXPECT_INT((int64_t)statistics_of(&background).failed, 1);
        check_numbers(&background);
    }
    WF_EXPECT_PART(wf_test_log(), "level=error module=background msg=\"task failed\" name=mails "
                                  "error=\"Input/output error\" reason=\"the printer is on fire\" task=Printer#");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

/* S115 */
WF_TEST(a_cancel_is_a_line_of_information_and_no_error, .simulated = true, .sweep = true)
{
    int sent = 0;
    struct told told = {.times = 0};
    struct mail mail = {.sent = &sent};
    WF_BACKGROUND(background, .name = "mails", .on_error = hear, .context = &told);
    WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail, .name = "Mail-1"), 0);
    wf_yield();
    WF_EXPECT_CODE(wf_background_stop(&background, "Mail-1"), 0);
    WF_EXPECT_PART(wf_test_log(), "level=info module=background msg=\"task cancelled\" name=mails "
                                  "reason=\"the background task was stopped\" task=Mail-1#");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
    WF_EXPECT_INT(told.times, 0);
    check_numbers(&background);
}

static int leave_a_scope_with_an_error(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, fail, NULL);
    wf_yield();
    return 0;
}

WF_TEST(a_scope_that_a_task_left_with_an_error_is_its_failure, .simulated = true)
{
    struct told told = {.times = 0};
    WF_BACKGROUND(background, .on_error = hear, .context = &told);
    WF_EXPECT_CODE(wf_background_start(&background, leave_a_scope_with_an_error, NULL), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(told.times, 1);
    WF_EXPECT_TEXT(told.message, "the printer is on fire");
}

/* A hook that waits, fails, says so, and starts the task anew. */
static void start_again(void *context, const char *name, int code, const char *message)
{
    struct told *told = context;
    wf_sleep(WF_SECONDS(1));
    wf_ignore(wf_fail(-EPROTO, "the hook failed, too"));
    (void)leave_a_scope_with_an_error(NULL);
    hear(context, name, code, message);
    WF_EXPECT_CODE(wf_background_start(told->background, count_run, &told->runs, .name = name), 0);
    WF_EXPECT_INT(told->runs, 0);
}

WF_TEST(a_hook_that_waits_and_fails_and_starts_others_breaks_nothing, .simulated = true, .sweep = true)
{
    struct told told = {.times = 0};
    WF_BACKGROUND(background, .on_error = start_again, .context = &told);
    told.background = &background;
    WF_EXPECT_CODE(wf_background_start(&background, fail, NULL, .name = "printer"), 0);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 1); /* it lives as long as its hook */
    wf_sleep(WF_SECONDS(2));
    WF_EXPECT_INT(told.times, 1);
    WF_EXPECT_INT(told.runs, 1);
    WF_EXPECT_TEXT(told.message, "the printer is on fire");
    WF_EXPECT_INT((int64_t)statistics_of(&background).failed, 1);
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 0);
    check_numbers(&background);
}

/* S125 */
WF_TEST(its_start_and_its_end_are_logged_once_to_those_who_debug, .simulated = true, .sweep = true)
{
    int runs = 0;
    WF_EXPECT_CODE(wf_log_set_level("task", WF_DEBUG), 0);
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, count_run, &runs, .name = "Count-1"), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT((int64_t)count_parts("level=debug module=task msg=\"task started\" child=Count-1 child_id="), 1);
    WF_EXPECT_INT((int64_t)count_parts("level=debug module=task msg=\"task ended\" result=ok"), 1);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
}

/* ---- Arguments ---- */

struct parcel {
    int *released;
    char *content;
};

static int keep_parcel(const struct parcel *parcel)
{
    (void)parcel;
    return wf_sleep(WF_SECONDS(1));
}

static void release_parcel(void *arg)
{
    struct parcel *parcel = arg;
    free(parcel->content);
    ++*parcel->released;
}

/* Starts one with something to release; what was not started is the starter's. */
static void start_parcel(struct wf_background *background, int *released, const char *name)
{
    struct parcel parcel = {.released = released, .content = malloc(10)};
    int rc = wf_background_start_copy(background, keep_parcel, &parcel, .name = name, .release = release_parcel);
    if (rc < 0) free(parcel.content);
}

WF_TEST(what_a_task_owns_is_released_once_however_it_ends, .simulated = true, .sweep = true)
{
    int released = 0;
    uint64_t started;
    {
        WF_BACKGROUND(background, .limit = 3);
        start_parcel(&background, &released, NULL);
        start_parcel(&background, &released, "a");
        start_parcel(&background, &released, "a");
        start_parcel(&background, &released, NULL); /* one too many */
        wf_ignore(wf_background_stop(&background, "a"));
        WF_EXPECT_INT(released, 2);
        started = statistics_of(&background).started;
        WF_EXPECT_INT((int64_t)started, 3);
    }
    WF_INVARIANT((uint64_t)released == started);
}

/* ---- Limits, bad input ---- */

WF_TEST(past_the_limit_a_start_is_refused_at_once_and_said_once_for_each_burst, .rule = "3.14", .simulated = true)
{
    int sent = 0;
    struct mail mail = {.sent = &sent};
    WF_BACKGROUND(background, .limit = 2, .name = "mails");
    for (int burst = 1; burst <= 2; burst++) {
        for (int i = 0; i < 2; i++) WF_EXPECT_CODE(wf_background_start(&background, send_mail, &mail), 0);
        for (int i = 0; i < 3; i++)
            WF_EXPECT_FAILURE(wf_background_start(&background, send_mail, &mail, .name = "late"), -EAGAIN,
                              "mails: 'late' was not started: 2 tasks are alive");
        wf_sleep(WF_MILLISECONDS(20));
        WF_EXPECT_INT(sent, burst * 2);
    }
    WF_EXPECT_INT((int64_t)statistics_of(&background).refused, 6);
    WF_EXPECT_INT((int64_t)count_parts("level=warn module=background msg=\"tasks are refused\" name=mails "
                                       "refused=late error=\"Resource temporarily unavailable\""),
                  2);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
    check_numbers(&background);
}

WF_TEST(the_limit_is_ten_thousand_where_nothing_is_said, .simulated = true, .unswept = "too long")
{
    int runs = 0, rc = 0, started = -1;
    WF_BACKGROUND(background);
    for (; rc == 0; started++) rc = wf_background_start(&background, count_run, &runs);
    WF_EXPECT_CODE(rc, -EAGAIN);
    WF_EXPECT_INT(started, 10000);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(runs, 10000);
}

static int never_called(void *unused)
{
    (void)unused;
    return 0;
}

WF_TEST(options_that_make_no_sense_are_refused_with_a_message, .simulated = true)
{
    int runs = 0;
    const struct wf_background_task_options old = {.size = 7, .function_ = "never_called"};
    int64_t second = WF_SECONDS(1);
    WF_BACKGROUND(set);
    WF_EXPECT_FAILURE(wf_background_start(&set, count_run, &runs, .name = ""), -EINVAL, "an empty name");
    WF_EXPECT_FAILURE(wf_background_start(&set, count_run, &runs, .first = 1), -EINVAL, "for periodic tasks");
    WF_EXPECT_FAILURE(wf_background_start(&set, count_run, &runs, .jitter = 1), -EINVAL, "for periodic tasks");
    WF_EXPECT_FAILURE(wf_background_start(&set, count_run, &runs, .stop_on_error = true), -EINVAL, "for periodic");
    WF_EXPECT_FAILURE(wf_background_every(&set, 0, count_run, &runs), -EINVAL, "a period that is not above 0");
    WF_EXPECT_FAILURE(wf_background_every(&set, -second, count_run, &runs), -EINVAL, "a period that is not above 0");
    WF_EXPECT_FAILURE(wf_background_every(&set, second, count_run, &runs, .jitter = -1), -EINVAL, "a .jitter outside");
    WF_EXPECT_FAILURE(wf_background_every(&set, second, count_run, &runs, .jitter = second), -EINVAL, "a .jitter out");
    WF_EXPECT_FAILURE(wf_background_start_(&set, never_called, &old), -EINVAL, "another version");
    WF_EXPECT_CODE(wf_background_start(&set, count_run, &runs, .stack_size = SIZE_MAX), -EINVAL);
    WF_EXPECT_INT((int64_t)statistics_of(&set).started, 0);
    WF_EXPECT_INT(runs, 0);
}

WF_TEST(a_set_that_is_not_open_explains_itself, .simulated = true, .dies = "declare them by WF_BACKGROUND")
{
    static struct wf_background background;
    int runs = 0;
    wf_ignore(wf_background_start(&background, count_run, &runs));
}

WF_TEST_MAIN
