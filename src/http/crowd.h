/*
 * How many connections each peer has, over all loops of a site. A peer is an IPv4 address, or the first 64 bits of an
 * IPv6 address, which is what one customer has. The lock is held for a few instructions, when a connection opens and
 * when it closes.
 */
#ifndef WEFT_HTTP_CROWD_H
#define WEFT_HTTP_CROWD_H

#include <pthread.h>
#include <weft/address.h>

struct peer;

enum { CROWD_BUCKETS = 1024 };

struct crowd {
    pthread_mutex_t lock;
    uint64_t seed; /* so that nobody can choose addresses that meet in one bucket */
    struct peer *buckets[CROWD_BUCKETS];
};

void crowd_init(struct crowd *crowd);
void crowd_finish(struct crowd *crowd);

/*
 * One more of that peer, whose entry is then *peer; NULL: it is not counted, being no IP address, or of this machine.
 * -EUSERS: it has `max` already; -ENOMEM.
 */
int crowd_enter(struct crowd *crowd, const struct wf_address *address, uint32_t max, struct peer **peer);

/* NULL is ignored. */
void crowd_leave(struct crowd *crowd, struct peer *peer);

#endif
