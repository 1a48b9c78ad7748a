/* What the suites of background tasks share: names, times and the end have files of their own. */
#ifndef TESTS_FLOW_BACKGROUND_H
#define TESTS_FLOW_BACKGROUND_H

#include <weft/testing.h>
#include <weft/weft.h>

static inline struct wf_background_statistics statistics_of(const struct wf_background *background)
{
    struct wf_background_statistics statistics;
    wf_background_statistics(background, &statistics);
    return statistics;
}

/* The numbers add up, at any time. */
static inline void check_numbers(const struct wf_background *background)
{
    struct wf_background_statistics now = statistics_of(background);
    size_t listed = 0;
    wf_each_background(background, task) listed++;
    WF_INVARIANT(now.started == now.finished + now.failed + now.cancelled + now.active);
    WF_INVARIANT(wf_background_active(background) == now.active);
    WF_INVARIANT(listed == now.active);
}

static inline int count_run(int *runs)
{
    ++*runs;
    return 0;
}

static inline int fail(void *unused)
{
    (void)unused;
    return wf_fail(-EIO, "the printer is on fire");
}

#endif
