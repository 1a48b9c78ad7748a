/*
 * Floor of `timers`: what 100,000 deadlines cost to keep in order when nothing is done with them: pushed into a binary
 * heap and popped again. No task, no stack, no waiting.
 */
#include "../measure.h"

struct timer {
    int64_t deadline_ns;
    void *owner;
};

static struct timer *heap;
static size_t armed;

static void arm(struct timer timer)
{
    size_t hole = armed++;
    while (hole > 0 && timer.deadline_ns < heap[(hole - 1) / 2].deadline_ns) {
        heap[hole] = heap[(hole - 1) / 2];
        hole = (hole - 1) / 2;
    }
    heap[hole] = timer;
}

static struct timer take_first(void)
{
    struct timer first = heap[0];
    struct timer last = heap[--armed];
    size_t hole = 0;
    for (size_t child = 1; child < armed; child = 2 * hole + 1) {
        if (child + 1 < armed && heap[child + 1].deadline_ns < heap[child].deadline_ns) child++;
        if (last.deadline_ns <= heap[child].deadline_ns) break;
        heap[hole] = heap[child];
        hole = child;
    }
    heap[hole] = last;
    return first;
}

int main(int argc, char **argv)
{
    size_t count = (size_t)argument(argc, argv, 1, 100000);
    uint32_t random = 1;
    int64_t previous_ns = 0;
    double started = cpu_seconds();
    heap = calloc(count, sizeof *heap);
    if (heap == NULL) return 1;
    for (size_t i = 0; i < count; i++)
        arm((struct timer){.deadline_ns = random_milliseconds(&random) * INT64_C(1000000) + (int64_t)i, .owner = heap});
    while (armed > 0) {
        struct timer timer = take_first();
        if (timer.deadline_ns < previous_ns) return 1;
        previous_ns = timer.deadline_ns;
    }
    return print_result("timers", cpu_seconds() - started);
}
