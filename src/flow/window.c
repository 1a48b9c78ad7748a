/*
 * A sliding window over calls. By number it is a ring of bits; by time, ten sums of which the oldest falls out when its
 * tenth has passed. Either way the sum of the whole is kept up to date, so that judging looks at three numbers.
 */
#include "flow/window.h"

#include <string.h>

void window_clear(struct wf_breaker_window_ *window)
{
    memset(window, 0, sizeof *window);
}

static bool bit(const uint64_t *bits, uint32_t index)
{
    return bits[index / 64] >> index % 64 & 1;
}

static void set_bit(uint64_t *bits, uint32_t index, bool value)
{
    uint64_t mask = UINT64_C(1) << index % 64;
    bits[index / 64] = value ? bits[index / 64] | mask : bits[index / 64] & ~mask;
}

static void add(struct wf_breaker_step_ *step, bool failed, bool slow)
{
    step->calls++;
    step->failures += failed;
    step->slow += slow;
}

static void subtract(struct wf_breaker_step_ *sum, const struct wf_breaker_step_ *step)
{
    sum->calls -= step->calls;
    sum->failures -= step->failures;
    sum->slow -= step->slow;
}

/* The place of the oldest call, where the ring is full, is the newest one's. */
static void add_to_ring(struct wf_breaker_window_ *window, uint32_t size, bool failed, bool slow)
{
    uint32_t index = window->next;
    if (window->sum.calls == size) {
        struct wf_breaker_step_ oldest = {1, bit(window->failed, index), bit(window->slow, index)};
        subtract(&window->sum, &oldest);
    }
    set_bit(window->failed, index, failed);
    set_bit(window->slow, index, slow);
    window->next = index + 1 < size ? index + 1 : 0;
    add(&window->sum, failed, slow);
}

static void add_to_steps(struct wf_breaker_window_ *window, int64_t step, bool failed, bool slow)
{
    if (step - window->step >= WF_BREAKER_STEPS_) {
        window_clear(window);
        window->step = step;
    }
    while (window->step < step) {
        window->step++;
        struct wf_breaker_step_ *oldest = &window->steps[window->step % WF_BREAKER_STEPS_];
        subtract(&window->sum, oldest);
        *oldest = (struct wf_breaker_step_){0, 0, 0};
    }
    add(&window->steps[window->step % WF_BREAKER_STEPS_], failed, slow);
    add(&window->sum, failed, slow);
}

void window_add(struct wf_breaker_window_ *window, const struct wf_breaker_options *options, int64_t now, bool failed,
                bool slow)
{
    if (options->window > 0) add_to_ring(window, (uint32_t)options->window, failed, slow);
    else add_to_steps(window, now / (options->lasting / WF_BREAKER_STEPS_), failed, slow);
}

static uint32_t minimum_of(const struct wf_breaker_options *options)
{
    if (options->minimum > 0) return (uint32_t)options->minimum;
    return options->window > 0 && options->window < 10 ? (uint32_t)options->window : 10;
}

static bool reaches(uint32_t count, uint32_t calls, int percent, int otherwise)
{
    uint64_t share = (uint64_t)(percent > 0 ? percent : otherwise);
    return count > 0 && count * UINT64_C(100) >= calls * share;
}

bool window_trips(const struct wf_breaker_window_ *window, const struct wf_breaker_options *options)
{
    const struct wf_breaker_step_ *sum = &window->sum;
    if (sum->calls < minimum_of(options)) return false;
    return reaches(sum->failures, sum->calls, options->percent, 50) ||
           reaches(sum->slow, sum->calls, options->slow_percent, 100);
}
