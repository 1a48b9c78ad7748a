/*
 * Floor of the HTTP servers: one epoll set, one buffer for all connections. It counts the ends of heads in what has
 * come and sends a fixed answer for each; a head in two parts is not understood.
 */
#define _GNU_SOURCE
#include "listener.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 512, ANSWERS_AT_ONCE = 512 };

#define ANSWER                                                                                                         \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nServer: raw\r\n"                             \
    "Date: Sat, 21 Nov 2026 01:00:00 GMT\r\n\r\nHello, World!"

static char answers[ANSWERS_AT_ONCE * sizeof ANSWER];
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

static size_t count_heads(const char *bytes, size_t size)
{
    size_t heads = 0;
    const char *at = bytes, *end = bytes + size, *found;
    while ((found = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
        heads++;
        at = found + 4;
    }
    return heads < ANSWERS_AT_ONCE ? heads : ANSWERS_AT_ONCE;
}

static void answer(int connection)
{
    static char bytes[64 * 1024];
    ssize_t received = recv(connection, bytes, sizeof bytes, 0);
    if (received <= 0) close(connection);
    else send(connection, answers, count_heads(bytes, (size_t)received) * (sizeof ANSWER - 1), MSG_NOSIGNAL);
}

int main(void)
{
    static struct epoll_event events[EVENTS_AT_ONCE];
    for (size_t i = 0; i < ANSWERS_AT_ONCE; i++) memcpy(answers + i * (sizeof ANSWER - 1), ANSWER, sizeof ANSWER);
    int listener = listen_on_loopback(SOCK_NONBLOCK);
    epoll = epoll_create1(0);
    if (epoll < 0) fail("epoll_create1");
    watch(listener);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener) accept_all(listener);
            else answer(events[i].data.fd);
        }
    }
}
