/* gather and race: an array of jobs under one scope. */
#include <weft/group.h>

#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"

/* What one job needs besides its item; its result goes into `status`. */
struct member {
    int (*call)(void *item);
    void *item;
    int *status;
    size_t *winner;
    size_t index;
    bool failure_wins;
};

struct group {
    struct member *members;
    size_t count;
    enum wf_policy policy;
    uint32_t limit;
    bool in_place; /* the jobs' errors are the caller's, by their status */
    const char *name, *function, *place;
    size_t stack_size;
};

static int run_member(void *argument)
{
    struct member *member = argument;
    int rc = member->call(member->item);
    if (member->status != NULL) *member->status = rc;
    bool decides = rc >= 0 || (member->failure_wins && !(rc == -ECANCELED && wf_cancelled()));
    if (member->winner != NULL && decides && *member->winner == SIZE_MAX) *member->winner = member->index;
    return rc;
}

static struct member *members_new(char *items, size_t count, size_t item_size, int (*call)(void *), int *collect)
{
    size_t size;
    if (__builtin_mul_overflow(count, sizeof(struct member), &size)) return NULL;
    struct member *members = memory_alloc(size);
    if (members == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        int *status = collect != NULL ? &collect[i] : NULL;
        members[i] = (struct member){.call = call, .item = items + i * item_size, .status = status, .index = i};
    }
    return members;
}

/* What every place says until its job has run. */
static int begin(int *collect, size_t count)
{
    for (size_t i = 0; collect != NULL && i < count; i++) collect[i] = -ECANCELED;
    return wait_check(false);
}

/* A spawn that fails is remembered by the scope; there is nothing more to start then. */
static int spawn_members(const struct group *group, struct wf_scope *scope)
{
    struct wf_spawn_options options = {
        .size = sizeof options,
        .name = group->name,
        .function_ = group->function,
        .place_ = group->place,
        .stack_size = group->stack_size,
    };
    for (size_t i = 0; i < group->count; i++) {
        options.arg_ = &group->members[i];
        int rc = wf_spawn_(scope, run_member, &options);
        if (rc < 0) return rc;
    }
    return 0;
}

/*
 * With results in place the call fails only where it was itself cut short, or a child could not be made. A spawn that
 * failed is in the scope's list; only a cancel is the body's own.
 */
static int run_group(const struct group *group)
{
    WF_SCOPE(scope, .limit = group->limit, .policy = group->policy, .name = group->function);
    int spawned = spawn_members(group, &scope);
    int rc = wf_scope_end(&scope, spawned == -ECANCELED ? spawned : 0);
    if (group->in_place && (spawned == 0 || spawned == -ECANCELED)) rc = scope.cut_ ? -ECANCELED : 0;
    if (rc >= 0 || group->in_place)
        wf_each_error(&scope, error) wf_take_error(error);
    return rc;
}

int wf_gather_(void *items, size_t count, size_t item_size, const struct wf_gather_options *options)
{
    (void)LOOP_HERE();
    if (options->size != sizeof *options || (items == NULL && count > 0)) return -EINVAL;
    int rc = begin(options->collect, count);
    if (rc < 0 || count == 0) return rc;
    struct group group = {
        .members = members_new(items, count, item_size, options->call_, options->collect),
        .count = count,
        .policy = options->collect != NULL ? WF_COLLECT : WF_FAIL_FAST,
        .limit = options->limit,
        .in_place = options->collect != NULL,
        .name = options->name,
        .function = options->function_,
        .place = options->place_,
        .stack_size = options->stack_size,
    };
    if (group.members == NULL) return -ENOMEM;
    rc = run_group(&group);
    memory_free(group.members);
    return rc;
}

int wf_race_(void *items, size_t count, size_t item_size, const struct wf_race_options *options)
{
    (void)LOOP_HERE();
    if (options->size != sizeof *options || items == NULL || count == 0) return -EINVAL;
    int rc = begin(options->collect, count);
    if (rc < 0) return rc;
    struct group group = {
        .members = members_new(items, count, item_size, options->call_, options->collect),
        .count = count,
        .policy = options->first_done ? WF_FIRST_DONE : WF_FIRST_SUCCESS,
        .name = options->name,
        .function = options->function_,
        .place = options->place_,
        .stack_size = options->stack_size,
    };
    if (group.members == NULL) return -ENOMEM;
    size_t winner = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        group.members[i].winner = &winner;
        group.members[i].failure_wins = options->first_done;
    }
    rc = run_group(&group);
    if (winner != SIZE_MAX && options->winner != NULL) *options->winner = winner;
    memory_free(group.members);
    return rc;
}
