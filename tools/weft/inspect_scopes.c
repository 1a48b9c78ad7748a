/* Scopes, which lie on stacks: each is read once, from the tasks outwards, and believed only where it fits. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "inspect.h"

enum { NESTED_MAX = 1000 }; /* as deep as a chain of scopes is followed */

struct wishes {
    uint64_t *addresses;
    size_t count, room;
};

static void wish(struct wishes *wishes, struct snapshot *snapshot, uint64_t address)
{
    if (address == 0 || table_find(&snapshot->scopes, address) != NULL) return;
    struct seen_scope *scope = store_take(&snapshot->store, sizeof *scope);
    scope->address = address;
    scope->name = scope->place = "";
    table_put(&snapshot->scopes, address, scope);
    if (wishes->count == wishes->room) {
        wishes->room = wishes->room > 0 ? 2 * wishes->room : 64;
        wishes->addresses = realloc(wishes->addresses, wishes->room * sizeof *wishes->addresses);
        if (wishes->addresses == NULL) fail("out of memory");
    }
    wishes->addresses[wishes->count++] = address;
}

static uint64_t node_member(const struct registry *registry, const char *record, enum wanted node, enum wanted field)
{
    return member(registry, record + registry->at[node].offset, field);
}

static void take_scope(const struct registry *registry, struct seen_scope *scope, const char *record)
{
    scope->outer = node_member(registry, record, AT_SCOPE_NODE, AT_NODE_PARENT);
    scope->flags = (uint32_t)node_member(registry, record, AT_SCOPE_NODE, AT_NODE_FLAGS);
    scope->reason_address = node_member(registry, record, AT_SCOPE_NODE, AT_NODE_REASON);
    scope->owner_address = member(registry, record, AT_SCOPE_OWNER);
    scope->deadline = (int64_t)member(registry, record, AT_SCOPE_DEADLINE);
    scope->alive = (uint32_t)member(registry, record, AT_SCOPE_ALIVE);
    scope->daemons = (uint32_t)member(registry, record, AT_SCOPE_DAEMONS);
    scope->limit = (uint32_t)member(registry, record, AT_SCOPE_LIMIT);
    uint64_t state = member(registry, record, AT_SCOPE_STATE);
    scope->whole = state == registry->at[AT_SCOPE_OPEN].offset || state == registry->at[AT_SCOPE_ENDING].offset;
}

/* The owner of a scope, when it can be one: there is a task at that address, of the same loop. */
static struct seen_task *owner_of(const struct snapshot *snapshot, const struct seen_scope *scope)
{
    return scope->owner_address != 0 ? table_find(&snapshot->by_address, scope->owner_address) : NULL;
}

struct seen_task *task_of_node(const struct registry *registry, const struct snapshot *snapshot, uint64_t node)
{
    return table_find(&snapshot->by_address, node - registry->at[AT_TASK_NODE].offset);
}

/* Reads those wished for; the nodes around them are the next wishes. */
static void read_level(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                       const struct wishes *now, struct wishes *next)
{
    size_t size = registry->at[AT_SCOPE].size;
    struct piece *pieces = calloc(now->count, sizeof *pieces);
    char *records = calloc(now->count, size);
    uint64_t *texts = calloc(now->count, 2 * sizeof *texts);
    if (pieces == NULL || records == NULL || texts == NULL) fail("out of memory");
    for (size_t i = 0; i < now->count; i++)
        pieces[i] = (struct piece){.address = now->addresses[i], .into = records + i * size, .size = size};
    memory->read(memory, pieces, now->count);
    for (size_t i = 0; i < now->count; i++) {
        struct seen_scope *scope = table_find(&snapshot->scopes, now->addresses[i]);
        if (pieces[i].whole) take_scope(registry, scope, pieces[i].into);
        scope->whole = scope->whole && (scope->outer == 0 || owner_of(snapshot, scope) != NULL);
        if (!scope->whole) continue;
        texts[2 * i] = member(registry, pieces[i].into, AT_SCOPE_NAME);
        texts[2 * i + 1] = member(registry, pieces[i].into, AT_SCOPE_PLACE);
        if (task_of_node(registry, snapshot, scope->outer) == NULL) wish(next, snapshot, scope->outer);
    }
    read_texts(memory, snapshot, texts, 2 * now->count);
    for (size_t i = 0; i < now->count; i++) {
        struct seen_scope *scope = table_find(&snapshot->scopes, now->addresses[i]);
        if (texts[2 * i] != 0) scope->name = text_at(memory, snapshot, texts[2 * i]);
        if (texts[2 * i + 1] != 0) scope->place = text_at(memory, snapshot, texts[2 * i + 1]);
    }
    free(texts);
    free(records);
    free(pieces);
}

void read_scopes(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                 struct seen_task *const *tasks, size_t count)
{
    struct wishes now = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        wish(&now, snapshot, tasks[i]->home_address);
        if (task_of_node(registry, snapshot, tasks[i]->current) == NULL) wish(&now, snapshot, tasks[i]->current);
    }
    for (int level = 0; now.count > 0 && level < NESTED_MAX; level++) {
        struct wishes next = {.count = 0};
        read_level(memory, registry, snapshot, &now, &next);
        free(now.addresses);
        now = next;
    }
    if (now.count > 0) snapshot->damaged = "scopes are nested without end";
    free(now.addresses);
}

/* ---- Why something was cancelled ---- */

struct walk {
    uint64_t node;
    uint32_t flags;
    uint64_t reason, outer;
};

static bool look_at_node(const struct registry *registry, const struct snapshot *snapshot, struct walk *walk)
{
    const struct seen_task *task = task_of_node(registry, snapshot, walk->node);
    const struct seen_scope *scope = table_find(&snapshot->scopes, walk->node);
    if (task != NULL) {
        walk->flags = task->node_flags;
        walk->reason = task->reason_address;
        walk->outer = task->home_address;
    } else if (scope != NULL && scope->whole) {
        walk->flags = scope->flags;
        walk->reason = scope->reason_address;
        walk->outer = scope->outer;
    }
    return task != NULL || (scope != NULL && scope->whole);
}

/* The reason of the nearest cancelled node, up to a shield; 0: none. */
static uint64_t reason_of(const struct registry *registry, const struct snapshot *snapshot, uint64_t node)
{
    struct walk walk = {.node = node};
    for (int level = 0; walk.node != 0 && level < NESTED_MAX; level++, walk.node = walk.outer) {
        if (!look_at_node(registry, snapshot, &walk)) return 0;
        if (level == 0 && !(walk.flags & registry->at[AT_NODE_CANCELLED].offset)) return 0;
        if (walk.flags & registry->at[AT_NODE_REQUESTED].offset) return walk.reason;
        if (walk.flags & registry->at[AT_NODE_SHIELD].offset) return 0;
    }
    return 0;
}

static const struct seen_reason *read_reason(struct memory *memory, const struct registry *registry,
                                             struct snapshot *snapshot, uint64_t address)
{
    struct seen_reason *reason = table_find(&snapshot->reasons, address);
    if (reason != NULL) return reason;
    reason = store_take(&snapshot->store, sizeof *reason);
    table_put(&snapshot->reasons, address, reason);
    reason->text = reason->place = reason->task = "?";
    char *record = store_take(&snapshot->store, registry->at[AT_REASON].size);
    if (!read_memory(memory, address, record, registry->at[AT_REASON].size)) return reason;
    reason->text = text_at(memory, snapshot, member(registry, record, AT_REASON_TEXT));
    reason->place = text_at(memory, snapshot, member(registry, record, AT_REASON_PLACE));
    reason->task = fresh_text(memory, snapshot, address + registry->at[AT_REASON_TASK].offset);
    return reason;
}

void read_reasons(struct memory *memory, const struct registry *registry, struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->task_count; i++) {
        struct seen_task *task = &snapshot->tasks[i];
        uint64_t address = task->whole ? reason_of(registry, snapshot, task->current) : 0;
        if (address != 0) task->cancelled = read_reason(memory, registry, snapshot, address);
    }
    for (size_t i = 0; i < snapshot->scopes.room; i++) {
        struct seen_scope *scope = snapshot->scopes.values[i];
        if (scope == NULL || !scope->whole || !(scope->flags & registry->at[AT_NODE_REQUESTED].offset)) continue;
        if (scope->reason_address != 0) scope->reason = read_reason(memory, registry, snapshot, scope->reason_address);
    }
}
