/*
 * A SOCKS 5 proxy (RFC 1928): no authentication, CONNECT to IPv4, IPv6 or a name. Each connection is two directions at
 * once; when one side says goodbye, the other direction goes on. Without arguments it fetches a line through itself.
 *
 *     weft run examples/socks_proxy.c --port 1080         and then: curl --socks5-hostname 127.0.0.1:1080 URL
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/weft.h>

enum { VERSION = 5, CONNECT = 1, IPV4 = 1, NAME = 3, IPV6 = 4 };
enum { GRANTED = 0, FAILED = 1, UNREACHABLE = 4, REFUSED = 5, NO_SUCH_COMMAND = 7 };

struct target {
    char host[256];
    uint16_t port;
};

static int read_host(struct wf_stream *conn, unsigned char type, char host[256])
{
    unsigned char bytes[16], size;
    int rc;
    if (type == NAME) {
        rc = wf_stream_read_full(conn, &size, 1, NULL);
        if (rc == 0) rc = wf_stream_read_full(conn, host, size, NULL);
        if (rc == 0) host[size] = '\0';
        return rc;
    }
    rc = wf_stream_read_full(conn, bytes, type == IPV4 ? 4 : 16, NULL);
    if (rc == 0) inet_ntop(type == IPV4 ? AF_INET : AF_INET6, bytes, host, 256);
    return rc;
}

/* The greeting: which methods the client knows; the answer: none is needed. */
static int greet(struct wf_stream *conn)
{
    unsigned char head[2], methods[255];
    int rc = wf_stream_read_full(conn, head, sizeof head, NULL);
    if (rc == 0 && head[0] != VERSION) return -EPROTO;
    if (rc == 0) rc = wf_stream_read_full(conn, methods, head[1], NULL);
    return rc == 0 ? wf_stream_write_all(conn, "\x05\x00", 2, NULL) : rc;
}

static int read_request(struct wf_stream *conn, struct target *target)
{
    unsigned char head[4], port[2];
    int rc = wf_stream_read_full(conn, head, sizeof head, NULL);
    if (rc == 0 && (head[0] != VERSION || (head[3] != IPV4 && head[3] != NAME && head[3] != IPV6))) return -EPROTO;
    if (rc == 0) rc = read_host(conn, head[3], target->host);
    if (rc == 0) rc = wf_stream_read_full(conn, port, sizeof port, NULL);
    if (rc < 0) return rc;
    target->port = (uint16_t)(port[0] << 8 | port[1]);
    return head[1] == CONNECT ? 0 : -EOPNOTSUPP;
}

static int reply(struct wf_stream *conn, int rc)
{
    char answer[10] = {VERSION, GRANTED, 0, IPV4};
    if (rc == -EOPNOTSUPP) answer[1] = NO_SUCH_COMMAND;
    else if (rc == -ECONNREFUSED) answer[1] = REFUSED;
    else if (rc == -ENOENT || rc == -EAGAIN || rc == -ENETUNREACH || rc == -EHOSTUNREACH) answer[1] = UNREACHABLE;
    else if (rc < 0) answer[1] = FAILED;
    return wf_stream_write_all(conn, answer, sizeof answer, NULL);
}

struct direction {
    struct wf_stream *from, *to;
};

static int copy(struct direction *direction)
{
    char buffer[2048];
    ssize_t got;
    while ((got = wf_stream_read(direction->from, buffer, sizeof buffer)) > 0) {
        int rc = wf_stream_write_all(direction->to, buffer, (size_t)got, NULL);
        if (rc < 0) return rc;
    }
    return got == 0 ? wf_stream_shutdown(direction->to) : (int)got;
}

/* Apart, so that what it needs of the stack is not part of every connection's from the start. */
static __attribute__((noinline)) int relay(struct wf_stream *client, struct wf_stream *server)
{
    struct direction up = {client, server}, down = {server, client};
    WF_SCOPE(scope);
    wf_spawn(&scope, copy, &up);
    return wf_scope_end(&scope, copy(&down));
}

static int proxy(void *unused, struct wf_stream *client)
{
    (void)unused;
    struct target target;
    struct wf_stream *server;
    int rc = wf_within(WF_SECONDS(10), greet(client));
    if (rc == 0) rc = wf_within(WF_SECONDS(10), read_request(client, &target));
    if (rc < 0) return rc == -EOPNOTSUPP ? reply(client, rc) : rc;
    rc = wf_within(WF_SECONDS(30), wf_tcp_connect(target.host, target.port, &server));
    if (rc < 0) return reply(client, rc);
    rc = reply(client, 0);
    if (rc == 0) rc = relay(client, server);
    wf_stream_close(server);
    return rc;
}

static int serve_proxy(struct wf_listener *listener)
{
    return wf_serve_streams(listener, proxy, NULL, .limit = 1000);
}

/* ---- Through oneself ---- */

static int say_hello(void *unused, struct wf_stream *conn)
{
    (void)unused;
    return wf_stream_write_all(conn, "hello", 5, NULL);
}

static int serve_hello(struct wf_listener *listener)
{
    return wf_serve_streams(listener, say_hello, NULL);
}

/* Gives the proxy's answer to a request by name, 0 and more, and what came through it. */
static int fetch(uint16_t proxy_port, const char *host, uint16_t port, char text[6])
{
    struct wf_stream *conn;
    char request[300], answer[12];
    int size = snprintf(request, sizeof request, "%c%c%c%c%c%c%c%c%s", VERSION, 1, 0, VERSION, CONNECT, 0, NAME,
                        (char)strlen(host), host);
    request[size] = (char)(port >> 8);
    request[size + 1] = (char)(port & 255);
    int rc = wf_tcp_connect("127.0.0.1", proxy_port, &conn);
    if (rc < 0) return rc;
    rc = wf_stream_write_all(conn, request, (size_t)size + 2, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, answer, sizeof answer, NULL);
    if (rc == 0 && answer[3] == GRANTED) rc = wf_stream_read_full(conn, text, 5, NULL);
    wf_stream_close(conn);
    return rc < 0 ? rc : answer[3];
}

static int fetch_both(const struct wf_listener *proxy_at, const struct wf_listener *hello_at)
{
    char text[6] = "";
    int rc = fetch(wf_listener_port(proxy_at), "127.0.0.1", wf_listener_port(hello_at), text);
    if (rc < 0) return rc;
    printf("through the proxy: %s\n", text);
    rc = fetch(wf_listener_port(proxy_at), "nobody.invalid", 80, text);
    if (rc >= 0) printf("a name that nobody has: refused with %d\n", rc);
    return rc < 0 ? rc : 0;
}

static int try_oneself(struct wf_listener *listener)
{
    struct wf_listener *hello;
    int rc = wf_tcp_listen("127.0.0.1", 0, &hello);
    if (rc < 0) return rc;
    {
        WF_SCOPE(servers, .timeout = WF_SECONDS(50));
        wf_spawn(&servers, serve_proxy, listener);
        wf_spawn(&servers, serve_hello, hello);
        rc = fetch_both(listener, hello);
        wf_scope_drain(&servers);
        rc = wf_scope_end(&servers, rc);
    }
    wf_listener_close(hello);
    return rc;
}

static int run(const char *port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", port != NULL ? (uint16_t)strtoul(port, NULL, 10) : 0, &listener);
    if (rc < 0) return rc;
    rc = port != NULL ? serve_proxy(listener) : try_oneself(listener);
    wf_listener_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--port") != 0)) {
        fprintf(stderr, "usage: %s [--port N]\n", argv[0]);
        return 2;
    }
    return wf_main(run, argc == 3 ? argv[2] : NULL, .signals = true, .grace = WF_SECONDS(10));
}
