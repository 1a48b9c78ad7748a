#include "http/proxy_header.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    LINE_MAX_1 = 107, /* bytes of version 1, its end included */
    HEAD_2 = 16,      /* bytes of version 2 before the addresses */
    LOCAL_PATH = 108,
};

static const char signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

/* ---- Version 1 ---- */

/* 0 to 65535, without sign and leading zeros; -1: it is none. */
static int port_of(const char *text)
{
    int port = 0;
    if (text[0] == '0' && text[1] != '\0') return -1;
    if (text[0] == '\0' || strlen(text) > 5) return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') return -1;
        port = port * 10 + (*text - '0');
    }
    return port <= 65535 ? port : -1;
}

static bool address_of(bool six, const char *host, const char *port_text, struct wf_address *address)
{
    int port = port_of(port_text);
    bool sixth = strchr(host, ':') != NULL;
    return port >= 0 && sixth == six && strchr(host, '%') == NULL && wf_address_ip(host, (uint16_t)port, address) == 0;
}

/* Cuts the line at its spaces: exactly `count` words, none of them empty. */
static bool split(char *line, char **words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t size = strcspn(line, " ");
        bool last = i + 1 == count;
        if (size == 0 || last != (line[size] == '\0')) return false;
        words[i] = line;
        line[size] = '\0';
        line += size + 1;
    }
    return true;
}

static bool parse_line(char *line, struct proxy_header *header)
{
    char *words[6];
    if (strncmp(line, "PROXY UNKNOWN", 13) == 0 && (line[13] == '\0' || line[13] == ' ')) return true;
    if (!split(line, words, 6) || strcmp(words[0], "PROXY") != 0) return false;
    bool six = strcmp(words[1], "TCP6") == 0;
    if (!six && strcmp(words[1], "TCP4") != 0) return false;
    header->has_addresses = address_of(six, words[2], words[4], &header->source) &&
                            address_of(six, words[3], words[5], &header->destination);
    return header->has_addresses;
}

static ssize_t parse_1(const char *bytes, size_t size, struct proxy_header *header)
{
    char line[LINE_MAX_1];
    if (memcmp(bytes, "PROXY ", size < 6 ? size : 6) != 0) return -EBADMSG;
    const char *end = memchr(bytes, '\r', size < LINE_MAX_1 - 1 ? size : LINE_MAX_1 - 1);
    if (end == NULL) return size < LINE_MAX_1 - 1 ? 0 : -EBADMSG;
    size_t length = (size_t)(end - bytes);
    if (length + 1 == size) return 0;
    if (end[1] != '\n' || memchr(bytes, '\0', length) != NULL) return -EBADMSG;
    memcpy(line, bytes, length);
    line[length] = '\0';
    return parse_line(line, header) ? (ssize_t)length + 2 : -EBADMSG;
}

/* ---- Version 2 ---- */

static uint16_t number_at(const char *bytes)
{
    uint16_t number;
    memcpy(&number, bytes, sizeof number);
    return ntohs(number);
}

static void make_v4(const char *host, const char *port, struct wf_address *address)
{
    *address = (struct wf_address){.size = sizeof address->v4, .v4 = {.sin_family = AF_INET}};
    memcpy(&address->v4.sin_addr, host, 4);
    memcpy(&address->v4.sin_port, port, 2);
}

static void make_v6(const char *host, const char *port, struct wf_address *address)
{
    *address = (struct wf_address){.size = sizeof address->v6, .v6 = {.sin6_family = AF_INET6}};
    memcpy(&address->v6.sin6_addr, host, 16);
    memcpy(&address->v6.sin6_port, port, 2);
}

/* A path that ends with the first zero, if there is one; an abstract name begins with it. */
static bool make_local(const char *path, struct wf_address *address)
{
    *address = (struct wf_address){.local = {.sun_family = AF_UNIX}};
    memcpy(address->local.sun_path, path, LOCAL_PATH);
    size_t size = path[0] == '\0' ? LOCAL_PATH : strnlen(path, LOCAL_PATH);
    address->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    return true;
}

static bool take_addresses(const char *at, size_t size, int family, struct proxy_header *header)
{
    switch (family) {
    case 0x1:
        if (size < 12) return false;
        make_v4(at, at + 8, &header->source);
        make_v4(at + 4, at + 10, &header->destination);
        break;
    case 0x2:
        if (size < 36) return false;
        make_v6(at, at + 32, &header->source);
        make_v6(at + 16, at + 34, &header->destination);
        break;
    case 0x3:
        if (size < 2 * LOCAL_PATH) return false;
        make_local(at, &header->source);
        make_local(at + LOCAL_PATH, &header->destination);
        break;
    default:
        return family == 0; /* of a kind that is not said */
    }
    header->has_addresses = true;
    return true;
}

static ssize_t parse_2(const char *bytes, size_t size, struct proxy_header *header)
{
    if (size < HEAD_2) return 0;
    unsigned char kind = (unsigned char)bytes[12], family = (unsigned char)bytes[13];
    size_t length = number_at(bytes + 14);
    if (kind >> 4 != 2 || (kind & 0xf) > 1 || (family & 0xf) > 2) return -EBADMSG;
    if (HEAD_2 + length > PROXY_HEADER_MAX) return -EBADMSG;
    if (size < HEAD_2 + length) return 0;
    bool passed_on = (kind & 0xf) == 1;
    if (passed_on && !take_addresses(bytes + HEAD_2, length, family >> 4, header)) return -EBADMSG;
    return (ssize_t)(HEAD_2 + length);
}

ssize_t proxy_header_parse(const char *bytes, size_t size, struct proxy_header *header)
{
    header->has_addresses = false;
    if (size == 0) return 0;
    if (bytes[0] == 'P') return parse_1(bytes, size, header);
    size_t compared = size < sizeof signature ? size : sizeof signature;
    return memcmp(bytes, signature, compared) == 0 ? parse_2(bytes, size, header) : -EBADMSG;
}
