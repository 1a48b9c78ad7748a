/* What a breaker remembers of its last calls: by number, or by time. */
#ifndef WEFT_FLOW_WINDOW_H
#define WEFT_FLOW_WINDOW_H

#include <weft/breaker.h>

void window_clear(struct wf_breaker_window_ *window);
void window_add(struct wf_breaker_window_ *window, const struct wf_breaker_options *options, int64_t now, bool failed,
                bool slow);
/* Do those that it holds suffice to open the breaker? */
bool window_trips(const struct wf_breaker_window_ *window, const struct wf_breaker_options *options);

#endif
