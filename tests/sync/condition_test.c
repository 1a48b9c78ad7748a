/* Rules 4.1 and 4.3 for conditions: the lock is held on every return. The sweeps cut each test everywhere. */
#include <weft/testing.h>
#include <weft/weft.h>

struct room {
    struct wf_mutex mutex;
    struct wf_condition changed;
    int items, inside;
    bool leave_locked;
};

struct guest {
    struct room *room;
    char name;
    int rc;
};

static bool holds(struct room *room)
{
    return wf_mutex_try_lock(&room->mutex) == -EDEADLK;
}

static int take_item(struct guest *guest)
{
    struct room *room = guest->room;
    int rc = wf_mutex_lock(&room->mutex);
    if (rc < 0) return rc;
    while (rc == 0 && room->items == 0) {
        rc = wf_condition_wait(&room->changed, &room->mutex);
        WF_INVARIANT(holds(room));
        WF_INVARIANT(++room->inside == 1); /* nobody else is in here */
        room->inside--;
    }
    if (rc == 0) {
        room->items--;
        wf_test_note("%c", guest->name);
    }
    guest->rc = rc;
    wf_mutex_unlock(&room->mutex);
    return 0;
}

static int add_items(struct room *room, int count)
{
    int rc = wf_mutex_lock(&room->mutex);
    if (rc < 0) return rc;
    room->items += count;
    for (int i = 0; i < count; i++) wf_condition_notify(&room->changed);
    return wf_mutex_unlock(&room->mutex);
}

WF_TEST(waiters_are_notified_in_order, .rule = "4.1 4.3", .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest guests[] = {{&room, 'a', 0}, {&room, 'b', 0}, {&room, 'c', 0}};
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(guests); i++) wf_spawn(&scope, take_item, &guests[i]);
    wf_yield();
    WF_EXPECT_CODE(add_items(&room, 2), 0);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b");
    WF_EXPECT_CODE(add_items(&room, 1), 0);
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps nobody notifies");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b c");
    struct wf_sync_statistics now;
    wf_condition_statistics(&room.changed, &now);
    WF_EXPECT_INT((int64_t)now.passed, 3);
    WF_EXPECT_INT((int64_t)now.waited, 3);
    WF_INVARIANT(now.waiting == 0);
}

WF_TEST(notify_all_lets_everybody_go_on_one_after_another, .rule = "4.3", .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest guests[5];
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(guests); i++) {
        guests[i] = (struct guest){.room = &room, .name = (char)('a' + i)};
        wf_spawn(&scope, take_item, &guests[i]);
    }
    wf_yield();
    room.items = 5;
    wf_condition_notify_all(&room.changed);
    wf_condition_notify_all(&room.changed);
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps nobody notifies");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b c d e");
}

WF_TEST(a_cancelled_waiter_holds_the_lock_when_it_returns, .rule = "1.7 4.3", .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest guest = {.room = &room, .name = 'a', .rc = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_item, &guest);
    wf_yield();
    int rc = wf_mutex_lock(&room.mutex);
    WF_EXPECT_CODE(rc, 0);
    wf_scope_cancel(&scope, "not needed");
    for (int i = 0; i < 3; i++) wf_yield();
    if (rc == 0) {
        WF_EXPECT_CODE(guest.rc, 1); /* it still waits for the lock */
        wf_mutex_unlock(&room.mutex);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(guest.rc, -ECANCELED);
    WF_INVARIANT(wf_mutex_try_lock(&room.mutex) == 0);
    wf_mutex_unlock(&room.mutex);
}

WF_TEST(a_notified_waiter_returns_success_though_it_is_cancelled_before_it_has_the_lock, .rule = "1.3 4.1",
        .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest guest = {.room = &room, .name = 'a', .rc = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_item, &guest);
    wf_yield();
    int rc = wf_mutex_lock(&room.mutex);
    if (rc == 0) {
        room.items = 1;
        wf_condition_notify(&room.changed);
        wf_scope_cancel(&scope, "a moment too late");
        wf_mutex_unlock(&room.mutex);
    }
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps nobody notifies");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(guest.rc, 0);
    WF_EXPECT_INT(room.items, 0);
}

WF_TEST(a_cancel_does_not_use_up_a_notification, .rule = "1.4 4.1", .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest first = {.room = &room, .name = 'a'}, second = {.room = &room, .name = 'b'};
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_item, &first, .handle = &handle);
    wf_spawn(&scope, take_item, &second);
    wf_yield();
    wf_handle_cancel(&handle, "a moment before");
    room.items = 1;
    wf_condition_notify(&room.changed);
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps nobody notifies");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(first.rc, -ECANCELED);
    WF_EXPECT_TEXT(wf_test_notes(), "b");
}

static int lock_and_end(struct room *room)
{
    int rc = wf_mutex_lock(&room->mutex);
    if (rc < 0) return rc;
    wf_condition_notify(&room->changed);
    return 0;
}

WF_TEST(who_waits_learns_that_the_lock_s_holder_ended, .rule = "4.3", .sweep = true)
{
    struct room room = {.mutex = WF_MUTEX, .changed = WF_CONDITION};
    struct guest guest = {.room = &room, .name = 'a', .rc = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_item, &guest);
    wf_spawn(&scope, lock_and_end, &room);
    wf_yield();
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps nobody notifies");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(guest.rc, -EOWNERDEAD);
}

WF_TEST(a_wait_needs_the_lock_and_checks_for_cancellation_with_it)
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_condition condition = WF_CONDITION;
    WF_EXPECT_CODE(wf_condition_wait(&condition, &mutex), -EPERM);
    wf_condition_notify(&condition); /* nobody waits, and it is not remembered */
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_EXPECT_CODE(wf_within(0, wf_condition_wait(&condition, &mutex)), -ETIME);
    WF_EXPECT_CODE(wf_mutex_try_lock(&mutex), -EDEADLK); /* still held */
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_condition_wait(&condition, &mutex)), -ETIME);
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
}

WF_TEST_MAIN
