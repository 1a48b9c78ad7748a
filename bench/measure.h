/*
 * What the C and C++ programs of the benchmark share: clocks, memory, and the one random sequence.
 *
 * Every program prints one line, its name and one number, so that whoever wants to check a figure can run the program
 * by hand. A reading of the clock costs 20 to 40 ns: programs read it around a whole run, never around one operation.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double clock_seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double wall_seconds(void)
{
    return clock_seconds(CLOCK_MONOTONIC);
}

/* User and system time of this process, all threads. */
static inline double cpu_seconds(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

/*
 * Memory that this process holds in the kernel's eyes: resident pages and the page tables that map them. Stacks are
 * sparse, so their page tables count too.
 */
static inline double memory_bytes(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL) return 0;
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmPTE:", 6) == 0) kilobytes += strtod(line + 6, NULL);
    }
    fclose(status);
    return kilobytes * 1024;
}

/* The sleeps of `timers`: the same 1..1000 in every language (xorshift32, seeded with 1 by the caller). */
static inline uint32_t random_milliseconds(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % 1000 + 1;
}

/* The index-th argument as a count, or what to use without it. */
static inline long argument(int argc, char **argv, int index, long otherwise)
{
    return argc > index ? strtol(argv[index], NULL, 10) : otherwise;
}

static inline int print_result(const char *name, double value)
{
    return printf("%s %.9g\n", name, value) < 0 || fflush(stdout) != 0;
}

#endif
