/*
 * Floor of `echo`, readiness: one epoll set, one buffer for all connections, one recv and one send for a request. What
 * does not fit into the socket's buffer at once is lost; the load client would notice.
 */
#define _GNU_SOURCE
#include "listener.h"

#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 512 };

static int epoll;

static void watch(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) fail("epoll_ctl");
}

static void accept_all(int listener)
{
    int connection;
    while ((connection = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        answer_without_delay(connection);
        watch(connection);
    }
}

static void answer(int connection)
{
    static char bytes[64 * 1024];
    ssize_t received = recv(connection, bytes, sizeof bytes, 0);
    if (received <= 0)
        close(connection);
    else
        send(connection, bytes, (size_t)received, MSG_NOSIGNAL);
}

int main(void)
{
    static struct epoll_event events[EVENTS_AT_ONCE];
    int listener = listen_on_loopback(SOCK_NONBLOCK);
    epoll = epoll_create1(0);
    if (epoll < 0) fail("epoll_create1");
    watch(listener);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                accept_all(listener);
            else
                answer(events[i].data.fd);
        }
    }
}
