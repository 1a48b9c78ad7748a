/*
 * Fixtures: tasks that stand around a test.
 *
 *     spawned --body--> provided --the last user has ended--> going --the body returned--> ended
 *                       wf_provide: its users run              fixtures_stop
 */
#include <string.h>
#include <weft/sync.h>
#include <weft/task.h>

#include "base/report.h"
#include "testing/runner.h"

enum { LIVE_MAX = 64 };

struct live {
    const struct wf_fixture *fixture;
    void *value;
    struct wf_event over; /* set when its users have ended */
    struct wf_handle handle;
};

static const struct wf_local current_live = {.name = "fixture"};
static struct live stack[LIVE_MAX]; /* in the order of set-up */
static size_t depth;

static int64_t timeout_of(const struct wf_fixture *fixture)
{
    return fixture->timeout > 0 ? fixture->timeout : WF_SECONDS(TIMEOUT_DEFAULT_S);
}

static struct live *find_live(const struct wf_fixture *fixture)
{
    for (size_t i = 0; i < depth; i++)
        if (stack[i].fixture == fixture) return &stack[i];
    return NULL;
}

/* ---- Who uses whom ---- */

bool fixture_is_used(const struct wf_fixture *fixture, struct wf_fixture *const *uses)
{
    for (size_t i = 0; i < 4 && uses[i] != NULL; i++)
        if (uses[i] == fixture || fixture_is_used(fixture, uses[i]->uses)) return true;
    return false;
}

bool fixtures_outlive_test(struct wf_fixture *const *uses)
{
    for (size_t i = 0; i < 4 && uses[i] != NULL; i++)
        if (uses[i]->life > WF_PER_TEST || fixtures_outlive_test(uses[i]->uses)) return true;
    return false;
}

static bool is_named(const struct wf_fixture *fixture, struct wf_fixture *const *uses)
{
    for (size_t i = 0; i < 4 && uses[i] != NULL; i++)
        if (uses[i] == fixture) return true;
    return false;
}

/* ---- The fixture's side ---- */

static int run_fixture(struct live *live)
{
    WF_BIND(bound, &current_live, live);
    return live->fixture->body();
}

int wf_provide(void *value)
{
    struct live *live = wf_local_get(&current_live);
    if (live == NULL) misuse("wf_provide was called outside a fixture.");
    live->value = value;
    wf_ready(0);
    return wf_event_wait(&live->over);
}

void *wf_use(const struct wf_fixture *fixture)
{
    const struct live *user = wf_in_task() ? wf_local_get(&current_live) : NULL, *live = find_live(fixture);
    struct wf_fixture *const *uses = user != NULL ? user->fixture->uses : running.item->test->uses;
    if (live == NULL || !is_named(fixture, uses))
        misuse("wf_use(&%s) by one that does not name it: write .uses = {&%s} where the test or fixture is defined.",
               fixture->name, fixture->name);
    return live->value;
}

/* ---- Setting up and tearing down ---- */

static int start(const struct wf_fixture *fixture, struct wf_scope *scope)
{
    if (depth == LIVE_MAX) return wf_fail(-ENOSPC, "more than %d fixtures at once", LIVE_MAX);
    struct live *live = &stack[depth++];
    *live = (struct live){.fixture = fixture};
    int rc = wf_within(timeout_of(fixture),
                       wf_spawn_ready(scope, run_fixture, live, .name = fixture->name, .handle = &live->handle));
    if (rc >= 0) return 0;
    depth--;
    say_failure("%s: fixture '%s' was not set up: %s", fixture->place, fixture->name,
                rc == -EPROTO ? "it ended without wf_provide" : wf_strerror(rc));
    return rc;
}

int fixtures_start(struct wf_fixture *const *uses, struct wf_scope *lasting, struct wf_scope *passing)
{
    for (size_t i = 0; i < 4 && uses[i] != NULL; i++) {
        const struct wf_fixture *fixture = uses[i];
        int rc = fixtures_start(fixture->uses, lasting, passing);
        if (rc == 0 && find_live(fixture) == NULL)
            rc = start(fixture, fixture->life == WF_PER_TEST ? passing : lasting);
        if (rc < 0) return rc;
    }
    return 0;
}

static void stop(struct live *live)
{
    const struct wf_fixture *fixture = live->fixture;
    wf_event_set(&live->over);
    int rc = wf_within(timeout_of(fixture), wf_handle_join(&live->handle));
    if (rc < 0) say_failure("%s: fixture '%s' was not torn down: %s", fixture->place, fixture->name, wf_strerror(rc));
    if (wf_handle_done(&live->handle)) return;
    wf_handle_cancel(&live->handle, "its tear-down took too long");
    wf_ignore(wf_handle_join(&live->handle));
}

void fixtures_stop(enum wf_fixture_life life, bool (*still_used)(const struct wf_fixture *fixture))
{
    while (depth > 0) {
        struct live *last = &stack[depth - 1];
        if (last->fixture->life > life) return;
        if (still_used != NULL && still_used(last->fixture)) return;
        stop(last);
        depth--;
    }
}
