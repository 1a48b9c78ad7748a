/*
 * Load shedding by CoDel (RFC 8289, section 5), with waiters for packets. While waits stay above the target for a whole
 * interval, one is shed, and the next ones after interval / sqrt(count): ever faster until a wait is short again. The
 * last that waits is never shed.
 */
#include <weft/time.h>

#include "flow/bulkhead.h"

static int64_t interval_of(const struct wf_bulkhead_options *options)
{
    return options->shed_interval > 0 ? options->shed_interval : WF_MILLISECONDS(100);
}

/* By Newton's method; 0 and 1 are their own roots. */
static uint64_t square_root(uint64_t value)
{
    uint64_t root = value, better = (value + 1) / 2;
    while (better < root) {
        root = better;
        better = (root + value / root) / 2;
    }
    return root;
}

/* The control law; the root with three decimals. */
static int64_t next_time(int64_t from, int64_t interval, uint32_t count)
{
    return from + interval / (int64_t)square_root((uint64_t)count * 1000000) * 1000;
}

static bool stays_above(struct wf_shed_ *shed, const struct wf_bulkhead_options *options, int64_t waited, bool last,
                        int64_t now)
{
    if (waited < options->shed_after || last) {
        shed->above_since_ = 0;
        return false;
    }
    if (shed->above_since_ == 0) shed->above_since_ = now;
    return now - shed->above_since_ >= interval_of(options);
}

static void begin_shedding(struct wf_shed_ *shed, int64_t interval, int64_t now)
{
    uint32_t before = shed->count_ - shed->last_count_;
    bool soon_again = before > 1 && now - shed->next_ < 16 * interval;
    shed->shedding_ = true;
    shed->count_ = soon_again ? before : 1;
    shed->last_count_ = shed->count_;
    shed->next_ = next_time(now, interval, shed->count_);
}

bool shed_is_due(struct wf_shed_ *shed, const struct wf_bulkhead_options *options, int64_t waited, bool last,
                 int64_t now)
{
    int64_t interval = interval_of(options);
    if (!stays_above(shed, options, waited, last, now)) {
        shed->shedding_ = false;
        return false;
    }
    if (!shed->shedding_) {
        begin_shedding(shed, interval, now);
        return true;
    }
    if (now < shed->next_) return false;
    shed->count_++;
    shed->next_ = next_time(shed->next_, interval, shed->count_);
    return true;
}
