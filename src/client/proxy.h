/*
 * Ways to an origin through others: whole URLs said to an HTTP proxy, tunnels through one (RFC 9110 section 9.3.6), and
 * SOCKS 5 (RFC 1928).
 */
#ifndef WEFT_CLIENT_PROXY_H
#define WEFT_CLIENT_PROXY_H

#include "client/client.h"

struct proxy {
    enum { PROXY_HTTP, PROXY_HTTPS, PROXY_SOCKS5, PROXY_SOCKS5H } kind;
    const char *name; /* "host:port": for messages */
    const char *host;
    uint16_t port;
    const char *user, *password; /* NULL: none */
    const char *login;           /* of HTTP: what Proxy-Authorization says; NULL: nothing */
};

/* ---- proxy.c ---- */

/* From the options, or from the environment, into client->proxies. Errors: -EINVAL, with a message; -ENOMEM. */
int proxies_read(struct client *client);

/* NULL: none is between. */
const struct proxy *proxy_for(const struct client *client, const struct wf_url *url, bool secure);

/* As call_fail_as_told, with the proxy's name. */
int proxy_fail(struct call *call, const struct proxy *proxy, int code);

/* An error of the stream, told as one of the proxy's. */
int proxy_stream_failed(int code);

/* ---- tunnel.c ---- */

/* Has the proxy connect to the call's origin; what is said on the stream afterwards goes there. Suspends.
 * Errors, with a message: -EACCES where it wants a login, -ECONNREFUSED for any other answer than a 2xx. */
int tunnel_open(struct call *call, struct wf_stream *stream, const struct proxy *proxy);

/* ---- socks.c ---- */

/*
 * The same by SOCKS 5; `address`, where it is not NULL, is asked for in place of the host. Suspends.
 * Errors, with a message: -EACCES for a login that is wanted or refused, and where a rule forbids it; -EPROTO for what
 * is no answer; -ECONNRESET where it hangs up; what the proxy says became of connecting; the stream's.
 */
int socks_connect(struct wf_stream *stream, const struct proxy *proxy, const char *host, uint16_t port,
                  const struct wf_address *address);

#endif
