/*
 * Floor of `udp_echo`, one by one: a blocking socket, one recvfrom and one sendto for a request. `many` in place of it:
 * as many as are there by one recvmmsg, all answers by one sendmmsg.
 */
#define _GNU_SOURCE
#include "listener.h"

#include <string.h>

enum { AT_ONCE = 16, BUFFER_SIZE = 2048 };

static int open_on_loopback(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    if (descriptor < 0) fail("socket");
    if (bind(descriptor, (struct sockaddr *)&address, size) < 0) fail("bind");
    if (getsockname(descriptor, (struct sockaddr *)&address, &size) < 0) fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return descriptor;
}

static void answer_one_by_one(int descriptor)
{
    char bytes[BUFFER_SIZE];
    struct sockaddr_in from;
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t received = recvfrom(descriptor, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
        if (received >= 0) sendto(descriptor, bytes, (size_t)received, 0, (struct sockaddr *)&from, size);
    }
}

static void answer_many(int descriptor)
{
    static char bytes[AT_ONCE][BUFFER_SIZE];
    struct sockaddr_in from[AT_ONCE];
    struct iovec parts[AT_ONCE];
    struct mmsghdr messages[AT_ONCE];
    for (;;) {
        for (int i = 0; i < AT_ONCE; i++) {
            parts[i] = (struct iovec){bytes[i], BUFFER_SIZE};
            messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &parts[i], 1, NULL, 0, 0};
        }
        int received = recvmmsg(descriptor, messages, AT_ONCE, MSG_WAITFORONE, NULL);
        for (int i = 0; i < received; i++) parts[i].iov_len = messages[i].msg_len;
        for (int sent = 0; sent < received;) {
            int rc = sendmmsg(descriptor, messages + sent, (unsigned)(received - sent), 0);
            if (rc <= 0) fail("sendmmsg");
            sent += rc;
        }
    }
}

int main(int argc, char **argv)
{
    int descriptor = open_on_loopback();
    if (argc > 1 && strcmp(argv[1], "many") == 0) answer_many(descriptor);
    else answer_one_by_one(descriptor);
}
