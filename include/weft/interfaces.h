/*
 * The network interfaces of this machine, as they are now.
 *
 *     struct wf_interface *interfaces;
 *     int count;
 *     int rc = wf_interfaces(arena, &interfaces, &count);
 *     for (int i = 0; i < count; i++)
 *         printf("%u %s, MTU %d%s\n", interfaces[i].index, interfaces[i].name, interfaces[i].mtu,
 *                interfaces[i].up ? "" : ", down");
 *
 * Threads: any loop's.
 */
#ifndef WEFT_INTERFACES_H
#define WEFT_INTERFACES_H

#include <weft/address.h>
#include <weft/arena.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_interface_address {
    struct wf_address address;   /* port 0; a link-local one has the interface in it */
    int prefix;                  /* bits of it that are the network's */
    struct wf_address broadcast; /* or, point to point, the other end; size 0: none */
};

struct wf_interface {
    const char *name;
    unsigned index; /* from 1 on; what an IPv6 address has after its "%", and a group is joined on */
    int mtu;        /* bytes in a packet; 0: not known */
    bool up;        /* switched on */
    bool running;   /* and there is a carrier */
    bool loopback, multicast, point_to_point;
    uint8_t hardware[8]; /* its address in the network underneath (Ethernet: 6 bytes) */
    int hardware_size;   /* 0: none */
    struct wf_interface_address *addresses;
    int address_count;
};

/*
 * All of them, in the order of their indexes, in the arena. On a simulated loop a host has "lo" and "sim0", and no
 * others.
 * Suspends: never. Owns: the arena does. Errors: -ENOMEM, -EMFILE, -ENFILE, the system's.
 */
WF_API int wf_interfaces(struct wf_arena *arena, struct wf_interface **interfaces, int *count);

#ifdef __cplusplus
}
#endif
#endif
