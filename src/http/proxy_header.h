/*
 * The header that a proxy says before the first byte of the connection it passes on: whose connection it is (the PROXY
 * protocol of HAProxy, versions 1 and 2).
 *
 *     1: "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n", or TCP6; "PROXY UNKNOWN ...\r\n": nobody's in particular
 *     2: 12 bytes of signature | version and command | family and protocol | length, 2 bytes | addresses | extensions
 */
#ifndef WEFT_HTTP_PROXY_HEADER_H
#define WEFT_HTTP_PROXY_HEADER_H

#include <weft/address.h>

enum { PROXY_HEADER_MAX = 1024 }; /* bytes; the extensions of version 2 are what is long */

struct proxy_header {
    bool has_addresses; /* else it is the proxy's own connection */
    struct wf_address source, destination;
};

/* How many bytes it has; 0: more have to come first; -EBADMSG: these begin no header. */
ssize_t proxy_header_parse(const char *bytes, size_t size, struct proxy_header *header);

#endif
