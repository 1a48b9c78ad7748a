/* Sockets that listen, for TCP or as Unix sockets. */
#ifndef WEFT_NET_LISTENER_H
#define WEFT_NET_LISTENER_H

#include <weft/sync.h>
#include <weft/tcp.h>

#include "core/driver.h"

struct fd_stream;

/* One of the addresses that it listens at. */
struct listening {
    struct desc desc;
    struct wf_listener *listener;
};

struct wf_listener {
    uint32_t references; /* one until it is closed, one for each place that is open and each accept under way */
    uint32_t count;      /* of places */
    bool closed;
    bool local, packets;  /* a Unix socket; of packets */
    char *path;           /* of its file, which goes with it; NULL: none */
    struct wf_mutex turn; /* of those who accept at several places */
    struct fd_stream *kept[WF_LISTEN_ADDRESSES_MAX];
    uint32_t kept_count;
    struct listening places[];
};

/* With room for so many places; NULL: out of memory. wf_listener_close ends it, and the places that it has by then. */
struct wf_listener *listener_new(size_t places);

/* Takes the descriptor over. */
void listener_add(struct wf_listener *listener, int fd);

/* Whoever will come back to a listener keeps it: it may be closed meanwhile, and then accepting gives -EBADF. */
void listener_keep(struct wf_listener *listener);
void listener_drop(struct wf_listener *listener);

#endif
