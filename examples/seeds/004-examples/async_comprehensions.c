/*
 * A stream as a list, as the even ones of it, as a set and as a map. From "Async Generators and Iterators", "Async
 * Comprehensions".
 * Rows: S031, S032, S033.
 * Each of the four asks the source anew, which takes a second each time; the sample does not say so.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/async_comprehensions.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

enum { NUMBERS = 10 };

static int get_numbers(struct wf_generator *out, void *unused)
{
    int rc = 0;
    (void)unused;
    for (int i = 0; rc == 0 && i < NUMBERS; i++) {
        rc = wf_sleep(WF_MILLISECONDS(100));
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

static bool is_even(const int *number)
{
    return *number % 2 == 0;
}

static int compare(const int *one, const int *other)
{
    return (*one > *other) - (*one < *other);
}

struct entry {
    int number, square;
};

static int square(int *number, struct entry *entry)
{
    *entry = (struct entry){.number = *number, .square = *number * *number};
    return 0;
}

static int compare_entries(const struct entry *one, const struct entry *other)
{
    return compare(&one->number, &other->number);
}

static void show(const char *what, const int *numbers, size_t count)
{
    printf("%s: [", what);
    for (size_t i = 0; i < count; i++) printf("%s%d", i > 0 ? ", " : "", numbers[i]);
    printf("]\n");
}

static int list_numbers(void)
{
    int *numbers;
    size_t count;
    WF_GENERATOR(source, get_numbers, NULL, int);
    int rc = wf_collect(&source, wf_task_arena(), &numbers, &count, 1000);
    if (rc == 0) show("Numbers", numbers, count);
    return rc;
}

static int list_evens(void)
{
    int *numbers;
    size_t count;
    WF_GENERATOR(source, get_numbers, NULL, int);
    WF_FILTER(evens, &source, int, is_even);
    int rc = wf_collect(&evens, wf_task_arena(), &numbers, &count, 1000);
    if (rc == 0) show("Evens", numbers, count);
    return rc;
}

static int make_set(void)
{
    int *set;
    size_t count;
    WF_GENERATOR(source, get_numbers, NULL, int);
    int rc = wf_collect_unique(&source, wf_task_arena(), &set, &count, 1000, compare);
    if (rc == 0) printf("Set: %zu members\n", count);
    return rc;
}

static int make_map(void)
{
    struct entry *map;
    size_t count;
    WF_GENERATOR(source, get_numbers, NULL, int);
    WF_MAP(entries, &source, int, square, struct entry);
    int rc = wf_collect_unique(&entries, wf_task_arena(), &map, &count, 1000, compare_entries);
    if (rc < 0) return rc;
    const struct entry *found = bsearch(&(struct entry){.number = 9}, map, count, sizeof *map,
                                        (int (*)(const void *, const void *))compare_entries);
    printf("Map: %zu entries, of 9: %d\n", count, found != NULL ? found->square : -1);
    return 0;
}

static int run(void *unused)
{
    int (*const comprehensions[])(void) = {list_numbers, list_evens, make_set, make_map};
    int rc = 0;
    (void)unused;
    int64_t began = wf_now();
    for (size_t i = 0; rc == 0 && i < WF_COUNT(comprehensions); i++) rc = comprehensions[i]();
    printf("after %.1f s\n", wf_seconds(wf_now() - began));
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
