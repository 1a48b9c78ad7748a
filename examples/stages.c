/*
 * Stages stand on each other, and nothing runs before an item is asked for: skip, take, enumerate, batch, zip, merge.
 *
 *     weft run examples/stages.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct walk {
    int from, step;
    int64_t pause;
};

static int count(struct wf_generator *out, const struct walk *walk)
{
    int rc = 0;
    for (int i = walk->from; rc == 0; i += walk->step) { /* without an end: whoever asks decides */
        rc = walk->pause > 0 ? wf_sleep(walk->pause) : 0;
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

static int numbered_batches(void)
{
    const struct walk ones = {.from = 0, .step = 1};
    WF_GENERATOR(numbers, count, &ones, int);
    WF_SKIP(later, &numbers, 10);
    WF_TAKE(seven, &later, 7);
    WF_BATCH(batches, &seven, int, 3);
    WF_ENUMERATE(numbered, &batches);
    struct wf_batch batch;
    int rc;
    while ((rc = wf_next(&numbered, &batch)) > 0) {
        const int *items = batch.items;
        printf("batch %d: %zu items from %d on\n", (int)wf_index(&numbered), batch.count, items[0]);
    }
    return rc;
}

struct pair {
    int number, square;
};

static int square(int *number, int *result)
{
    *result = *number * *number;
    return 0;
}

static int pairs(void)
{
    const struct walk ones = {.from = 1, .step = 1};
    WF_GENERATOR(numbers, count, &ones, int);
    WF_GENERATOR(others, count, &ones, int);
    WF_MAP(squares, &others, int, square, int);
    WF_TAKE(three, &squares, 3);
    WF_ZIP(both, &numbers, &three, struct pair, number, square); /* ends with the shorter one */
    struct pair pair;
    int rc;
    while ((rc = wf_next(&both, &pair)) > 0) printf("%d squared: %d\n", pair.number, pair.square);
    return rc;
}

static int as_they_come(void)
{
    const struct walk slow = {.from = 100, .step = 100, .pause = WF_MILLISECONDS(750)};
    const struct walk quick = {.from = 1, .step = 1, .pause = WF_MILLISECONDS(300)};
    WF_GENERATOR(hundreds, count, &slow, int);
    WF_GENERATOR(ones, count, &quick, int);
    WF_MERGE(all, int, &hundreds, &ones);
    WF_TAKE(five, &all, 5);
    int item, rc;
    while ((rc = wf_next(&five, &item)) > 0) printf("came: %d\n", item);
    return rc;
}

static int show_all(void *unused)
{
    (void)unused;
    int rc = numbered_batches();
    if (rc == 0) rc = pairs();
    if (rc == 0) rc = as_they_come();
    return rc;
}

int main(void)
{
    return wf_main(show_all, NULL);
}
