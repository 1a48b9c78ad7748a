/*
 * Fixtures: tasks that stand around a test.
 *
 *     spawned --body--> provided --the last user has ended--> going --the body returned--> ended
 *                       wf_provide: its users run              fixtures_stop
 *
 * Those that live longer are set up before those that live shorter. So what one uses was always there before it, and
 * each can go when its time has come, whoever was set up after it.
 */
#include <string.h>
#include <weft/sync.h>
#include <weft/task.h>

#include "base/report.h"
#include "testing/runner.h"

enum { LIVE_MAX = 64, WHY_MAX = 256 };

struct live {
    const struct wf_fixture *fixture; /* NULL: free */
    void *value;
    bool provided;
    char why[WHY_MAX];    /* it failed */
    struct wf_event over; /* set when its users have ended */
    struct wf_handle handle;
};

static const struct wf_local current_live = {.name = "fixture"};
static struct live lives[LIVE_MAX];
static struct live *order[LIVE_MAX]; /* of set-up */
static size_t count;

static int64_t timeout_of(const struct wf_fixture *fixture)
{
    return fixture->timeout > 0 ? fixture->timeout : WF_SECONDS(TIMEOUT_DEFAULT_S);
}

static struct live *find_live(const struct wf_fixture *fixture)
{
    for (size_t i = 0; i < count; i++)
        if (order[i]->fixture == fixture) return order[i];
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
    int rc = live->fixture->body();
    if (rc < 0) snprintf(live->why, WHY_MAX, "%s", wf_failure() != NULL ? wf_failure() : wf_strerror(rc));
    return rc;
}

/* Its users hold what it provided, so not even a cancel lets it go on before they have ended. */
int wf_provide(void *value)
{
    struct live *live = wf_in_task() ? wf_local_get(&current_live) : NULL;
    if (live == NULL) misuse("wf_provide was called outside a fixture.");
    if (live->provided) misuse("fixture '%s' called wf_provide twice.", live->fixture->name);
    live->value = value;
    live->provided = true;
    wf_ready(0);
    wf_shielded(WF_FOREVER, wf_event_wait(&live->over));
    return wf_cancelled() ? -ECANCELED : 0;
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

/* ---- Setting up ---- */

static struct live *push(const struct wf_fixture *fixture)
{
    struct live *live = lives;
    while (live < lives + LIVE_MAX && live->fixture != NULL) live++;
    if (live == lives + LIVE_MAX) return NULL;
    *live = (struct live){.fixture = fixture};
    order[count++] = live;
    return live;
}

static void pop(size_t index)
{
    order[index]->fixture = NULL;
    memmove(&order[index], &order[index + 1], (--count - index) * sizeof *order);
}

static int refuse(const struct wf_fixture *fixture, int rc, const char *why)
{
    say_failure("%s: fixture '%s' was not set up: %s", fixture->place, fixture->name, why);
    return rc;
}

static int start(const struct wf_fixture *fixture, struct wf_scope *scope)
{
    struct live *live = push(fixture);
    if (live == NULL) return refuse(fixture, -ENOSPC, "there are too many at once");
    ends_within(timeout_of(fixture));
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = live,
        .name = fixture->name,
        .place_ = fixture->place,
        .handle = &live->handle,
    };
    int rc = wf_within(timeout_of(fixture), wf_spawn_ready_(scope, WF_TASK_FN_(run_fixture, live), &options));
    if (rc >= 0) return 0;
    bool returned = wf_handle_done(&live->handle) && wf_handle_result(&live->handle) >= 0;
    if (returned) refuse(fixture, rc, "it ended without wf_provide");
    else refuse(fixture, rc, rc == -ETIME || live->why[0] == '\0' ? wf_strerror(rc) : live->why);
    pop(count - 1);
    return rc;
}

/* What one uses must not go before it. */
static const struct wf_fixture *shorter_lived(const struct wf_fixture *fixture)
{
    for (size_t i = 0; i < 4 && fixture->uses[i] != NULL; i++)
        if (fixture->uses[i]->life < fixture->life) return fixture->uses[i];
    return NULL;
}

static int start_of_life(struct wf_fixture *const *uses, enum wf_fixture_life life, struct wf_scope *scope)
{
    for (size_t i = 0; i < 4 && uses[i] != NULL; i++) {
        const struct wf_fixture *fixture = uses[i];
        if (shorter_lived(fixture) != NULL) return refuse(fixture, -EINVAL, "it uses one that does not live as long");
        int rc = start_of_life(fixture->uses, life, scope);
        if (rc == 0 && fixture->life == life && find_live(fixture) == NULL) rc = start(fixture, scope);
        if (rc < 0) return rc;
    }
    return 0;
}

int fixtures_start(struct wf_fixture *const *uses, struct wf_scope *lasting, struct wf_scope *passing)
{
    int rc = start_of_life(uses, WF_PER_RUN, lasting);
    if (rc == 0) rc = start_of_life(uses, WF_PER_SUITE, lasting);
    if (rc == 0) rc = start_of_life(uses, WF_PER_TEST, passing);
    return rc;
}

/* ---- Tearing down ---- */

/* One after another, whatever is cancelled around. */
static void stop(struct live *live)
{
    const struct wf_fixture *fixture = live->fixture;
    ends_within(timeout_of(fixture));
    wf_event_set(&live->over);
    int rc = wf_shielded(timeout_of(fixture), wf_handle_join(&live->handle));
    bool late = !wf_handle_done(&live->handle);
    if (late) {
        say_failure("%s: fixture '%s' was not torn down in time", fixture->place, fixture->name);
        wf_handle_cancel(&live->handle, "its tear-down took too long");
        wf_shielded(WF_FOREVER, wf_handle_join(&live->handle));
    } else if (rc < 0 && !running.fired && !wf_cancelled()) {
        say_failure("%s: fixture '%s' failed: %s", fixture->place, fixture->name, live->why);
    }
}

void fixtures_stop(enum wf_fixture_life life, bool (*still_used)(const struct wf_fixture *fixture))
{
    for (size_t i = count; i-- > 0;) {
        const struct wf_fixture *fixture = order[i]->fixture;
        if (fixture->life > life || (still_used != NULL && still_used(fixture))) continue;
        stop(order[i]);
        pop(i);
    }
}
