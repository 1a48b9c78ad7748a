/* A bounded number inside, a bounded number waiting, the others refused. */
#include <weft/task.h>

#include "core/loop.h"
#include "flow/bulkhead.h"
#include "observe/event.h"

static const char *name_of(const struct wf_bulkhead *bulkhead)
{
    return bulkhead->options.name != NULL ? bulkhead->options.name : "bulkhead";
}

/* ---- Options ---- */

static const char *complaint(const struct wf_bulkhead_options *options)
{
    if (options->size != sizeof *options) return "it was not made by WF_BULKHEAD(...), or for another version of weft";
    if (options->inside <= 0) return "nobody may be inside";
    if (options->waiting < 0 || options->inside_min < 0) return "a negative number";
    if (options->inside_min > options->inside) return "an .inside_min above .inside";
    if (options->shed_after < 0 || options->shed_interval < 0 || options->latency < 0) return "a negative duration";
    if (options->shed_interval > WF_SECONDS(100000)) return "a .shed_interval of more than a day";
    return NULL;
}

static int prepare(struct wf_bulkhead *bulkhead)
{
    if (bulkhead->ready_) return 0;
    const char *what = complaint(&bulkhead->options);
    if (what != NULL) return wf_fail(-EINVAL, "%s: %s", name_of(bulkhead), what);
    bulkhead->statistics_.limit = bulkhead->options.inside;
    bulkhead->ready_ = true;
    return 0;
}

static void raise_to(int *peak, int value)
{
    if (value > *peak) *peak = value;
}

/* ---- Going in ---- */

/* A waiter, on its own stack. */
struct visitor {
    struct wf_wait wait;
    int64_t since;
};

static bool has_room(const struct wf_bulkhead *bulkhead)
{
    return bulkhead->statistics_.inside < bulkhead->statistics_.limit;
}

static void count_in(struct wf_bulkhead *bulkhead)
{
    bulkhead->statistics_.entered++;
    raise_to(&bulkhead->statistics_.inside_peak, ++bulkhead->statistics_.inside);
}

/* Nobody is passed by: while anybody waits there is no room, because whoever leaves fills it up. */
static bool take_place(struct wf_bulkhead *bulkhead)
{
    if (!has_room(bulkhead)) return false;
    bulkhead->refusing_ = false;
    count_in(bulkhead);
    return true;
}

/* A line for the first, so that a flood of calls is not one of lines. */
static void tell_refusal(struct wf_bulkhead *bulkhead, const char *why)
{
    event_bulkhead(bulkhead->options.name, why, !bulkhead->refusing_);
    bulkhead->refusing_ = true;
}

/* Every call that is refused at once passes here. */
static int refuse(struct wf_bulkhead *bulkhead)
{
    bulkhead->statistics_.refused++;
    tell_refusal(bulkhead, "full");
    return wf_fail(WF_EFULL, "%s: full, with %d inside and %d waiting", name_of(bulkhead), bulkhead->statistics_.inside,
                   bulkhead->statistics_.waiting);
}

static void wait_cancelled(struct wf_wait *wait, int code)
{
    struct wf_queue_ *queue = (struct wf_queue_ *)(uintptr_t)wait->object;
    struct wf_bulkhead *bulkhead = (struct wf_bulkhead *)((char *)queue - offsetof(struct wf_bulkhead, waiters_));
    bulkhead->statistics_.waiting--;
    bulkhead->statistics_.cancelled++;
    queue_cancel(wait, code);
}

static const struct wait_class bulkhead_class = {.name = "room in a bulkhead", .cancel = wait_cancelled};

static int wait_for_room(struct loop *loop, struct wf_bulkhead *bulkhead)
{
    bulkhead->statistics_.waited++;
    raise_to(&bulkhead->statistics_.waiting_peak, ++bulkhead->statistics_.waiting);
    struct visitor visitor = {.wait = {.task = loop->running}, .since = loop->now};
    queue_append(&bulkhead->waiters_, &visitor.wait);
    int rc = (int)suspend(&visitor.wait, &bulkhead_class, &bulkhead->waiters_);
    if (rc != WF_EFULL) return rc;
    return wf_fail(WF_EFULL, "%s: shed after %.3g s of waiting", name_of(bulkhead),
                   wf_seconds(loop->now - visitor.since));
}

int wf_bulkhead_enter(struct wf_bulkhead *bulkhead)
{
    struct loop *loop = LOOP_HERE();
    int rc = prepare(bulkhead);
    if (rc == 0) rc = wait_check(false);
    if (rc < 0) return rc;
    if (take_place(bulkhead)) return (int)wait_skipped(0);
    if (bulkhead->statistics_.waiting >= bulkhead->options.waiting) return refuse(bulkhead);
    return wait_for_room(loop, bulkhead);
}

int wf_bulkhead_try_enter(struct wf_bulkhead *bulkhead)
{
    (void)LOOP_HERE();
    int rc = prepare(bulkhead);
    if (rc < 0) return rc;
    return take_place(bulkhead) ? 0 : refuse(bulkhead);
}

/* ---- Leaving ---- */

static bool first_is_shed(struct loop *loop, struct wf_bulkhead *bulkhead)
{
    if (bulkhead->options.shed_after == 0) return false;
    const struct visitor *first = (const struct visitor *)bulkhead->waiters_.first;
    bool last = first->wait.next == NULL;
    return shed_is_due(&bulkhead->shed_, &bulkhead->options, loop->now - first->since, last, loop->now);
}

/* Every waiter that is shed passes here. */
static void shed_first(struct wf_bulkhead *bulkhead)
{
    bulkhead->statistics_.shed++;
    tell_refusal(bulkhead, "shed");
    queue_grant(&bulkhead->waiters_, WF_EFULL);
}

static void fill_up(struct loop *loop, struct wf_bulkhead *bulkhead)
{
    while (bulkhead->waiters_.first != NULL && has_room(bulkhead)) {
        bulkhead->statistics_.waiting--;
        if (first_is_shed(loop, bulkhead)) {
            shed_first(bulkhead);
        } else {
            count_in(bulkhead);
            queue_grant(&bulkhead->waiters_, 0);
        }
    }
}

int wf_bulkhead_leave(struct wf_bulkhead *bulkhead)
{
    struct loop *loop = LOOP_ALIVE();
    if (bulkhead->statistics_.inside == 0) return -EPERM;
    bulkhead->statistics_.inside--;
    fill_up(loop, bulkhead);
    return 0;
}

/* ---- Adapting ---- */

/* Once for all calls that were under way together: those that began before it went down know nothing of it yet. */
static void lower_limit(struct wf_bulkhead *bulkhead, int64_t entered, int64_t now)
{
    if (entered < bulkhead->lowered_at_) return;
    int limit = bulkhead->statistics_.limit,
        least = bulkhead->options.inside_min > 0 ? bulkhead->options.inside_min : 1;
    int lower = limit - (limit + 9) / 10;
    bulkhead->statistics_.limit = lower > least ? lower : least;
    bulkhead->lowered_at_ = now;
    bulkhead->successes_ = 0;
}

/* Only where the places are in use: a number that nobody needs says nothing. */
static void raise_limit(struct wf_bulkhead *bulkhead)
{
    struct wf_bulkhead_statistics *statistics = &bulkhead->statistics_;
    if (statistics->inside * 2 < statistics->limit || ++bulkhead->successes_ < statistics->limit) return;
    bulkhead->successes_ = 0;
    if (statistics->limit < bulkhead->options.inside) statistics->limit++;
}

void bulkhead_learn(struct wf_bulkhead *bulkhead, int64_t entered, int64_t now, int code)
{
    if (now - entered > bulkhead->options.latency) lower_limit(bulkhead, entered, now);
    else if (code >= 0) raise_limit(bulkhead);
}

/* ---- Asking ---- */

void wf_bulkhead_statistics(const struct wf_bulkhead *bulkhead, struct wf_bulkhead_statistics *statistics)
{
    *statistics = bulkhead->statistics_;
    if (!bulkhead->ready_) statistics->limit = bulkhead->options.inside;
}
