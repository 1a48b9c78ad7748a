/* The tree of tasks: who opened the scope that a task is in; and which siblings are alike, with all below them. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "inspect.h"

static uint64_t mix(uint64_t kind, uint64_t value)
{
    kind ^= value + UINT64_C(0x9e3779b97f4a7c15) + (kind << 6) + (kind >> 2);
    return kind * UINT64_C(0xff51afd7ed558ccd) ^ (kind >> 31);
}

static uint64_t mix_text(uint64_t kind, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) kind = mix(kind, (unsigned char)*text);
    return mix(kind, text == NULL);
}

/* Names that differ in numbers alone are alike: "connection-7", "connection-8". */
static uint64_t mix_name(uint64_t kind, const char *name)
{
    for (; *name != '\0'; name++)
        if (*name < '0' || *name > '9') kind = mix(kind, (unsigned char)*name);
    return kind;
}

/* The task that opened the scope; itself it cannot be, nor of another loop. */
static struct seen_task *parent_of(const struct snapshot *snapshot, const struct seen_task *task)
{
    if (task->home == NULL || !task->home->whole) return NULL;
    struct seen_task *owner = table_find(&snapshot->by_address, task->home->owner_address);
    return owner != NULL && owner != task && owner->loop == task->loop ? owner : NULL;
}

/* A parent was spawned before its child: with this rule there is no ring, whatever was read. */
static void link_parents(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->task_count; i++) {
        struct seen_task *task = &snapshot->tasks[i], *parent = parent_of(snapshot, task);
        if (parent == NULL || parent->id >= task->id) continue;
        task->parent = parent;
        if (parent->last_child != NULL) parent->last_child->next = task;
        else parent->children = task;
        parent->last_child = task;
    }
}

/* What makes two tasks alike: everything but the numbers, times and descriptors. */
static uint64_t own_kind(const struct snapshot *snapshot, const struct seen_task *task)
{
    uint64_t kind = mix_name(mix(task->state, task->stack_kind), task->name);
    kind = mix_text(kind, task->place);
    kind = mix_text(kind, task->waits);
    kind = mix_text(kind, task->cancelled != NULL ? task->cancelled->text : NULL);
    size_t depth = 0;
    for (const struct seen_scope *scope = task->inner; scope != NULL && depth < 1000; depth++) {
        kind = mix_text(mix_text(kind, scope->name), scope->place);
        scope = table_find(&snapshot->scopes, scope->outer);
    }
    return kind;
}

/* Hides the siblings that are like an earlier one; the list keeps one of each kind. */
static void fold_list(struct seen_task **list, struct seen_task **last)
{
    struct table kinds = {.count = 0};
    struct seen_task *task = *list, *kept = NULL;
    *list = NULL;
    while (task != NULL) {
        uint64_t key = mix(task->kind, task->home_address) << 3;
        struct seen_task *next = task->next, *first = table_find(&kinds, key);
        task->next = NULL;
        if (first != NULL) {
            first->same++;
            first->last_same = task->id;
            first->names_differ |= strcmp(first->name, task->name) != 0;
            task->folded = true;
        } else {
            table_put(&kinds, key, task);
            if (kept != NULL) kept->next = task;
            else *list = task;
            kept = task;
        }
        task = next;
    }
    *last = kept;
    table_clear(&kinds);
}

/* Children come after their parents, so from the end on everything below a task is known when it is reached. */
static void find_kinds(struct snapshot *snapshot, bool fold)
{
    for (size_t i = snapshot->task_count; i-- > 0;) {
        struct seen_task *task = &snapshot->tasks[i];
        if (fold && task->children != NULL) fold_list(&task->children, &task->last_child);
        task->kind = own_kind(snapshot, task);
        for (const struct seen_task *child = task->children; child != NULL; child = child->next) {
            task->kind = mix(mix(task->kind, child->kind), child->same);
            task->kind = mix_text(task->kind, child->home->place);
        }
    }
}

void make_tree(struct snapshot *snapshot, bool fold)
{
    link_parents(snapshot);
    find_kinds(snapshot, fold);
}
