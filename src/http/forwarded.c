#include "http/forwarded.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/stream.h>

#include "http/app.h"
#include "http/grammar.h"

/* ---- Whom to trust ---- */

/* "::ffff:10.0.0.1" is 10.0.0.1 to everybody. */
static bool bytes_of(const struct wf_address *address, struct network *one)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address->size == 0) return false;
    one->family = address->any.sa_family;
    if (one->family == AF_INET) memcpy(one->bytes, &address->v4.sin_addr, 4);
    else if (one->family == AF_INET6) memcpy(one->bytes, &address->v6.sin6_addr, 16);
    else return one->family == AF_UNIX;
    if (one->family == AF_INET6 && memcmp(one->bytes, mapped, 12) == 0) {
        memmove(one->bytes, one->bytes + 12, 4);
        one->family = AF_INET;
    }
    return true;
}

static bool is_in(const struct network *one, const struct network *network)
{
    if (one->family != network->family) return false;
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(one->bytes, network->bytes, whole) != 0) return false;
    unsigned char mask = (unsigned char)(0xff00 >> rest);
    return rest == 0 || (one->bytes[whole] & mask) == (network->bytes[whole] & mask);
}

bool forwarded_trusts(const struct wf_app_ *app, const struct wf_address *address)
{
    struct network one;
    if (!bytes_of(address, &one)) return false;
    for (unsigned i = 0; i < app->trusted_count; i++)
        if (is_in(&one, &app->trusted[i])) return true;
    return false;
}

/* "10.0.0.0/8", "::1", "unix" */
static bool parse_network(char *text, struct network *network)
{
    *network = (struct network){.family = AF_UNIX};
    if (strcmp(text, "unix") == 0) return true;
    char *slash = strchr(text, '/'), *end = NULL;
    if (slash != NULL) *slash = '\0';
    network->family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    unsigned most = network->family == AF_INET ? 32 : 128;
    network->bits = most;
    if (inet_pton(network->family, text, network->bytes) != 1) return false;
    if (slash == NULL) return true;
    bool digit = slash[1] >= '0' && slash[1] <= '9';
    unsigned long bits = digit ? strtoul(slash + 1, &end, 10) : 0;
    network->bits = (unsigned)bits;
    return digit && *end == '\0' && bits <= most;
}

int forwarded_trust(struct wf_arena *arena, const char *list, struct network **networks, unsigned *count,
                    const char **bad)
{
    *count = 0;
    *networks = wf_arena_array(arena, NETWORKS_MAX, sizeof **networks);
    if (*networks == NULL) return -ENOMEM;
    for (const char *at = list + strspn(list, " ,"); *at != '\0'; at += strspn(at, " ,")) {
        size_t size = strcspn(at, " ,");
        char *text = wf_arena_strndup(arena, at, size);
        if (text == NULL) return -ENOMEM;
        *bad = at;
        if (*count == NETWORKS_MAX) return -E2BIG;
        if (!parse_network(text, &(*networks)[(*count)++])) return -EINVAL;
        at += size;
    }
    return 0;
}

/* ---- What they say ---- */

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1"; names that hide somebody are no addresses. */
static bool parse_peer(struct wf_arena *arena, const char *text, size_t size, struct wf_address *address)
{
    char *copy = wf_arena_strndup(arena, text, size);
    if (copy == NULL) return false;
    struct in6_addr raw;
    bool bare = inet_pton(AF_INET, copy, &raw) == 1 || inet_pton(AF_INET6, copy, &raw) == 1;
    if (bare) return wf_address_ip(copy, 0, address) == 0;
    if (size > 2 && copy[0] == '[' && copy[size - 1] == ']') {
        copy[size - 1] = '\0';
        return inet_pton(AF_INET6, copy + 1, &raw) == 1 && wf_address_ip(copy + 1, 0, address) == 0;
    }
    bool begins = copy[0] == '[' || (copy[0] >= '0' && copy[0] <= '9');
    return begins && wf_address_parse(copy, address) == 0;
}

static const char *scheme_of(const char *text, size_t size)
{
    if (size == 4 && strncasecmp(text, "http", 4) == 0) return "http";
    return size == 5 && strncasecmp(text, "https", 5) == 0 ? "https" : NULL;
}

static const char *host_of(struct wf_arena *arena, const char *text, size_t size)
{
    char *copy = wf_arena_strndup(arena, text, size);
    return copy != NULL && copy[0] != '\0' && is_authority(copy, size) ? copy : NULL;
}

/* All fields of that name as one list; NULL: there is none. */
static const char *joined(const struct wf_request *request, struct wf_arena *arena, const char *name)
{
    uint32_t after = 0;
    const char *list = NULL, *value;
    while ((value = wf_headers_next(&request->headers, name, &after)) != NULL)
        list = list == NULL ? value : wf_arena_printf(arena, "%s, %s", list, value);
    return list;
}

/* The last entry before `end`, without what is around it; NULL: there is none. A quoted comma divides nothing. */
static const char *last_entry(const char *list, const char *end, size_t *size, const char **before)
{
    const char *begin = list;
    bool quoted = false;
    for (const char *at = list; at < end; at++) {
        if (*at == '"') quoted = !quoted;
        if (*at == ',' && !quoted) begin = at + 1;
    }
    *before = begin > list ? begin - 1 : list;
    while (begin < end && (*begin == ' ' || *begin == '\t')) begin++;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t')) end--;
    *size = (size_t)(end - begin);
    return *size > 0 ? begin : NULL;
}

/* A parameter of an entry of Forwarded: for="[2001:db8::1]:80";proto=https */
static const char *parameter(const char *entry, size_t entry_size, const char *name, size_t *size)
{
    const char *end = entry + entry_size;
    size_t name_size = strlen(name);
    for (const char *at = entry; at < end; at++) {
        while (at < end && (*at == ' ' || *at == ';')) at++;
        const char *stop = memchr(at, ';', (size_t)(end - at));
        if (stop == NULL) stop = end;
        bool found = (size_t)(stop - at) > name_size && strncasecmp(at, name, name_size) == 0 && at[name_size] == '=';
        if (found) {
            at += name_size + 1;
            bool quoted = stop - at >= 2 && *at == '"' && stop[-1] == '"';
            *size = (size_t)(stop - at) - (quoted ? 2 : 0);
            return quoted ? at + 1 : at;
        }
        at = stop;
    }
    return NULL;
}

static void take_entry(struct forwarded *said, struct wf_arena *arena, const char *entry, size_t entry_size)
{
    size_t size;
    const char *text = parameter(entry, entry_size, "for", &size);
    said->has_peer = text != NULL && parse_peer(arena, text, size, &said->peer);
    text = parameter(entry, entry_size, "proto", &size);
    if (text != NULL) said->scheme = scheme_of(text, size);
    text = parameter(entry, entry_size, "host", &size);
    if (text != NULL) said->host = host_of(arena, text, size);
}

/* From the end, as long as who wrote an entry is trusted: the first who is not is who asks. */
static void read_list(const struct wf_app_ *app, struct forwarded *said, struct wf_arena *arena, const char *list,
                      bool whole_entries)
{
    const char *end = list + strlen(list), *entry, *before;
    size_t size;
    bool trusted = true;
    struct wf_address last = said->peer;
    while (trusted && end > list && (entry = last_entry(list, end, &size, &before)) != NULL) {
        if (whole_entries) take_entry(said, arena, entry, size);
        else said->has_peer = parse_peer(arena, entry, size, &said->peer);
        if (!said->has_peer) break;
        last = said->peer;
        trusted = forwarded_trusts(app, &last);
        end = before;
    }
    said->peer = last;
    said->has_peer = last.size > 0;
}

static void read_fields(const struct wf_request *request, const struct wf_app_ *app, struct forwarded *said,
                        struct wf_arena *arena)
{
    size_t size;
    const char *before, *list = joined(request, arena, "forwarded");
    if (list != NULL) {
        read_list(app, said, arena, list, true);
        return;
    }
    list = joined(request, arena, "x-forwarded-for");
    if (list != NULL) read_list(app, said, arena, list, false);
    list = joined(request, arena, "x-forwarded-proto");
    const char *last = list != NULL ? last_entry(list, list + strlen(list), &size, &before) : NULL;
    if (last != NULL) said->scheme = scheme_of(last, size);
    list = joined(request, arena, "x-forwarded-host");
    last = list != NULL ? last_entry(list, list + strlen(list), &size, &before) : NULL;
    if (last != NULL) said->host = host_of(arena, last, size);
}

const struct forwarded *forwarded_of(const struct wf_request *request)
{
    static const struct forwarded nothing;
    struct wf_request *own = (struct wf_request *)(uintptr_t)request; /* what is found is kept there */
    if (own->forwarded != NULL) return own->forwarded;
    own->forwarded = &nothing;
    const struct wf_app_ *app = request->root->private_;
    struct wf_stream *stream = request->exchange->stream(own);
    struct wf_address peer;
    if (app->trusted_count == 0 || stream == NULL || wf_stream_peer(stream, &peer) < 0) return &nothing;
    struct forwarded *said = forwarded_trusts(app, &peer) ? wf_arena_new(&own->arena, struct forwarded) : NULL;
    if (said == NULL) return &nothing;
    read_fields(request, app, said, &own->arena);
    own->forwarded = said;
    return said;
}
