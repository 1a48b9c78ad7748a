/* Sockets that keep the borders of messages. */
#ifndef WEFT_NET_SOCKET_H
#define WEFT_NET_SOCKET_H

#include <weft/socket.h>

#include "core/driver.h"

struct wf_socket {
    struct desc desc;
    sa_family_t family;
    bool packets;  /* connected, reliable, with an end */
    bool coalesce; /* messages may be several in one */
    char *path;    /* of its file, which goes with it; NULL: none */
};

/* One without a descriptor yet, for who must not fail once there is one; NULL: out of memory. */
struct wf_socket *socket_alloc(sa_family_t family, bool packets);
void socket_begin(struct wf_socket *socket, int fd);

/* Takes the descriptor over. On failure it is closed. */
int socket_new(int fd, sa_family_t family, bool packets, struct wf_socket **socket);

/* Sends one message; suspends until the system took it. */
int64_t socket_send(struct wf_socket *socket, const struct msghdr *message);

#endif
