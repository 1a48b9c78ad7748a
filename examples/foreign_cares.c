/*
 * A foreign library inside weft: c-ares, which brings descriptors and timers and no loop. A task waits for them with
 * wf_wait_fd and lets it go on. The DNS server that it asks is a few lines of weft, over TCP (RFC 1035), so that the
 * example needs no network.
 *
 *     cc foreign_cares.c $(pkg-config --cflags --libs weft libcares)
 */
#include <ares.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

/* ---- The library's descriptors and its timer ---- */

struct watch {
    int fd;
    unsigned wanted;
    int found; /* readiness */
};

static int wait_for(struct watch *watch)
{
    watch->found = wf_wait_fd(watch->fd, watch->wanted);
    return watch->found;
}

static size_t what_it_watches(ares_channel channel, struct watch *watches)
{
    ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
    int mask = ares_getsock(channel, sockets, ARES_GETSOCK_MAXNUM);
    size_t count = 0;
    for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
        unsigned wanted = ARES_GETSOCK_READABLE(mask, i) ? WF_READABLE : 0;
        if (ARES_GETSOCK_WRITABLE(mask, i)) wanted |= WF_WRITABLE;
        if (wanted != 0) watches[count++] = (struct watch){.fd = sockets[i], .wanted = wanted};
    }
    return count;
}

static int64_t its_patience(ares_channel channel)
{
    struct timeval longest = {.tv_sec = 60}, left;
    const struct timeval *patience = ares_timeout(channel, &longest, &left);
    return WF_SECONDS(patience->tv_sec) + WF_MICROSECONDS(patience->tv_usec) + 1; /* 0 would be no timeout at all */
}

/* Waits for the first of them, or for the timer; gives -ECANCELED when it is told to stop. */
static int wait_once(ares_channel channel)
{
    struct watch watches[ARES_GETSOCK_MAXNUM];
    size_t count = what_it_watches(channel, watches);
    int rc;
    {
        WF_SCOPE(scope, .policy = WF_FIRST_DONE, .timeout = its_patience(channel));
        for (size_t i = 0; i < count; i++) wf_spawn(&scope, wait_for, &watches[i]);
        rc = wf_scope_end(&scope, 0);
    }
    if (rc == -ECANCELED) return rc;
    for (size_t i = 0; i < count; i++) {
        unsigned found = watches[i].found > 0 ? (unsigned)watches[i].found : 0;
        ares_process_fd(channel, found & WF_READABLE ? watches[i].fd : ARES_SOCKET_BAD,
                        found & WF_WRITABLE ? watches[i].fd : ARES_SOCKET_BAD);
    }
    if (rc == -ETIME) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    return 0;
}

/* ---- One question ---- */

struct question {
    bool answered;
    int status;
    char address[INET_ADDRSTRLEN];
};

static void on_answer(void *argument, int status, int timeouts, struct ares_addrinfo *found)
{
    (void)timeouts;
    struct question *question = argument;
    question->answered = true;
    question->status = status;
    if (status != ARES_SUCCESS || found == NULL || found->nodes == NULL) return;
    const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)found->nodes->ai_addr;
    inet_ntop(AF_INET, &address->sin_addr, question->address, sizeof question->address);
    ares_freeaddrinfo(found);
}

static int ask(uint16_t port, struct question *question)
{
    char lookups[] = "b", server[32];
    struct ares_options options = {.flags = ARES_FLAG_USEVC, .lookups = lookups};
    ares_channel channel;
    if (ares_init_options(&channel, &options, ARES_OPT_FLAGS | ARES_OPT_LOOKUPS) != ARES_SUCCESS) return -ENOMEM;
    snprintf(server, sizeof server, "127.0.0.1:%u", (unsigned)port);
    ares_set_servers_ports_csv(channel, server);
    struct ares_addrinfo_hints hints = {.ai_family = AF_INET};
    ares_getaddrinfo(channel, "www.example.org", NULL, &hints, on_answer, question);
    int rc = 0;
    while (rc == 0 && !question->answered) rc = wait_once(channel);
    ares_destroy(channel);
    return rc;
}

/* ---- A server that knows one address ---- */

/* The question again, and one answer: its name is at byte 12, IPv4, 60 seconds, 192.0.2.7. */
static size_t make_answer(unsigned char *message, size_t size)
{
    static const unsigned char flags[] = {0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7};
    size_t end = 12;
    while (end < size && message[end] != 0) end += message[end] + 1U;
    end += 5;
    if (end > size) return 0;
    memcpy(message + 2, flags, sizeof flags);
    memcpy(message + end, record, sizeof record);
    return end + sizeof record;
}

static int answer(void *unused, struct wf_stream *conn)
{
    (void)unused;
    unsigned char length[2], message[600];
    int rc = wf_stream_read_full(conn, length, 2, NULL);
    size_t size = (size_t)length[0] << 8 | length[1];
    if (rc < 0 || size > 512) return rc < 0 ? rc : -EPROTO;
    rc = wf_stream_read_full(conn, message, size, NULL);
    if (rc < 0) return rc;
    size = make_answer(message, size);
    length[0] = (unsigned char)(size >> 8);
    length[1] = (unsigned char)(size & 255);
    struct iovec parts[] = {{length, 2}, {message, size}};
    return size > 0 ? wf_stream_writev_all(conn, parts, 2, NULL) : -EPROTO;
}

static int serve(struct wf_listener *listener)
{
    return wf_serve_streams(listener, answer, NULL);
}

static int run(void *unused)
{
    (void)unused;
    struct question question = {.answered = false};
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    {
        WF_SCOPE(server, .timeout = WF_SECONDS(20));
        wf_spawn(&server, serve, listener);
        rc = ask(wf_listener_port(listener), &question);
        wf_scope_drain(&server);
        rc = wf_scope_end(&server, rc);
    }
    wf_listener_close(listener);
    if (rc == 0) printf("www.example.org: %s (%s)\n", question.address, ares_strerror(question.status));
    return rc;
}

int main(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
    int status = wf_main(run, NULL);
    ares_library_cleanup();
    return status;
}
