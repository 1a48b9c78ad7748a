// Channels, selects, tokens and the rest of what tasks wait on, declared everywhere that they may be.
#include <weft/weft.h>

struct order {
    struct {
        int urgency;
    } details;
    const char *name;
};

static bool goes_first(const struct order *one, const struct order *other)
{
    return one->details.urgency > other->details.urgency;
}

static WF_CHANNEL(texts, const char *, 4);
static WF_CHANNEL(words, char[16], 0);
static WF_PRIORITY_CHANNEL(urgent, struct order, 4, goes_first);

static int set_up(struct order *order)
{
    return order->details.urgency;
}

int wait(int fd);
int wait(int fd)
{
    WF_CHANNEL(orders, struct order, 0);
    WF_PRIORITY_CHANNEL(sorted, struct order, 2, goes_first);
    static struct wf_event stop = WF_EVENT;
    struct wf_once once = WF_ONCE;
    struct wf_future future = WF_FUTURE;
    struct wf_barrier barrier = WF_BARRIER(2);
    struct wf_condition condition = WF_CONDITION;
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_limiter limiter = WF_LIMITER(3);
    struct wf_token token = WF_TOKEN;
    struct wf_handle handle = {.result_ = 0};
    WF_PERMIT(permit);
    WF_PERMIT(of_no_use);
    struct order order = {.details = {.urgency = 1}, .name = "one"};
    const struct order fixed = order;
    const char *text = "text";
    char word[16] = "word";
    int rc = wf_send(&texts, &text) + wf_send(&words, &word) + wf_send(&sorted, &fixed) + wf_try_send(&urgent, &order);
    struct wf_case cases[] = {
        WF_CASE_RECEIVE(&orders, &order), WF_CASE_SEND(&sorted, &fixed), WF_CASE_EVENT(&stop),
        WF_CASE_HANDLE(&handle),          WF_CASE_FUTURE(&future),       WF_CASE_UNTIL(wf_deadline()),
        WF_CASE_READY(fd, WF_READABLE),
    };
    cases[0] = (struct wf_case)WF_CASE_RECEIVE(&urgent, &order);
    rc += wf_select(cases, WF_COUNT(cases));
    rc += wf_once(&once, set_up, &order);
    rc += wf_condition_wait(&condition, &mutex) + wf_barrier_wait(&barrier);
    rc += wf_limiter_acquire(&limiter, &permit) + wf_limiter_try_acquire(&limiter, &permit);
    rc += wf_linked(&token, wf_within(WF_SECONDS(1), wf_linked(&token, wf_receive(&sorted, &order))));
    wf_each_permit(&limiter, held) rc += held->place[0];
    WF_SCOPE(scope, .token = &token);
    return wf_scope_end(&scope, rc);
}
