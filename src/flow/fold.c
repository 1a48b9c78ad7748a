/* Ends of a stream: what takes all of its items, or as many as it needs. */
#include <weft/iterate.h>

#include <stdlib.h>
#include <string.h>
#include <weft/arena.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "core/loop.h"

enum { ROOM_FIRST = 16 };

static int ask(struct wf_iterator *source, void *item)
{
    return source->class_->next(source, item);
}

static void close_source(struct wf_iterator *source)
{
    if (source->class_->close != NULL) source->class_->close(source);
}

static void check_size(const char *function, const struct wf_iterator *source, size_t size)
{
    if (source->item_size != size)
        misuse("%s for items of %zu bytes of a source whose items have %zu.", function, size, source->item_size);
}

/* ---- Collecting ---- */

struct array {
    struct wf_arena *arena;
    char *items;
    size_t item_size, count, room;
};

static int grow(struct array *array)
{
    size_t room = array->room == 0 ? ROOM_FIRST : array->room * 2, size;
    if (__builtin_mul_overflow(room, array->item_size, &size)) return -ENOMEM;
    char *larger = wf_arena_alloc(array->arena, size);
    if (larger == NULL) return -ENOMEM;
    if (array->count > 0) memcpy(larger, array->items, array->count * array->item_size);
    array->items = larger;
    array->room = room;
    return 0;
}

static int take_all(struct wf_iterator *source, struct array *array, size_t count_max)
{
    for (;;) {
        int rc = array->count == array->room ? grow(array) : 0;
        if (rc == 0) rc = ask(source, array->items + array->count * array->item_size);
        if (rc <= 0) return rc;
        if (array->count == count_max) {
            close_source(source);
            return wf_fail(-E2BIG, "more than %zu items", count_max);
        }
        array->count++;
    }
}

/* Equal items stay in the order in which they came: their places decide. */
static int compare_places(const void *one, const void *other, void *context)
{
    int (*compare)(const void *, const void *) = *(int (**)(const void *, const void *))context;
    const char *a = *(char *const *)one, *b = *(char *const *)other;
    int order = compare(a, b);
    return order != 0 ? order : (a > b) - (a < b);
}

static int sort_unique(struct array *array, int (*compare)(const void *, const void *))
{
    if (array->count == 0) return 0;
    char **places = memory_alloc(array->count * sizeof(char *));
    char *sorted = wf_arena_alloc(array->arena, array->count * array->item_size);
    if (places == NULL || sorted == NULL) {
        memory_free(places);
        return -ENOMEM;
    }
    for (size_t i = 0; i < array->count; i++) places[i] = array->items + i * array->item_size;
    qsort_r(places, array->count, sizeof *places, compare_places, (void *)&compare);
    size_t kept = 0;
    for (size_t i = 0; i < array->count; i++) {
        bool last = i + 1 == array->count || compare(places[i], places[i + 1]) != 0;
        if (last) memcpy(sorted + kept++ * array->item_size, places[i], array->item_size);
    }
    memory_free(places);
    array->items = sorted;
    array->count = kept;
    return 0;
}

int wf_collect_(struct wf_iterator *source, struct wf_arena *arena, void **items, size_t item_size, size_t *count,
                size_t count_max, int (*compare)(const void *, const void *))
{
    (void)LOOP_HERE();
    check_size("wf_collect", source, item_size);
    if (arena == NULL || items == NULL || count == NULL) return -EINVAL;
    struct array array = {.arena = arena, .item_size = item_size};
    int rc = take_all(source, &array, count_max);
    if (rc == 0 && compare != NULL) rc = sort_unique(&array, compare);
    if (rc < 0) return rc;
    *items = array.items;
    *count = array.count;
    return 0;
}

/* ---- One after another ---- */

/* Room for one item, in the task's scratch. */
static void *item_of(const struct wf_iterator *source)
{
    return memory_alloc(source->item_size);
}

int64_t wf_fold_(struct wf_iterator *source, size_t item_size, int (*fn)(void *, const void *), void *state)
{
    (void)LOOP_HERE();
    check_size("wf_fold", source, item_size);
    void *item = item_of(source);
    if (item == NULL) return -ENOMEM;
    int64_t count = 0;
    int rc;
    while ((rc = ask(source, item)) > 0) {
        rc = fn(state, item);
        if (rc < 0) {
            close_source(source);
            break;
        }
        count++;
    }
    memory_free(item);
    return rc < 0 ? rc : count;
}

int wf_first_(struct wf_iterator *source, void *item, size_t size)
{
    (void)LOOP_HERE();
    check_size("wf_first", source, size);
    int rc = ask(source, item);
    if (rc > 0) close_source(source);
    return rc;
}

int wf_search_(struct wf_iterator *source, size_t size, bool (*fn)(const void *), bool wanted)
{
    (void)LOOP_HERE();
    check_size(wanted ? "wf_any" : "wf_all", source, size);
    void *item = item_of(source);
    if (item == NULL) return -ENOMEM;
    int rc;
    while ((rc = ask(source, item)) > 0)
        if (fn(item) == wanted) break;
    memory_free(item);
    if (rc < 0) return rc;
    if (rc > 0) close_source(source);
    return rc > 0 ? wanted : !wanted;
}
