/*
 * A stream as an array, as the even ones of it, as a set and as a map. The source takes 10 ms for each item; what was
 * collected lives in an arena.
 *
 *     weft run examples/collect.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

static int numbers(struct wf_generator *out, const int *count)
{
    int rc = 0;
    for (int i = 0; i < *count && rc == 0; i++) {
        rc = wf_sleep(WF_MILLISECONDS(10));
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

static bool is_even(const int *number)
{
    return *number % 2 == 0;
}

static int last_digit(int *number, int *digit)
{
    *digit = *number % 10;
    return 0;
}

struct entry {
    int key, square;
};

static int square(int *number, struct entry *entry)
{
    *entry = (struct entry){.key = *number, .square = *number * *number};
    return 0;
}

static int compare(const int *one, const int *other)
{
    return (*one > *other) - (*one < *other);
}

/* Only the key: of equal keys the last entry stays. */
static int compare_keys(const struct entry *one, const struct entry *other)
{
    return compare(&one->key, &other->key);
}

static void show(const char *name, const int *items, size_t count)
{
    printf("%s:", name);
    for (size_t i = 0; i < count; i++) printf(" %d", items[i]);
    printf("\n");
}

static int arrays(struct wf_arena *arena, const int *ten)
{
    int *items;
    size_t count;
    WF_GENERATOR(all, numbers, ten, int);
    int rc = wf_collect(&all, arena, &items, &count, 1000);
    if (rc < 0) return rc;
    show("all", items, count);

    WF_GENERATOR(others, numbers, ten, int);
    WF_FILTER(even, &others, int, is_even);
    rc = wf_collect(&even, arena, &items, &count, 1000);
    if (rc == 0) show("even", items, count);
    return rc;
}

static int set_and_map(struct wf_arena *arena, const int *ten, const int *twenty)
{
    int *set;
    size_t count;
    WF_GENERATOR(many, numbers, twenty, int);
    WF_MAP(digits, &many, int, last_digit, int);
    int rc = wf_collect_unique(&digits, arena, &set, &count, 1000, compare);
    if (rc < 0) return rc;
    show("set of last digits", set, count);

    struct entry *map;
    WF_GENERATOR(some, numbers, ten, int);
    WF_MAP(entries, &some, int, square, struct entry);
    rc = wf_collect_unique(&entries, arena, &map, &count, 1000, compare_keys);
    if (rc < 0) return rc;
    struct entry wanted = {.key = 9};
    const struct entry *found =
        bsearch(&wanted, map, count, sizeof *map, (int (*)(const void *, const void *))compare_keys);
    printf("map[9]: %d\n", found != NULL ? found->square : -1);
    return 0;
}

static int collect_all(void *unused)
{
    (void)unused;
    const int ten = 10, twenty = 20;
    int rc = arrays(wf_task_arena(), &ten);
    return rc < 0 ? rc : set_and_map(wf_task_arena(), &ten, &twenty);
}

int main(void)
{
    return wf_main(collect_all, NULL);
}
