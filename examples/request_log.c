/*
 * A structured log: what a request is about is bound once, and every line below carries it, from tasks and from
 * threads. Operations are timed; a secret is not written; a level that is off costs nothing.
 *
 *     weft run examples/request_log.c
 *     WEFT_LOG=debug WEFT_LOG_FORMAT=json weft run examples/request_log.c
 */
#define WF_LOG_MODULE "shop"
#include <stdio.h>
#include <unistd.h>
#include <weft/weft.h>

struct order {
    const char *customer;
    int64_t number;
    const char *traceparent; /* as the header of the request said */
};

static int charge(struct order *order)
{
    wf_log(WF_DEBUG, "asking the bank", WF_SECRET("card", "4111 1111 1111 1111"));
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc < 0) return rc;
    return order->number % 2 == 0 ? 0 : -ECONNREFUSED;
}

/* On a thread: nothing was passed along, and the line knows the request all the same. */
static int print_label(struct order *order)
{
    wf_log(WF_INFO, "label printed", WF_BOOL("express", order->number > 17));
    return 0;
}

static int accept_order(struct order *order)
{
    WF_REQUEST_CONTEXT(request, .name = "POST /orders", .traceparent = order->traceparent);
    WF_CONTEXT(bound, WF_TEXT("customer", order->customer), WF_INT("order", order->number));
    WF_TIMED(timer, "order");
    int rc = wf_timed("charge", charge(order));
    if (rc == 0) rc = wf_offload(print_label, order);
    return wf_timed_end(&timer, rc);
}

static int serve(void *unused)
{
    (void)unused;
    struct order good = {"ada", 18, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
    struct order bad = {"grace", 17, NULL};
    wf_ignore(accept_order(&good));
    wf_ignore(accept_order(&bad));
    wf_log(WF_INFO, "no request here");
    return 0;
}

int main(void)
{
    if (wf_log_set_output(STDOUT_FILENO) < 0) return 1; /* standard error by default */
    return wf_main(serve, NULL);
}
