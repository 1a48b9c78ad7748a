/* One item from a producer to its consumer, both ways through the switch. generator_item ITEMS */
#include "../measure.h"

#include <weft/weft.h>

static int count(struct wf_generator *out, const long *limit)
{
    int rc = 0;
    for (long i = 0; i < *limit && rc == 0; i++) rc = wf_emit(out, &i);
    return rc;
}

static int measure(const long *items)
{
    long item, sum = 0;
    double started = wall_seconds();
    WF_GENERATOR(numbers, count, items, long);
    while (wf_next(&numbers, &item) > 0) sum += item;
    double took = wall_seconds() - started;
    if (sum != *items * (*items - 1) / 2) return -EPROTO;
    return print_result("generator_item", took * 1e9 / (double)*items);
}

int main(int argc, char **argv)
{
    long items = argument(argc, argv, 1, 20000000);
    return wf_main(measure, &items);
}
