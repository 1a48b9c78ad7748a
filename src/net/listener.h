/* Sockets that listen, for TCP or as Unix sockets. */
#ifndef WEFT_NET_LISTENER_H
#define WEFT_NET_LISTENER_H

#include "core/driver.h"

struct wf_listener {
    struct desc desc;
    bool local, packets; /* a Unix socket; of packets */
    char *path;          /* of its file, which goes with it; NULL: none */
};

void listener_release(struct desc *desc);

#endif
