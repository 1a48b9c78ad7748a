/*
 * A circuit breaker: after three failures the peer is left alone; later one probe decides.
 *
 *     weft run examples/circuit_breaker.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct shop {
    bool up;
    int calls;
};

static int order(struct shop *shop)
{
    shop->calls++;
    return shop->up ? 0 : -ECONNREFUSED;
}

static void show_transition(void *context, const struct wf_breaker *breaker, enum wf_breaker_state before,
                            enum wf_breaker_state now)
{
    static const char *const names[] = {"closed", "open", "half open"};
    (void)context;
    (void)breaker;
    printf("  %s -> %s\n", names[before], names[now]);
}

static struct wf_breaker breaker =
    WF_BREAKER(.name = "shop", .failures = 3, .open_for = WF_MILLISECONDS(100), .on_transition = show_transition);

static int order_six_times(struct shop *shop)
{
    for (int i = 1; i <= 6; i++) printf("order %d: %s\n", i, wf_strerror(wf_guarded(&breaker, order(shop))));
    printf("the shop was asked %d times\n", shop->calls);

    shop->up = true;
    int rc = wf_sleep(wf_breaker_retry_after(&breaker));
    if (rc < 0) return rc;
    printf("order 7: %s\n", wf_strerror(wf_guarded(&breaker, order(shop))));

    char text[200];
    wf_breaker_text(&breaker, text, sizeof text);
    printf("%s\n", text);
    return 0;
}

int main(void)
{
    struct shop shop = {.up = false};
    wf_log_set_level("breaker", WF_OFF); /* each transition is a line of the log, too */
    return wf_main(order_six_times, &shop);
}
