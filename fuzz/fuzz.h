/*
 * What the targets share: an input that is taken apart byte by byte, and claims about what must hold.
 *
 * A target is a file that defines LLVMFuzzerTestOneInput. It is linked with libFuzzer, with AFL++, or with replay.c,
 * which runs kept inputs as tests.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the process where something does not hold: every engine takes that as a finding. */
#define CLAIM(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) claim_failed(#condition, __FILE__, __LINE__);                                                \
    } while (0)

static inline void claim_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline bool input_over(const struct input *input)
{
    return input->left == 0;
}

/* A number below `bound` (256 at most); 0 once the input is over. */
static inline unsigned take(struct input *input, unsigned bound)
{
    if (input->left == 0) return 0;
    input->left--;
    return *input->bytes++ % bound;
}

/* Numbers of any size, small ones more often: a byte says how many bits, as many bytes as needed follow. */
static inline uint64_t take_wide(struct input *input)
{
    unsigned bits = take(input, 65);
    uint64_t value = 0;
    for (unsigned i = 0; i < bits; i += 8) value = value << 8 | take(input, 256);
    return bits < 64 ? value & ((UINT64_C(1) << bits) - 1) : value;
}

#endif
