/*
 * So many requests of a subject in so long: a window that begins with its first request, and the next one with the
 * first after that. Coarser than a rate that is spread evenly, but its numbers are what the headers say: what remains,
 * and when all of it is there again.
 */
#include <string.h>
#include <weft/extend.h>

#include "server.h"

/* Subjects at once; a new one takes the place of the window that began first, of those that it may lie in. */
enum { PLACES = 4096, PROBES = 8 };

struct window {
    uint64_t hash; /* 0: nobody's */
    int64_t began, used;
};

struct quota {
    int64_t count, per;
    struct window windows[PLACES];
};

int quota_create(int64_t count, int64_t per, struct quota **quota)
{
    *quota = NULL;
    if (count == 0) return 0;
    *quota = wf_memory_alloc(sizeof **quota);
    if (*quota == NULL) return -ENOMEM;
    memset(*quota, 0, sizeof **quota);
    (*quota)->count = count;
    (*quota)->per = per;
    return 0;
}

void quota_destroy(struct quota *quota)
{
    wf_memory_free(quota);
}

/* FNV-1a: subjects come in tokens that were signed here, so nobody chooses them to collide. */
static uint64_t hash_of(const char *subject)
{
    uint64_t hash = 14695981039346656037U;
    for (; *subject != '\0'; subject++) hash = (hash ^ (unsigned char)*subject) * 1099511628211U;
    return hash | 1;
}

static struct window *window_of(struct quota *quota, uint64_t hash)
{
    struct window *oldest = NULL;
    for (unsigned i = 0; i < PROBES; i++) {
        struct window *window = &quota->windows[(hash / 2 + i) % PLACES];
        if (window->hash == hash) return window;
        if (oldest == NULL || window->hash == 0 || (oldest->hash != 0 && window->began < oldest->began))
            oldest = window;
    }
    *oldest = (struct window){.hash = hash, .began = INT64_MIN / 2};
    return oldest;
}

int quota_take(struct quota *quota, const char *subject, struct quota_state *state)
{
    struct window *window = window_of(quota, hash_of(subject));
    int64_t now = wf_now();
    if (now - window->began >= quota->per) {
        window->began = now;
        window->used = 0;
    }
    bool taken = window->used < quota->count;
    window->used += taken;
    int64_t left = window->began + quota->per - now;
    *state = (struct quota_state){.limit = quota->count,
                                  .remaining = quota->count - window->used,
                                  .reset = (left + WF_SECONDS(1) - 1) / WF_SECONDS(1)};
    return taken ? 0 : -EAGAIN;
}
