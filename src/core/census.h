/*
 * The loops of this process, for whoever looks at all of them: the watchdog, handlers of signals.
 *
 *     census_hold();
 *     for (size_t i = 0; i < CENSUS_MAX; i++) if ((loop = census_loop(i)) != NULL) ...
 *     census_release();
 *
 * A loop that is found lives until the release, because who ends one waits for those who look; so looking is short.
 * That its members are those of a moment is the looker's affair.
 *
 * Threads: any, and signal handlers.
 */
#ifndef WEFT_CORE_CENSUS_H
#define WEFT_CORE_CENSUS_H

#include <stddef.h>

struct loop;

enum { CENSUS_MAX = 512 }; /* loops past that are not seen */

void census_enter(struct loop *loop);
void census_leave(struct loop *loop);

void census_hold(void);
void census_release(void);
struct loop *census_loop(size_t index);

/* A forked child has no loop. */
void census_in_forked_child(void);

#endif
