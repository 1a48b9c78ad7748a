/* What the suites of one program share. */
#ifndef TESTS_TESTING_FAILING_SHARED_H
#define TESTS_TESTING_FAILING_SHARED_H

#include <weft/testing.h>

extern struct wf_fixture world; /* gives how often it was set up: an int * */

#endif
