/* Rules 2.1 to 3.13 of docs/semantics.md, beside scope_test.c and spawn_test.c: what a scope returns and holds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* private: which sanitizer watches */

/* Whether a byte must not be touched; without the sanitizer nobody knows. */
#if WEFT_ASAN
int __asan_address_is_poisoned(void const volatile *address);
#define is_poisoned(address) (__asan_address_is_poisoned(address) != 0)
#else
#define is_poisoned(address) ((void)(address), false)
#endif

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
    int rc = wf_sleep(WF_MILLISECONDS(1));
    return rc < 0 ? rc : *code;
}

/* What is given back by a call that was cut, whatever it was given itself. */
static int fail_when_cut(int *code)
{
    int rc = wf_sleep(WF_SECONDS(3600));
    return rc < 0 ? *code : rc;
}

/* ---- 2: deadlines ---- */

WF_TEST(a_duration_becomes_a_deadline_when_the_scope_is_opened, .rule = "2.1 2.2")
{
    int64_t before = wf_now();
    WF_SCOPE(scope, .timeout = WF_SECONDS(5));
    int64_t deadline = wf_deadline();
    WF_EXPECT(deadline >= before + WF_SECONDS(5) && deadline <= wf_now() + WF_SECONDS(5));
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(2)), 0);
    WF_EXPECT_INT(wf_deadline(), deadline);
    WF_EXPECT(wf_remaining() <= WF_SECONDS(5) - WF_MILLISECONDS(2));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- 3.2: leaving the block ---- */

static int leave_scope_with_a_cut_child(void *unused)
{
    (void)unused;
    {
        WF_SCOPE(inner, .timeout = WF_MILLISECONDS(1));
        wf_spawn(&inner, sleep_for_ever, NULL);
        wf_sleep(WF_SECONDS(3600));
        wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    }
    return 0;
}

WF_TEST(the_expiry_of_a_scope_left_without_its_end_is_handed_up, .rule = "3.2")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_scope_with_a_cut_child, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
}

static int note_reason(enum wf_reason_kind *kind)
{
    int rc = wf_sleep(WF_SECONDS(3600));
    const struct wf_reason *reason = wf_cancel_reason();
    *kind = reason != NULL ? reason->kind : WF_REASON_NONE;
    return rc;
}

static void leave_by_goto(enum wf_reason_kind *kind)
{
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, note_reason, kind);
        wf_yield();
        goto out;
    }
out:
    return;
}

WF_TEST(every_way_out_of_the_block_cancels_with_the_reason_parent_left, .rule = "3.2")
{
    wf_test_allow_reports();
    enum wf_reason_kind kind = WF_REASON_NONE;
    leave_by_goto(&kind);
    WF_EXPECT_INT(kind, WF_REASON_PARENT_LEFT);
    for (kind = WF_REASON_NONE;;) {
        WF_SCOPE(scope);
        wf_spawn(&scope, note_reason, &kind);
        wf_yield();
        break;
    }
    WF_EXPECT_INT(kind, WF_REASON_PARENT_LEFT);
}

/* ---- 3.3: what the end returns ---- */

WF_TEST(the_first_error_is_returned_whether_it_is_the_bodys_or_a_childs, .rule = "3.3.1 3.3.3")
{
    int bad = -EIO, worse = -EPROTO;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, return_code, &bad);
        WF_EXPECT_CODE(wf_yield(), 0);
        WF_EXPECT_CODE(wf_scope_end(&scope, worse), bad);
    }
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_when_cut, &bad);
    wf_yield();
    WF_EXPECT_CODE(wf_scope_end(&scope, worse), worse);
    const struct wf_error *first = wf_scope_errors(&scope);
    WF_EXPECT(first != NULL && first->code == worse && first->next != NULL && first->next->code == bad);
}

WF_TEST(a_childs_decision_stands_against_errors_of_other_children, .rule = "3.3.2")
{
    int good = 7, bad = -EIO;
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
    wf_spawn(&scope, fail_when_cut, &bad);
    wf_spawn(&scope, return_late, &good);
    WF_EXPECT_CODE(wf_scope_join(&scope), 7);
    WF_EXPECT(wf_scope_errors(&scope) != NULL); /* listed all the same */
}

static int cut_by_outer(struct wf_scope *outer, int *code, int *inner_rc)
{
    WF_SCOPE(inner, .policy = WF_COLLECT);
    wf_spawn(&inner, fail_when_cut, code);
    wf_yield();
    wf_scope_cancel(outer, "from above");
    *inner_rc = wf_scope_join(&inner);
    return wf_scope_end(outer, *inner_rc);
}

WF_TEST(a_real_error_wins_over_an_outer_cancel_and_a_caused_cancel_is_none, .rule = "3.3 3.3.4")
{
    int real = -EIO, caused = -ECANCELED, inner = 0;
    {
        WF_SCOPE(outer, .policy = WF_COLLECT);
        WF_EXPECT_CODE(cut_by_outer(&outer, &real, &inner), -EIO);
        WF_EXPECT_CODE(inner, -EIO);
    }
    WF_SCOPE(outer, .policy = WF_COLLECT);
    WF_EXPECT_CODE(cut_by_outer(&outer, &caused, &inner), 0);
    WF_EXPECT_CODE(inner, -ECANCELED);
    WF_EXPECT(wf_scope_errors(&outer) == NULL);
}

WF_TEST(a_scopes_own_cancel_is_absorbed, .rule = "3.3.6")
{
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, sleep_for_ever, NULL);
        wf_yield();
        wf_scope_cancel(&scope, "enough");
        WF_EXPECT_CODE(wf_scope_end(&scope, 17), 17);
        WF_EXPECT(wf_scope_caught(&scope) && !wf_scope_expired(&scope));
    }
    {
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "enough");
        WF_EXPECT_CODE(wf_scope_end(&scope, wf_yield()), 0);
        WF_EXPECT(wf_scope_caught(&scope));
    }
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "nobody noticed");
    WF_EXPECT_CODE(wf_scope_end(&scope, 3), 3);
    WF_EXPECT(wf_scope_cancelled(&scope) && !wf_scope_caught(&scope));
}

static int fail_saying(const char *what)
{
    return wf_fail(-EINVAL, "%s", what);
}

static int nest(const char *what)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_saying, what, .name = "order-17");
    return wf_scope_join(&scope);
}

static char path_seen[128];

static int look_at_path(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, nest, "no such order", .name = "orders");
    int rc = wf_scope_join(&scope);
    const struct wf_error *error = wf_scope_errors(&scope);
    if (error != NULL) strncpy(path_seen, error->path, sizeof path_seen - 1);
    return rc;
}

WF_TEST(the_path_of_an_error_runs_from_the_main_task, .plain = true, .rule = "3.3.3")
{
    WF_EXPECT_CODE(wf_run(look_at_path, NULL), -EINVAL);
    WF_EXPECT_TEXT(path_seen, "look_at_path > orders > order-17");
}

/* ---- 3.4: policies ---- */

struct loser {
    bool ended;
};

static int lose_slowly(struct loser *loser)
{
    int rc = wf_sleep(WF_SECONDS(3600));
    wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(2)));
    loser->ended = true;
    return rc;
}

WF_TEST(losers_are_waited_for_before_the_winners_result_is_returned, .rule = "3.4")
{
    int good = 5;
    struct loser first = {false}, second = {false};
    {
        WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
        wf_spawn(&scope, lose_slowly, &first);
        wf_spawn(&scope, return_late, &good);
        WF_EXPECT_CODE(wf_scope_join(&scope), 5);
        WF_EXPECT(first.ended);
    }
    WF_SCOPE(scope, .policy = WF_FIRST_DONE);
    wf_spawn(&scope, lose_slowly, &second);
    wf_spawn(&scope, return_late, &good);
    WF_EXPECT_CODE(wf_scope_join(&scope), 5);
    WF_EXPECT(second.ended);
}

/* ---- 3.5 to 3.8: spawning ---- */

static bool memory_is_out;

static void *allocate(void *context, size_t size)
{
    (void)context;
    return memory_is_out ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return memory_is_out ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

struct copied {
    int value;
};

static int take_copy(struct copied *copied)
{
    return copied->value;
}

static int spawn_without_memory(struct copied *copied)
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    memory_is_out = true;
    int tried = wf_try_spawn(&scope, take_copy, copied, .name = "needs a copy of its name");
    int first_try = wf_scope_rest(&scope);
    int spawned = wf_spawn_copy(&scope, take_copy, copied);
    memory_is_out = false;
    WF_EXPECT_CODE(tried, -ENOMEM);
    WF_EXPECT_CODE(first_try, 0);
    WF_EXPECT_CODE(spawned, -ENOMEM);
    return wf_scope_join(&scope);
}

WF_TEST(without_memory_a_spawn_is_a_failed_child_and_a_tried_one_is_not, .plain = true, .rule = "3.5")
{
    static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};
    struct copied copied = {.value = 1};
    WF_EXPECT_CODE(wf_set_allocator(&allocator), 0);
    WF_EXPECT_CODE(wf_run(spawn_without_memory, &copied), -ENOMEM);
    WF_EXPECT_CODE(wf_set_allocator(NULL), 0);
}

WF_TEST(a_cancelled_task_spawns_nothing_into_any_scope_but_may_try, .rule = "3.5")
{
    int code = 0;
    WF_SCOPE(outer);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "inside");
        WF_EXPECT_CODE(wf_spawn(&outer, return_code, &code), -ECANCELED);
        WF_EXPECT_CODE(wf_try_spawn(&outer, return_code, &code), 0);
        WF_EXPECT_CODE(wf_scope_end(&cancelled, 0), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT(wf_scope_errors(&outer) == NULL);
}

static uint64_t stacks_bound(void)
{
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    return statistics.stacks_bound;
}

WF_TEST(a_child_has_no_stack_before_its_first_run, .rule = "3.6")
{
    uint64_t before = stacks_bound();
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, sleep_for_ever, NULL);
    WF_EXPECT_INT((int64_t)stacks_bound(), (int64_t)before);
    wf_yield();
    WF_EXPECT_INT((int64_t)stacks_bound(), (int64_t)before + 100);
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static char order[8];
static size_t order_size;

struct spawner {
    struct wf_scope *into;
    const char *letter;
};

static int note(const char *letter)
{
    order[order_size++] = *letter;
    return wf_yield();
}

static int spawn_noting(struct spawner *spawner)
{
    return wf_spawn(spawner->into, note, spawner->letter);
}

WF_TEST(spawners_wait_for_room_in_order_and_daemons_do_not_wait, .rule = "3.7")
{
    order_size = 0;
    memset(order, 0, sizeof order);
    struct wf_handle first = {.result_ = 0};
    WF_SCOPE(outer);
    WF_SCOPE(limited, .limit = 1);
    struct spawner spawners[] = {{&limited, "a"}, {&limited, "b"}, {&limited, "c"}};
    wf_spawn(&limited, sleep_for_ever, NULL, .handle = &first);
    for (size_t i = 0; i < WF_COUNT(spawners); i++) wf_spawn(&outer, spawn_noting, &spawners[i]);
    wf_yield();
    WF_EXPECT_CODE(wf_try_spawn(&limited, note, "x"), -EAGAIN);
    WF_EXPECT_CODE(wf_spawn(&limited, note, "d", .daemon = true), 0);
    WF_EXPECT_INT((int64_t)wf_scope_alive(&limited), 2);
    wf_handle_cancel(&first, "make room");
    WF_EXPECT_CODE(wf_scope_join(&limited), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT_TEXT(order, "dabc");
}

/* ---- 3.11: task-locals ---- */

static struct wf_local key = {.name = "key"};

static int read_local(const char **seen)
{
    *seen = wf_local_get(&key);
    return 0;
}

static void spawn_under_binding(struct wf_scope *scope, const char **seen)
{
    WF_BIND(inner, &key, "bound after the scope was opened");
    wf_spawn(scope, read_local, seen);
    wf_yield();
}

WF_TEST(a_child_inherits_from_where_its_scope_was_opened, .rule = "3.11")
{
    const char *seen = NULL;
    WF_BIND(outer, &key, "outer");
    {
        WF_SCOPE(scope);
        spawn_under_binding(&scope, &seen);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_TEXT(seen, "outer");
    WF_EXPECT_TEXT(wf_local_get(&key), "outer");
}

/* ---- 3.12: crashes ---- */

static int fail_an_assertion(int *value)
{
    assert(*value == 17 && "the assertion of a task");
    return 0;
}

WF_TEST(a_failed_assertion_in_a_task_is_the_processs_crash, .dies = "the assertion of a task", .rule = "3.12")
{
    int value = 4;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, fail_an_assertion, &value);
    wf_scope_join(&scope);
}

/* ---- 3.13: memory ---- */

WF_TEST(memory_of_an_arena_is_poisoned_when_it_is_given_back, .rule = "3.13")
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    char *text = wf_arena_strdup(&arena, "given back soon");
    WF_EXPECT(text != NULL && !is_poisoned(text));
    wf_arena_reset(&arena);
    WF_EXPECT(!WEFT_ASAN || is_poisoned(text));
    char *again = wf_arena_strdup(&arena, "mine now");
    WF_EXPECT(again != NULL && !is_poisoned(again));
    wf_arena_finish(&arena);
}

WF_TEST_MAIN
