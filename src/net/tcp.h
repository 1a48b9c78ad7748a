/* Options of TCP sockets, for who connects and who listens. */
#ifndef WEFT_NET_TCP_H
#define WEFT_NET_TCP_H

#include <weft/tcp.h>

#include "core/loop.h"

/* Refused, with a message, before anything is opened. */
int tcp_check_keepalive(const struct wf_keepalive *keepalive);

/* On the socket of a listener they hold for its connections too. */
int tcp_set_options(struct loop *loop, int fd, bool delay, const struct wf_keepalive *keepalive);

#endif
