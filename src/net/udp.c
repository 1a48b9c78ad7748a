/* UDP: opening, connecting, groups. Datagrams themselves are sent and received in socket.c. */
#include <weft/udp.h>

#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/names.h"
#include "net/socket.h"

/* ---- Names ---- */

/* The best of its addresses. */
static int find(const char *host, uint16_t port, struct wf_address *address)
{
    if (address_numeric(host, port, address)) return 0;
    struct wf_arena arena;
    const struct wf_address *found;
    wf_arena_init(&arena);
    int rc = wf_resolve(host, port, &arena, &found);
    if (rc > 0) *address = found[0];
    wf_arena_finish(&arena);
    return rc < 0 ? rc : 0;
}

/* ---- Opening ---- */

static int set_options(struct loop *loop, int fd, sa_family_t family, const struct wf_udp_options *options)
{
    const struct {
        bool wanted;
        int level, name, value;
    } all[] = {
        {options->reuse_address, SOL_SOCKET, SO_REUSEADDR, 1},
        {options->reuse_port, SOL_SOCKET, SO_REUSEPORT, 1},
        {options->broadcast, SOL_SOCKET, SO_BROADCAST, 1},
        {family == AF_INET6, IPPROTO_IPV6, IPV6_V6ONLY, options->only_v6},
        {options->coalesce, SOL_UDP, UDP_GRO, 1},
        {options->receive_buffer_bytes > 0, SOL_SOCKET, SO_RCVBUF, options->receive_buffer_bytes},
        {options->send_buffer_bytes > 0, SOL_SOCKET, SO_SNDBUF, options->send_buffer_bytes},
    };
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(all) && rc == 0; i++)
        if (all[i].wanted) rc = loop->driver->set_option(loop, fd, all[i].level, all[i].name, all[i].value);
    return rc;
}

static int open_at(struct loop *loop, const struct wf_address *address, bool connects,
                   const struct wf_udp_options *options)
{
    const struct driver *driver = loop->driver;
    sa_family_t family = address->any.sa_family;
    int fd = driver->socket(loop, family, SOCK_DGRAM, 0);
    if (fd < 0) return fd;
    int rc = set_options(loop, fd, family, options);
    if (rc == 0) rc = (connects ? driver->connect_now : driver->bind)(loop, fd, &address->any, address->size);
    if (rc < 0) {
        driver->close_fd(loop, fd);
        return rc;
    }
    rc = socket_new(fd, family, false, options->out_);
    if (rc == 0) (*options->out_)->coalesce = options->coalesce;
    return rc;
}

static bool are_valid(const struct wf_udp_options *options)
{
    return options->size == sizeof *options && options->out_ != NULL && options->receive_buffer_bytes >= 0 &&
           options->send_buffer_bytes >= 0;
}

int wf_udp_open_(const char *host, uint16_t port, const struct wf_udp_options *options)
{
    struct loop *loop = LOOP_HERE();
    struct wf_address address;
    if (!are_valid(options)) return -EINVAL;
    int rc = wait_check(false);
    if (rc == 0) rc = find(host != NULL ? host : "0.0.0.0", port, &address);
    if (rc != 0) return rc;
    rc = open_at(loop, &address, false, options);
    if (rc == 0) return 0;
    return wf_fail(rc, "cannot open UDP on %s port %u: %s", host != NULL ? host : "*", (unsigned)port, wf_strerror(rc));
}

int wf_udp_connect_(const char *host, uint16_t port, const struct wf_udp_options *options)
{
    struct loop *loop = LOOP_HERE();
    struct wf_address address;
    if (!are_valid(options) || host == NULL) return -EINVAL;
    int rc = wait_check(false);
    if (rc == 0) rc = find(host, port, &address);
    if (rc != 0) return rc;
    rc = open_at(loop, &address, true, options);
    if (rc == 0) return 0;
    return wf_fail(rc, "cannot connect UDP to %s port %u: %s", host, (unsigned)port, wf_strerror(rc));
}

/* ---- Groups ---- */

static bool is_group(const struct wf_socket *socket, const struct wf_address *group)
{
    if (group->size == 0 || group->any.sa_family != socket->family) return false;
    if (socket->family == AF_INET6) return IN6_IS_ADDR_MULTICAST(&group->v6.sin6_addr);
    return socket->family == AF_INET && IN_MULTICAST(ntohl(group->v4.sin_addr.s_addr));
}

static int change_group(const struct wf_socket *socket, const struct wf_address *group, unsigned interface, bool joins)
{
    struct loop *loop = LOOP_HERE();
    int fd = socket->desc.fd;
    char text[WF_ADDRESS_TEXT];
    if (interface > INT32_MAX || !is_group(socket, group))
        return wf_fail(-EINVAL, "%s: no group of this socket", wf_address_text(group, text));
    if (socket->family == AF_INET) {
        struct ip_mreqn request = {.imr_multiaddr = group->v4.sin_addr, .imr_ifindex = (int)interface};
        return loop->driver->set_option_bytes(loop, fd, IPPROTO_IP, joins ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP,
                                              &request, sizeof request);
    }
    struct ipv6_mreq request = {.ipv6mr_multiaddr = group->v6.sin6_addr, .ipv6mr_interface = interface};
    return loop->driver->set_option_bytes(loop, fd, IPPROTO_IPV6, joins ? IPV6_JOIN_GROUP : IPV6_LEAVE_GROUP, &request,
                                          sizeof request);
}

int wf_udp_join(struct wf_socket *socket, const struct wf_address *group, unsigned interface_index)
{
    return change_group(socket, group, interface_index, true);
}

int wf_udp_leave(struct wf_socket *socket, const struct wf_address *group, unsigned interface_index)
{
    return change_group(socket, group, interface_index, false);
}

static int set_multicast_v4(struct loop *loop, int fd, const struct wf_udp_multicast *multicast)
{
    const struct driver *driver = loop->driver;
    struct ip_mreqn out = {.imr_ifindex = (int)multicast->interface_index};
    int rc = driver->set_option_bytes(loop, fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out);
    if (rc == 0) rc = driver->set_option(loop, fd, IPPROTO_IP, IP_MULTICAST_TTL, multicast->hops);
    return rc == 0 ? driver->set_option(loop, fd, IPPROTO_IP, IP_MULTICAST_LOOP, !multicast->not_to_self) : rc;
}

static int set_multicast_v6(struct loop *loop, int fd, const struct wf_udp_multicast *multicast)
{
    const struct driver *driver = loop->driver;
    int rc = driver->set_option(loop, fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)multicast->interface_index);
    if (rc == 0) rc = driver->set_option(loop, fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, multicast->hops);
    return rc == 0 ? driver->set_option(loop, fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, !multicast->not_to_self) : rc;
}

int wf_udp_set_multicast(struct wf_socket *socket, const struct wf_udp_multicast *multicast)
{
    struct loop *loop = LOOP_HERE();
    bool valid = multicast->hops >= 0 && multicast->hops <= 255 && multicast->interface_index <= INT32_MAX;
    if (!valid || socket->family == AF_UNIX) return -EINVAL;
    return socket->family == AF_INET ? set_multicast_v4(loop, socket->desc.fd, multicast)
                                     : set_multicast_v6(loop, socket->desc.fd, multicast);
}
