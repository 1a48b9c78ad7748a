/* A hash of bytes that who does not know the key cannot make collide: SipHash-1-3. */
#ifndef WEFT_BASE_HASH_H
#define WEFT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const uint64_t key[2], const void *bytes, size_t size);

#endif
