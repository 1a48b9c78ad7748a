/*
 * Stages with tasks: each is a generator whose producer asks its sources, or has tasks that do.
 *
 *     flat map:  source --> producer --fn--> many items
 *     merge:     source --> pump --\
 *                source --> pump ----> producer       one pump at a time hands over
 *     buffered:  source --> puller --> calls, at most `width` --> producer, in order or as they end
 */
#include <weft/iterate.h>

#include <weft/arena.h>
#include <weft/sync.h>
#include <weft/task.h>

#include "base/report.h"
#include "core/loop.h"

static int ask(struct wf_iterator *source, void *item)
{
    return source->class_->next(source, item);
}

static void adopt_here(struct wf_iterator *source)
{
    wf_iterator_adopt_(source, current_loop->running);
}

static void check_size(const char *function, const struct wf_iterator *source, size_t size)
{
    if (source->item_size != size)
        misuse("%s for items of %zu bytes stands on a source whose items have %zu.", function, size, source->item_size);
}

/* ---- Flat map ---- */

int wf_flat_map_(struct wf_generator *out, struct wf_flat_map_ *map)
{
    check_size("WF_FLAT_MAP", map->source, map->item_size);
    adopt_here(map->source);
    int rc;
    while ((rc = ask(map->source, map->item)) > 0) {
        rc = map->fn(out, map->item);
        if (rc < 0) break;
    }
    return rc;
}

/* ---- Merge ---- */

struct merge {
    struct wf_semaphore turn; /* to hand over an item */
    struct wf_event full, taken;
    const void *item; /* valid between full and taken */
    size_t pumps;
};

struct pump {
    struct merge *merge;
    struct wf_iterator *source;
};

static int hand_over(struct merge *merge, const void *item)
{
    int rc = wf_semaphore_acquire(&merge->turn);
    if (rc < 0) return rc;
    merge->item = item;
    wf_event_clear(&merge->taken);
    wf_event_set(&merge->full);
    rc = wf_event_wait(&merge->taken);
    wf_semaphore_release(&merge->turn);
    return rc;
}

static int pump(struct pump *pump)
{
    struct merge *merge = pump->merge;
    struct wf_arena *arena = wf_task_arena();
    void *item = arena != NULL ? wf_arena_alloc(arena, pump->source->item_size) : NULL;
    if (item == NULL) return -ENOMEM;
    adopt_here(pump->source);
    int rc;
    while ((rc = ask(pump->source, item)) > 0) {
        rc = hand_over(merge, item);
        if (rc < 0) break;
    }
    merge->pumps--;
    wf_event_set(&merge->full);
    return rc;
}

static int emit_merged(struct wf_generator *out, struct merge *merge)
{
    int rc = 0;
    while (rc == 0) {
        rc = wf_event_wait(&merge->full);
        if (rc < 0) return rc;
        wf_event_clear(&merge->full);
        const void *item = merge->item;
        merge->item = NULL;
        if (item == NULL && merge->pumps == 0) return 0;
        if (item == NULL) continue;
        rc = wf_emit_(out, item, out->iterator.item_size);
        wf_event_set(&merge->taken);
    }
    return rc;
}

int wf_merge_(struct wf_generator *out, struct wf_merge_ *sources)
{
    struct merge merge = {.turn = WF_SEMAPHORE(1), .pumps = sources->count};
    struct pump pumps[8];
    WF_SCOPE(scope, .name = "merge");
    for (size_t i = 0; i < sources->count; i++) {
        check_size("WF_MERGE", sources->sources[i], out->iterator.item_size);
        pumps[i] = (struct pump){.merge = &merge, .source = sources->sources[i]};
        int rc = wf_spawn(&scope, pump, &pumps[i]);
        if (rc < 0) return wf_scope_end(&scope, rc);
    }
    return wf_scope_end(&scope, emit_merged(out, &merge));
}

/* ---- Buffered ---- */

struct slot {
    struct slot *next;
    struct buffer *buffer;
    void *item, *result;
    int rc;
    bool done;
};

struct buffer {
    const struct wf_buffered_ *plan;
    struct wf_scope *scope;
    struct wf_semaphore room; /* free slots */
    struct slot *free;
    struct slot *first, **last; /* to be emitted: in order of asking, or of ending */
    struct wf_event progress;
    size_t under_way;
    bool all_asked;
};

static void append(struct buffer *buffer, struct slot *slot)
{
    slot->next = NULL;
    *buffer->last = slot;
    buffer->last = &slot->next;
}

static int call(struct slot *slot)
{
    struct buffer *buffer = slot->buffer;
    int rc = buffer->plan->fn(slot->item, slot->result);
    if (rc == -ECANCELED && wf_cancelled()) return rc;
    if (rc < 0) failure_move(current_loop->running, buffer->scope->owner_, rc);
    slot->rc = rc;
    slot->done = true;
    buffer->under_way--;
    if (!buffer->plan->ordered) append(buffer, slot);
    wf_event_set(&buffer->progress);
    return 0;
}

/* What ends the source takes its place in the order, too: what was asked before comes first. */
static int pull(struct buffer *buffer)
{
    adopt_here(buffer->plan->source);
    for (;;) {
        int rc = wf_semaphore_acquire(&buffer->room);
        if (rc < 0) return rc;
        struct slot *slot = buffer->free;
        buffer->free = slot->next;
        rc = ask(buffer->plan->source, slot->item);
        if (rc == -ECANCELED && wf_cancelled()) return rc;
        if (rc <= 0) {
            buffer->all_asked = true;
            slot->rc = rc;
            slot->done = true;
            if (rc < 0) failure_move(current_loop->running, buffer->scope->owner_, rc);
            if (rc < 0) append(buffer, slot);
            wf_event_set(&buffer->progress);
            return 0;
        }
        slot->done = false;
        buffer->under_way++;
        if (buffer->plan->ordered) append(buffer, slot);
        rc = wf_spawn(buffer->scope, call, slot);
        if (rc < 0) return rc;
    }
}

static int emit_first(struct wf_generator *out, struct buffer *buffer)
{
    struct slot *slot = buffer->first;
    if (slot->rc < 0) return slot->rc;
    int rc = wf_emit_(out, slot->result, out->iterator.item_size);
    buffer->first = slot->next;
    if (buffer->first == NULL) buffer->last = &buffer->first;
    slot->next = buffer->free;
    buffer->free = slot;
    wf_semaphore_release(&buffer->room);
    return rc;
}

static int emit_all(struct wf_generator *out, struct buffer *buffer)
{
    int rc = 0;
    while (rc == 0) {
        if (buffer->first != NULL && buffer->first->done) {
            rc = emit_first(out, buffer);
        } else if (buffer->all_asked && buffer->under_way == 0 && buffer->first == NULL) {
            return 0;
        } else {
            wf_event_clear(&buffer->progress);
            rc = wf_event_wait(&buffer->progress);
        }
    }
    return rc;
}

static bool make_slots(struct buffer *buffer, struct wf_arena *arena)
{
    const struct wf_buffered_ *plan = buffer->plan;
    for (size_t i = 0; i < plan->width; i++) {
        struct slot *slot = wf_arena_alloc(arena, sizeof *slot);
        if (slot == NULL) return false;
        *slot = (struct slot){.next = buffer->free, .buffer = buffer};
        slot->item = wf_arena_alloc(arena, plan->in_size);
        slot->result = wf_arena_alloc(arena, plan->out_size);
        if (slot->item == NULL || slot->result == NULL) return false;
        buffer->free = slot;
    }
    return true;
}

int wf_buffered_(struct wf_generator *out, struct wf_buffered_ *plan)
{
    check_size("WF_BUFFERED", plan->source, plan->in_size);
    if (plan->width == 0) return wf_fail(-EINVAL, "WF_BUFFERED with a width of 0 would never call anything");
    struct buffer buffer = {.plan = plan, .room = WF_SEMAPHORE(plan->width)};
    buffer.last = &buffer.first;
    struct wf_arena *arena = wf_task_arena();
    if (arena == NULL || !make_slots(&buffer, arena)) return -ENOMEM;
    WF_SCOPE(scope, .name = "buffered");
    buffer.scope = &scope;
    int rc = wf_spawn(&scope, pull, &buffer);
    return wf_scope_end(&scope, rc < 0 ? rc : emit_all(out, &buffer));
}
