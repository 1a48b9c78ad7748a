/*
 * 64 connections that ask for one text again and again: an epoll loop, and no more of HTTP than the end of a head.
 * Whole answers come in one piece here. http_client_get PORT REQUESTS
 */
#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "../measure.h"

enum { CONNECTIONS = 64, WARM_UP = 640 };

static const char question[] = "GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: raw\r\nAccept: */*\r\n\r\n";

static int ask(int fd)
{
    return send(fd, question, sizeof question - 1, MSG_NOSIGNAL) == (ssize_t)sizeof question - 1 ? 0 : -1;
}

static int connect_to(long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static int take(int fd)
{
    char answer[4096];
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    return got > 0 && memmem(answer, (size_t)got, "\r\n\r\n", 4) != NULL ? 0 : -1;
}

static int ask_all(int epoll, const int *fds, long requests)
{
    struct epoll_event events[CONNECTIONS];
    long asked = 0, answered = 0;
    for (; asked < CONNECTIONS; asked++)
        if (ask(fds[asked]) < 0) return -1;
    while (answered < requests) {
        int count = epoll_wait(epoll, events, CONNECTIONS, 10000);
        if (count <= 0) return -1;
        for (int i = 0; i < count; i++) {
            if (take(events[i].data.fd) < 0) return -1;
            answered++;
            if (asked++ < requests && ask(events[i].data.fd) < 0) return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    long port = argument(argc, argv, 1, 0), requests = argument(argc, argv, 2, 10000);
    int fds[CONNECTIONS], epoll = epoll_create1(0);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = connect_to(port);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fds[i]};
        if (fds[i] < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) < 0) return 1;
    }
    if (ask_all(epoll, fds, WARM_UP) < 0) return 1;
    double started = cpu_seconds();
    if (ask_all(epoll, fds, requests) < 0) return 1;
    return print_result("http_client_get", (cpu_seconds() - started) * 1e6 / (double)requests);
}
