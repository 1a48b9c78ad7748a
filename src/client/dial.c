/* Connections: to an address, a Unix socket, or in memory to an app; and TLS on them. */
#include <string.h>
#include <strings.h>
#include <weft/address.h>
#include <weft/app.h>
#include <weft/extend.h>
#include <weft/names.h>
#include <weft/task.h>
#include <weft/tcp.h>
#include <weft/tls.h>
#include <weft/unix.h>

#include "client/client.h"
#include "client/proxy.h"

/* ---- An app in memory ---- */

enum { PAIR_CAPACITY = 65536 };

struct served {
    struct wf_app *app;
    struct wf_stream *stream;
};

static int serve_app(struct served *served)
{
    wf_ignore(wf_app_serve_stream(served->app, served->stream)); /* the client sees what comes of it */
    wf_stream_close(served->stream);
    return 0;
}

static int connect_to_app(struct call *call, struct wf_stream **stream)
{
    struct served served = {.app = call->client->options.app};
    int rc = wf_stream_pair(PAIR_CAPACITY, stream, &served.stream);
    if (rc < 0) return rc;
    rc = wf_background_start_copy(call->client->tasks, serve_app, &served);
    if (rc == 0) return 0;
    wf_stream_close(served.stream);
    wf_stream_close(*stream);
    return call_fail_as_told(call, rc);
}

/* ---- Sockets ---- */

/* ---- Proxies ---- */

/* A proxy is spoken to in HTTP/1.1. */
static int make_tls_of_1(struct client *client)
{
    struct wf_tls_options tls = {.size = sizeof tls,
                                 .out_ = &client->tls_of_1,
                                 .ca_file = client->options.ca_file,
                                 .alpn = {"http/1.1"}};
    return wf_tls_client_create_(&tls);
}

static int begin_proxy_tls(struct client *client, const struct proxy *proxy, struct wf_stream **stream)
{
    struct wf_stream *tls;
    int rc = wf_once(&client->tls_of_1_made, make_tls_of_1, client);
    if (rc == 0) rc = wf_tls_connect(*stream, client->tls_of_1, proxy->host, &tls);
    if (rc == 0) *stream = tls;
    return rc;
}

/* Who wants its name looked up here gives the first of its addresses. */
static int begin_socks(struct call *call, const struct proxy *proxy, struct wf_stream *stream)
{
    const struct origin *origin = call->origin;
    const struct wf_address *addresses = NULL;
    struct wf_address numeric;
    if (wf_address_ip(origin->host, origin->port, &numeric) == 0) addresses = &numeric;
    else if (proxy->kind == PROXY_SOCKS5) {
        int rc = wf_resolve(origin->host, origin->port, call->arena, &addresses);
        if (rc < 0) return call_fail_as_told(call, rc);
    }
    return socks_connect(stream, proxy, origin->host, origin->port, addresses);
}

static int introduce(struct call *call, const struct proxy *proxy, struct wf_stream **stream)
{
    if (proxy->kind == PROXY_SOCKS5 || proxy->kind == PROXY_SOCKS5H) return begin_socks(call, proxy, *stream);
    int rc = proxy->kind == PROXY_HTTPS ? begin_proxy_tls(call->client, proxy, stream) : 0;
    return rc == 0 && call->origin->tunnelled ? tunnel_open(call, *stream, proxy) : rc;
}

static int connect_by_proxy(struct call *call, const struct proxy *proxy, struct wf_stream **stream)
{
    int rc = wf_tcp_connect(proxy->host, proxy->port, stream, .local = call->client->options.local);
    if (rc < 0) return proxy_fail(call, proxy, rc);
    rc = introduce(call, proxy, stream);
    if (rc == 0) return 0;
    wf_stream_close(*stream);
    return proxy_fail(call, proxy, rc);
}

/* ---- Straight ---- */

static int connect_somewhere(struct call *call, struct wf_stream **stream)
{
    const struct wf_client_options *options = &call->client->options;
    const struct origin *origin = call->origin;
    if (options->app != NULL) return connect_to_app(call, stream);
    if (origin->proxy != NULL) return connect_by_proxy(call, origin->proxy, stream);
    int rc = options->unix_path != NULL ? wf_unix_connect(options->unix_path, stream)
                                        : wf_tcp_connect(origin->host, origin->port, stream, .local = options->local);
    return rc < 0 ? call_fail_as_told(call, rc) : 0;
}

/* ---- TLS ---- */

static int make_tls(struct client *client)
{
    const struct wf_client_options *options = &client->options;
    struct wf_tls_options tls = {.size = sizeof tls, .out_ = &client->tls, .ca_file = options->ca_file};
    unsigned count = 0;
    if (options->version != WF_HTTP_1) tls.alpn[count++] = "h2";
    if (options->version != WF_HTTP_2) tls.alpn[count++] = "http/1.1";
    return wf_tls_client_create_(&tls);
}

static bool is_pinned(const struct wf_client_options *options, const struct wf_tls_info *info)
{
    if (options->pins[0] == NULL) return true;
    for (unsigned i = 0; i < WF_COUNT(options->pins) && options->pins[i] != NULL; i++)
        for (size_t j = 0; j < info->chain_count; j++)
            if (strcasecmp(options->pins[i], info->chain[j].fingerprint) == 0) return true;
    return false;
}

/* Which version of HTTP was agreed on, and is it the right server? */
static int look_at_tls(struct call *call, struct wf_stream *stream, const struct protocol **protocol)
{
    struct wf_tls_info info;
    int rc = wf_tls_info(stream, call->arena, &info);
    if (rc < 0) return rc;
    if (!is_pinned(&call->client->options, &info))
        return call_fail(call, -EKEYREJECTED, "the certificate of %s is none of those that are pinned",
                         call->origin->host);
    bool h2 = info.alpn != NULL && strcmp(info.alpn, "h2") == 0;
    if (h2 && call->origin->upgrades)
        return call_fail(call, -EPROTO, "a WebSocket needs HTTP/1.1, and the TLS configuration offers HTTP/2");
    if (call->client->options.version == WF_HTTP_2 && !h2 && !call->origin->upgrades)
        return call_fail(call, -EPROTO, "%s does not speak HTTP/2", call->origin->host);
    *protocol = h2 ? &http2 : &http1;
    return 0;
}

static int find_tls(struct call *call, struct wf_tls_config **config)
{
    struct client *client = call->client;
    bool upgrades = call->origin->upgrades;
    *config = client->options.tls;
    if (*config != NULL) return 0;
    int rc = upgrades ? wf_once(&client->tls_of_1_made, make_tls_of_1, client)
                      : wf_once(&client->tls_made, make_tls, client);
    *config = upgrades ? client->tls_of_1 : client->tls;
    return rc;
}

static int begin_tls(struct call *call, struct wf_stream **stream, const struct protocol **protocol)
{
    struct wf_stream *tls = NULL;
    struct wf_tls_config *config = NULL;
    int rc = find_tls(call, &config);
    if (rc == 0) rc = wf_tls_connect(*stream, config, call->origin->host, &tls);
    if (rc < 0) return call_fail_as_told(call, rc);
    *stream = tls;
    return look_at_tls(call, tls, protocol);
}

/* ---- Both ---- */

static bool is_taken_by_proxy(const struct origin *origin)
{
    const struct proxy *proxy = origin->proxy;
    return proxy != NULL && !origin->tunnelled && (proxy->kind == PROXY_HTTP || proxy->kind == PROXY_HTTPS);
}

static int make_wire(struct call *call, struct wf_stream *stream, const struct protocol *protocol, struct wire **wire)
{
    struct wire *made = wf_memory_alloc(sizeof *made);
    if (made == NULL) return -ENOMEM;
    *made = (struct wire){.client = call->client,
                          .origin = call->origin,
                          .protocol = protocol,
                          .stream = stream,
                          .proxied = is_taken_by_proxy(call->origin),
                          .streams_max = 1};
    int rc = protocol == &http2 ? c2_begin(made) : 0;
    if (rc < 0) wf_memory_free(made);
    else *wire = made;
    return rc;
}

int dial(struct call *call, struct wire **wire)
{
    bool h2 = call->client->options.version == WF_HTTP_2 && !call->origin->upgrades;
    const struct protocol *protocol = h2 ? &http2 : &http1;
    struct wf_stream *stream = NULL;
    int rc = IN_STEP(call, STEP_CONNECT, connect_somewhere(call, &stream));
    if (rc < 0) return rc;
    if (call->origin->secure && call->client->options.app == NULL)
        rc = IN_STEP(call, STEP_TLS, begin_tls(call, &stream, &protocol));
    if (rc == 0) rc = make_wire(call, stream, protocol, wire);
    if (rc < 0) wf_stream_close(stream);
    return rc;
}
