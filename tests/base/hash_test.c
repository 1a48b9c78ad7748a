/* The keyed hash, by its published vectors. */
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/hash.h" /* private: nothing outside shows a hash */

/* Of the bytes 0, 1, 2, ... under the key 0, 1, ..., 15: reference values of SipHash-1-3. */
static const struct hash_case {
    size_t size;
    uint64_t hash;
} hash_cases[] = {
    {0, UINT64_C(0xabac0158050fc4dc)}, {1, UINT64_C(0xc9f49bf37d57ca93)},  {7, UINT64_C(0xd3927d989bb11140)},
    {8, UINT64_C(0x369095118d299a8e)}, {15, UINT64_C(0xd320d86d2a519956)},
};

WF_TEST_EACH(the_hash_is_siphash_1_3, hash_cases, .plain = true)
{
    unsigned char bytes[16];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    WF_EXPECT_INT((int64_t)hash_bytes(key, bytes, row->size), (int64_t)row->hash);
}

WF_TEST_MAIN
