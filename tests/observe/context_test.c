/* Named values and requests: S119 to S121, and rule 3.11 for both. */
#include <stdio.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Fields ---- */

WF_TEST(the_innermost_value_of_a_key_is_found_and_the_outer_one_comes_back)
{
    WF_EXPECT(wf_context_get("order") == NULL);
    WF_CONTEXT(outer, WF_TEXT("customer", "ada"), WF_INT("order", 17));
    {
        WF_CONTEXT(inner, WF_TEXT("customer", "grace"));
        WF_EXPECT_TEXT(wf_context_text("customer"), "grace");
        WF_EXPECT_INT(wf_context_get("order")->integer, 17);
    }
    WF_EXPECT_TEXT(wf_context_text("customer"), "ada");
    WF_EXPECT(wf_context_text("order") == NULL);
    WF_EXPECT(wf_context_get("nothing") == NULL);
}

WF_TEST(a_secret_can_be_used_where_it_is_needed)
{
    WF_CONTEXT(bound, WF_SECRET("token", "s3cret"));
    WF_EXPECT_TEXT(wf_context_text("token"), "s3cret");
}

WF_TEST(there_is_no_context_outside_of_tasks, .plain = true)
{
    WF_EXPECT(wf_context_get("order") == NULL);
    WF_EXPECT(wf_request_current() == NULL);
}

struct seen {
    char customer[16];
    int64_t order;
    bool found, request;
};

static int look(struct seen *seen)
{
    const char *customer = wf_context_text("customer");
    const struct wf_field *order = wf_context_get("order");
    snprintf(seen->customer, sizeof seen->customer, "%s", customer != NULL ? customer : "none");
    seen->order = order != NULL ? order->integer : 0;
    seen->found = wf_context_pointer("user") != NULL;
    seen->request = wf_request_current() != NULL;
    return 0;
}

static int look_late(struct seen *seen)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    look(seen);
    return rc;
}

static int look_on_thread(struct seen *seen)
{
    return wf_offload(look, seen);
}

WF_TEST(tasks_and_threads_below_see_the_fields, .sweep = true)
{
    struct seen task = {.order = 0}, thread = {.order = 0};
    WF_CONTEXT(bound, WF_TEXT("customer", "ada"), WF_INT("order", 17));
    WF_SCOPE(scope);
    wf_spawn(&scope, look_late, &task);
    wf_spawn(&scope, look_on_thread, &thread);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(task.customer, "ada");
    WF_EXPECT_INT(task.order, 17);
    WF_EXPECT_TEXT(thread.customer, "ada");
    WF_EXPECT_INT(thread.order, 17);
}

/* The fields and the request are gone when the child looks; it must have copies. */
static void spawn_in_a_request(struct wf_scope *scope, struct seen *captured, struct seen *inherited)
{
    char customer[] = "ada", key[] = "order";
    WF_REQUEST_CONTEXT(request, .name = "POST /orders");
    WF_CONTEXT(bound, WF_TEXT("customer", customer), WF_POINTER("user", customer));
    wf_context_put(WF_INT(key, 17));
    wf_spawn(scope, look_late, captured, .context = WF_CONTEXT_CURRENT);
    wf_spawn(scope, look_late, inherited);
    memset(key, 'x', sizeof key - 1);
    memset(customer, 'x', sizeof customer - 1);
}

WF_TEST(a_captured_context_is_a_copy_and_pointers_are_not_in_it, .sweep = true)
{
    struct seen captured = {.found = true}, inherited = {.request = true};
    WF_SCOPE(scope);
    spawn_in_a_request(&scope, &captured, &inherited);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(captured.customer, "ada");
    WF_EXPECT_INT(captured.order, 17);
    WF_EXPECT(captured.request);
    WF_EXPECT(!captured.found);
    WF_EXPECT_TEXT(inherited.customer, "none");
    WF_EXPECT(!inherited.request);
}

/* ---- Requests ---- */

static size_t count_requests(void)
{
    size_t count = 0;
    wf_each_request(request) count++;
    return count;
}

static int fail_in_a_request(void *unused)
{
    (void)unused;
    WF_REQUEST_CONTEXT(request, .name = "fails");
    WF_EXPECT_INT((int64_t)count_requests(), 1);
    return -EIO;
}

static int sleep_in_a_request(void *unused)
{
    (void)unused;
    WF_REQUEST_CONTEXT(request, .name = "sleeps");
    return wf_sleep_until(WF_FOREVER);
}

/* S120 */
WF_TEST(the_registry_is_empty_after_success_error_and_cancel, .sweep = true)
{
    {
        WF_REQUEST_CONTEXT(outer, .name = "outer");
        WF_REQUEST_CONTEXT(inner, .name = "inner");
        WF_EXPECT_TEXT(wf_request_current()->name, "inner");
        WF_INVARIANT(count_requests() == 2);
    }
    WF_INVARIANT(count_requests() == 0);
    WF_EXPECT_CODE(fail_in_a_request(NULL), -EIO);
    WF_INVARIANT(count_requests() == 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), sleep_in_a_request(NULL)), -ETIME);
    WF_INVARIANT(count_requests() == 0);
}

WF_TEST(the_registry_names_active_requests_oldest_first)
{
    WF_SCOPE(scope);
    WF_REQUEST_CONTEXT(first, .name = "first");
    wf_spawn(&scope, sleep_in_a_request, NULL);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    WF_REQUEST_CONTEXT(last, .name = "last");
    wf_each_request(request) wf_test_note("%s", request->name);
    WF_EXPECT_TEXT(wf_test_notes(), "first sleeps last");
    wf_scope_cancel(&scope, "seen enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_is_put_into_a_request_is_seen_by_all_its_tasks_and_stays)
{
    WF_EXPECT_CODE(wf_context_put(WF_INT("order", 1)), -ENOENT);
    struct seen seen = {.order = 0};
    WF_REQUEST_CONTEXT(request, .name = "POST /orders");
    WF_SCOPE(scope);
    wf_spawn(&scope, look_late, &seen);
    WF_EXPECT_CODE(wf_context_put(WF_INT("order", 17)), 0);
    WF_EXPECT_CODE(wf_context_put(WF_TEXT("customer", "ada")), 0);
    WF_EXPECT_CODE(wf_context_put(WF_POINTER("user", &seen)), 0);
    WF_EXPECT_CODE(wf_context_put(WF_INT("order", 18)), -EALREADY);
    WF_EXPECT_CODE(wf_context_put(WF_INT("", 1)), -EINVAL);
    WF_EXPECT_CODE(wf_context_put(WF_INT(NULL, 1)), -EINVAL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(seen.order, 17);
    WF_EXPECT_TEXT(seen.customer, "ada");
    WF_EXPECT(seen.found);
}

WF_TEST(no_memory_for_a_value_is_said, .sweep = true)
{
    WF_REQUEST_CONTEXT(request, .name = "POST /orders");
    int rc = wf_context_put(WF_TEXT("customer", "ada"));
    WF_INVARIANT(rc == -ENOMEM || wf_context_text("customer") != NULL);
    WF_EXPECT_CODE(rc, 0);
}

/* S119: a thousand at once, and no identity is ever seen in another's tasks. */
static int check_identity(const uint64_t *order)
{
    int rc = wf_yield();
    const struct wf_field *mine = wf_context_get("order");
    WF_EXPECT(mine != NULL && (uint64_t)mine->integer == *order);
    return rc;
}

static int one_of_many(uint64_t *order)
{
    WF_REQUEST_CONTEXT(request, .name = "many");
    *order = wf_task_id();
    int rc = wf_context_put(WF_UINT("order", *order));
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, check_identity, order);
    return wf_scope_join(&scope);
}

WF_TEST(a_thousand_requests_at_once_never_mix, .timeout = WF_SECONDS(60),
        .unswept = "a thousand tasks for each of a hundred thousand chances")
{
    static uint64_t orders[1000];
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(orders); i++) wf_spawn(&scope, one_of_many, &orders[i]);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Identity ---- */

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static const struct trace_case {
    const char *text;
    int code;
} traces[] = {
    {"00-" TRACE "-" SPAN "-01", 0},
    {"00-" TRACE "-" SPAN "-00", 0},
    {"01-" TRACE "-" SPAN "-09", 0},
    {"cc-" TRACE "-" SPAN "-01-what-comes-later", 0},
    {"cc-" TRACE "-" SPAN "-01-", 0},
    {NULL, -EINVAL},
    {"", -EINVAL},
    {"00", -EINVAL},
    {"ff-" TRACE "-" SPAN "-01", -EINVAL},
    {"00-" TRACE "-" SPAN "-01-more", -EINVAL},
    {"00-" TRACE "-" SPAN "-01 ", -EINVAL},
    {" 00-" TRACE "-" SPAN "-01", -EINVAL},
    {"cc-" TRACE "-" SPAN "-01.more", -EINVAL},
    {"00-" TRACE "-" SPAN "-0", -EINVAL},
    {"00-" TRACE "-" SPAN, -EINVAL},
    {"00_" TRACE "-" SPAN "-01", -EINVAL},
    {"00-" TRACE "_" SPAN "-01", -EINVAL},
    {"00-" TRACE "-" SPAN "_01", -EINVAL},
    {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", -EINVAL},
    {"00-4bf92f3577b34da6a3ce929d0e0e473g-" SPAN "-01", -EINVAL},
    {"00-00000000000000000000000000000000-" SPAN "-01", -EINVAL},
    {"00-" TRACE "-0000000000000000-01", -EINVAL},
    {"00-" TRACE "-" SPAN "-0x", -EINVAL},
};

static const char *trace_text(size_t row)
{
    return traces[row].text != NULL ? traces[row].text : "null";
}

WF_TEST_EACH(a_traceparent_is_read_strictly, traces, .row_name = trace_text)
{
    struct wf_trace trace = {.flags = 77};
    WF_EXPECT_CODE(wf_trace_parse(row->text, &trace), row->code);
    if (row->code < 0) WF_EXPECT_INT(trace.flags, 77);
    if (row->code < 0) return;
    char text[WF_TRACEPARENT_SIZE];
    wf_trace_format(&trace, text);
    WF_EXPECT_INT((int64_t)strlen(text), WF_TRACEPARENT_SIZE - 1);
    WF_EXPECT(memcmp(text, "00-", 3) == 0 && memcmp(text + 3, row->text + 3, 50) == 0);
    WF_EXPECT_INT(text[54] & 1, row->text[54] & 1);
}

static void format(const struct wf_request_context *request, char *text)
{
    wf_trace_format(&request->trace, text);
}

WF_TEST(a_request_goes_on_with_the_trace_that_it_came_with)
{
    char text[WF_TRACEPARENT_SIZE];
    WF_REQUEST_CONTEXT(request, .traceparent = "00-" TRACE "-" SPAN "-01");
    format(&request, text);
    WF_EXPECT_PART(text, TRACE);
    WF_EXPECT(strstr(text, SPAN) == NULL);
    WF_EXPECT_INT(request.parent_id[1], 0xf0);
    WF_EXPECT_INT(request.trace.flags, WF_TRACE_SAMPLED);
    WF_REQUEST_CONTEXT(part, .name = "part");
    format(&part, text);
    WF_EXPECT_PART(text, TRACE);
    WF_EXPECT(memcmp(part.parent_id, request.trace.span_id, sizeof part.parent_id) == 0);
    WF_EXPECT(memcmp(part.trace.span_id, request.trace.span_id, sizeof part.parent_id) != 0);
}

WF_TEST(the_state_of_a_trace_goes_with_it_and_with_no_other)
{
    char state[] = "vendor=1";
    WF_REQUEST_CONTEXT(request, .traceparent = "00-" TRACE "-" SPAN "-01", .tracestate = state);
    WF_EXPECT_TEXT(request.tracestate, "vendor=1");
    WF_REQUEST_CONTEXT(part, .name = "part");
    WF_EXPECT_TEXT(part.tracestate, "vendor=1");
    WF_REQUEST_CONTEXT(other, .traceparent = "00-" SPAN SPAN "-" SPAN "-01");
    WF_EXPECT(other.tracestate == NULL);
}

static int look_at_state(struct wf_event *gone)
{
    int rc = wf_event_wait(gone);
    if (rc < 0) return rc;
    WF_EXPECT_TEXT(wf_request_current()->tracestate, "vendor=1");
    return 0;
}

static void spawn_in_a_traced_request(struct wf_scope *scope, struct wf_event *gone)
{
    char state[] = "vendor=1";
    WF_REQUEST_CONTEXT(request, .traceparent = "00-" TRACE "-" SPAN "-01", .tracestate = state);
    wf_spawn(scope, look_at_state, gone, .context = WF_CONTEXT_CURRENT);
    memset(state, 0, sizeof state);
}

WF_TEST(a_captured_request_has_a_copy_of_the_state, .sweep = true)
{
    struct wf_event gone = WF_EVENT;
    WF_SCOPE(scope);
    spawn_in_a_traced_request(&scope, &gone);
    wf_event_set(&gone);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_bad_traceparent_begins_a_new_trace)
{
    struct wf_trace read;
    char text[WF_TRACEPARENT_SIZE];
    WF_REQUEST_CONTEXT(request, .traceparent = "00-nonsense", .sampled = true);
    format(&request, text);
    WF_EXPECT_CODE(wf_trace_parse(text, &read), 0);
    WF_EXPECT_INT(read.flags, WF_TRACE_SAMPLED);
    uint8_t none[8] = {0};
    WF_EXPECT(memcmp(request.parent_id, none, sizeof none) == 0);
}

static int make_identity(char *text)
{
    WF_REQUEST_CONTEXT(request, .name = "seeded");
    format(&request, text);
    return 0;
}

WF_TEST(identities_are_repeated_by_the_seed, .plain = true)
{
    static const uint64_t seeds[] = {7, 7, 8};
    char texts[3][WF_TRACEPARENT_SIZE] = {{0}};
    for (size_t i = 0; i < WF_COUNT(seeds); i++) {
        wf_sim_seed(seeds[i]);
        WF_EXPECT_CODE(wf_run(make_identity, texts[i], .driver = "sim"), 0);
    }
    wf_sim_seed(0);
    WF_EXPECT_TEXT(texts[1], texts[0]);
    WF_EXPECT(strcmp(texts[2], texts[0]) != 0);
}

WF_TEST_MAIN
