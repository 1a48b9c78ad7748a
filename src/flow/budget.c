/*
 * A budget of retries: tokens that calls and time put in, and retries take out. Amounts are whole numbers, a thousand
 * million to a token, so that each nanosecond adds exactly `per_second` of them.
 */
#include "flow/call.h"

static const int64_t token = 1000000000;

static int or_default(int value, int otherwise)
{
    if (value < 0) return 0;
    return value > 0 ? value : otherwise;
}

static int64_t tokens_max(const struct wf_retry_budget *budget)
{
    return or_default(budget->burst, 10) * token;
}

static void put(struct wf_retry_budget *budget, int64_t amount)
{
    int64_t most = tokens_max(budget), room = most - budget->tokens_;
    budget->tokens_ = amount < room ? budget->tokens_ + amount : most;
}

int budget_check(struct loop *loop, struct wf_retry_budget *budget)
{
    if (budget->ready_) return 0;
    if (budget->percent < -1 || budget->percent > 1000 || budget->per_second < -1 || budget->burst < 0)
        return wf_fail(-EINVAL, "retry budget: .percent %d, .per_second %d, .burst %d: out of range", budget->percent,
                       budget->per_second, budget->burst);
    budget->tokens_ = tokens_max(budget);
    budget->at_ = loop_now(loop);
    budget->ready_ = true;
    return 0;
}

void budget_add_call(struct wf_retry_budget *budget)
{
    budget->statistics_.calls++;
    put(budget, or_default(budget->percent, 10) * (token / 100));
}

bool budget_take(struct wf_retry_budget *budget, int64_t now)
{
    int64_t earned;
    if (__builtin_mul_overflow(now - budget->at_, or_default(budget->per_second, 1), &earned)) earned = INT64_MAX;
    if (earned > 0) put(budget, earned);
    budget->at_ = now;
    bool granted = budget->tokens_ >= token;
    if (granted) budget->tokens_ -= token;
    if (granted) budget->statistics_.retries++;
    else budget->statistics_.refused++;
    return granted;
}

void wf_retry_budget_statistics(const struct wf_retry_budget *budget, struct wf_retry_statistics *statistics)
{
    *statistics = budget->statistics_;
}
