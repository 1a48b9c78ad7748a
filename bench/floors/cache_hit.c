/*
 * Floor of `cache_hit`: the same keys in a chained hash table by SipHash-1-3, with a list in the order of use; nothing
 * is counted, held, timed or shared. cache_hit HITS
 */
#include "../measure.h"

enum { KEYS = 1000, BUCKETS = 1024 };

struct entry {
    struct entry *next, *newer, *older;
    uint64_t hash;
    size_t size;
    long value;
    char key[16];
};

static char keys[KEYS][16];
static struct entry entries[KEYS], *buckets[BUCKETS], *newest, *oldest;
static const uint64_t secret[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    mix(v);
    v[0] ^= word;
}

static uint64_t hash_bytes(const void *bytes, size_t size)
{
    uint64_t v[4] = {
        secret[0] ^ UINT64_C(0x736f6d6570736575),
        secret[1] ^ UINT64_C(0x646f72616e646f6d),
        secret[0] ^ UINT64_C(0x6c7967656e657261),
        secret[1] ^ UINT64_C(0x7465646279746573),
    };
    const unsigned char *at = bytes;
    uint64_t word;
    size_t left = size;
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        absorb(v, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++) word |= (uint64_t)at[i] << 8 * i;
    absorb(v, word);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) mix(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void enter(struct entry *entry)
{
    entry->newer = NULL;
    entry->older = newest;
    if (newest != NULL) newest->newer = entry;
    else oldest = entry;
    newest = entry;
}

static void use(struct entry *entry)
{
    if (entry == newest) return;
    entry->newer->older = entry->older;
    if (entry->older != NULL) entry->older->newer = entry->newer;
    else oldest = entry->newer;
    enter(entry);
}

static struct entry *find(const char *key)
{
    size_t size = strlen(key);
    uint64_t hash = hash_bytes(key, size);
    struct entry *entry = buckets[hash % BUCKETS];
    while (entry != NULL && (entry->hash != hash || entry->size != size || memcmp(entry->key, key, size) != 0))
        entry = entry->next;
    return entry;
}

static void add(int number)
{
    struct entry *entry = &entries[number];
    snprintf(keys[number], sizeof keys[number], "user:%d", number);
    memcpy(entry->key, keys[number], sizeof entry->key);
    entry->size = strlen(entry->key);
    entry->hash = hash_bytes(entry->key, entry->size);
    entry->value = number;
    struct entry **bucket = &buckets[entry->hash % BUCKETS];
    entry->next = *bucket;
    *bucket = entry;
    enter(entry);
}

int main(int argc, char **argv)
{
    long hits = argument(argc, argv, 1, 10000000), sum = 0;
    uint32_t state = 1;
    for (int i = 0; i < KEYS; i++) add(i);
    double started = wall_seconds();
    for (long i = 0; i < hits; i++) {
        state = state * 1664525 + 1013904223;
        struct entry *entry = find(keys[(state >> 8) % KEYS]);
        if (entry == NULL) return 1;
        use(entry);
        sum += entry->value;
    }
    double seconds = wall_seconds() - started;
    if (sum == 0) return 1;
    return print_result("cache_hit", seconds * 1e9 / (double)hits);
}
