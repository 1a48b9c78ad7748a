/* What the expectations tell the runner. */
#ifndef WEFT_TESTING_RUNNER_H
#define WEFT_TESTING_RUNNER_H

#include <weft/testing.h>

void runner_mark_failed(void);

#endif
