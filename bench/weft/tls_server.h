/* The server of both programs: echo over TLS, a task for each connection. */
#ifndef BENCH_TLS_SERVER_H
#define BENCH_TLS_SERVER_H

#include "../tls.h"

#include <weft/tls.h>
#include <weft/weft.h>

struct tls_server {
    const char *name;
    int client; /* where the port goes */
};

static const char *tls_server_name;
static struct wf_tls_config *tls_config;

static inline int tls_answer(struct wf_stream *connection)
{
    char bytes[2048];
    ssize_t size;
    struct wf_stream *tls;
    int rc = wf_tls_accept(connection, tls_config, &tls);
    if (rc < 0) {
        wf_stream_close(connection);
        return rc;
    }
    while ((size = wf_stream_read(tls, bytes, sizeof bytes)) > 0) {
        if (wf_stream_write_all(tls, bytes, (size_t)size, NULL) < 0) break;
        tls_count(tls_server_name);
    }
    wf_stream_close(tls);
    return 0; /* a client that left is no error of the server */
}

static inline int tls_serve(const struct tls_server *server)
{
    struct wf_listener *listener;
    struct wf_stream *connection;
    tls_server_name = server->name;
    int rc = wf_tls_server_create(&tls_config,
                                  .identity = {.certificate_pem = tls_certificate_pem, .key_pem = tls_key_pem});
    if (rc == 0) rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    int port = wf_listener_port(listener);
    if (write(server->client, &port, sizeof port) != sizeof port) return -EIO;
    WF_SCOPE(connections);
    while ((rc = wf_tcp_accept(listener, &connection)) >= 0) wf_spawn(&connections, tls_answer, connection);
    return wf_scope_end(&connections, rc);
}

static inline int tls_bench(const char *name, void (*ask)(SSL_CTX *, int, long), long requests)
{
    tls_make_certificate();
    tls_wanted = requests;
    struct tls_server server = {.name = name, .client = tls_start_client(ask, requests)};
    return wf_main(tls_serve, &server);
}

#endif
