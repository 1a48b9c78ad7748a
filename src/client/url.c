/*
 * URLs: uriparser says what is one, and what a reference means; this takes it apart. uriparser has its memory from
 * malloc: 0.9.7 loses a block when its memory manager fails while a path is normalised.
 */
#include <weft/url.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uriparser/Uri.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/grammar.h"

static int code_of(int outcome)
{
    return outcome == URI_SUCCESS ? 0 : outcome == URI_ERROR_MALLOC ? -ENOMEM : -EINVAL;
}

/* ---- Encoding ---- */

static char *put_encoded(char *to, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    *to++ = '%';
    *to++ = digits[(unsigned char)byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("-._~", byte) != NULL);
}

const char *wf_url_encode(const char *text, struct wf_arena *arena)
{
    char *encoded = wf_arena_alloc(arena, strlen(text) * 3 + 1), *to = encoded;
    if (encoded == NULL) return NULL;
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text)) *to++ = *text;
        else to = put_encoded(to, *text);
    }
    *to = '\0';
    return encoded;
}

/* What people write and RFC 3986 does not know: spaces, other bytes than ASCII, brackets behind the host. */
static int encode_loose(const char *text, struct wf_arena *arena, char **encoded)
{
    size_t size = strlen(text);
    if (size > WF_URL_MAX) return wf_fail(-ENAMETOOLONG, "a URL of %zu bytes is too long", size);
    char *to = *encoded = wf_arena_alloc(arena, size * 3 + 1);
    if (to == NULL) return -ENOMEM;
    const char *host = strstr(text, "//");
    const char *behind = host == NULL ? text : host + 2 + strcspn(host + 2, "/?#");
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            return wf_fail(-EINVAL, "there is a control character in the URL, at byte %td", at - text);
        bool bracket = (*at == '[' || *at == ']') && at >= behind;
        if (bracket || (signed char)*at < 0 || strchr(" \"<>\\^`{|}", *at) != NULL) to = put_encoded(to, *at);
        else *to++ = *at;
    }
    *to = '\0';
    return 0;
}

/* ---- Normal form ---- */

enum { SCHEME = 1, HOST = 2, DIGIT = 4, REST = 8 };

static const unsigned char kinds[256] = {
    ['a' ... 'z'] = SCHEME | HOST | REST,
    ['0' ... '9'] = HOST | DIGIT | REST,
    ['A' ... 'Z'] = REST,
    ['-'] = HOST | REST,
    ['.'] = HOST | REST,
    ['_'] = REST,
    ['~'] = REST,
    ['!'] = REST,
    ['$'] = REST,
    ['&'] = REST,
    ['\''] = REST,
    ['('] = REST,
    [')'] = REST,
    ['*'] = REST,
    ['+'] = REST,
    [','] = REST,
    [';'] = REST,
    ['='] = REST,
    [':'] = REST,
    ['@'] = REST,
    ['/'] = REST,
    ['?'] = REST,
};

static const char *skip(const char *text, unsigned kind)
{
    while (kinds[(unsigned char)*text] & kind) text++;
    return text;
}

/* Most URLs need no look by uriparser: a plain scheme and host, and a path and a query of ordinary characters, without
 * anything encoded and without dots that mean something. */
static bool is_normal(const char *text)
{
    const char *host = skip(text, SCHEME);
    if (host == text || strncmp(host, "://", 3) != 0) return false;
    host += 3;
    const char *at = skip(host, HOST);
    if (at == host) return false;
    if (*at == ':') at = skip(at + 1, DIGIT);
    if (*at == '\0') return true;
    return (*at == '/' || *at == '?') && *skip(at, REST) == '\0' && strstr(at, "/.") == NULL;
}

static int write_uri(const UriUriA *uri, struct wf_arena *arena, char **text)
{
    int size = 0;
    int rc = code_of(uriToStringCharsRequiredA(uri, &size));
    if (rc < 0) return rc;
    *text = wf_arena_alloc(arena, (size_t)size + 1);
    return *text == NULL ? -ENOMEM : code_of(uriToStringA(*text, uri, size + 1, NULL));
}

static int parse_text(const char *text, UriUriA *uri)
{
    const char *where = text;
    if (text == NULL) return -EINVAL;
    int rc = code_of(uriParseSingleUriExA(uri, text, text + strlen(text), &where));
    return rc == -EINVAL ? wf_fail(rc, "\"%s\" is no URL, from byte %td on", text, where - text) : rc;
}

static int check_whole(const UriUriA *uri, const char *text)
{
    bool has_host = uri->hostText.first != NULL && uri->hostText.afterLast > uri->hostText.first;
    if (uri->scheme.first == NULL) return wf_fail(-EINVAL, "\"%s\" is no whole URL: it has no scheme", text);
    return has_host ? 0 : wf_fail(-EINVAL, "\"%s\" has no host", text);
}

/* Scheme and host in small letters, no "." and ".." in the path. */
static int normalise(UriUriA *uri, const char *text, struct wf_arena *arena, char **normal)
{
    int rc = check_whole(uri, text);
    if (rc == 0)
        rc = code_of(uriNormalizeSyntaxExA(uri, URI_NORMALIZE_SCHEME | URI_NORMALIZE_HOST | URI_NORMALIZE_PATH));
    return rc < 0 ? rc : write_uri(uri, arena, normal);
}

static int read_normal(const char *text, struct wf_arena *arena, char **normal)
{
    UriUriA uri = {.scheme = {NULL, NULL}};
    char *encoded = NULL;
    if (strlen(text) <= WF_URL_MAX && is_normal(text)) {
        *normal = wf_arena_strdup(arena, text);
        return *normal != NULL ? 0 : -ENOMEM;
    }
    int rc = encode_loose(text, arena, &encoded);
    if (rc == 0) rc = parse_text(encoded, &uri);
    if (rc < 0) return rc;
    rc = normalise(&uri, encoded, arena, normal);
    uriFreeUriMembersA(&uri);
    return rc;
}

/* ---- Parts ---- */

static uint16_t default_port(const char *scheme)
{
    if (strcmp(scheme, "http") == 0 || strcmp(scheme, "ws") == 0) return 80;
    return strcmp(scheme, "https") == 0 || strcmp(scheme, "wss") == 0 ? 443 : 0;
}

static int take_user(struct wf_url *url, char *at, char *end)
{
    *end = '\0';
    char *colon = strchr(at, ':');
    if (colon != NULL) {
        *colon = '\0';
        url->password = colon + 1;
        if (percent_decode(colon + 1, strlen(colon + 1), false) < 0) return -EINVAL;
    }
    url->user = at;
    return percent_decode(at, strlen(at), false) < 0 ? -EINVAL : 0;
}

static int take_port(struct wf_url *url, const char *digits)
{
    if (digits[0] == '\0') return 0;
    char *end;
    unsigned long port = strtoul(digits, &end, 10);
    if (*end != '\0' || port == 0 || port > 65535) return wf_fail(-EINVAL, "\"%s\" is no port", digits);
    url->port = (uint16_t)port;
    return 0;
}

/* uriparser writes all of its zeros. */
static int shorten_v6(struct wf_url *url, struct wf_arena *arena)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, url->host, &address) != 1) return 0;
    url->host = wf_arena_strdup(arena, inet_ntop(AF_INET6, &address, text, sizeof text));
    return url->host == NULL ? -ENOMEM : 0;
}

/* "user:password@[::1]:80" */
static int take_authority(struct wf_url *url, char *at, struct wf_arena *arena)
{
    int rc = 0;
    char *user_end = strrchr(at, '@');
    if (user_end != NULL) {
        rc = take_user(url, at, user_end);
        at = user_end + 1;
    }
    char *host_end = at + strcspn(at, at[0] == '[' ? "]" : ":");
    if (at[0] == '[') at++;
    url->host = at;
    const char *colon = strchr(host_end, ':');
    if (rc == 0 && colon != NULL) rc = take_port(url, colon + 1);
    *host_end = '\0';
    return rc == 0 && strchr(url->host, ':') != NULL ? shorten_v6(url, arena) : rc;
}

static char *put(char *to, const char *text)
{
    size_t size = strlen(text);
    memcpy(to, text, size);
    return to + size;
}

/* The host with its brackets, and the port where it is not the default. */
static char *put_authority(char *to, const struct wf_url *url)
{
    bool v6 = strchr(url->host, ':') != NULL;
    if (v6) *to++ = '[';
    to = put(to, url->host);
    if (v6) *to++ = ']';
    return url->port == default_port(url->scheme) ? to : to + snprintf(to, 7, ":%u", url->port);
}

/* The target and the authority are parts of what may be shown:
 *
 *     "https://" "example.org:8443" "/a?b" \0 "example.org:8443" \0
 */
static int compose(struct wf_url *url, const char *behind, struct wf_arena *arena)
{
    size_t host = strlen(url->host) + 10;
    char *text = wf_arena_alloc(arena, strlen(url->scheme) + 3 + 2 * host + strlen(behind) + 3);
    if (text == NULL) return -ENOMEM;
    char *authority = put(put(text, url->scheme), "://"), *target = put_authority(authority, url), *to = target;
    if (behind[0] != '/') *to++ = '/';
    to = put(to, behind);
    *to++ = '\0';
    memcpy(to, authority, (size_t)(target - authority));
    to[target - authority] = '\0';
    url->text = text;
    url->authority = to;
    url->target = target;
    return 0;
}

/* "https://user@host:port/path?query#fragment" */
static int split(char *text, struct wf_arena *arena, struct wf_url *url)
{
    *url = (struct wf_url){.scheme = text};
    char *colon = strchr(text, ':');
    *colon = '\0';
    url->port = default_port(text);
    char *authority = colon + 2; /* a byte further left, so that there is one for its end */
    size_t size = strcspn(colon + 3, "/?#");
    char *behind = colon + 3 + size;
    memmove(authority, colon + 3, size);
    authority[size] = '\0';
    char *fragment = strchr(behind, '#');
    if (fragment != NULL) {
        *fragment = '\0';
        url->fragment = fragment + 1;
    }
    int rc = take_authority(url, authority, arena);
    return rc < 0 ? rc : compose(url, behind, arena);
}

int wf_url_parse(const char *text, struct wf_arena *arena, struct wf_url *url)
{
    char *normal;
    if (text == NULL) return wf_fail(-EINVAL, "there is no URL");
    int rc = read_normal(text, arena, &normal);
    return rc < 0 ? rc : split(normal, arena, url);
}

/* ---- Joining ---- */

static int join(UriUriA *base, UriUriA *reference, const char *text, struct wf_arena *arena, const char **joined)
{
    UriUriA whole = {.scheme = {NULL, NULL}};
    char *normal = NULL;
    int rc = check_whole(base, text);
    if (rc == 0) rc = code_of(uriAddBaseUriExA(&whole, reference, base, URI_RESOLVE_STRICTLY));
    if (rc < 0) return rc;
    rc = normalise(&whole, text, arena, &normal);
    uriFreeUriMembersA(&whole);
    *joined = normal;
    return rc;
}

int wf_url_join(const char *base, const char *reference, struct wf_arena *arena, const char **joined)
{
    UriUriA base_uri = {.scheme = {NULL, NULL}}, reference_uri = base_uri;
    char *base_text = NULL, *text = NULL;
    if (base == NULL || reference == NULL) return wf_fail(-EINVAL, "there is no URL");
    int rc = encode_loose(base, arena, &base_text);
    if (rc == 0) rc = encode_loose(reference, arena, &text);
    if (rc == 0) rc = parse_text(base_text, &base_uri);
    if (rc < 0) return rc;
    rc = parse_text(text, &reference_uri);
    if (rc == 0) {
        rc = join(&base_uri, &reference_uri, base_text, arena, joined);
        uriFreeUriMembersA(&reference_uri);
    }
    uriFreeUriMembersA(&base_uri);
    return rc;
}
