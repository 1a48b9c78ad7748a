/*
 * SOCKS 5, by RFC 1928, and logins to it by RFC 1929. We speak first, and every answer says how long it is, so that not
 * a byte is read that is not the proxy's.
 *
 *     5 n methods            5 method
 *     1 n user n password    1 0
 *     5 1 0 kind host port   5 reply 0 kind host port
 */
#include <netinet/in.h>
#include <string.h>
#include <weft/address.h>
#include <weft/stream.h>
#include <weft/task.h>

#include "client/proxy.h"

enum { VERSION = 5, METHOD_NONE = 0, METHOD_LOGIN = 2, LOGIN_VERSION = 1, CONNECT = 1 };
enum { KIND_IPV4 = 1, KIND_NAME = 3, KIND_IPV6 = 4 };
enum { TEXT_MAX = 255 };

static int say(struct wf_stream *stream, const unsigned char *bytes, size_t size)
{
    int rc = wf_stream_write_all(stream, bytes, size, NULL);
    return rc < 0 ? proxy_stream_failed(rc) : rc;
}

static int hear(struct wf_stream *stream, void *bytes, size_t size)
{
    int rc = wf_stream_read_full(stream, bytes, size, NULL);
    if (rc == WF_EEND) return wf_fail(-ECONNRESET, "it closed the connection");
    return rc < 0 ? proxy_stream_failed(rc) : rc;
}

static size_t put_text(unsigned char *to, const char *text)
{
    size_t size = text != NULL ? strlen(text) : 0;
    to[0] = (unsigned char)size;
    if (size > 0) memcpy(to + 1, text, size);
    return size + 1;
}

/* ---- Who one is ---- */

static int log_in(struct wf_stream *stream, const struct proxy *proxy)
{
    unsigned char bytes[3 + 2 * TEXT_MAX] = {LOGIN_VERSION}, answer[2] = {0};
    size_t size = 1 + put_text(bytes + 1, proxy->user);
    size += put_text(bytes + size, proxy->password);
    int rc = say(stream, bytes, size);
    if (rc == 0) rc = hear(stream, answer, sizeof answer);
    if (rc < 0) return rc;
    if (answer[0] != LOGIN_VERSION) return wf_fail(-EPROTO, "it does not answer a login");
    return answer[1] == 0 ? 0 : wf_fail(-EACCES, "it refuses the login");
}

static int greet(struct wf_stream *stream, const struct proxy *proxy)
{
    bool named = proxy->user != NULL;
    const unsigned char bytes[4] = {VERSION, named ? 2 : 1, METHOD_NONE, METHOD_LOGIN};
    unsigned char answer[2] = {0};
    int rc = say(stream, bytes, named ? 4 : 3);
    if (rc == 0) rc = hear(stream, answer, sizeof answer);
    if (rc < 0) return rc;
    if (answer[0] != VERSION) return wf_fail(-EPROTO, "it does not speak SOCKS 5");
    if (answer[1] == METHOD_NONE) return 0;
    if (answer[1] == METHOD_LOGIN && named) return log_in(stream, proxy);
    return wf_fail(-EACCES, "it wants %s", named ? "another kind of login" : "a login");
}

/* ---- Where to ---- */

static size_t put_address(unsigned char *to, const struct wf_address *address)
{
    if (address->any.sa_family == AF_INET) {
        *to = KIND_IPV4;
        memcpy(to + 1, &address->v4.sin_addr, 4);
        return 5;
    }
    *to = KIND_IPV6;
    memcpy(to + 1, &address->v6.sin6_addr, 16);
    return 17;
}

static size_t put_name(unsigned char *to, const char *host)
{
    *to = KIND_NAME;
    return 1 + put_text(to + 1, host);
}

static int judge(unsigned reply)
{
    static const struct {
        int code;
        const char *text;
    } replies[] = {
        [1] = {-EIO, "it has failed"},
        [2] = {-EACCES, "its rules forbid this connection"},
        [3] = {-ENETUNREACH, "the network cannot be reached"},
        [4] = {-EHOSTUNREACH, "the host cannot be reached"},
        [5] = {-ECONNREFUSED, "the connection was refused"},
        [6] = {-ETIMEDOUT, "the host did not answer"},
        [7] = {-EOPNOTSUPP, "it does not connect"},
        [8] = {-EAFNOSUPPORT, "it does not know this kind of address"},
    };
    if (reply == 0) return 0;
    if (reply >= WF_COUNT(replies)) return wf_fail(-EPROTO, "it gives the unknown reply %u", reply);
    return wf_fail(replies[reply].code, "%s", replies[reply].text);
}

/* Where it connected from, which nobody asked for. */
static int skip_address(struct wf_stream *stream, unsigned kind)
{
    unsigned char bytes[TEXT_MAX + 2], size = kind == KIND_IPV4 ? 4 : 16;
    if (kind != KIND_IPV4 && kind != KIND_NAME && kind != KIND_IPV6)
        return wf_fail(-EPROTO, "it names an address of the unknown kind %u", kind);
    int rc = kind == KIND_NAME ? hear(stream, &size, 1) : 0;
    return rc < 0 ? rc : hear(stream, bytes, size + (size_t)2);
}

int socks_connect(struct wf_stream *stream, const struct proxy *proxy, const char *host, uint16_t port,
                  const struct wf_address *address)
{
    unsigned char bytes[7 + TEXT_MAX] = {VERSION, CONNECT, 0}, answer[4] = {0};
    if (address == NULL && strlen(host) > TEXT_MAX) return wf_fail(-ENAMETOOLONG, "the host's name is too long");
    int rc = greet(stream, proxy);
    if (rc < 0) return rc;
    size_t size = 3 + (address != NULL ? put_address(bytes + 3, address) : put_name(bytes + 3, host));
    bytes[size++] = (unsigned char)(port >> 8);
    bytes[size++] = (unsigned char)port;
    rc = say(stream, bytes, size);
    if (rc == 0) rc = hear(stream, answer, sizeof answer);
    if (rc < 0) return rc;
    if (answer[0] != VERSION) return wf_fail(-EPROTO, "it does not speak SOCKS 5");
    rc = judge(answer[1]);
    return rc < 0 ? rc : skip_address(stream, answer[3]);
}
