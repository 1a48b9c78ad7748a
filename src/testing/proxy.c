/* A proxy between clients and a server that does to their bytes what a network may do. */
#include <netinet/in.h>
#include <weft/arena.h>
#include <weft/peer.h>
#include <weft/task.h>
#include <weft/tcp.h>

#include "base/memory.h"
#include "core/loop.h"
#include "testing/relay.h"

static const int64_t pause_ns = WF_MILLISECONDS(50); /* where the system lacks something */

struct wf_proxy {
    struct wf_listener *listener; /* NULL while it refuses */
    int reserved;                 /* a bound socket that nobody listens on: keeps the port while the proxy refuses */
    uint16_t port;
    const char *host;
    uint16_t server_port;
    struct wf_event taking; /* set while there is a listener */
    struct wf_event idle;   /* set while no accept is pending */
    bool over;              /* it accepts nothing any more */
    struct wf_flow to_server, to_client;
    struct connection *first;
    struct wf_proxy_statistics statistics;
};

struct connection {
    struct wf_proxy *proxy;
    struct connection *next, *previous;
    struct wf_scope *scope; /* cancelled for a reset */
    struct wf_stream *client;
    struct relay relay;
};

/* ---- A connection ---- */

static void link_connection(struct connection *connection)
{
    struct wf_proxy *proxy = connection->proxy;
    connection->next = proxy->first;
    if (proxy->first != NULL) proxy->first->previous = connection;
    proxy->first = connection;
    proxy->statistics.connections++;
    proxy->statistics.open++;
}

static void unlink_connection(struct connection *connection)
{
    struct wf_proxy *proxy = connection->proxy;
    if (connection->next != NULL) connection->next->previous = connection->previous;
    if (connection->previous != NULL) connection->previous->next = connection->next;
    else proxy->first = connection->next;
    proxy->statistics.open--;
}

static int relay_connection(struct connection *connection)
{
    struct wf_proxy *proxy = connection->proxy;
    struct wf_stream *client = connection->client, *server;
    int rc = wf_tcp_connect(proxy->host, proxy->server_port, &server);
    if (rc < 0) {
        if (rc != -ECANCELED) proxy->statistics.unreachable++;
        wf_stream_abort(client);
        return rc;
    }
    connection->relay.to_server = (struct relay_way){.from = client,
                                                     .to = server,
                                                     .flow = &proxy->to_server,
                                                     .counted = &proxy->statistics.bytes_to_server};
    connection->relay.to_client = (struct relay_way){.from = server,
                                                     .to = client,
                                                     .flow = &proxy->to_client,
                                                     .counted = &proxy->statistics.bytes_to_client};
    return relay_run(&connection->relay);
}

/* What becomes of a connection is no error of the proxy. */
static int serve(struct connection *connection)
{
    {
        WF_SCOPE(scope, .name = "connection");
        connection->scope = &scope;
        link_connection(connection);
        int rc = relay_connection(connection);
        unlink_connection(connection);
        wf_scope_end(&scope, rc);
    }
    memory_free(connection);
    return 0;
}

/* ---- Accepting ---- */

/* One that there is no memory for is reset. */
static void start_connection(struct wf_proxy *proxy, struct wf_stream *client, struct wf_scope *connections)
{
    struct connection *connection = memory_zero(sizeof *connection);
    int rc = -ENOMEM;
    if (connection != NULL) {
        connection->proxy = proxy;
        connection->client = client;
        rc = wf_try_spawn(connections, serve, connection);
    }
    if (rc == 0) return;
    memory_free(connection);
    wf_stream_abort(client);
}

static int accept_one(struct wf_proxy *proxy, struct wf_scope *connections)
{
    struct wf_stream *client;
    wf_event_clear(&proxy->idle);
    int rc = wf_tcp_accept(proxy->listener, &client);
    wf_event_set(&proxy->idle);
    if (rc == 0) start_connection(proxy, client, connections);
    return rc;
}

static void close_proxy(struct wf_proxy *proxy)
{
    wf_listener_close(proxy->listener);
    current_loop->driver->close_fd(current_loop, proxy->reserved);
    proxy->listener = NULL;
    proxy->over = true;
}

static int accept_all(struct wf_proxy *proxy)
{
    WF_SCOPE(connections, .name = "connections");
    int rc = 0;
    while (rc >= 0) {
        rc = proxy->listener != NULL ? accept_one(proxy, &connections) : wf_event_wait(&proxy->taking);
        if (rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM) rc = wf_sleep(pause_ns);
        else if (rc == -EBADF || rc == -ECONNABORTED) rc = 0; /* closed, to refuse; or the client was quick */
    }
    close_proxy(proxy);
    return wf_scope_end(&connections, rc == -ESHUTDOWN ? 0 : rc);
}

static int take_clients(struct wf_proxy *proxy)
{
    int rc = wf_tcp_listen("127.0.0.1", proxy->port, &proxy->listener, .reuse_port = true);
    if (rc == 0) wf_event_set(&proxy->taking);
    return rc;
}

static int bind_any(struct loop *loop, int fd, uint16_t *port)
{
    const struct driver *driver = loop->driver;
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address = (struct sockaddr *)(void *)&name;
    socklen_t size = sizeof name;
    int rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0) rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0) rc = driver->bind(loop, fd, address, size);
    if (rc == 0) rc = driver->local_name(loop, fd, address, &size);
    *port = ntohs(name.sin_port);
    return rc;
}

static int open_proxy(struct wf_proxy *proxy)
{
    struct loop *loop = current_loop;
    proxy->reserved = loop->driver->socket(loop, AF_INET, SOCK_STREAM, 0);
    if (proxy->reserved < 0) return proxy->reserved;
    int rc = bind_any(loop, proxy->reserved, &proxy->port);
    if (rc == 0) rc = take_clients(proxy);
    if (rc < 0) loop->driver->close_fd(loop, proxy->reserved);
    return rc;
}

int wf_test_proxy_(struct wf_scope *scope, const char *host, uint16_t port, const struct wf_test_proxy_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL || host == NULL) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct wf_arena *arena = wf_scope_arena(scope);
    struct wf_proxy *proxy = arena != NULL ? wf_arena_new(arena, struct wf_proxy) : NULL;
    if (proxy == NULL) return -ENOMEM;
    proxy->host = wf_arena_strdup(arena, host);
    proxy->server_port = port;
    wf_event_set(&proxy->idle);
    rc = proxy->host != NULL ? open_proxy(proxy) : -ENOMEM;
    if (rc < 0) return rc;
    const char *name = options->name != NULL ? options->name : "proxy";
    rc = wf_spawn(scope, accept_all, proxy, .name = name, .daemon = true);
    if (rc < 0) close_proxy(proxy);
    else *options->out_ = proxy;
    return rc;
}

/* ---- What it does from now on ---- */

uint16_t wf_test_proxy_port(const struct wf_proxy *proxy)
{
    return proxy->port;
}

void wf_test_proxy_set_(const struct wf_test_proxy_settings *settings)
{
    struct wf_proxy *proxy = settings->proxy_;
    proxy->to_server = settings->to_server;
    proxy->to_client = settings->to_client;
    for (struct connection *each = proxy->first; each != NULL; each = each->next) relay_changed(&each->relay);
}

void wf_test_proxy_reset(struct wf_proxy *proxy)
{
    for (struct connection *each = proxy->first; each != NULL; each = each->next)
        wf_scope_cancel(each->scope, "the proxy resets its connections");
}

int wf_test_proxy_refuse(struct wf_proxy *proxy, bool refuse)
{
    int rc = wait_check(false);
    if (rc < 0 || proxy->over) return -ECANCELED;
    if (!refuse) return proxy->listener == NULL ? take_clients(proxy) : 0;
    struct wf_listener *listener = proxy->listener;
    proxy->listener = NULL;
    wf_event_clear(&proxy->taking);
    wf_listener_close(listener);
    return wf_event_wait(&proxy->idle);
}

void wf_test_proxy_statistics(const struct wf_proxy *proxy, struct wf_proxy_statistics *statistics)
{
    *statistics = proxy->statistics;
}
