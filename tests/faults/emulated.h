/* Whether the program runs under valgrind, which stands between it and the kernel. */
#ifndef TESTS_FAULTS_EMULATED_H
#define TESTS_FAULTS_EMULATED_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline bool emulated(void)
{
    const char *loaded = getenv("LD_PRELOAD");
    return loaded != NULL && strstr(loaded, "valgrind") != NULL;
}

#endif
