#include "scheduler.h"

static struct wf_local key = {.name = "key"};

/* ---- The tree of cancellation, from below ---- */

enum answer { NO, YES, UNKNOWN };

static enum answer cancelled(const struct place *place)
{
    for (; place != NULL; place = place->outer) {
        if (place->scope != NULL ? wf_scope_cancelled(place->scope) : place->requested) return YES;
        if (place->opaque) return UNKNOWN;
        if (place->shield) return NO;
    }
    return NO;
}

bool is_not_cancelled(const struct life *life)
{
    return cancelled(life->here) == NO;
}

static void check_scope(const struct place *place)
{
    CLAIM(wf_scope_alive(place->scope) >= place->alive + place->daemons);
    CLAIM(place->limit == 0 || place->alive <= place->limit);
    CLAIM(!place->must_be_cancelled || wf_scope_cancelled(place->scope));
    if (wf_scope_expired(place->scope)) CLAIM(wf_scope_cancelled(place->scope));
    if (place->deadline != WF_FOREVER && wf_now() >= place->deadline + WF_SECONDS(1))
        CLAIM(wf_scope_cancelled(place->scope));
}

void observe(const struct life *life)
{
    for (const struct place *place = life->here; place != NULL; place = place->outer)
        if (place->scope != NULL) check_scope(place);
    enum answer answer = cancelled(life->here);
    if (answer != UNKNOWN) CLAIM(wf_cancelled() == (answer == YES));
    CLAIM((wf_cancel_reason() != NULL) == wf_cancelled());
    CLAIM(wf_local_get(&key) == life->bound);
}

/* ---- Lives ---- */

struct life *new_life(struct place *home, unsigned depth)
{
    if (world.count == LIVES_MAX) return NULL;
    struct life *life = &world.lives[world.count++];
    life->own.outer = home;
    life->here = &life->own;
    life->depth = depth;
    life->sequence = world.count;
    return life;
}

/* What is spawned first starts first, except where a spawner waits for room. */
void life_starts(struct life *life)
{
    struct place *home = life->own.outer;
    CLAIM(!life->started);
    life->started = true;
    if (!life->limited) {
        CLAIM(life->sequence > world.last_started);
        world.last_started = life->sequence;
    }
    if (life->daemon) home->daemons++;
    else home->alive++;
    home->spawned++;
    observe(life);
}

static void note_result(struct place *home, const struct life *life, int rc)
{
    bool counts = !life->waited_for || life->ready;
    if (!counts) {
        home->uncertain |= rc < 0 && rc != -ECANCELED;
        return;
    }
    if (rc < 0 && home->first_error == 0) home->first_error = rc;
    if (rc < 0 && home->policy == WF_FAIL_FAST) home->must_be_cancelled = true;
    bool decides = (home->policy == WF_FIRST_SUCCESS && rc >= 0) || home->policy == WF_FIRST_DONE;
    if (home->decided || !decides || (life->daemon && rc >= 0)) return;
    home->decided = home->must_be_cancelled = true;
    home->outcome = rc;
}

/* From here to the end of the task nobody else runs. */
void life_ends(struct life *life, int rc)
{
    struct place *home = life->own.outer;
    observe(life);
    life->result = rc;
    life->end = ++world.ends;
    if (life->daemon) home->daemons--;
    else home->alive--;
    home->ended++;
    bool was_cut = rc == -ECANCELED && wf_cancelled();
    home->uncertain |= life->uncertain || cancelled(home) == UNKNOWN;
    home->uncertain |= was_cut && life->daemon; /* by the scope's own end, or not */
    home->cut |= was_cut && cancelled(home) != NO;
    if (!was_cut && !life->uncertain) note_result(home, life, rc);
}

static int live(struct life *life)
{
    life_starts(life);
    int rc = 0;
    if (life->waited_for && take(&world.input, 8) > 0) {
        life->ready = true;
        life->uncertain = wf_cancelled(); /* nobody may be waiting any more */
        wf_ready((int)life->sequence);
    }
    rc = take_steps(life, 20);
    give_back(life);
    if (rc == 0) rc = (int)take(&world.input, 3);
    life_ends(life, rc);
    return rc;
}

static int live_by_copy(struct life **life)
{
    return live(*life);
}

/* ---- Scopes ---- */

/* Rule 3.3. */
static int expected_result(const struct place *place, int rc, bool body_failed)
{
    if (body_failed) return rc;
    if (place->decided) return place->outcome;
    if (place->first_error < 0) return place->first_error;
    if (!place->cut) return rc;
    if (!place->shield && cancelled(place->outer) == YES) return -ECANCELED;
    if (wf_scope_expired(place->scope)) return -ETIME;
    return rc > 0 ? rc : 0;
}

static int end_scope(struct life *life, struct place *place, int rc)
{
    bool body_failed = false;
    observe(life);
    if (cancelled(place) == UNKNOWN) place->uncertain = true;
    if (rc == -ECANCELED && wf_cancelled()) {
        place->cut = true;
    } else if (rc < 0) {
        body_failed = place->first_error == 0 && !place->decided;
        if (place->first_error == 0) place->first_error = rc;
    }
    int result = wf_scope_end(place->scope, rc);
    CLAIM(place->alive == 0 && place->daemons == 0 && place->spawned == place->ended);
    CLAIM(wf_scope_alive(place->scope) == 0);
    if (cancelled(place->outer) == UNKNOWN) place->uncertain = true;
    if (!place->uncertain && !world.memory_fails) CLAIM(result == expected_result(place, rc, body_failed));
    return result;
}

static int open_scope(struct life *life, struct place *place, int64_t timeout)
{
    place->deadline = timeout == 0 ? WF_FOREVER : wf_deadline_after(timeout);
    WF_SCOPE(scope, .timeout = timeout, .policy = place->policy, .limit = place->limit, .shield = place->shield,
             .keep_finished = place->keeps_finished);
    place->scope = &scope;
    life->here = place;
    int rc = take_steps(life, 20);
    if (take(&world.input, 32) == 0) { /* the block is left without its end: legal, reported if children run */
        world.left_open = place->left_open = true;
        return 0;
    }
    return end_scope(life, place, rc);
}

int use_scope(struct life *life)
{
    if (life->depth == DEPTH_MAX) return 0;
    struct place place = {.outer = life->here, .bound = life->bound};
    unsigned choice = take(&world.input, 256);
    place.policy = (enum wf_policy)(choice % 8 < 4 ? choice % 4 : 0);
    place.shield = choice / 8 % 4 == 0;
    place.keeps_finished = choice / 32 % 2 == 0;
    place.limit = choice >= 192 ? 1 + choice % 3 : 0;
    int64_t timeout = choice / 32 % 4 == 3 || place.shield ? take_duration() : 0;
    if (place.shield && timeout == 0) timeout = 1;
    life->depth++;
    int rc = open_scope(life, &place, timeout);
    life->depth--;
    life->here = place.outer;
    if (place.left_open) place.outer->uncertain = life->uncertain = true;
    observe(life);
    return rc;
}

/* ---- Children ---- */

static int spawn_as(struct life *child, struct wf_scope *scope, unsigned way)
{
    struct wf_handle *handle = child->has_handle ? &child->handle : NULL;
    switch (way) {
    case 0:
        return wf_spawn(scope, live, child, .handle = handle, .name = "named", .daemon = child->daemon);
    case 1:
        return wf_spawn_copy(scope, live_by_copy, &child, .handle = handle, .stack_size = 100000, .name = "copy");
    case 2:
        return wf_try_spawn(scope, live, child, .handle = handle);
    case 3:
        return wf_spawn(scope, live, child, .handle = handle, .context = WF_CONTEXT_CURRENT);
    default:
        return wf_spawn(scope, live, child, .handle = handle, .daemon = child->daemon);
    }
}

/* Gives the child up that never came to be: nobody may see it. */
static void check_unborn(struct life *child, struct place *home, int rc)
{
    CLAIM(!child->started);
    child->has_handle = false;
    if (rc == -ENOMEM) home->uncertain = true;
    CLAIM(rc == -ECANCELED || rc == -EAGAIN || (rc == -ENOMEM && world.memory_fails));
}

static int spawn_ready(struct life *life, struct life *child, struct place *home)
{
    child->waited_for = child->own.opaque = true; /* cancelled together with the spawner's wait */
    bool was_cancelled = before_call(life);
    int rc = wf_spawn_ready(home->scope, live, child, .handle = child->has_handle ? &child->handle : NULL);
    if (rc > 0) CLAIM(child->ready && rc == (int)child->sequence);
    if (!child->started) check_unborn(child, home, rc);
    if (child->end != 0 && !child->ready && rc != -ECANCELED)
        CLAIM(rc == (child->result < 0 ? child->result : -EPROTO) || child->uncertain);
    world.turn++;
    observe(life);
    if (was_cancelled) CLAIM(rc == -ECANCELED);
    return rc < 0 ? rc : 0;
}

int use_child(struct life *life)
{
    struct place *home = life->here;
    if (home->scope == NULL || life->depth == DEPTH_MAX) return 0;
    struct life *child = new_life(home, life->depth + 1);
    if (child == NULL) return 0;
    unsigned choice = take(&world.input, 64), way = choice % 8;
    child->limited = home->limit > 0 || way == 7;
    child->has_handle = choice / 8 % 2 == 0;
    child->daemon = choice / 16 == 0 && way != 1 && way != 2 && way != 3 && way != 7;
    child->bound = way == 3 ? life->bound : home->bound;
    if (way == 7) return spawn_ready(life, child, home);
    observe(life);
    bool refused = cancelled(home) == YES;
    int rc = spawn_as(child, home->scope, way);
    if (rc < 0) check_unborn(child, home, rc);
    if (refused) CLAIM(rc == -ECANCELED);
    if (way == 2) CLAIM(rc != -EAGAIN || home->limit > 0);
    else CLAIM(rc != -EAGAIN);
    world.turn++;
    observe(life);
    return way == 2 && rc == -EAGAIN ? 0 : rc;
}

/* ---- Handles ---- */

static struct life *take_handle(void)
{
    struct life *target = &world.lives[take(&world.input, (unsigned)world.count)];
    return target->has_handle && wf_handle_result(&target->handle) != -EINVAL ? target : NULL;
}

static void check_joined(const struct life *target, int rc)
{
    if (target->end == 0 || target->uncertain) return;
    CLAIM(wf_handle_done(&target->handle));
    CLAIM(wf_handle_result(&target->handle) == target->result);
    if (!wf_cancelled()) CLAIM(rc == target->result);
}

static int join_handle(struct life *life, struct life *target)
{
    bool was_cancelled = before_call(life);
    int rc = wf_handle_join(&target->handle);
    world.turn++;
    observe(life);
    if (was_cancelled) CLAIM(rc == -ECANCELED);
    if (rc != -ECANCELED) CLAIM(target->end != 0);
    check_joined(target, rc);
    return wf_cancelled() ? rc : 0;
}

static int wait_handles(struct life *life, struct life *first, struct life *second)
{
    struct wf_handle *handles[] = {&first->handle, &second->handle};
    enum wf_wait_for condition = (enum wf_wait_for)take(&world.input, 3);
    size_t count = first == second ? 1 : 2;
    bool was_cancelled = before_call(life);
    int rc = wf_wait_handles(handles, count, condition);
    if (rc >= 0) {
        int ended = (first->end != 0) + (count == 2 && second->end != 0);
        CLAIM(rc == ended);
        CLAIM(condition != WF_ALL_DONE || rc == (int)count);
        CLAIM(condition != WF_ANY_DONE || rc > 0);
    }
    return after_call(life, was_cancelled, rc);
}

int use_handle(struct life *life)
{
    struct life *first = take_handle(), *second = take_handle();
    if (first == NULL) return 0;
    unsigned choice = take(&world.input, 4);
    if (choice == 0 && second != NULL) return wait_handles(life, first, second);
    if (choice < 3) return join_handle(life, first);
    if (wf_handle_done(&first->handle)) return 0;
    CLAIM(wf_handle_result(&first->handle) == -EINPROGRESS);
    first->own.requested = true;
    wf_handle_cancel(&first->handle, "a step");
    observe(life);
    return 0;
}

int use_finished(struct life *life)
{
    struct place *here = life->here;
    if (here->scope == NULL || !here->keeps_finished) return 0;
    struct wf_finished finished = {.result = 0};
    bool was_cancelled = before_call(life);
    int rc = wf_scope_next(here->scope, &finished);
    if (rc == 0) CLAIM(here->alive == 0);
    const struct life *child = finished.arg;
    if (rc == 1 && child != NULL) {
        CLAIM(child->end > here->last_taken);
        CLAIM(child->result == finished.result || child->uncertain);
        here->last_taken = child->end;
    }
    return after_call(life, was_cancelled, rc);
}

/* ---- Cancels and deadlines ---- */

static struct place *take_place(const struct life *life)
{
    struct place *place = life->here;
    for (unsigned up = take(&world.input, 4); up > 0 && place->outer != NULL; up--) place = place->outer;
    return place;
}

int use_cancel(struct life *life)
{
    struct place *place = take_place(life);
    if (place->scope == NULL) return 0;
    bool was_requested = wf_scope_cancelled(place->scope);
    switch (take(&world.input, 4)) {
    case 0:
        wf_scope_cancel(place->scope, "a step");
        CLAIM(wf_scope_cancelled(place->scope));
        break;
    case 1:
        wf_scope_drain(place->scope);
        break;
    case 2:
        place->deadline = wf_deadline_after(take_duration());
        wf_scope_set_deadline(place->scope, place->deadline);
        if (place->deadline <= wf_now()) CLAIM(wf_scope_cancelled(place->scope));
        break;
    default:
        CLAIM(wf_remaining() != 0);
        CLAIM(place != life->here || wf_deadline() <= place->deadline);
    }
    CLAIM(!was_requested || wf_scope_cancelled(place->scope));
    observe(life);
    return 0;
}

/* ---- Groups ---- */

struct item {
    int64_t delay;
    int result;
    bool ended;
};

static int run_item(struct item *item)
{
    int rc = wf_sleep(item->delay);
    if (rc == 0) rc = item->result;
    item->result = rc;
    item->ended = true;
    return rc;
}

static int gather(struct life *life, struct item *items, size_t count)
{
    int collected[3] = {-ECANCELED, -ECANCELED, -ECANCELED};
    uint32_t limit = take(&world.input, 3);
    bool was_cancelled = before_call(life);
    int rc = wf_gather(items, count, run_item, .limit = limit, .collect = collected);
    for (size_t i = 0; i < count; i++) CLAIM(collected[i] == (items[i].ended ? items[i].result : -ECANCELED));
    for (size_t i = 0; i < count; i++) CLAIM(rc < 0 || items[i].ended);
    return after_call(life, was_cancelled, rc);
}

static int race(struct life *life, struct item *items, size_t count)
{
    size_t winner = count;
    bool first_done = take(&world.input, 2) == 0;
    observe(life);
    int rc = wf_race(items, count, run_item, .winner = &winner, .first_done = first_done);
    if (winner < count) CLAIM(items[winner].ended && items[winner].result == rc);
    else CLAIM(rc < 0);
    world.turn++;
    observe(life);
    return rc < 0 ? rc : 0;
}

int use_group(struct life *life)
{
    struct item items[3] = {{0}};
    size_t count = 1 + take(&world.input, 3);
    for (size_t i = 0; i < count; i++) {
        items[i].delay = take_duration();
        items[i].result = (int)take(&world.input, 4) - 1; /* sometimes -EPERM */
    }
    return take(&world.input, 2) == 0 ? gather(life, items, count) : race(life, items, count);
}

/* ---- Task-locals ---- */

int use_binding(struct life *life)
{
    if (life->depth == DEPTH_MAX) return 0;
    void *before = life->bound;
    life->bound = &world.lives[take(&world.input, LIVES_MAX)];
    life->depth++;
    int rc;
    {
        WF_BIND(bound, &key, life->bound);
        rc = take_steps(life, 5);
    }
    life->depth--;
    life->bound = before;
    observe(life);
    return rc;
}
