/*
 * A stage that leaves out what is not valid, and one that works on the others: one at a time, then ten at once. The
 * results keep the order of the items in both forms.
 *
 *     weft run examples/transform.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct record {
    int number;
    bool invalid, processed;
};

static int read_records(struct wf_generator *out, const int *count)
{
    int rc = 0;
    for (int i = 0; i < *count && rc == 0; i++) {
        struct record record = {.number = i, .invalid = i % 10 == 3};
        rc = wf_emit(out, &record);
    }
    return rc;
}

static bool is_valid(const struct record *record)
{
    return !record->invalid;
}

static int under_way, peak;

static int process(struct record *record, struct record *result)
{
    if (++under_way > peak) peak = under_way;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    under_way--;
    *result = *record;
    result->processed = true;
    return rc;
}

/* `int fn(state *, const item *)`, for wf_fold: counts what is processed and comes in order. */
struct tally {
    int good, last;
};

static int add(struct tally *tally, const struct record *record)
{
    tally->good += record->processed && record->number > tally->last;
    tally->last = record->number;
    return 0;
}

static int one_at_a_time(int count)
{
    struct tally tally = {.last = -1};
    WF_GENERATOR(records, read_records, &count, struct record);
    WF_FILTER(valid, &records, struct record, is_valid);
    WF_MAP(processed, &valid, struct record, process, struct record);
    int64_t rc = wf_fold(&processed, struct record, add, &tally);
    printf("of %d records %d processed in order, at most %d at once\n", count, tally.good, peak);
    return rc < 0 ? (int)rc : 0;
}

static int ten_at_once(int count)
{
    struct tally tally = {.last = -1};
    WF_GENERATOR(records, read_records, &count, struct record);
    WF_FILTER(valid, &records, struct record, is_valid);
    WF_BUFFERED(processed, &valid, struct record, process, struct record, 10);
    int64_t rc = wf_fold(&processed, struct record, add, &tally);
    printf("of %d records %d processed in order, at most %d at once\n", count, tally.good, peak);
    return rc < 0 ? (int)rc : 0;
}

static int show_both(void *unused)
{
    (void)unused;
    int rc = one_at_a_time(100);
    return rc < 0 ? rc : ten_at_once(100);
}

int main(void)
{
    return wf_main(show_both, NULL);
}
