/* A program that finds weft-tls by pkg-config: a client meets a server that says nothing of the kind. */
#include <stdio.h>
#include <weft/tls.h>
#include <weft/weft.h>

static int answer(struct wf_stream *conn)
{
    int rc = wf_stream_write_all(conn, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, NULL);
    wf_stream_close(conn);
    return rc;
}

static int meet(void *unused)
{
    (void)unused;
    struct wf_tls_config *config;
    struct wf_stream *client, *server, *tls;
    int rc = wf_tls_client_create(&config, .alpn = {"http/1.1"});
    if (rc == 0) rc = wf_stream_pair(4096, &client, &server);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, answer, server);
    rc = wf_tls_connect(client, config, "example.com", &tls);
    printf("%d: %s\n", rc == -EPROTO, wf_failure());
    wf_stream_close(client);
    wf_tls_destroy(config);
    return wf_scope_end(&scope, 0);
}

int main(void)
{
    return wf_main(meet, NULL);
}
