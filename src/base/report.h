/* How the library speaks to people, and how it ends a process whose programmer broke a rule. */
#ifndef WEFT_BASE_REPORT_H
#define WEFT_BASE_REPORT_H

#include <weft/base.h>

/* A misuse: reports the paragraph, which says what was done, why it cannot work and what to write instead; aborts. */
_Noreturn void misuse(const char *format, ...) WF_PRINTF_(1, 2);

/* A text of any length, to the hook. */
void report_whole(const char *text);

/* Called before the library ends the process, and in its signal handler at a fault: what waits to be written out is
 * given a moment. NULL: nothing waits. */
extern void (*before_death)(void);

#endif
