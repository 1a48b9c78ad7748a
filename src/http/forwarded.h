/*
 * What trusted proxies say about whom they ask for: Forwarded (RFC 7239), or X-Forwarded-For, -Proto and -Host.
 *
 * Each proxy adds behind what it got, so the list is read from its end: as long as whoever added an entry is trusted,
 * the entry counts. What a client wrote itself stands before the first entry of a proxy and is never reached.
 */
#ifndef WEFT_HTTP_FORWARDED_H
#define WEFT_HTTP_FORWARDED_H

#include <weft/address.h>
#include <weft/arena.h>

struct wf_request;
struct wf_app_;

/* A part of the addresses, as "10.0.0.0/8"; AF_UNIX: every Unix socket. */
struct network {
    int family;
    unsigned bits;
    unsigned char bytes[16];
};

enum { NETWORKS_MAX = 64 };

/* What is said about a request by those who are trusted. */
struct forwarded {
    bool has_peer;
    struct wf_address peer;
    const char *scheme, *host; /* NULL: nothing is said */
};

/* "127.0.0.1, 10.0.0.0/8, unix" into networks of the arena. -EINVAL: it is no such list; *bad is where. */
int forwarded_trust(struct wf_arena *arena, const char *list, struct network **networks, unsigned *count,
                    const char **bad);

/* Is it one of the app's trusted proxies? */
bool forwarded_trusts(const struct wf_app_ *app, const struct wf_address *address);

/* Of a request, once; never NULL. */
const struct forwarded *forwarded_of(const struct wf_request *request);

#endif
