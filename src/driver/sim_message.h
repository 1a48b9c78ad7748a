/* Messages of the simulated world, and the boxes that they come into. */
#ifndef WEFT_DRIVER_SIM_MESSAGE_H
#define WEFT_DRIVER_SIM_MESSAGE_H

#include "driver/sim.h"

enum { GROUPS_MAX = 20 }; /* net.ipv4.igmp_max_memberships */

struct sim_message {
    struct wf_timer_ arrival;
    struct sim_message *next, *prev; /* in its box, or among those under way */
    struct wf_sim_host *to_host;
    struct wf_sim_host *from_host;
    struct wf_address from, to;
    struct sim_rights *rights;
    size_t size;
    char bytes[];
};

struct sim_box {
    struct sim_message *first, *last;
    unsigned count;
    size_t bytes;
    struct sim_end *partner; /* the other end of a pair, or of a connection of packets */
    bool paired, ended;      /* there is one, or was; it is gone */
    bool broadcast, not_to_self;
    int hops;
    int64_t last_due; /* what it sent last arrives then */
    unsigned group_count;
    struct in6_addr groups[GROUPS_MAX]; /* IPv4 as mapped addresses */
};

/* The next message of the box; whoever waits for it is told. */
void box_put(struct sim *sim, struct sim_end *end, struct sim_message *message);
bool box_has_room(const struct sim_end *end, size_t size);
/* The next call of the end tells. */
void box_fail(struct sim *sim, struct sim_end *end, int code);

size_t message_size(const struct msghdr *header);
/* Of a part of what is sent; NULL: out of memory. */
struct sim_message *message_new(const struct msghdr *header, size_t skip, size_t size);

/* All of it, or a code. */
int64_t sim_udp_send(struct sim *sim, struct sim_end *end, const struct msghdr *header);

#endif
