/*
 * UDP in the simulated world: datagrams on their way between hosts, ports, groups, broadcast.
 *
 * A datagram looks for its receiver when it arrives. Where nobody is, a sender that is connected is told. A box that is
 * full loses it.
 */
#include <netinet/udp.h>
#include <string.h>
#include <weft/time.h>

#include "base/memory.h"
#include "driver/sim_message.h"

enum {
    UDP_SIZE_MAX = 65507,
    SEGMENTS_MAX = 64,
    LATENCY_DEFAULT_NS = 20000,
};

/* ---- Addresses ---- */

static in_addr_t v4_of(const struct wf_address *address)
{
    return ntohl(address->v4.sin_addr.s_addr);
}

static bool is_group(const struct wf_address *address)
{
    if (address->any.sa_family == AF_INET6) return IN6_IS_ADDR_MULTICAST(&address->v6.sin6_addr);
    return IN_MULTICAST(v4_of(address));
}

static bool is_broadcast(const struct wf_address *address)
{
    if (address->any.sa_family != AF_INET) return false;
    return v4_of(address) == INADDR_BROADCAST || v4_of(address) == 0x0affffff; /* that of 10.0.0.0/8 */
}

static bool is_any(const struct wf_address *address)
{
    if (address->any.sa_family == AF_INET6) return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
    return v4_of(address) == INADDR_ANY;
}

static struct in6_addr as_v6(const struct wf_address *address)
{
    if (address->any.sa_family == AF_INET6) return address->v6.sin6_addr;
    struct in6_addr mapped = {.s6_addr = {[10] = 0xff, [11] = 0xff}};
    memcpy(&mapped.s6_addr[12], &address->v4.sin_addr, sizeof address->v4.sin_addr);
    return mapped;
}

static int find_group(const struct sim_box *box, const struct in6_addr *group)
{
    for (unsigned i = 0; i < box->group_count; i++)
        if (memcmp(&box->groups[i], group, sizeof *group) == 0) return (int)i;
    return -1;
}

/* A port that no socket of the host has. */
static in_port_t free_port(struct sim *sim, const struct sim_end *end)
{
    for (const struct sim_end *other = sim->ends; other != NULL; other = other->later) {
        if (other->box == NULL || other == end || other->host != end->host) continue;
        if (other->port != sim->next_port) continue;
        sim->next_port++;
        return free_port(sim, end);
    }
    return sim->next_port++;
}

static bool is_taken(struct sim *sim, const struct sim_end *end, in_port_t port)
{
    for (const struct sim_end *other = sim->ends; other != NULL; other = other->later) {
        if (other->box == NULL || other == end || other->host != end->host) continue;
        if (other->port == port && other->family == end->family && !(other->flags && end->flags)) return true;
    }
    return false;
}

int sim_udp_bind(struct sim *sim, struct sim_end *end, const struct wf_address *address)
{
    bool at_home =
        is_group(address) || is_broadcast(address) || sim_host_at(sim, end->host, &address->any) == end->host;
    if (!at_home) return -EADDRNOTAVAIL;
    in_port_t port = wf_address_port(address);
    if (port != 0 && is_taken(sim, end, port)) return -EADDRINUSE;
    end->name = *address;
    end->port = port != 0 ? port : free_port(sim, end);
    wf_address_set_port(&end->name, end->port);
    return 0;
}

/* Where a datagram comes from, as its receiver sees it. */
static struct wf_address source(const struct sim_end *end, const struct wf_address *to)
{
    struct wf_address from = {.size = sizeof from.v4};
    if (to->any.sa_family == AF_INET6) {
        from = (struct wf_address){.size = sizeof from.v6};
        from.v6.sin6_family = AF_INET6;
        from.v6.sin6_addr = in6addr_loopback;
    } else {
        bool loopback = v4_of(to) >> 24 == IN_LOOPBACKNET;
        from.v4.sin_family = AF_INET;
        from.v4.sin_addr.s_addr = loopback ? htonl(INADDR_LOOPBACK) : end->host->address;
    }
    wf_address_set_port(&from, end->port);
    return from;
}

static int bind_if_needed(struct sim *sim, struct sim_end *end)
{
    struct wf_address any = {.size = end->family == AF_INET6 ? sizeof any.v6 : sizeof any.v4};
    any.any.sa_family = (sa_family_t)end->family;
    return end->port != 0 ? 0 : sim_udp_bind(sim, end, &any);
}

int sim_udp_connect(struct sim *sim, struct sim_end *end, const struct wf_address *address)
{
    if (sim_host_at(sim, end->host, &address->any) == NULL && !is_group(address)) return -ENETUNREACH;
    int rc = bind_if_needed(sim, end);
    if (rc < 0) return rc;
    end->peer = *address;
    if (is_any(&end->name)) end->name = source(end, address);
    return 0;
}

/* ---- Arriving ---- */

static void leave_way(struct sim *sim, struct sim_message *message)
{
    timer_disarm(&sim->events, &message->arrival);
    if (message->next != NULL) message->next->prev = message->prev;
    if (message->prev != NULL) message->prev->next = message->next;
    else sim->under_way = message->next;
}

void sim_udp_finish(struct sim *sim)
{
    while (sim->under_way != NULL) {
        struct sim_message *message = sim->under_way;
        leave_way(sim, message);
        memory_free(message);
    }
}

/* Is it for this socket? 0: no; the more, the better it fits. */
static int fit(const struct sim_end *end, const struct sim_message *message)
{
    if (end == NULL || end->box == NULL || end->family == AF_UNIX || end->host != message->to_host) return 0;
    if (end->port != wf_address_port(&message->to) || end->broken) return 0;
    if (end->family != message->to.any.sa_family) return 0;
    if (end->peer.size > 0 && !wf_address_equal(&end->peer, &message->from)) return 0;
    struct in6_addr group = as_v6(&message->to);
    if (is_group(&message->to) && find_group(end->box, &group) < 0) return 0;
    return end->peer.size > 0 ? 2 : 1;
}

static struct sim_message *copy_of(const struct sim_message *message)
{
    size_t size = sizeof *message + message->size;
    struct sim_message *copy = memory_alloc(size);
    if (copy != NULL) memcpy(copy, message, size);
    return copy;
}

/* The last of them gets the message itself; gives whether there was one. */
static bool deliver_to_all(struct sim *sim, struct sim_message *message)
{
    struct sim_end *last = NULL;
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later) {
        if (fit(end, message) == 0 || !box_has_room(end, message->size)) continue;
        struct sim_message *copy = last != NULL ? copy_of(message) : NULL;
        if (copy != NULL) box_put(sim, last, copy);
        last = end;
    }
    if (last != NULL) box_put(sim, last, message);
    return last != NULL;
}

/* "Port unreachable": felt by a sender that is connected there. */
static void refuse(struct sim *sim, const struct sim_message *message)
{
    in_port_t port = wf_address_port(&message->from);
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later) {
        if (end->box == NULL || end->host != message->from_host || end->port != port) continue;
        if (wf_address_equal(&end->peer, &message->to)) box_fail(sim, end, -ECONNREFUSED);
    }
}

/* Gives whether somebody has it now. */
static bool deliver_to_one(struct sim *sim, struct sim_message *message)
{
    struct sim_end *best = NULL;
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later)
        if (fit(end, message) > (best != NULL ? fit(best, message) : 0)) best = end;
    if (best == NULL) refuse(sim, message);
    if (best == NULL || !box_has_room(best, message->size)) return false;
    box_put(sim, best, message);
    return true;
}

static void arrive(struct wf_timer_ *timer)
{
    struct sim *sim = sim_of(current_loop);
    struct sim_message *message = (struct sim_message *)((char *)timer - offsetof(struct sim_message, arrival));
    leave_way(sim, message);
    bool passes = sim_reaches(message->from_host, message->to_host) && !message->to_host->crashed;
    bool to_all = is_group(&message->to) || is_broadcast(&message->to);
    bool taken = passes && (to_all ? deliver_to_all(sim, message) : deliver_to_one(sim, message));
    if (!taken) memory_free(message);
}

/* ---- Sending by UDP ---- */

static int64_t latency(struct sim *sim)
{
    const struct wf_sim_faults *faults = &sim->faults;
    return sim_between(sim, faults->latency_min, faults->latency_max > 0 ? faults->latency_max : LATENCY_DEFAULT_NS);
}

static void set_out(struct sim *sim, struct sim_end *end, struct sim_message *message)
{
    int64_t due = sim->now + latency(sim);
    if (sim_chance(sim, sim->faults.reordered)) {
        due += latency(sim);
    } else {
        if (due <= end->box->last_due) due = end->box->last_due + 1;
        end->box->last_due = due;
    }
    message->arrival.slot = 0;
    message->prev = NULL;
    message->next = sim->under_way;
    if (message->next != NULL) message->next->prev = message;
    sim->under_way = message;
    sim_later(sim, &message->arrival, due - sim->now, arrive);
}

static int send_to_host(struct sim *sim, struct sim_end *end, const struct sim_message *message,
                        struct wf_sim_host *host)
{
    int copies = sim_chance(sim, sim->faults.lost) ? 0 : 1;
    if (copies > 0 && sim_chance(sim, sim->faults.duplicated)) copies = 2;
    for (int i = 0; i < copies; i++) {
        struct sim_message *copy = copy_of(message);
        if (copy == NULL) return -ENOMEM;
        copy->from_host = end->host;
        copy->to_host = host;
        set_out(sim, end, copy);
    }
    return 0;
}

static int send_to_all(struct sim *sim, struct sim_end *end, const struct sim_message *message)
{
    bool to_group = is_group(&message->to);
    for (struct wf_sim_host *host = sim->hosts; host != NULL; host = host->next) {
        bool self = host == end->host;
        if (to_group && (self ? end->box->not_to_self : end->box->hops == 0)) continue;
        int rc = send_to_host(sim, end, message, host);
        if (rc < 0) return rc;
    }
    return 0;
}

static int send_one(struct sim *sim, struct sim_end *end, const struct sim_message *message)
{
    if (is_group(&message->to) || is_broadcast(&message->to)) return send_to_all(sim, end, message);
    return send_to_host(sim, end, message, sim_host_at(sim, end->host, &message->to.any));
}

static size_t segment_of(const struct msghdr *header)
{
    uint16_t segment = 0;
    const struct cmsghdr *part = CMSG_FIRSTHDR(header);
    if (part != NULL && part->cmsg_level == SOL_UDP && part->cmsg_type == UDP_SEGMENT)
        memcpy(&segment, CMSG_DATA(part), sizeof segment);
    return segment;
}

static int check_destination(struct sim *sim, const struct sim_end *end, const struct wf_address *to)
{
    if (to->size == 0) return -EDESTADDRREQ;
    if (to->any.sa_family != end->family) return -EAFNOSUPPORT;
    if (wf_address_port(to) == 0) return -EINVAL;
    if (is_broadcast(to)) return end->box->broadcast ? 0 : -EACCES;
    return is_group(to) || sim_host_at(sim, (struct wf_sim_host *)end->host, &to->any) != NULL ? 0 : -ENETUNREACH;
}

int64_t sim_udp_send(struct sim *sim, struct sim_end *end, const struct msghdr *header)
{
    struct wf_address to = end->peer;
    size_t size = message_size(header), segment = segment_of(header);
    if (header->msg_name != NULL && wf_address_from(header->msg_name, header->msg_namelen, &to) < 0) return -EINVAL;
    int rc = check_destination(sim, end, &to);
    if (rc == 0) rc = bind_if_needed(sim, end);
    if (rc < 0) return rc;
    if (size > UDP_SIZE_MAX || (segment > 0 && size > segment * SEGMENTS_MAX)) return -EMSGSIZE;
    if (segment == 0) segment = size;
    for (size_t at = 0; rc == 0 && (at < size || at == 0); at += segment) {
        struct sim_message *message = message_new(header, at, size - at < segment ? size - at : segment);
        if (message == NULL) return -ENOMEM;
        message->to = to;
        message->from = source(end, &to);
        rc = send_one(sim, end, message);
        memory_free(message);
        if (segment == 0) break;
    }
    return rc < 0 ? rc : (int64_t)size;
}

/* ---- Options ---- */

int sim_udp_set_option(struct sim_end *end, int level, int name, int value)
{
    if (level == SOL_SOCKET && name == SO_BROADCAST) end->box->broadcast = value != 0;
    if (level == SOL_SOCKET && (name == SO_REUSEADDR || name == SO_REUSEPORT)) end->flags = value;
    if (level == IPPROTO_IP && name == IP_MULTICAST_TTL) end->box->hops = value;
    if (level == IPPROTO_IP && name == IP_MULTICAST_LOOP) end->box->not_to_self = value == 0;
    if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_HOPS) end->box->hops = value;
    if (level == IPPROTO_IPV6 && name == IPV6_MULTICAST_LOOP) end->box->not_to_self = value == 0;
    return 0;
}

static int join_group(struct sim_box *box, const struct in6_addr *group)
{
    if (find_group(box, group) >= 0) return -EADDRINUSE;
    if (box->group_count == GROUPS_MAX) return -ENOBUFS;
    box->groups[box->group_count++] = *group;
    return 0;
}

static int leave_group(struct sim_box *box, const struct in6_addr *group)
{
    int index = find_group(box, group);
    if (index < 0) return -EADDRNOTAVAIL;
    box->groups[index] = box->groups[--box->group_count];
    return 0;
}

/* A host has one interface, and the loopback. */
static int set_group(struct sim_end *end, int level, int name, const void *bytes)
{
    struct wf_address group = {.size = 0};
    if (level == IPPROTO_IPV6) {
        group.v6.sin6_family = AF_INET6;
        group.v6.sin6_addr = ((const struct ipv6_mreq *)bytes)->ipv6mr_multiaddr;
    } else {
        group.v4.sin_family = AF_INET;
        group.v4.sin_addr = ((const struct ip_mreqn *)bytes)->imr_multiaddr;
    }
    struct in6_addr key = as_v6(&group);
    bool joins = level == IPPROTO_IPV6 ? name == IPV6_JOIN_GROUP : name == IP_ADD_MEMBERSHIP;
    bool leaves = level == IPPROTO_IPV6 ? name == IPV6_LEAVE_GROUP : name == IP_DROP_MEMBERSHIP;
    if (joins) return join_group(end->box, &key);
    return leaves ? leave_group(end->box, &key) : 0;
}

int sim_udp_set_option_bytes(struct loop *loop, int fd, int level, int name, const void *bytes, socklen_t size)
{
    (void)size;
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    return end->box != NULL ? set_group(end, level, name, bytes) : 0;
}
