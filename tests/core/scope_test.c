/* Rules 3.1 to 3.4 and 3.11 to 3.13: scopes, errors, policies, task-locals, arenas. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int return_code(int *code)
{
    return *code;
}

static int return_late(int *code)
{
    int rc = wf_sleep(WF_MILLISECONDS(2));
    return rc < 0 ? rc : *code;
}

/* 3.1 */
static int outer_first(void *unused)
{
    (void)unused;
    WF_SCOPE(outer);
    WF_SCOPE(inner);
    return wf_scope_end(&outer, 0) + wf_scope_end(&inner, 0);
}

WF_TEST(ending_an_outer_scope_first_names_both_places, .rule = "3.1", .dies = "Scopes are left in the reverse order")
{
    outer_first(NULL);
}

WF_TEST(ending_a_scope_twice_is_misuse, .rule = "3.1", .dies = "was ended twice")
{
    WF_SCOPE(scope);
    wf_scope_join(&scope);
    wf_scope_join(&scope);
}

static int end_foreign(struct wf_scope *scope)
{
    return wf_scope_end(scope, 0);
}

WF_TEST(a_scope_ended_by_another_task_is_misuse, .rule = "3.1", .dies = "A scope is ended by its opener")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, end_foreign, &scope);
    wf_scope_join(&scope);
}

WF_TEST(spawning_into_a_scope_that_was_ended_is_misuse, .rule = "3.1", .dies = "spawned into a scope that is not open")
{
    WF_SCOPE(scope);
    wf_scope_join(&scope);
    wf_spawn(&scope, sleep_for_ever, NULL);
}

static int use_outer_variable(int *value)
{
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(2)));
    *value = 1;
    return 0;
}

WF_TEST(a_child_never_outlives_what_was_declared_before_its_scope, .rule = "3.1 3.2")
{
    int value = 0;
    bool spawned;
    {
        WF_SCOPE(scope);
        spawned = WF_EXPECT_CODE(wf_spawn(&scope, use_outer_variable, &value), 0);
        WF_EXPECT_CODE(wf_scope_end(&scope, -EIO), -EIO);
    }
    WF_INVARIANT(value == (spawned ? 1 : 0));
}

/* 3.2 */
WF_TEST(a_body_that_fails_cancels_the_children_and_waits, .rule = "3.2 3.3.1")
{
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, sleep_for_ever, NULL);
    wf_yield();
    WF_EXPECT_CODE(wf_scope_end(&scope, -EPROTO), -EPROTO);
    WF_EXPECT(wf_scope_reason(&scope)->kind == WF_REASON_PARENT_LEFT);
    WF_INVARIANT(wf_scope_alive(&scope) == 0);
}

WF_TEST(a_positive_result_of_the_body_is_kept, .rule = "3.3.6")
{
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_scope_end(&scope, 42), 42);
}

static void leave_early(bool *ran)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, use_outer_variable, (int *)ran);
    wf_yield();
    for (;;) break;
}

WF_TEST(leaving_the_block_cancels_joins_and_is_reported, .rule = "3.2")
{
    wf_test_allow_reports();
    int ran = 0;
    leave_early((bool *)&ran);
    WF_EXPECT_INT(ran, 1);
    WF_EXPECT_PART(wf_test_reports(), "was left with 1 children running");
    WF_EXPECT_PART(wf_test_reports(), "use_outer_variable");
}

static int leave_with_failed_child(void *unused)
{
    (void)unused;
    static int code = -EIO;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, return_code, &code);
        wf_yield();
        wf_yield();
    }
    return 0;
}

WF_TEST(errors_of_a_scope_left_without_its_end_are_handed_up, .rule = "3.2")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_with_failed_child, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    static int code = -EPROTO;
    WF_SCOPE(outer);
    {
        WF_SCOPE(inner);
        wf_spawn(&inner, return_code, &code);
        wf_yield();
        wf_yield();
    }
    WF_EXPECT_CODE(wf_scope_join(&outer), -EPROTO);
}

/* 3.3, S010, S146 */
WF_TEST(the_first_failure_cancels_the_siblings, .rule = "3.3.3 3.4")
{
    int code = -EINVAL;
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_for_ever, NULL);
    wf_spawn(&scope, sleep_for_ever, NULL);
    wf_spawn(&scope, return_late, &code);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EINVAL);
    WF_EXPECT(wf_now() - started < WF_SECONDS(1));
    int count = 0;
    wf_each_error(&scope, error) count++;
    WF_EXPECT_INT(count, 1);
}

static int fail_in_cleanup(void *unused)
{
    (void)unused;
    wf_sleep(WF_SECONDS(3600));
    return -ENOTDIR;
}

WF_TEST(an_error_during_a_siblings_cleanup_is_added, .rule = "3.3.3")
{
    int code = -EINVAL;
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_in_cleanup, NULL);
    wf_spawn(&scope, return_late, &code);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EINVAL);
    const struct wf_error *error = wf_scope_errors(&scope);
    WF_EXPECT(error != NULL && error->next != NULL && error->next->next == NULL);
    if (error == NULL || error->next == NULL) return;
    WF_EXPECT_CODE(error->code, -EINVAL);
    WF_EXPECT_CODE(error->next->code, -ENOTDIR);
}

static int bad_vin(const char *vin)
{
    return wf_fail(-EINVAL, "bad VIN %s", vin);
}

static int nested_failure(const char *vin)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, bad_vin, vin, .name = "check");
    return wf_scope_join(&scope);
}

WF_TEST(errors_carry_message_and_path_through_nested_scopes, .rule = "3.3")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, nested_failure, "XY", .name = "orders");
    WF_EXPECT_CODE(wf_scope_join(&scope), -EINVAL);
    const struct wf_error *error = wf_scope_errors(&scope);
    WF_EXPECT(error != NULL && error->next == NULL);
    if (error == NULL) return;
    WF_EXPECT_TEXT(error->message, "bad VIN XY");
    WF_EXPECT_PART(error->path, "orders > check");
}

/* S011: three of one kind and one of another, taken by kind, the rest passed on. */
static int four_failures(int *handled)
{
    static int invalid = -EINVAL, type = -EPROTOTYPE;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, return_code, &invalid);
    wf_spawn(&scope, return_code, &type);
    wf_scope_join(&scope);
    wf_each_error(&scope, error) {
        if (error->code != -EINVAL) continue;
        wf_take_error(error);
        ++*handled;
    }
    return wf_scope_rest(&scope);
}

WF_TEST(errors_are_taken_by_kind_and_the_rest_is_passed_on, .rule = "3.3")
{
    int handled = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, four_failures, &handled);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EPROTOTYPE);
    WF_EXPECT_INT(handled, 3);
    const struct wf_error *error = wf_scope_errors(&scope);
    WF_EXPECT(error != NULL && error->next == NULL && error->code == -EPROTOTYPE);
}

WF_TEST(the_rest_of_a_scope_without_errors_is_its_outcome, .rule = "3.3")
{
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(1));
    wf_spawn(&scope, sleep_for_ever, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
    WF_EXPECT_CODE(wf_scope_rest(&scope), -ETIME);
}

WF_TEST(the_error_list_is_bounded_and_counts_what_it_drops, .rule = "3.3")
{
    int code = -EIO;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, return_code, &code);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    WF_EXPECT_INT((int64_t)wf_scope_errors_dropped(&scope), 36);
}

WF_TEST(ECANCELED_without_a_cancelled_scope_is_an_ordinary_error, .rule = "3.3")
{
    int code = -ECANCELED;
    WF_SCOPE(scope);
    wf_spawn(&scope, return_code, &code);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ECANCELED);
    WF_EXPECT(wf_scope_errors(&scope) != NULL);
}

WF_TEST(a_long_message_is_cut)
{
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    WF_EXPECT_CODE(wf_fail(-EIO, "%s", text), -EIO);
    const char *message = wf_failure();
    WF_EXPECT(message != NULL && strlen(message) == 511);
}

/* 3.4 */
WF_TEST(collect_cancels_nothing, .rule = "3.4")
{
    int code = -EIO, fine = 0;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, return_code, &code);
    wf_spawn(&scope, return_late, &fine);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    WF_EXPECT(!wf_scope_cancelled(&scope));
}

WF_TEST(first_success_cancels_the_losers_and_keeps_their_results, .rule = "3.3.2 3.4")
{
    int bad = -EIO, good = 7;
    struct wf_handle failed = {.result_ = 0}, cut = {.result_ = 0};
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
    wf_spawn(&scope, return_code, &bad, .handle = &failed);
    wf_spawn(&scope, return_late, &good);
    wf_spawn(&scope, sleep_for_ever, NULL, .handle = &cut);
    WF_EXPECT_CODE(wf_scope_join(&scope), 7);
    WF_EXPECT_CODE(wf_handle_result(&failed), -EIO);
    WF_EXPECT_CODE(wf_handle_result(&cut), -ECANCELED);
}

WF_TEST(first_success_with_no_success_gives_the_first_error, .rule = "3.4")
{
    int first = -EIO, second = -EPROTO;
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
    wf_spawn(&scope, return_code, &first);
    wf_spawn(&scope, return_late, &second);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
}

WF_TEST(first_done_takes_a_failure_too, .rule = "3.3.2 3.4")
{
    int bad = -EIO;
    WF_SCOPE(scope, .policy = WF_FIRST_DONE);
    wf_spawn(&scope, sleep_for_ever, NULL);
    wf_spawn(&scope, return_late, &bad);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
}

/* 3.11, S119 */
static struct wf_local request_id = {.name = "request_id"};

static int check_inherited(const char **seen)
{
    *seen = wf_local_get(&request_id);
    WF_BIND(own, &request_id, "child");
    WF_EXPECT_TEXT(wf_local_get(&request_id), "child");
    return wf_yield();
}

WF_TEST(children_inherit_bindings_and_never_leak_theirs, .rule = "3.11")
{
    const char *first = NULL, *second = NULL;
    WF_EXPECT(wf_local_get(&request_id) == NULL);
    WF_BIND(bound, &request_id, "r-17");
    WF_SCOPE(scope);
    wf_spawn(&scope, check_inherited, &first);
    wf_spawn(&scope, check_inherited, &second);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(first, "r-17");
    WF_EXPECT_TEXT(second, "r-17");
    WF_EXPECT_TEXT(wf_local_get(&request_id), "r-17");
}

static int retained, released;

static void *retain(void *value)
{
    retained++;
    return value;
}

static void release(void *value)
{
    (void)value;
    released++;
}

static struct wf_local counted = {.name = "counted", .retain = retain, .release = release};

static int read_late(const char **seen)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    *seen = wf_local_get(&counted);
    return rc;
}

static void spawn_bound(struct wf_scope *scope, const char **captured, const char **inherited)
{
    WF_BIND(bound, &counted, "spawner's");
    wf_spawn(scope, read_late, captured, .context = WF_CONTEXT_CURRENT);
    wf_spawn(scope, read_late, inherited);
}

WF_TEST(a_captured_context_outlives_the_binding, .rule = "3.11")
{
    retained = released = 0;
    const char *captured = NULL, *inherited = "";
    WF_SCOPE(scope);
    spawn_bound(&scope, &captured, &inherited);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(captured, "spawner's");
    WF_EXPECT(inherited == NULL);
    WF_EXPECT_INT(retained, 1);
    WF_INVARIANT(released == retained);
}

static void *retain_nothing(void *value)
{
    (void)value;
    return NULL;
}

static struct wf_local too_large = {.name = "too_large", .retain = retain_nothing, .release = release};

WF_TEST(a_value_that_cannot_be_captured_fails_the_spawn)
{
    released = 0;
    WF_BIND(outer, &counted, "outer");
    WF_BIND(inner, &too_large, "inner");
    const char *seen = NULL;
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_try_spawn(&scope, read_late, &seen, .context = WF_CONTEXT_CURRENT), -ENOMEM);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(released, 0);
}

/* 3.13 */
static int fill_scope_arena(struct wf_scope *scope)
{
    char *text = wf_arena_printf(wf_scope_arena(scope), "from %s", wf_task_name());
    WF_EXPECT(text != NULL);
    return wf_yield();
}

WF_TEST(a_scope_offers_an_arena_to_its_children, .rule = "3.13")
{
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, fill_scope_arena, &scope);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(wf_arena_used(wf_scope_arena(&scope)) > 0);
}

static int use_scratch(void *unused)
{
    (void)unused;
    struct wf_arena *arena = wf_task_arena();
    return wf_arena_strdup(arena, "scratch") != NULL ? 0 : -ENOMEM;
}

WF_TEST(a_tasks_scratch_dies_with_it, .rule = "3.13")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, use_scratch, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* S130, S131: cleanup in reverse order, the body's error first. */
static int log_size;
static char log_text[64];

static void logged(const char *text)
{
    log_size += snprintf(log_text + log_size, sizeof log_text - (size_t)log_size, "%s ", text);
}

static void close_resource(const char **name)
{
    logged(*name);
}

static int nested_resources(void *unused)
{
    (void)unused;
    const char *a __attribute__((cleanup(close_resource), unused)) = "close-A";
    WF_SCOPE(outer);
    const char *b __attribute__((cleanup(close_resource), unused)) = "close-B";
    return wf_scope_end(&outer, -EIO);
}

WF_TEST(cleanup_runs_in_reverse_order_and_the_error_is_not_swallowed, .rule = "3.1")
{
    log_size = 0;
    WF_EXPECT_CODE(nested_resources(NULL), -EIO);
    WF_INVARIANT(strcmp(log_text, "close-B close-A ") == 0);
}

/* S128: released once on every way out; what was never acquired is never released. */
static int acquired, releases;

static int acquire(int *resource)
{
    if (*resource < 0) return *resource;
    acquired++;
    return 0;
}

static void release_once(int **resource)
{
    if (*resource == NULL) return;
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MICROSECONDS(100)));
    releases++;
}

static int use_resource(int *resource)
{
    int rc = acquire(resource);
    if (rc < 0) return rc;
    int *held __attribute__((cleanup(release_once), unused)) = resource;
    rc = wf_sleep(WF_MILLISECONDS(1) * *resource);
    return rc < 0 ? rc : *resource == 2 ? -EIO : 0;
}

WF_TEST(a_resource_is_released_once_on_every_way_out, .rule = "1.8 1.11")
{
    int fine = 1, failing = 2, endless = 3600000, unavailable = -ENOENT;
    acquired = releases = 0;
    WF_EXPECT_CODE(use_resource(&fine), 0);
    WF_EXPECT_CODE(use_resource(&failing), -EIO);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(2), use_resource(&endless)), -ETIME);
    WF_EXPECT_CODE(use_resource(&unavailable), -ENOENT);
    WF_EXPECT_INT(acquired, 3);
    WF_INVARIANT(releases == acquired);
}

/* ---- What a task that waits holds ---- */

struct diver {
    struct wf_event dived;
    char *deepest;
    struct wf_scope *scope;
};

enum { DEPTH = 20000, STEP = 2000, PAGE = 4096 };

static __attribute__((noinline)) void dive(struct diver *diver, int left)
{
    char step[STEP];
    memset(step, 1, sizeof step);
    diver->deepest = step;
    if (left > 0) dive(diver, left - STEP);
    __asm__ volatile("" : : "r"(step) : "memory"); /* which keeps it a call */
}

static int dive_and_wait(struct diver *diver)
{
    WF_SCOPE(scope);
    diver->scope = &scope;
    dive(diver, DEPTH);
    wf_event_set(&diver->dived);
    return wf_scope_end(&scope, wf_sleep(WF_SECONDS(1)));
}

/* Of the pages that the dive touched. */
static int count_resident(const struct diver *diver)
{
    unsigned char resident[DEPTH / PAGE];
    uintptr_t from = ((uintptr_t)diver->deepest + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    int count = 0;
    if (mincore((void *)from, (DEPTH / PAGE - 1) * PAGE, resident) != 0) return -1;
    for (int i = 0; i < DEPTH / PAGE - 1; i++) count += resident[i] & 1;
    return count;
}

WF_TEST(a_task_that_waits_can_be_made_to_give_back_what_it_stands_not_on)
{
    struct diver diver = {.dived = WF_EVENT};
    WF_SCOPE(scope);
    wf_spawn(&scope, dive_and_wait, &diver);
    int rc = wf_event_wait(&diver.dived);
    if (rc == 0) {
        int before = count_resident(&diver);
        wf_scope_trim(diver.scope);
        WF_EXPECT_INT(before, DEPTH / PAGE - 1);
        WF_EXPECT_INT(count_resident(&diver), 0);
    }
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), rc); /* it goes on where it was */
}

WF_TEST_MAIN
