/* What a bulkhead is made of, beyond its public face. */
#ifndef WEFT_FLOW_BULKHEAD_H
#define WEFT_FLOW_BULKHEAD_H

#include <weft/bulkhead.h>

/* A call that was inside since `entered` has ended, of its own accord, with that code: the limit may move. Before it
 * leaves. */
void bulkhead_learn(struct wf_bulkhead *bulkhead, int64_t entered, int64_t now, int code);

/* The first waiter is about to go in, having waited for so long; `last`: nobody waits behind it. True: it is shed. */
bool shed_is_due(struct wf_shed_ *shed, const struct wf_bulkhead_options *options, int64_t waited, bool last,
                 int64_t now);

#endif
