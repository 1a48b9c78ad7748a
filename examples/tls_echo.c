/*
 * An echo server over TLS. A handshake has five seconds; what is wrong with a client is said and ends that client only.
 *
 *     weft run examples/tls_echo.c CERTIFICATE KEY [CLIENT-CA]
 */
// weft: pkg-config weft-tls
#include <stdio.h>
#include <weft/tls.h>
#include <weft/weft.h>

struct server {
    const char *certificate, *key, *client_ca;
    struct wf_tls_config *config;
};

struct client {
    struct wf_stream *conn; /* until the handshake is done; then the TLS stream owns it */
    struct wf_tls_config *config;
};

static int echo(struct wf_stream *tls)
{
    char buffer[2048];
    ssize_t got;
    int rc = 0;
    while (rc == 0 && (got = wf_stream_read(tls, buffer, sizeof buffer)) != 0)
        rc = got < 0 ? (int)got : wf_stream_write_all(tls, buffer, (size_t)got, NULL);
    return rc < 0 ? rc : wf_stream_shutdown(tls); /* the goodbye: without it the client sees a truncation */
}

static int serve(const struct client *client)
{
    struct wf_stream *tls;
    int rc = wf_within(WF_SECONDS(5), wf_tls_accept(client->conn, client->config, &tls));
    if (rc < 0) {
        wf_stream_close(client->conn);
    } else {
        rc = echo(tls);
        wf_stream_close(tls);
    }
    if (rc < 0 && rc != -ECANCELED) {
        const char *why = wf_failure();
        printf("client: %s\n", why != NULL ? why : wf_strerror(rc));
        fflush(stdout);
    }
    return rc == -ECANCELED ? rc : 0;
}

static int accept_all(struct wf_listener *listener, struct server *server)
{
    WF_SCOPE(clients);
    struct client client = {.config = server->config};
    int rc;
    while ((rc = wf_tcp_accept(listener, &client.conn)) == 0) {
        rc = wf_spawn_copy(&clients, serve, &client);
        if (rc < 0) wf_stream_close(client.conn);
    }
    return wf_scope_end(&clients, rc == -ESHUTDOWN ? 0 : rc);
}

static int run(struct server *server)
{
    struct wf_listener *listener;
    int rc = wf_tls_server_create(&server->config, .ca_file = server->client_ca, .alpn = {"echo"},
                                  .require_certificate = server->client_ca != NULL,
                                  .identity = {.certificate_file = server->certificate, .key_file = server->key});
    if (rc < 0) return rc;
    rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc == 0) {
        printf("listening on port %u\n", (unsigned)wf_listener_port(listener));
        fflush(stdout);
        rc = accept_all(listener, server);
        wf_listener_close(listener);
    }
    wf_tls_destroy(server->config);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: %s CERTIFICATE KEY [CLIENT-CA]\n", argv[0]);
        return 2;
    }
    struct server server = {.certificate = argv[1], .key = argv[2], .client_ca = argc == 4 ? argv[3] : NULL};
    return wf_main(run, &server, .signals = true, .grace = WF_SECONDS(10));
}
