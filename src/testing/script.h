/* A script that is being followed. */
#ifndef WEFT_TESTING_SCRIPT_H
#define WEFT_TESTING_SCRIPT_H

#include <weft/peer.h>

struct play {
    struct wf_stream *stream; /* NULL once it was reset */
    const struct wf_step *steps;
    size_t count, current;
};

/* 0, or -EINVAL with a message about the first step that cannot be followed. */
int script_check(const struct wf_step *steps, size_t count);

/* Is its last step a stall? Following it ends before that. */
bool script_stalls(const struct play *play);

/*
 * Suspends until the last step is done. The stream stays open, unless a step or a departure has reset it. Returns 0,
 * -EPROTO with a message about the departure, -ECANCELED, or why nothing could be sent.
 */
int script_follow(struct play *play);

#endif
