/* What the demonstration shows, step by step: each prints what it does, what came, and how long that took. */
#ifndef CUSTODY_STEPS_H
#define CUSTODY_STEPS_H

#include "sandbox_process.h"

enum { FAR_MS = 30 }; /* how long an answer is held back */

struct demo {
    const struct sandbox_process *sandbox;
    struct custody_client *client;
};

WF_SUSPENDS int show_three_vehicles(struct demo *demo);
WF_SUSPENDS int show_errors_in_place(struct demo *demo);
WF_SUSPENDS int show_a_hundred(struct demo *demo);
WF_SUSPENDS int show_a_group(struct demo *demo);
WF_SUSPENDS int show_pages(struct demo *demo);
WF_SUSPENDS int show_a_fallback(struct demo *demo);
WF_SUSPENDS int show_polling(struct demo *demo);

/* SIGTERM, while requests are under way. */
WF_SUSPENDS int show_the_end(struct sandbox_process *sandbox);

#endif
