/*
 * Addresses and their text.
 *
 *     1.2.3.4:80    [::1]:80    [fe80::1%2]:80    unix:/path    unix:@abstract
 *
 * A path may hold any byte but zero, an abstract name any byte at all: what would break a line of a log is written as
 * \xNN, and the backslash too, so that text and address stand for each other exactly.
 */
#include <weft/address.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/task.h>

#include "core/loop.h"
#include "net/names.h"

enum {
    HOST_TEXT = INET6_ADDRSTRLEN + 1 + IF_NAMESIZE,
    PATH_ROOM = sizeof((struct sockaddr_un *)NULL)->sun_path,
    PATH_START = offsetof(struct sockaddr_un, sun_path),
};

static const char local_prefix[] = "unix:";
static const char too_long[] = "longer than the name of a Unix socket may be, 108 bytes";

_Static_assert(sizeof local_prefix + 1 + (size_t)4 * PATH_ROOM <= WF_ADDRESS_TEXT, "the longest text fits");

/* Says why to who asks in a task; addresses are also parsed before there is one. */
static int refuse(int code, const char *text, const char *why)
{
    if (current_loop == NULL || current_loop->running == NULL) return code;
    return wf_fail(code, "%s: %s", text != NULL ? text : "NULL", why);
}

/* ---- Making ---- */

/* An interface, by number or name; 0: there is no such thing. */
static uint32_t interface_of(const char *text)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9')
        return *end == '\0' && errno == 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
    return if_nametoindex(text);
}

static bool fill_v6(const char *host, struct in6_addr *address, uint32_t *scope)
{
    char copy[HOST_TEXT];
    size_t size = strlen(host);
    if (size >= sizeof copy) return false;
    memcpy(copy, host, size + 1);
    char *percent = strchr(copy, '%');
    *scope = 0;
    if (percent != NULL) {
        *percent = '\0';
        *scope = interface_of(percent + 1);
        if (*scope == 0) return false;
    }
    return inet_pton(AF_INET6, copy, address) == 1;
}

bool address_numeric(const char *host, uint16_t port, struct wf_address *address)
{
    struct wf_address made = {.size = sizeof made.v4};
    made.v4.sin_family = AF_INET;
    made.v4.sin_port = htons(port);
    if (inet_pton(AF_INET, host, &made.v4.sin_addr) != 1) {
        made = (struct wf_address){.size = sizeof made.v6};
        made.v6.sin6_family = AF_INET6;
        made.v6.sin6_port = htons(port);
        if (!fill_v6(host, &made.v6.sin6_addr, &made.v6.sin6_scope_id)) return false;
    }
    *address = made;
    return true;
}

int wf_address_ip(const char *host, uint16_t port, struct wf_address *address)
{
    if (host != NULL && address_numeric(host, port, address)) return 0;
    return refuse(-EINVAL, host, "not a numeric address");
}

/* The name of a Unix socket: a path ends with a zero byte, an abstract name begins with one, in place of its "@". */
static int fill_local(const char *name, size_t size, bool abstract, struct wf_address *address)
{
    if (size == 0 || (!abstract && memchr(name, '\0', size) != NULL)) return -EINVAL;
    if (size > PATH_ROOM) return -ENAMETOOLONG;
    bool ends = !abstract && size < PATH_ROOM;
    struct wf_address made = {.size = (socklen_t)(PATH_START + size + (ends ? 1 : 0))};
    made.local.sun_family = AF_UNIX;
    memcpy(made.local.sun_path, name, size);
    if (abstract) made.local.sun_path[0] = '\0';
    *address = made;
    return 0;
}

int wf_address_unix(const char *path, struct wf_address *address)
{
    int rc = path != NULL ? fill_local(path, strlen(path), path[0] == '@', address) : -EINVAL;
    if (rc == -EINVAL) return refuse(rc, path, "the name of a Unix socket is empty");
    return rc < 0 ? refuse(rc, path, too_long) : 0;
}

int wf_address_from(const struct sockaddr *any, socklen_t size, struct wf_address *address)
{
    if (size < sizeof any->sa_family || size > sizeof *address - offsetof(struct wf_address, any)) return -EINVAL;
    sa_family_t family = any->sa_family;
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return -EAFNOSUPPORT;
    if ((family == AF_INET && size < sizeof address->v4) || (family == AF_INET6 && size < sizeof address->v6))
        return -EINVAL;
    memset(address, 0, sizeof *address);
    address->size = size;
    memcpy(&address->any, any, size);
    return 0;
}

/* ---- From text ---- */

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/* The byte after a backslash, or -1. */
static int escaped_byte(const char *text)
{
    if (text[0] != 'x') return -1;
    int high = digit_value(text[1]);
    int low = high < 0 ? -1 : digit_value(text[2]);
    return low < 0 ? -1 : high << 4 | low;
}

static int parse_local(const char *text, const char *name, struct wf_address *address)
{
    char bytes[PATH_ROOM];
    if (*name == '\0') return refuse(-EINVAL, text, "no name");
    bool abstract = name[0] == '@';
    size_t size = 0;
    for (; *name != '\0'; name++) {
        int byte = *name == '\\' ? escaped_byte(name + 1) : (unsigned char)*name;
        if (byte < 0) return refuse(-EINVAL, text, "after a backslash comes x and two hexadecimal digits");
        if (size == sizeof bytes) return refuse(-ENAMETOOLONG, text, too_long);
        bytes[size++] = (char)byte;
        if (*name == '\\') name += 3;
    }
    int rc = fill_local(bytes, size, abstract, address);
    if (rc == -EINVAL) return refuse(rc, text, "a zero byte in a path");
    return rc;
}

/* All of it is a number up to 65535. */
static bool parse_port(const char *text, uint16_t *port)
{
    unsigned number = 0;
    if (*text == '\0') return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (unsigned)(*text - '0');
        if (number > UINT16_MAX) return false;
    }
    *port = (uint16_t)number;
    return *text == '\0';
}

int wf_address_parse(const char *text, struct wf_address *address)
{
    char host[HOST_TEXT];
    uint16_t port;
    if (text == NULL) return refuse(-EINVAL, text, "no address");
    if (strncmp(text, local_prefix, sizeof local_prefix - 1) == 0)
        return parse_local(text, text + sizeof local_prefix - 1, address);
    const char *colon = strrchr(text, ':');
    if (colon == NULL) return refuse(-EINVAL, text, "an address ends with a colon and its port");
    if (!parse_port(colon + 1, &port)) return refuse(-EINVAL, text, "a port is a number up to 65535");
    bool brackets = text[0] == '[' && colon > text + 1 && colon[-1] == ']';
    size_t size = (size_t)(colon - text) - (brackets ? 2 : 0);
    bool fits = size < sizeof host && brackets == (memchr(text, ':', (size_t)(colon - text)) != NULL);
    if (fits) {
        memcpy(host, text + (brackets ? 1 : 0), size);
        host[size] = '\0';
    }
    if (fits && address_numeric(host, port, address)) return 0;
    return refuse(-EINVAL, text, "neither 1.2.3.4:80 nor [::1]:80 nor unix:/path");
}

/* ---- To text ---- */

static void write_local(const struct wf_address *address, char *out)
{
    const char *name = address->local.sun_path;
    size_t size = address->size > PATH_START ? address->size - PATH_START : 0;
    bool abstract = size > 0 && name[0] == '\0';
    if (!abstract) size = strnlen(name, size);
    out = stpcpy(out, local_prefix);
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = abstract && i == 0 ? '@' : (unsigned char)name[i];
        bool looks_abstract = byte == '@' && i == 0 && !abstract;
        if (byte < 0x20 || byte == 0x7f || byte == '\\' || looks_abstract) out += sprintf(out, "\\x%02x", byte);
        else *out++ = (char)byte;
    }
    *out = '\0';
}

static void write_v6(const struct sockaddr_in6 *v6, char *out)
{
    *out++ = '[';
    inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
    out += strlen(out);
    if (v6->sin6_scope_id != 0) out += sprintf(out, "%%%u", v6->sin6_scope_id);
    sprintf(out, "]:%u", ntohs(v6->sin6_port));
}

const char *wf_address_text(const struct wf_address *address, char text[WF_ADDRESS_TEXT])
{
    sa_family_t family = address->size >= sizeof address->any.sa_family ? address->any.sa_family : AF_UNSPEC;
    if (family == AF_INET) {
        inet_ntop(AF_INET, &address->v4.sin_addr, text, INET_ADDRSTRLEN);
        sprintf(text + strlen(text), ":%u", ntohs(address->v4.sin_port));
    } else if (family == AF_INET6) {
        write_v6(&address->v6, text);
    } else if (family == AF_UNIX) {
        write_local(address, text);
    } else {
        memcpy(text, "none", sizeof "none");
    }
    return text;
}

/* ---- Asking ---- */

static bool is_family(const struct wf_address *address, sa_family_t family)
{
    return address->size >= sizeof address->any.sa_family && address->any.sa_family == family;
}

uint16_t wf_address_port(const struct wf_address *address)
{
    if (is_family(address, AF_INET)) return ntohs(address->v4.sin_port);
    return is_family(address, AF_INET6) ? ntohs(address->v6.sin6_port) : 0;
}

void wf_address_set_port(struct wf_address *address, uint16_t port)
{
    if (is_family(address, AF_INET)) address->v4.sin_port = htons(port);
    if (is_family(address, AF_INET6)) address->v6.sin6_port = htons(port);
}

bool wf_address_equal(const struct wf_address *one, const struct wf_address *other)
{
    if (one->size == 0 || other->size == 0) return one->size == other->size;
    if (one->any.sa_family != other->any.sa_family || wf_address_port(one) != wf_address_port(other)) return false;
    if (is_family(one, AF_INET)) return one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    if (is_family(one, AF_INET6))
        return memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0 &&
               one->v6.sin6_scope_id == other->v6.sin6_scope_id;
    char here[WF_ADDRESS_TEXT], there[WF_ADDRESS_TEXT];
    return strcmp(wf_address_text(one, here), wf_address_text(other, there)) == 0;
}
