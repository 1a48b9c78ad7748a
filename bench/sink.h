/* For programs that send a large file over TCP: the file, and a process that receives and forgets. */
#ifndef BENCH_SINK_H
#define BENCH_SINK_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file without a name, of so many mebibytes, in memory as far as the system can: its descriptor. */
static inline int sink_file(long mebibytes)
{
    static char bytes[1 << 20];
    char path[] = "/tmp/weft-bench-XXXXXX";
    int fd = mkstemp(path);
    unlink(path);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 31 >> 3);
    for (long i = 0; fd >= 0 && i < mebibytes; i++)
        if (write(fd, bytes, sizeof bytes) != sizeof bytes) return -1;
    return fd;
}

/* Receives from the first connection until it ends, without looking at the bytes, and exits with 0. */
static inline void sink_receive(int listener, long mebibytes)
{
    static char room[1 << 20];
    int conn = accept(listener, NULL, NULL);
    long left = mebibytes << 20;
    ssize_t got;
    while ((got = recv(conn, room, sizeof room, MSG_TRUNC)) > 0) left -= got;
    _exit(left != 0);
}

/* The process, and the port that it listens on. */
static inline pid_t sink_start(long mebibytes, uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return -1;
    pid_t child = fork();
    if (child == 0) sink_receive(listener, mebibytes);
    close(listener);
    *port = ntohs(address.sin_port);
    return child;
}

/* 0: it received everything. */
static inline int sink_end(pid_t child)
{
    int status = 1;
    waitpid(child, &status, 0);
    return status;
}

#endif
