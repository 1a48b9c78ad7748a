#include "http/crowd.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/time.h>

struct peer {
    struct peer *next; /* in its bucket */
    uint64_t name;
    int family;
    uint32_t connections;
};

void crowd_init(struct crowd *crowd)
{
    pthread_mutex_init(&crowd->lock, NULL);
    crowd->seed = (uint64_t)wf_wall_now() ^ (uintptr_t)crowd;
    memset(crowd->buckets, 0, sizeof crowd->buckets);
}

/* All have left. */
void crowd_finish(struct crowd *crowd)
{
    pthread_mutex_destroy(&crowd->lock);
}

static bool name_of(const struct wf_address *address, struct peer *named)
{
    const struct in6_addr *six = &address->v6.sin6_addr;
    uint32_t four = 0;
    named->family = address->size > 0 ? address->any.sa_family : AF_UNSPEC;
    if (named->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six)) memcpy(&four, six->s6_addr + 12, sizeof four);
    else if (named->family == AF_INET) four = address->v4.sin_addr.s_addr;
    else if (named->family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(six)) {
        memcpy(&named->name, six->s6_addr, sizeof named->name);
        return true;
    } else return false;
    named->family = AF_INET;
    named->name = four;
    return (ntohl(four) >> 24) != 127;
}

/* The finisher of splitmix64. */
static struct peer **bucket_of(struct crowd *crowd, const struct peer *named)
{
    uint64_t mixed = named->name ^ crowd->seed;
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return &crowd->buckets[(mixed ^ (mixed >> 31)) % CROWD_BUCKETS];
}

static struct peer *find(struct crowd *crowd, const struct peer *named)
{
    struct peer **bucket = bucket_of(crowd, named), *peer = *bucket;
    while (peer != NULL && (peer->name != named->name || peer->family != named->family)) peer = peer->next;
    if (peer != NULL) return peer;
    peer = wf_memory_alloc(sizeof *peer);
    if (peer == NULL) return NULL;
    *peer = *named;
    peer->next = *bucket;
    return *bucket = peer;
}

static int count(struct crowd *crowd, const struct peer *named, uint32_t max, struct peer **found)
{
    struct peer *peer = find(crowd, named);
    if (peer == NULL) return -ENOMEM;
    if (peer->connections >= max) return -EUSERS;
    peer->connections++;
    *found = peer;
    return 0;
}

int crowd_enter(struct crowd *crowd, const struct wf_address *address, uint32_t max, struct peer **peer)
{
    struct peer named = {.connections = 0};
    *peer = NULL;
    if (!name_of(address, &named)) return 0;
    pthread_mutex_lock(&crowd->lock);
    int rc = count(crowd, &named, max, peer);
    pthread_mutex_unlock(&crowd->lock);
    return rc;
}

static void strike_off(struct crowd *crowd, struct peer *peer)
{
    struct peer **link = bucket_of(crowd, peer);
    while (*link != peer) link = &(*link)->next;
    *link = peer->next;
    wf_memory_free(peer);
}

void crowd_leave(struct crowd *crowd, struct peer *peer)
{
    if (peer == NULL) return;
    pthread_mutex_lock(&crowd->lock);
    if (--peer->connections == 0) strike_off(crowd, peer);
    pthread_mutex_unlock(&crowd->lock);
}
