/* Where the two raw servers listen: a free port of the loopback interface, printed for the load client. */
#ifndef BENCH_LISTENER_H
#define BENCH_LISTENER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BACKLOG = 4096 };

static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* `socket_flags` as for socket(): SOCK_NONBLOCK or 0. */
static inline int listen_on_free_port(int socket_flags, int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | socket_flags, 0);
    if (listener < 0) fail("socket");
    if (bind(listener, (struct sockaddr *)&address, size) < 0) fail("bind");
    if (listen(listener, BACKLOG) < 0) fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &size) < 0) fail("getsockname");
    *port = ntohs(address.sin_port);
    return listener;
}

static inline int listen_on_loopback(int socket_flags)
{
    int port, listener = listen_on_free_port(socket_flags, &port);
    printf("%d\n", port);
    fflush(stdout);
    return listener;
}

static inline void answer_without_delay(int connection)
{
    int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

#endif
