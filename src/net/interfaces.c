/*
 * The interfaces of this machine, from getifaddrs(3): an entry for each interface, and one for each of its addresses.
 * An address may stand under a label, "eth0:1", so that entries belong together by index, not by name.
 */
#include <weft/interfaces.h>

#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/loop.h"

static int family_of(const struct ifaddrs *entry)
{
    return entry->ifa_addr != NULL ? entry->ifa_addr->sa_family : AF_UNSPEC;
}

static const struct sockaddr_ll *link_of(const struct ifaddrs *entry)
{
    return (const struct sockaddr_ll *)(const void *)entry->ifa_addr;
}

static unsigned index_of(const struct ifaddrs *entry)
{
    return family_of(entry) == AF_PACKET ? (unsigned)link_of(entry)->sll_ifindex : if_nametoindex(entry->ifa_name);
}

/* ---- Addresses ---- */

static bool copy_address(const struct sockaddr *any, struct wf_address *address)
{
    if (any == NULL || (any->sa_family != AF_INET && any->sa_family != AF_INET6)) return false;
    socklen_t size = any->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    return wf_address_from(any, size, address) == 0;
}

/* The bits of a mask that are set. */
static int prefix_of(const struct sockaddr *mask)
{
    struct wf_address address;
    if (!copy_address(mask, &address)) return 0;
    const void *bytes = address.any.sa_family == AF_INET ? (const void *)&address.v4.sin_addr : &address.v6.sin6_addr;
    size_t size = address.any.sa_family == AF_INET ? sizeof address.v4.sin_addr : sizeof address.v6.sin6_addr;
    int bits = 0;
    for (size_t i = 0; i < size; i++) bits += __builtin_popcount(((const unsigned char *)bytes)[i]);
    return bits;
}

static bool is_address_of(const struct ifaddrs *entry, unsigned index)
{
    return (family_of(entry) == AF_INET || family_of(entry) == AF_INET6) && index_of(entry) == index;
}

static int fill_addresses(struct wf_arena *arena, const struct ifaddrs *list, struct wf_interface *interface)
{
    int count = 0;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next)
        count += is_address_of(entry, interface->index);
    interface->addresses = wf_arena_array(arena, (size_t)count, sizeof *interface->addresses);
    if (interface->addresses == NULL) return -ENOMEM;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        if (!is_address_of(entry, interface->index) || interface->address_count == count) continue;
        struct wf_interface_address *address = &interface->addresses[interface->address_count++];
        copy_address(entry->ifa_addr, &address->address);
        address->prefix = prefix_of(entry->ifa_netmask);
        if (entry->ifa_flags & (IFF_BROADCAST | IFF_POINTOPOINT))
            copy_address(entry->ifa_broadaddr, &address->broadcast);
    }
    return 0;
}

/* ---- Interfaces ---- */

static void fill_hardware(const struct sockaddr_ll *link, struct wf_interface *interface)
{
    size_t size = link->sll_halen < sizeof interface->hardware ? link->sll_halen : sizeof interface->hardware;
    memcpy(interface->hardware, link->sll_addr, size);
    interface->hardware_size = (int)size;
}

static int mtu_of(const char *name)
{
    struct ifreq request = {.ifr_mtu = 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return 0;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int rc = ioctl(fd, SIOCGIFMTU, &request);
    close(fd);
    return rc == 0 ? request.ifr_mtu : 0;
}

static int fill(struct wf_arena *arena, const struct ifaddrs *list, const struct ifaddrs *entry,
                struct wf_interface *interface)
{
    unsigned flags = entry->ifa_flags;
    *interface = (struct wf_interface){.index = index_of(entry),
                                       .mtu = mtu_of(entry->ifa_name),
                                       .up = flags & IFF_UP,
                                       .running = flags & IFF_RUNNING,
                                       .loopback = flags & IFF_LOOPBACK,
                                       .multicast = flags & IFF_MULTICAST,
                                       .point_to_point = flags & IFF_POINTOPOINT};
    if (family_of(entry) == AF_PACKET) fill_hardware(link_of(entry), interface);
    interface->name = wf_arena_strdup(arena, entry->ifa_name);
    return interface->name != NULL ? fill_addresses(arena, list, interface) : -ENOMEM;
}

static bool is_known(const struct wf_interface *interfaces, int count, unsigned index)
{
    for (int i = 0; i < count; i++)
        if (interfaces[i].index == index) return true;
    return false;
}

static int by_index(const void *one, const void *other)
{
    unsigned first = ((const struct wf_interface *)one)->index, second = ((const struct wf_interface *)other)->index;
    return first < second ? -1 : first > second;
}

static int fill_all(struct wf_arena *arena, const struct ifaddrs *list, struct wf_interface **interfaces, int *count)
{
    size_t most = 0;
    int made = 0, rc = 0;
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) most++;
    struct wf_interface *all = wf_arena_array(arena, most, sizeof *all);
    if (all == NULL) return -ENOMEM;
    for (const struct ifaddrs *entry = list; entry != NULL && rc == 0; entry = entry->ifa_next) {
        unsigned index = index_of(entry);
        if (index != 0 && !is_known(all, made, index)) rc = fill(arena, list, entry, &all[made++]);
    }
    qsort(all, (size_t)made, sizeof *all, by_index);
    *interfaces = all;
    *count = made;
    return rc;
}

/* ---- Simulated hosts ---- */

static int fill_simulated(struct wf_arena *arena, const char *address, struct wf_interface **interfaces, int *count)
{
    struct wf_interface *all = wf_arena_array(arena, 2, sizeof *all);
    struct wf_interface_address *addresses = wf_arena_array(arena, 2, sizeof *addresses);
    if (all == NULL || addresses == NULL) return -ENOMEM;
    all[0] = (struct wf_interface){.name = "lo", .index = 1, .mtu = 65536, .loopback = true};
    all[1] = (struct wf_interface){.name = "sim0", .index = 2, .mtu = 65536, .multicast = true};
    for (int i = 0; i < 2; i++) {
        wf_address_ip(i == 0 ? "127.0.0.1" : address, 0, &addresses[i].address);
        addresses[i].prefix = 8;
        all[i].up = all[i].running = true;
        all[i].addresses = &addresses[i];
        all[i].address_count = 1;
    }
    wf_address_ip("10.255.255.255", 0, &addresses[1].broadcast);
    *interfaces = all;
    *count = 2;
    return 0;
}

int wf_interfaces(struct wf_arena *arena, struct wf_interface **interfaces, int *count)
{
    struct loop *loop = LOOP_HERE();
    struct ifaddrs *list;
    if (loop->driver->own_address != NULL)
        return fill_simulated(arena, loop->driver->own_address(loop), interfaces, count);
    if (getifaddrs(&list) < 0) return -errno;
    int rc = fill_all(arena, list, interfaces, count);
    freeifaddrs(list);
    return rc;
}
