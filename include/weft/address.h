/*
 * Where a socket is: an IPv4 or IPv6 address with a port, or the name of a Unix socket. A value: copied, compared,
 * kept; it owns nothing.
 *
 *     struct wf_address address;
 *     int rc = wf_address_parse("[::1]:8080", &address);       // "1.2.3.4:80", "unix:/run/app.sock", "unix:@app"
 *     if (rc < 0) return rc;
 *     char text[WF_ADDRESS_TEXT];
 *     printf("%s\n", wf_address_text(&address, text));
 *
 * It is what the system calls a struct sockaddr: `any` and `size` go into every system call that takes one.
 * Threads: any. Suspends: never.
 */
#ifndef WEFT_ADDRESS_H
#define WEFT_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WF_ADDRESS_TEXT = 448, /* room for the longest text of an address, its final zero included */
};

struct wf_address {
    socklen_t size; /* bytes of it that count; 0: no address */
    union {
        struct sockaddr any; /* sa_family tells which */
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    };
};

/*
 * From text: "1.2.3.4:80", "[::1]:80", "[fe80::1%2]:80" or "[fe80::1%eth0]:80" (an interface by number or name),
 * "unix:/path", "unix:@name" (an abstract name, which is no file). Names of hosts are none of these. In what follows
 * "unix:", \xNN is the byte of that value; a path has no zero byte.
 * Suspends: never. Errors: -EINVAL, -ENAMETOOLONG for a path of more than 108 bytes; the message says what is wrong
 * with which text. `*address` is then untouched.
 */
WF_API int wf_address_parse(const char *text, struct wf_address *address);

/*
 * To text, in the form that wf_address_parse reads and as it reads it; interfaces as numbers; in names of Unix sockets
 * control characters and the backslash as \xNN. A Unix socket without a name is "unix:", no address "none". Returns
 * `text`. Suspends: never.
 */
WF_API const char *wf_address_text(const struct wf_address *address, char text[WF_ADDRESS_TEXT]);

/*
 * Of a numeric IPv4 or IPv6 address, "127.0.0.1" or "::1" without brackets, and a port.
 * Suspends: never. Errors: -EINVAL with a message; `*address` is then untouched.
 */
WF_API int wf_address_ip(const char *host, uint16_t port, struct wf_address *address);

/*
 * Of a Unix socket: a path, or "@" and an abstract name. Taken as it is, without escapes.
 * Suspends: never. Errors: -EINVAL for an empty one, -ENAMETOOLONG for more than 108 bytes.
 */
WF_API int wf_address_unix(const char *path, struct wf_address *address);

/* The system's form, as it came from a call of yours. Suspends: never. Errors: -EINVAL for more than there is room for,
 * -EAFNOSUPPORT for another family. */
WF_API int wf_address_from(const struct sockaddr *any, socklen_t size, struct wf_address *address);

/* The port of an IPv4 or IPv6 address; 0 where there is none. Setting it does nothing there. Suspends: never. */
WF_API uint16_t wf_address_port(const struct wf_address *address);
WF_API void wf_address_set_port(struct wf_address *address, uint16_t port);

/* Is it the same place? Ports and interfaces count, IPv6 flow labels do not. Suspends: never. */
WF_API bool wf_address_equal(const struct wf_address *one, const struct wf_address *other);

#ifdef __cplusplus
}
#endif
#endif
