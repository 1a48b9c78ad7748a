/*
 * How long an operation took, logged on every way out of it: success, error, cancel. From "Context Managers", "Async
 * Context Manager".
 * Rows: S123, S129.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/async_context_manager.c
 */
#define WF_LOG_MODULE "orders"
#include <stdio.h>
#include <weft/weft.h>

struct order {
    int id;
    int64_t takes;
    int result;
};

static int do_processing(const struct order *order)
{
    int rc = wf_sleep(order->takes);
    if (rc < 0) return rc;
    return order->result < 0 ? wf_fail(order->result, "order %d is for nobody", order->id) : 0;
}

/* A block: what is logged has the result of whatever returns from it. */
static int process_order(const struct order *order)
{
    WF_TIMED(timer, "process_order");
    if (order->id == 0) return wf_timed_end(&timer, wf_fail(-EINVAL, "order 0"));
    return wf_timed_end(&timer, do_processing(order));
}

static int process_orders(void *unused)
{
    (void)unused;
    struct order good = {.id = 1, .takes = WF_MILLISECONDS(120)};
    struct order bad = {.id = 2, .takes = WF_MILLISECONDS(30), .result = -EINVAL};
    struct order slow = {.id = 3, .takes = WF_SECONDS(60)};
    int rc = process_order(&good);
    if (rc < 0) return rc;
    wf_ignore(process_order(&bad));
    wf_ignore(process_order(&(struct order){.id = 0}));
    wf_ignore(wf_within(WF_SECONDS(2), process_order(&slow)));
    return wf_timed("process_order", do_processing(&good)); /* the same around an expression */
}

static void show_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context, (void)level;
    printf("%.*s", (int)size, line);
}

int main(void)
{
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(show_line, NULL);
    return wf_main(process_orders, NULL);
}
